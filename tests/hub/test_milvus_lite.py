"""The life of the built-in index: opened twice, killed, broken files, and who can reach it."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from hub.errors import ConfigError
from hub.index import Floats, IndexAway, Template
from hub.milvus import Milvus
from hub.milvus_lite import DIRTY, FILES, open_lite, open_server
from hub.rotation import Rotations
from tests.shared import CHECKOUT

TENANT, PERSON, MODEL = "10000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000001", "starter_embedder"


def rotations() -> Rotations:
    return Rotations(lambda tenant_id: b"k" * 32)


def faces(count: int) -> Floats:
    rows = np.random.default_rng(1).standard_normal((count, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fill(index: Milvus, count: int = 5) -> None:
    index.put(TENANT, MODEL, [Template(str(uuid.UUID(int=(7 << 76) + i)), PERSON, row) for i, row in enumerate(faces(count))])


def test_what_was_put_is_there_after_a_clean_end_and_trusted(tmp_path: Path) -> None:
    index = open_lite(tmp_path / "index", rotations())
    fill(index, 700)
    assert (tmp_path / "index" / DIRTY).exists()
    index.close()
    assert not (tmp_path / "index" / DIRTY).exists()
    again = open_lite(tmp_path / "index", rotations())
    assert (again.suspect, again.count(TENANT, MODEL)) == (False, 700)
    again.close()


KILLED = """
import os, sys, uuid
from pathlib import Path
from tests.hub.test_milvus_lite import fill, rotations
from hub.milvus_lite import open_lite
index = open_lite(Path(sys.argv[1]), rotations())
fill(index)
print("filled", flush=True)
sys.stdin.read()
"""


def test_after_a_kill_nothing_acknowledged_is_lost_and_it_is_suspect_until_compared(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "index")], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "filled\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    index = open_lite(tmp_path / "index", rotations())
    assert (index.suspect, index.count(TENANT, MODEL)) == (True, 5)
    index.close()
    # Not compared: the next start must not trust it either.
    index = open_lite(tmp_path / "index", rotations())
    assert index.suspect
    index.trust()
    index.close()
    index = open_lite(tmp_path / "index", rotations())
    assert not index.suspect
    index.close()


def test_a_second_process_is_a_guest_of_the_first(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "index")], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdin is not None and child.stdout.readline() == "filled\n"
    guest = open_lite(tmp_path / "index", rotations())
    assert guest.count(TENANT, MODEL) == 5
    guest.remove_tenant(TENANT)
    fill(guest, 7)
    assert guest.count(TENANT, MODEL) == 7
    child.stdin.close()
    child.kill()
    child.wait()
    with pytest.raises(IndexAway):
        guest.count(TENANT, MODEL)
    guest.close()


def test_files_that_cannot_be_read_are_thrown_away_and_the_index_begins_anew(tmp_path: Path) -> None:
    index = open_lite(tmp_path / "index", rotations())
    fill(index, 700)
    index.close()
    for path in (tmp_path / "index" / FILES).rglob("*"):
        if path.is_file():
            path.write_bytes(b"rubbish")
    index = open_lite(tmp_path / "index", rotations())
    assert (index.suspect, index.count(TENANT, MODEL)) == (True, 0)
    fill(index)
    assert index.count(TENANT, MODEL) == 5
    index.close()


@pytest.mark.parametrize("name", ["with a space", "x" * 120, "tên"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    index = open_lite(tmp_path / name, rotations())
    fill(index)
    assert index.count(TENANT, MODEL) == 5
    index.close()


def listening() -> set[str]:
    """TCP sockets of this process that listen, as /proc names them."""
    open_sockets = set()
    for place in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            open_sockets.add(str(place.readlink()))
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"} & open_sockets


def test_only_the_owner_can_reach_it(tmp_path: Path) -> None:
    index = open_lite(tmp_path / "index", rotations())
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o700
    index.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells what listens")
def test_no_port_is_open(tmp_path: Path) -> None:
    before = listening()
    with socket.create_server(("127.0.0.1", 0)):
        assert len(listening() - before) == 1, "or this test sees nothing"
    index = open_lite(tmp_path / "index", rotations())
    fill(index)
    assert listening() <= before
    index.close()


def test_nothing_of_a_plain_vector_is_on_the_disk(tmp_path: Path) -> None:
    index = open_lite(tmp_path / "index", rotations())
    fill(index, 3)

    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file())

    assert not any(row.astype("<f4").tobytes()[:16] in on_disk() for row in faces(3))
    assert any(row.astype("<f4").tobytes()[:16] in on_disk() for row in rotations().turned(TENANT, faces(3))), "or this test sees nothing"
    index.close()


def test_an_index_that_is_closed_is_away(tmp_path: Path) -> None:
    index = open_lite(tmp_path / "index", rotations())
    fill(index)
    index.close()
    with pytest.raises(IndexAway):
        index.search(TENANT, MODEL, faces(1), 1)


def test_a_server_that_is_not_there_is_away_within_its_time_and_keeps_no_hub_from_starting() -> None:
    index = open_server("http://127.0.0.1:9", "", rotations())
    for _ in range(2):
        with pytest.raises(IndexAway):
            index.models()
    index.close()
    with pytest.raises(ConfigError, match="http"):
        open_server("localhost:19530", "", rotations())
