"""The rule of tests/needs.py itself: skipped for a newcomer, failed in CI, shared data skipped in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import needs
from tests.shared import shared


def test_a_newcomer_without_a_tool_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install strace-of-nobody"):
        needs.program("strace-of-nobody")


def test_in_ci_a_missing_tool_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_CI", "1")
    with pytest.raises(pytest.fail.Exception, match="the-package"):
        needs.program("no-such-program-here", "the-package")


@pytest.mark.parametrize("ci", ["", "1"])
def test_missing_shared_data_is_skipped_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str) -> None:
    monkeypatch.setenv("REGULARS_CI", ci)
    monkeypatch.setenv("REGULARS_SHARED", str(tmp_path / "nowhere"))
    assert shared() is None
    with pytest.raises(pytest.skip.Exception, match="REGULARS_SHARED"):
        needs.shared_data("data", "lfw")


def test_shared_data_that_exists_is_found_by_its_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data" / "lfw").mkdir(parents=True)
    monkeypatch.setenv("REGULARS_SHARED", str(tmp_path))
    assert needs.shared_data("data", "lfw") == tmp_path / "data" / "lfw"
