"""Two rules for all tests: the long files come first, so that none is left to run alone at the end; and what was skipped is said, each
reason once, so that a green run does not look fuller than it was.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests.needs import in_ci

# CI judges a change, not its luck: there the examples are the same each time. A newcomer and a developer try new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if in_ci() else "here")

LONG = ("simulation/", "rtsp/", "chaos/", "appliance/line/test_process.py", "appliance/test_running.py", "appliance/test_demo.py")
"""In this order. Those that keep the processor busy stand beside those that wait."""
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE).as_posix()
        return next((at for at, name in enumerate(LONG) if path.startswith(name)), len(LONG))

    items.sort(key=turn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple):
            reasons[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1
    for reason, times in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {times}: {reason}")
