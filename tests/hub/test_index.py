"""One suite for the index in Milvus Lite, asked in its own way and as a server is, and for its exact twin, so that the twin cannot lie."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.index import NEAR_MAX, PROBES_MAX, PUT_MAX, Floats, Index, Template
from hub.milvus import LITE, SERVER
from hub.milvus_lite import open_lite
from hub.rotation import Rotations
from tests.hub.exact_index import ExactIndex

ALICE, BOB, CHARLIE = (f"00000000-0000-7000-8000-00000000000{i}" for i in (1, 2, 3))
OURS, DANAS = "10000000-0000-7000-8000-000000000001", "10000000-0000-7000-8000-000000000002"
MODEL = "arcface_mobilefacenet-2.5 é"
SIZE = 32


def key_of(tenant_id: str) -> bytes:
    return uuid.UUID(tenant_id).bytes * 2


@pytest.fixture(params=["exact", "milvus lite", "as a server is asked"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    kind = SERVER if request.param == "as a server is asked" else LITE
    opened: Index = ExactIndex() if request.param == "exact" else open_lite(tmp_path / "an index", Rotations(key_of), kind=kind)
    yield opened
    opened.close()


def faces(count: int, seed: int = 1, size: int = SIZE) -> Floats:
    rows = np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def template(number: int, person_id: str, embedding: Floats) -> Template:
    return Template(str(uuid.UUID(int=(7 << 76) + (2 << 62) + number)), person_id, embedding)


def three(index: Index, tenant_id: str = OURS) -> Floats:
    rows = faces(3)
    index.put(tenant_id, MODEL, [template(i, person, row) for i, (person, row) in enumerate(zip((ALICE, BOB, CHARLIE), rows, strict=True))])
    return rows


def test_the_nearest_come_first_with_their_cosine(index: Index) -> None:
    rows = three(index)
    probe = rows[1] + 0.7 * rows[0]
    probe /= np.linalg.norm(probe)
    (found,) = index.search(OURS, MODEL, probe[None], 3)
    assert [near.person_id for near in found[:2]] == [BOB, ALICE]
    expected = sorted((rows @ probe).tolist(), reverse=True)
    assert [near.similarity for near in found] == pytest.approx(expected, abs=1e-5)


def test_many_probes_are_answered_each_for_itself(index: Index) -> None:
    rows = faces(300)
    index.put(OURS, MODEL, [template(i, ALICE, row) for i, row in enumerate(rows)])
    found = index.search(OURS, MODEL, rows[:PROBES_MAX], 2)
    assert [near[0].template_id for near in found] == [template(i, ALICE, rows[i]).id for i in range(PROBES_MAX)]
    assert all(len(near) == 2 for near in found)


def test_another_tenants_templates_are_never_found(index: Index) -> None:
    rows = three(index, DANAS)
    assert index.search(OURS, MODEL, rows, 3) == [[], [], []]
    index.put(OURS, MODEL, [template(9, ALICE, rows[0])])
    assert [[near.template_id for near in one] for one in index.search(OURS, MODEL, rows[1:2], 3)] == [[template(9, ALICE, rows[0]).id]]
    assert (index.count(OURS, MODEL), index.count(DANAS, MODEL)) == (1, 3)


def test_a_template_of_the_same_id_in_another_tenant_is_another_template(index: Index) -> None:
    rows = faces(2)
    index.put(OURS, MODEL, [template(1, ALICE, rows[0])])
    index.put(DANAS, MODEL, [template(1, BOB, rows[1])])
    assert index.search(OURS, MODEL, rows[:1], 1)[0][0].person_id == ALICE
    index.remove_templates(DANAS, MODEL, [template(1, BOB, rows[1]).id])
    assert list(index.held(OURS, MODEL)) == [(template(1, ALICE, rows[0]).id, ALICE)]


def test_a_template_put_again_is_there_once_and_under_its_new_person(index: Index) -> None:
    rows = three(index)
    index.put(OURS, MODEL, [template(0, BOB, rows[0])])
    assert index.count(OURS, MODEL) == 3
    assert index.search(OURS, MODEL, rows[:1], 1)[0][0].person_id == BOB


def test_what_is_removed_is_not_found(index: Index) -> None:
    rows = three(index)
    index.remove_templates(OURS, MODEL, [template(0, ALICE, rows[0]).id, str(uuid.UUID(int=77))])
    index.remove_persons(OURS, [BOB])
    assert [near.person_id for near in index.search(OURS, MODEL, rows[:1], 3)[0]] == [CHARLIE]
    assert index.count_of_persons(OURS, [ALICE, BOB]) == 0
    assert index.count_of_persons(OURS, [ALICE, BOB, CHARLIE]) == 1


def test_a_person_is_removed_from_every_model(index: Index) -> None:
    three(index)
    index.put(OURS, "another", [template(5, ALICE, faces(1, size=8)[0])])
    assert index.models() == ["another", MODEL]
    index.remove_persons(OURS, [ALICE])
    assert index.count_of_persons(OURS, [ALICE]) == 0
    assert (index.count(OURS, MODEL), index.count(OURS, "another")) == (2, 0)


def test_a_removed_tenant_leaves_the_others(index: Index) -> None:
    rows = three(index)
    three(index, DANAS)
    index.remove_tenant(OURS)
    assert (index.count(OURS, MODEL), index.count(DANAS, MODEL)) == (0, 3)
    assert index.search(OURS, MODEL, rows[:1], 3) == [[]]
    three(index)
    assert index.count(OURS, MODEL) == 3


def test_what_is_held_is_listed_whole(index: Index) -> None:
    rows = faces(50)
    index.put(OURS, MODEL, [template(i, BOB, row) for i, row in enumerate(rows)])
    assert sorted(index.held(OURS, MODEL)) == [(template(i, BOB, rows[i]).id, BOB) for i in range(50)]


def test_an_index_without_anything_answers_nothing(index: Index) -> None:
    assert index.search(OURS, MODEL, faces(2), 5) == [[], []]
    assert (list(index.held(OURS, MODEL)), index.count_of_persons(OURS, [ALICE]), index.models()) == ([], 0, [])
    index.remove_templates(OURS, MODEL, [ALICE])
    index.remove_persons(OURS, [ALICE])
    index.remove_tenant(OURS)


@pytest.mark.parametrize("wrong", [np.full(SIZE, np.nan), np.zeros(SIZE), np.full(SIZE, np.inf), np.ones(SIZE), faces(1, size=16)[0]])
def test_what_is_no_unit_vector_of_the_models_size_is_refused(index: Index, wrong: Floats) -> None:
    three(index)
    with pytest.raises(ValueError, match="vectors"):
        index.put(OURS, MODEL, [template(9, ALICE, wrong.astype(np.float32))])
    with pytest.raises(ValueError, match="vectors"):
        index.search(OURS, MODEL, wrong[None].astype(np.float32), 1)
    assert index.count(OURS, MODEL) == 3


def test_more_than_the_bounds_is_refused(index: Index) -> None:
    rows = three(index)
    with pytest.raises(ValueError, match="at most"):
        index.search(OURS, MODEL, np.repeat(rows[:1], PROBES_MAX + 1, axis=0), 1)
    with pytest.raises(ValueError, match="at most"):
        index.search(OURS, MODEL, rows, NEAR_MAX + 1)
    with pytest.raises(ValueError, match="at most"):
        index.put(OURS, MODEL, [template(i, ALICE, rows[0]) for i in range(PUT_MAX + 1)])


def test_an_id_that_is_none_gets_into_no_filter(index: Index) -> None:
    if isinstance(index, ExactIndex):
        pytest.skip("the twin has no filters")
    three(index)
    with pytest.raises(ValueError, match="UUID"):
        index.remove_persons(OURS, ['" or id > "'])
