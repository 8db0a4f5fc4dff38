from __future__ import annotations

import numpy as np
import pytest

from hub.deciding import Candidate, HubBars, Look, Verdict, bars_for, decide, likeness, look_of, raised
from hub.model_bars import bars_of
from models.bars import Bars
from tests.hub.told import face, like

HER = face(1)
BARS = HubBars(link=0.5, review=0.4, guest=0.3)


def look(cosine: float, templates: int = 1, seed: int = 0) -> Look:
    return Look(like(HER, cosine, seed), templates)


def known(name: str, cosine: float, *, templates: int = 1, seed: int = 0, **facts: bool) -> Candidate:
    return Candidate(name, look(cosine, templates, seed), **facts)


def decided(*candidates: Candidate, templates: int = 1) -> tuple[Verdict, str | None, list[str]]:
    decision = decide(Look(HER, templates), candidates, BARS)
    return decision.verdict, decision.identity_id, [doubt.identity_id for doubt in decision.doubts]


def test_nobody_near_is_somebody_new() -> None:
    assert decided() == (Verdict.NEW, None, [])
    assert decided(known("x", 0.39)) == (Verdict.NEW, None, [])


def test_the_nearest_above_the_bar_is_linked() -> None:
    assert decided(known("x", 0.51), known("y", 0.7)) == (Verdict.LINK, "y", ["x"])


def test_between_the_bars_somebody_should_look() -> None:
    assert decided(known("x", 0.45), known("y", 0.41)) == (Verdict.NEW, None, ["x", "y"])


def test_of_somebody_linked_only_what_would_have_been_a_link_is_doubtful() -> None:
    assert decided(known("x", 0.45), known("y", 0.7)) == (Verdict.LINK, "y", [])


def test_whoever_was_called_different_is_out_of_the_question() -> None:
    assert decided(known("x", 0.99, apart=True), known("y", 0.6)) == (Verdict.LINK, "y", [])


def test_an_identity_with_a_person_of_the_same_appliance_is_asked_about_and_never_linked() -> None:
    assert decided(known("x", 0.9, same_appliance=True)) == (Verdict.NEW, None, ["x"])
    assert decided(known("x", 0.45, same_appliance=True)) == (Verdict.NEW, None, [])
    assert decided(known("x", 0.9, same_appliance=True), known("y", 0.6)) == (Verdict.LINK, "y", ["x"])


def test_a_guest_is_linked_at_a_lower_bar_and_before_others() -> None:
    assert decided(known("x", 0.31, guest=True)) == (Verdict.GUEST, "x", [])
    assert decided(known("x", 0.29, guest=True)) == (Verdict.NEW, None, [])
    assert decided(known("x", 0.35, guest=True), known("y", 0.6)) == (Verdict.GUEST, "x", ["y"])
    assert decided(known("x", 0.9, guest=True, apart=True)) == (Verdict.NEW, None, [])
    assert decided(known("x", 0.9, guest=True, same_appliance=True)) == (Verdict.NEW, None, ["x"])


def test_more_templates_raise_the_bar() -> None:
    assert decided(known("x", 0.53)) == (Verdict.LINK, "x", [])
    assert decided(known("x", 0.53, templates=4), templates=4) == (Verdict.NEW, None, ["x"])
    assert raised(0.5, look(1), look(1)) == 0.5
    assert 0.5 < raised(0.5, look(1, 2), look(1)) < raised(0.5, look(1, 8), look(1, 8)) < 0.6


def test_the_reason_says_how_near_and_which_bar() -> None:
    decision = decide(Look(HER, 1), [known("x", 0.6)], BARS)
    assert decision.similarity == pytest.approx(0.6, abs=1e-5) and decision.bar == BARS.link and decision.reason == "near enough to be sure"


def test_the_order_of_candidates_decides_nothing() -> None:
    candidates = [known(name, 0.4 + i / 50, seed=i) for i, name in enumerate("abcdefg")]
    assert decided(*candidates) == decided(*reversed(candidates))


def test_a_look_is_the_mean_direction() -> None:
    found = look_of(np.stack([like(HER, 0.8, 1), like(HER, 0.8, 2)]))
    assert found.templates == 2 and float(np.linalg.norm(found.direction)) == pytest.approx(1, abs=1e-5)
    assert likeness(found, Look(HER, 1)) > 0.85
    opposite = look_of(np.stack([HER, -HER]))
    assert likeness(opposite, Look(HER, 1)) == pytest.approx(1)


def test_bars_rise_with_the_chain_and_keep_their_order() -> None:
    measured = Bars({1e-2: 0.25, 1e-3: 0.33, 1e-4: 0.40, 1e-5: 0.46})
    small, large = bars_for(measured, 50), bars_for(measured, 50_000)
    for one in (small, large, bars_for(measured, 0)):
        assert one.guest <= one.review < one.link
    assert small.link < large.link and small.review < large.review


def test_a_models_bars_are_those_of_the_packs_that_use_it() -> None:
    mobilefacenet, w600k = bars_of("arcface_mobilefacenet"), bars_of("arcface_w600k_mbf")
    assert mobilefacenet is not None and w600k is not None
    assert (mobilefacenet.size, w600k.size) == (128, 512)
    assert w600k.bars.bar_at(1e-5) == pytest.approx(0.3448)
    assert bars_of("of_another_maker") is None
    assert bars_of("yunet_n") is None
