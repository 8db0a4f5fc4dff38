"""Real processes, killed and cut off at any moment while people walk in: nothing is lost, nothing is double. `make chaos` does it a hundred
times over."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.chaos import storm
from tests.chaos.chain import NOBODY_THERE, a_chain, until

KILLS = 6
FULL_DISK = "32m"


def test_whoever_is_killed_at_any_moment_loses_nothing_and_tells_nothing_twice(tmp_path: Path) -> None:
    with a_chain(tmp_path) as chain:
        storm.kills(chain, Random(11), KILLS, print)
        until(chain.hub.answers, "the hub answers again")
        chain.settle()
        assert chain.check() > 0


def test_a_store_that_finds_no_line_no_postgres_and_no_index_loses_nothing(tmp_path: Path) -> None:
    with a_chain(tmp_path, index_url=NOBODY_THERE) as chain:
        storm.outages(chain, print)
        storm.another_index(chain, "", print)
        chain.settle()
        assert chain.check() > 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK},mode=700", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk cannot be mounted here: that takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_store_whose_disk_is_full_goes_on_where_it_stood_once_there_is_space(tmp_path: Path, small_disk: Path) -> None:
    with a_chain(tmp_path, shop_folders=[small_disk / "data"]) as chain:
        (shop,) = chain.shops
        until(lambda: len(shop.wrote_down()) > 20, "people walked in")
        filler = small_disk / "filler"
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while os.write(file, bytes(1 << 16)):
                pass
        os.close(file)
        time.sleep(3.0)
        before = len(shop.wrote_down())
        filler.unlink()
        until(lambda: len(shop.wrote_down()) > before, "the store writes again")
        chain.settle()
        assert chain.check() > 0
