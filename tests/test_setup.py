"""What tools/setup does when it cannot, or need not, set up: in a folder with a space in its name, with the real script."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.shared import CHECKOUT

QUICK_S_MAX = 1.0
OTHER_PROGRAMS = ("bash", "cat", "cksum", "dirname", "mkdir", "rm", "sed", "tr", "env")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a shop's computer"
    (folder / "tools").mkdir(parents=True)
    for name in ("tools/setup", "requirements.lock", "requirements-hub.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, folder / name)
    return folder


def setup(checkout: Path, kind: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "tools" / "setup"), kind], env=environ or None, capture_output=True, text=True, timeout=30, check=False
    )


def test_somebody_elses_environment_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "theirs").write_text("dear to them")
    result = setup(checkout, "store")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "Move it away" in result.stderr
    assert (checkout / ".venv" / "theirs").exists()


def test_without_a_python_that_fits_one_sentence_says_which_to_get(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in OTHER_PROGRAMS:
        (programs / name).symlink_to(shutil.which(name) or name)
    too_old = programs / "python3"
    too_old.write_text("#!/bin/sh\nexit 1\n")
    too_old.chmod(0o755)
    result = setup(checkout, "store", PATH=str(programs))
    assert result.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_second_one_waits_for_the_first_and_not_for_one_that_was_killed(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "theirs").write_text("dear to them")
    turn = checkout / ".venv-setup"
    turn.mkdir()
    with subprocess.Popen(["sleep", "60"]) as first:
        (turn / "process").write_text(str(first.pid))
        second = subprocess.Popen([str(checkout / "tools" / "setup"), "store"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert "waiting for it" in second.stdout.readline()
        first.kill()
    _, words = second.communicate(timeout=30)
    assert "Move it away" in words
    assert not turn.exists()


def test_an_unknown_kind_is_refused(checkout: Path) -> None:
    assert "use store, hub or dev" in setup(checkout, "shop").stderr


def test_the_second_time_takes_no_time() -> None:
    if not (CHECKOUT / ".venv" / "regulars-setup").exists():
        pytest.skip("this checkout was not set up by make")
    began = time.perf_counter()
    result = setup(CHECKOUT, "store")
    assert (result.returncode, result.stdout) == (0, "")
    assert time.perf_counter() - began < QUICK_S_MAX
