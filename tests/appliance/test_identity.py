"""The decision as a table: candidates and evidence in, a verdict out."""

from __future__ import annotations

import pytest

from appliance.gallery import Candidate
from appliance.identity import AGREEMENT_MIN, APART_MS_MIN, MARGIN, Decision, Evidence, Policy, Thresholds, Verdict, decide, thresholds
from models.bars import Bars

BARS = Thresholds(match=0.5, learn=0.65, mint=0.35, staff=0.55, opted_out=0.55, going_on=0.3)
PLENTY = Evidence(shots=8, span_ms=2000)


def who(name: str, similarity: float, role: str = "customer") -> Candidate:
    return Candidate(name, role, similarity)


def decided(*candidates: Candidate, evidence: Evidence = PLENTY) -> Decision:
    return decide(sorted(candidates, key=lambda c: -c.similarity), evidence, BARS)


def alice(similarity: float) -> Candidate:
    return who("alice", similarity, "staff")


def charlie(similarity: float) -> Candidate:
    return who("charlie", similarity, "opted_out")


def bob(similarity: float) -> Candidate:
    return who("bob", similarity)


TABLE = [
    ("nobody is known", [], Verdict.NEW, None, False),
    ("nobody is near", [bob(0.34)], Verdict.NEW, None, False),
    ("at the mint bar", [bob(0.35)], Verdict.UNSURE, None, False),
    ("just below match", [bob(0.499)], Verdict.UNSURE, None, False),
    ("at match", [bob(0.5)], Verdict.KNOWN, "bob", False),
    ("below learn", [bob(0.649)], Verdict.KNOWN, "bob", False),
    ("at learn", [bob(0.65)], Verdict.KNOWN, "bob", True),
    ("the nearest wins", [bob(0.6), who("dora", 0.7)], Verdict.KNOWN, "dora", True),
    ("an unnamed visit", [who("visit:1", 0.6, "unsure")], Verdict.AGREED, "visit:1", False),
    ("an unnamed visit, not near enough", [who("visit:1", 0.4, "unsure")], Verdict.UNSURE, None, False),
    ("staff", [alice(0.7)], Verdict.KNOWN, "alice", True),
    ("staff come before a customer as near", [alice(0.7), bob(0.7 + MARGIN / 2)], Verdict.KNOWN, "alice", True),
    ("a much nearer customer comes before staff", [alice(0.6), bob(0.6 + 2 * MARGIN)], Verdict.KNOWN, "bob", True),
    ("opted out", [charlie(0.55)], Verdict.OPTED_OUT, "charlie", False),
    ("opted out comes before staff", [charlie(0.7), alice(0.7 + MARGIN / 2)], Verdict.OPTED_OUT, "charlie", False),
    ("opted out, by the bar for everybody", [charlie(0.52)], Verdict.OPTED_OUT, "charlie", False),
    ("perhaps opted out", [charlie(0.4)], Verdict.UNSURE, None, False),
]


@pytest.mark.parametrize(("candidates", "verdict", "person", "learn"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_who_is_it(candidates: list[Candidate], verdict: Verdict, person: str | None, learn: bool) -> None:
    decision = decided(*candidates)
    assert (decision.verdict, decision.person_id) == (verdict, person)
    assert decision.learn == learn and decision.reason


BRIEF = [
    ("one shot", Evidence(1, 0)),
    ("two shots in one look", Evidence(2, APART_MS_MIN - 1)),
    ("shots that disagree", Evidence(8, 2000, AGREEMENT_MIN - 0.01)),
]


@pytest.mark.parametrize("evidence", [e for _, e in BRIEF], ids=[i for i, _ in BRIEF])
def test_too_little_makes_no_new_person_but_names_a_known_one(evidence: Evidence) -> None:
    assert decided(bob(0.1), evidence=evidence).verdict is Verdict.UNSURE
    assert decided(evidence=evidence).verdict is Verdict.UNSURE
    assert decided(bob(0.7), evidence=evidence).person_id == "bob"


def test_two_shots_apart_are_enough() -> None:
    assert decided(evidence=Evidence(2, APART_MS_MIN, AGREEMENT_MIN)).verdict is Verdict.NEW


def test_a_store_may_ask_for_more_shots() -> None:
    assert decide([], Evidence(4, 2000), BARS, Policy(shots_min=5)).verdict is Verdict.UNSURE


def test_who_is_seen_beside_them_they_are_not() -> None:
    beside = Evidence(8, 2000, others={"bob"})
    assert decided(bob(0.9), evidence=beside).verdict is Verdict.NEW
    assert decided(bob(0.9), who("dora", 0.55), evidence=beside).person_id == "dora"


@pytest.mark.parametrize(
    ("look_of_then", "nearer", "person"),
    [(0.31, 0.1, "bob"), (0.29, 0.1, None), (0.9, 0.45, "bob"), (0.9, 0.5, "dora")],
    ids=["as they were", "other than they were", "nobody is sure to be nearer", "somebody is surely somebody else"],
)
def test_who_was_here_a_moment_ago_still_is_if_they_look_as_they_did(look_of_then: float, nearer: float, person: str | None) -> None:
    decision = decided(bob(0.1), who("dora", nearer), evidence=Evidence(1, 0, here={"bob": look_of_then}))
    assert decision.person_id == person and not decision.learn


def test_who_opted_out_and_was_here_a_moment_ago_is_still_opted_out() -> None:
    assert decided(charlie(0.1), evidence=Evidence(1, 0, here={"charlie": 0.6})).verdict is Verdict.OPTED_OUT


@pytest.mark.parametrize("similarity", [0.1, 0.4])
def test_a_reason_never_says_that_somebody_resembles_who_opted_out(similarity: float) -> None:
    assert decided(charlie(similarity)).nearest_id is None
    assert decided(bob(similarity)).nearest_id == "bob"


def test_bars_rise_with_the_gallery_and_keep_their_order() -> None:
    bars = Bars({0.2: 0.1, 1e-2: 0.3, 1e-3: 0.4, 1e-4: 0.5})
    few, many = (thresholds(bars, Policy(), persons=n, staff=n, opted_out=n) for n in (1, 20))
    for now in (few, many):
        assert now.mint < now.match < now.learn
    assert few.match < many.match and few.staff < many.staff and few.opted_out < many.opted_out
    assert few.going_on == many.going_on
    none = thresholds(bars, Policy(), persons=0, staff=0, opted_out=0)
    assert none == few


TWINS = Evidence(shots=8, span_ms=2000, apart={frozenset(("bob", "dora")), frozenset(("alice", "bob"))})
CALLED_DIFFERENT = [
    ("both as near", [bob(0.7), who("dora", 0.7 - MARGIN / 2)], Verdict.UNSURE, None),
    ("one much nearer", [bob(0.7), who("dora", 0.7 - 2 * MARGIN)], Verdict.KNOWN, "bob"),
    ("neither near enough", [bob(0.49), who("dora", 0.48)], Verdict.UNSURE, None),
    ("a third is the nearest", [who("emil", 0.8), bob(0.79), who("dora", 0.78)], Verdict.KNOWN, "emil"),
    ("staff and a customer as near", [alice(0.7), bob(0.7)], Verdict.UNSURE, None),
    ("opted out comes before both", [charlie(0.72), bob(0.7), who("dora", 0.7)], Verdict.OPTED_OUT, "charlie"),
]


@pytest.mark.parametrize(
    ("candidates", "verdict", "person"), [row[1:] for row in CALLED_DIFFERENT], ids=[row[0] for row in CALLED_DIFFERENT]
)
def test_of_two_who_were_called_different_neither_is_named_where_both_are_near(
    candidates: list[Candidate], verdict: Verdict, person: str | None
) -> None:
    decision = decided(*candidates, evidence=TWINS)
    assert (decision.verdict, decision.person_id) == (verdict, person)
