from __future__ import annotations

from datetime import timedelta

from hub.deciding import HubBars, Verdict
from hub.families import Family
from hub.index import Floats
from hub.weighing import Person, must_leave, weigh
from tests.hub.chain import NOW
from tests.hub.told import face, like

BARS = {"one": HubBars(link=0.5, review=0.4, guest=0.3), "other": HubBars(link=0.6, review=0.5, guest=0.4)}


def family(name: str, appliance: str, **looks: Floats) -> Family:
    made = Family(name)
    made.take(f"{name}'s", appliance, {model: [look] for model, look in looks.items()})
    return made


def person(**looks: Floats) -> Person:
    return Person("bob", "b", embeddings={model: [look] for model, look in looks.items()}, has_templates=True)


def test_somebody_without_a_comparable_template_is_not_weighed() -> None:
    assert weigh(person(), [family("x", "a", one=face(1))], BARS) is None


def test_models_are_compared_each_with_its_own_and_the_surest_decides() -> None:
    she = person(one=like(face(1), 0.45), other=like(face(2), 0.9))
    decision = weigh(she, [family("x", "a", one=face(1)), family("y", "a", other=face(2))], BARS)
    assert decision is not None and (decision.verdict, decision.identity_id) == (Verdict.LINK, "y")
    assert [doubt.identity_id for doubt in decision.doubts] == ["x"]


def test_what_stands_between_a_person_and_a_family_is_seen() -> None:
    her = face(1)
    apart = Person("bob", "b", embeddings={"one": [her]}, apart={"x's"})
    decision = weigh(apart, [family("x", "a", one=her)], BARS)
    assert decision is not None and decision.verdict is Verdict.NEW and not decision.doubts
    decision = weigh(person(one=her), [family("x", "b", one=her)], BARS)
    assert decision is not None and decision.verdict is Verdict.NEW and len(decision.doubts) == 1


def test_a_familys_look_follows_who_is_in_it() -> None:
    made = family("x", "a", one=face(1))
    made.take("other", "b", {"one": [face(2)]})
    look = made.look("one")
    assert look is not None and look.templates == 2
    made.leave("other")
    look = made.look("one")
    assert look is not None and look.templates == 1 and made.look("other") is None


def test_of_two_called_different_the_one_linked_later_leaves() -> None:
    both = family("x", "a", one=face(1))
    earlier = Person("bob", "b", linked_by="machine", linked_at=NOW, apart={"x's"})
    later = Person("bob", "b", linked_by="machine", linked_at=NOW + timedelta(hours=2), apart={"x's"})
    theirs = {"x's": ("machine", NOW + timedelta(hours=1))}
    assert (must_leave(earlier, both, theirs), must_leave(later, both, theirs)) == (False, True)
    assert must_leave(earlier, both, {"x's": ("person", NOW + timedelta(hours=1))})


def test_what_a_person_linked_no_machine_parts() -> None:
    both = family("x", "a", one=face(1))
    linked = Person("bob", "b", linked_by="person", linked_at=NOW, apart={"x's"})
    assert not must_leave(linked, both, {"x's": ("machine", NOW)})
