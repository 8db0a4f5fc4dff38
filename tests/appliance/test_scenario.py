"""What a log is worth, on logs made by hand: Alice (staff) and Bob come twice, Charlie (opted out) once, and a poster hangs there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.errors import ScenarioError
from appliance.scenario import Expected, Figures, Logged, TrueVisit, Truth, read_truth, score, visit_shown
from appliance.sightings import Shot

START = 1_000_000


def true_visit(identity: str, start_s: float, *, staff: bool = False, opted_out: bool = False, returning: bool = False) -> TrueVisit:
    """A face 50 px wide that walks from x = 0 to x = 100 in ten seconds."""
    boxes = [(start_s, 0.0, 0.0, 50.0, 60.0), (start_s + 10, 100.0, 0.0, 50.0, 60.0)]
    return TrueVisit(identity, staff, opted_out, returning, start_s, start_s + 10, boxes)


ALICE_1, BOB_1, CHARLIE, ALICE_2, BOB_2, DORA = range(6)
TRUTH = Truth(
    duration_s=700,
    revisit_gap_s=100,
    poster=True,
    staff=["alice"],
    opted_out=["charlie"],
    expected=Expected(customer_visits=3, unique_customers=2, returning_visits=1),
    visits=[
        true_visit("alice", 0, staff=True),
        true_visit("bob", 100),
        true_visit("charlie", 200, opted_out=True),
        true_visit("alice", 300, staff=True, returning=True),
        true_visit("bob", 400, returning=True),
        true_visit("dora", 500),
    ],
)


def shots(start_s: float, count: int = 4, x: float = 0.0) -> list[Shot]:
    """Shots of a face that goes the way of a true visit which began at `start_s`."""
    return [
        Shot(START + round(1000 * (start_s + i)), b"", 0.5, (x + 10 * i, 0.0, x + 10 * i + 50, 60.0)) for i in range(1, count + 1)
    ]


def logged(visit: int, person: str | None, verdict: str, name: str = "", count: int = 4) -> Logged:
    return Logged(name or f"v{visit}", person, verdict, shots(TRUTH.visits[visit].start_s, count))


PERFECT = [
    logged(ALICE_1, "A", "staff"),
    logged(BOB_1, "B", "new"),
    logged(CHARLIE, None, "opted_out"),
    logged(ALICE_2, "A", "staff"),
    logged(BOB_2, "B", "returning"),
    logged(DORA, "D", "new"),
]
POSTER = Logged("poster", "P", "new", shots(100, x=500.0))


def figures(*log: Logged) -> Figures:
    return score(TRUTH, log, START)


def but(visit: int, *instead: Logged) -> list[Logged]:
    return [v for i, v in enumerate(PERFECT) if i != visit] + list(instead)


def test_a_perfect_log() -> None:
    assert figures(*PERFECT) == Figures(
        visits_true=6,
        visits_found=6,
        visits_split=0,
        visits_spurious=0,
        unique_customers_true=2,
        unique_customers=2,
        returning_true=1,
        returning=1,
        pair_precision=1.0,
        pair_recall=1.0,
        customer_pair_precision=1.0,
        customer_pair_recall=1.0,
        unsure_visits=0,
        staff_counted_as_customers=0,
        opted_out_stored=0,
        poster_people=0,
    )


def test_an_empty_log_claims_nothing_and_finds_nothing() -> None:
    empty = figures()
    assert (empty.visits_found, empty.pair_precision, empty.pair_recall) == (0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (but(BOB_2), {"visits_found": 5, "pair_recall": 0.5, "customer_pair_recall": 0.0, "returning": 0}),
        (but(BOB_2, logged(BOB_2, "X", "new")), {"unique_customers": 3, "pair_recall": 0.5, "pair_precision": 1.0}),
        (but(BOB_2, logged(BOB_2, None, "unsure")), {"visits_found": 6, "unsure_visits": 1, "unique_customers": 2, "pair_recall": 0.5}),
        (but(DORA, logged(DORA, "B", "returning")), {"pair_precision": 0.5, "customer_pair_precision": 0.3333, "returning": 2}),
        ([*PERFECT, logged(BOB_1, "B", "new", "again", 2)], {"visits_split": 1, "visits_found": 6, "pair_recall": 1.0}),
        ([*PERFECT, logged(BOB_1, "X", "new", "again", 2)], {"visits_split": 1, "pair_recall": 1.0, "unique_customers": 3}),
        ([*PERFECT, logged(BOB_1, "X", "new", "again", 6)], {"visits_split": 1, "pair_recall": 0.5}),
        ([*PERFECT, POSTER], {"visits_spurious": 1, "poster_people": 1, "unique_customers": 3}),
        ([*PERFECT, Logged("poster", "B", "returning", POSTER.shots)], {"visits_spurious": 1, "poster_people": 0}),
        ([*PERFECT, Logged("poster", None, "unsure", POSTER.shots)], {"visits_spurious": 1, "poster_people": 0}),
        (but(ALICE_2, logged(ALICE_2, "X", "new")), {"staff_counted_as_customers": 1, "unique_customers": 3, "pair_recall": 0.5}),
        (but(ALICE_2, logged(ALICE_2, None, "unsure")), {"staff_counted_as_customers": 1}),
        (but(CHARLIE, logged(CHARLIE, None, "unsure")), {"opted_out_stored": 1}),
        (but(CHARLIE, logged(CHARLIE, "C", "new")), {"opted_out_stored": 1, "poster_people": 0}),
    ],
    ids=[
        "a visit missed",
        "a returning customer taken for a new one",
        "a returning customer nobody is sure of",
        "a stranger taken for a customer",
        "a visit logged twice, once shorter",
        "a visit split between two people",
        "the longer part under another name",
        "the poster a person",
        "the poster taken for a customer",
        "the poster counted, not named",
        "staff taken for a customer",
        "staff counted, not named",
        "who opted out counted as somebody",
        "who opted out made a person",
    ],
)
def test_what_is_wrong_shows_in_its_own_figure(log: list[Logged], expected: dict[str, float]) -> None:
    found = figures(*log)
    assert {k: getattr(found, k) for k in expected} == expected


@pytest.mark.parametrize(
    ("seen", "visit"),
    [
        ([], None),
        (shots(100), BOB_1),
        (shots(100, x=500.0), None),
        (shots(150), None),
        (shots(100, 3) + shots(300, 1), BOB_1),
        (shots(100, 1) + shots(100, 3, x=500.0), None),
        ([Shot(START + 99_800, b"", 0.5, (0, 0, 50, 60))], BOB_1),
        ([Shot(START + 99_500, b"", 0.5, (0, 0, 50, 60))], None),
    ],
    ids=["no shots", "bob's", "elsewhere", "when nobody is there", "mostly bob's", "mostly the poster's", "a bit early", "too early"],
)
def test_which_true_visit_shots_show(seen: list[Shot], visit: int | None) -> None:
    assert visit_shown(TRUTH, seen, START) == visit


def test_a_truth_file_is_read_as_written(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_bytes(msgspec.json.encode(TRUTH))
    assert read_truth(tmp_path) == TRUTH


@pytest.mark.parametrize(("content", "words"), [(None, "no truth.json"), (b"{}", "not the truth"), (b"\xff", "not the truth")])
def test_a_folder_that_is_no_scenario_is_said_so(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "truth.json").write_bytes(content)
    with pytest.raises(ScenarioError, match=words):
        read_truth(tmp_path)
