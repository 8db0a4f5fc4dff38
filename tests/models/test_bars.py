"""Bars between, at and beyond the measured rates."""

from __future__ import annotations

import pytest

from models.bars import Bars, far_for_search

BARS = Bars({1e-5: 0.47, 1e-3: 0.34, 1e-4: 0.41})


def test_a_measured_rate_gives_its_bar() -> None:
    assert BARS.bar_at(1e-4) == pytest.approx(0.41)


def test_between_two_rates_the_bar_lies_on_the_line_over_the_logarithm() -> None:
    assert BARS.bar_at(10**-3.5) == pytest.approx(0.375)


def test_a_stricter_rate_than_measured_goes_on_along_the_last_decade() -> None:
    assert BARS.bar_at(1e-6) == pytest.approx(0.53)


def test_extrapolation_ends_after_three_decades() -> None:
    assert BARS.bar_at(1e-30) == BARS.bar_at(1e-8) == pytest.approx(0.65)


def test_a_looser_rate_than_measured_keeps_the_loosest_bar() -> None:
    assert BARS.bar_at(0.5) == pytest.approx(0.34)


def test_the_bar_grows_with_the_gallery() -> None:
    sizes = [0, 1, 10, 100, 1_000, 10_000]
    bars = [BARS.bar_for_search(size, 0.01) for size in sizes]
    assert bars == sorted(bars) and bars[2] < bars[3] < bars[4]


def test_the_rate_for_a_search_leaves_the_chance_that_was_asked_for() -> None:
    for size in (1, 100, 100_000):
        assert 1 - (1 - far_for_search(size, 0.01)) ** size == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({1e-3: 0.3}, "at least two rates"),
        ({1e-3: 0.3, 1e-4: 0.2}, "must be above"),
        ({1e-3: 0.3, 0: 0.5}, "between 0 and 1"),
        ({1e-3: 0.3, 1e-4: 1.5}, "must be above"),
    ],
)
def test_bars_that_make_no_sense_are_refused(table: dict[float, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Bars(table)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"above 0"):
        BARS.bar_at(0)
    with pytest.raises(ValueError, match=r"between 0 and 1"):
        far_for_search(10, 0)
