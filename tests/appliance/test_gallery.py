"""The index finds what a plain search over all vectors finds, whatever was added, replaced and removed before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.errors import GalleryError
from appliance.gallery import DEAD_MAX, TEMPLATES_A_SCORE, Gallery, Template
from models.embed import unit
from models.faces import Floats
from tests.appliance.visitors import BOB, DORA, MODEL, SIZE, Shop, a_shop, face, like

ROLES = ("customer", "staff", "opted_out", "unsure")


def template(template_id: str, person: str, vector: Floats, role: str = "customer", model: str = MODEL) -> Template:
    return Template(template_id, person, role, model, vector)


def brute_force(templates: dict[str, Template], probe: Floats) -> dict[str, float]:
    """Each person's likeness by the plainest means."""
    people: dict[str, list[float]] = {}
    for one in templates.values():
        people.setdefault(one.person_id, []).append(float(one.embedding @ probe))
    return {p: float(np.mean(sorted(alike, reverse=True)[:TEMPLATES_A_SCORE])) for p, alike in people.items()}


class AsABruteForceSearch(RuleBasedStateMachine):
    """Few persons and few ids, so that replacing, re-adding and changing roles happen all the time."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = Gallery(MODEL, 8)
        self.known: dict[str, Template] = {}
        self.roles: dict[str, str] = {}
        self.random = np.random.default_rng(0)

    @rule(ids=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=6), role=st.sampled_from(ROLES))
    def add(self, ids: list[tuple[int, int]], role: str) -> None:
        new = [template(f"t{i}", f"p{p}", unit(self.random.normal(size=8).astype(np.float32)), role) for i, p in ids]
        self.gallery.add(new)
        self.known.update({t.id: t for t in new})
        self.roles.update({t.person_id: role for t in {t.id: t for t in new}.values()})

    @rule(ids=st.lists(st.integers(0, 30), max_size=8))
    def remove(self, ids: list[int]) -> None:
        self.gallery.remove([f"t{i}" for i in ids])
        for i in ids:
            self.known.pop(f"t{i}", None)

    @rule(person=st.integers(0, 8))
    def remove_person(self, person: int) -> None:
        self.gallery.remove_person(f"p{person}")
        self.known = {i: t for i, t in self.known.items() if t.person_id != f"p{person}"}

    @invariant()
    def finds_the_same(self) -> None:
        probe = unit(self.random.normal(size=8).astype(np.float32))
        found = self.gallery.search(probe)
        expected = brute_force(self.known, probe)
        assert {c.person_id for c in found} == set(expected)
        for candidate in found:
            assert candidate.similarity == pytest.approx(expected[candidate.person_id], abs=1e-5)
            assert candidate.role == self.roles[candidate.person_id]
        assert [c.similarity for c in found] == sorted((c.similarity for c in found), reverse=True)

    @invariant()
    def counts_the_same(self) -> None:
        people = {t.person_id for t in self.known.values()}
        assert len(self.gallery) == len(self.known)
        for role in ROLES:
            mine = [t.embedding for t in self.known.values() if self.roles[t.person_id] == role]
            assert self.gallery.persons(role) == len({p for p in people if self.roles[p] == role})
            probe = face(0)[:8]
            assert self.gallery.likeness(role, probe) == pytest.approx(max((float(m @ probe) for m in mine), default=-1.0), abs=1e-5)

    @invariant()
    def finds_whom_a_person_resembles(self) -> None:
        for person in self.roles:
            mine = [t for t in self.known.values() if t.person_id == person]
            found = {t.id for t in self.gallery.resembling(person, "unsure", 0.1)}
            for other in self.known.values():
                if self.roles[other.person_id] == "unsure":
                    alike = sorted((float(t.embedding @ other.embedding) for t in mine), reverse=True)[:TEMPLATES_A_SCORE]
                    assert (other.id in found) == bool(mine and np.mean(alike) >= 0.1) or abs(np.mean(alike) - 0.1) < 1e-5


TestAsABruteForceSearch = AsABruteForceSearch.TestCase
TestAsABruteForceSearch.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_the_nearest_of_many_is_exact_while_removed_ones_wait_to_be_compacted() -> None:
    random = np.random.default_rng(1)
    gallery, known = Gallery(MODEL, 32), {}
    for i in range(2000):
        known[f"t{i}"] = template(f"t{i}", f"p{i}", unit(random.normal(size=32).astype(np.float32)))
    gallery.add(known.values())
    for i in range(2 * DEAD_MAX + 7):
        gallery.remove([f"t{i}"])
        del known[f"t{i}"]
        if i % 50 == 0:
            probe = unit(random.normal(size=32).astype(np.float32))
            nearest = max(known.values(), key=lambda t: float(t.embedding @ probe))
            assert gallery.search(probe)[0].person_id == nearest.person_id


def test_templates_of_another_model_are_never_compared() -> None:
    gallery = Gallery(MODEL, SIZE)
    gallery.add([template("a", "bob", face(BOB))])
    with pytest.raises(ValueError, match="made by 'another'"):
        gallery.add([template("a", "bob", face(DORA)), template("b", "bob", face(BOB), model="another")])
    assert [t.id for t in gallery.of("bob")] == ["a"] and np.array_equal(gallery.of("bob")[0].embedding, face(BOB))


@pytest.mark.parametrize("vector", [face(BOB)[:64], 2 * face(BOB), np.zeros(SIZE, np.float32), np.full(SIZE, np.nan, np.float32)])
def test_what_is_no_embedding_is_refused(vector: Floats) -> None:
    gallery = Gallery(MODEL, SIZE)
    with pytest.raises(ValueError, match="template a"):
        gallery.add([template("a", "bob", vector)])
    assert len(gallery) == 0 and gallery.search(face(BOB)) == []


def test_one_template_that_happens_to_resemble_a_stranger_does_not_name_them() -> None:
    gallery = Gallery(MODEL, SIZE)
    gallery.add([template("b1", "bob", face(BOB)), template("b2", "bob", like(BOB, 0.8)), template("d", "dora", like(DORA, 0.9))])
    by_person = {c.person_id: c.similarity for c in gallery.search(like(DORA, 0.7, 1))}
    assert by_person["dora"] == pytest.approx(0.63, abs=1e-5)
    assert {c.person_id: c.similarity for c in gallery.search(face(BOB))}["bob"] == pytest.approx(0.9, abs=1e-5)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


DAMAGE = {
    "a template is missing": lambda g, t: g.remove([t.id]),
    "one is too many": lambda g, t: g.add([template("extra", "nobody", face(DORA))]),
    "an unnamed visit is missing": lambda g, t: g.remove_person(g.oldest("unsure")),
    "a role is wrong": lambda g, t: g.add([template(t.id, t.person_id, t.embedding, "staff")]),
    "a vector is wrong": lambda g, t: g.add([template(t.id, t.person_id, face(DORA))]),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_check_says_that_the_gallery_differed_and_heals_it(shop: Shop, how: str) -> None:
    bob = shop.see(face(BOB)).person_id
    shop.see(face(DORA), shots=1)
    assert bob
    shop.recognition.check()
    gallery = shop.recognition.gallery
    DAMAGE[how](gallery, gallery.of(bob)[0])
    with pytest.raises(GalleryError, match=r"not those of the database: .* That was put right"):
        shop.recognition.check()
    shop.recognition.check()
    assert gallery.persons("customer") == 1 and gallery.persons("unsure") == 1 and len(gallery) == 2
    assert gallery.search(face(BOB))[0].similarity == pytest.approx(1.0)
