"""One rule for all tests: what was skipped is said, each reason once, so that a green run does not look fuller than it was."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings

from tests.needs import in_ci

# CI judges a change, not its luck: there the examples are the same each time. A newcomer and a developer try new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if in_ci() else "here")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple):
            reasons[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1
    for reason, times in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {times}: {reason}")
