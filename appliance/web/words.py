"""How a decision is said: short, true, in the reader's terms. A doubt is written as a doubt."""

from __future__ import annotations

from collections.abc import Sequence

from ui import formats
from ui.words import gettext as _

BOX_KINDS = ("new", "staff", "unsure", "counted", "flat")
REASONS = (
    _("near enough to be sure"),
    _("was here a moment ago"),
    _("resembles an earlier visit that nobody was named for"),
    _("too near to be new, too far to be sure"),
    _("two people who were called different are both this near"),
    _("seen too briefly to make a new person"),
    _("the shots do not agree with one another"),
    _("nobody is near"),
    _("resembles a view that was learned since"),
    _("made a new person"),
    _("counted only: this camera recognises nobody"),
    _("somebody said that it is not whom it was taken for"),
)
"""What a decision says of itself. It is kept in English, whoever reads it; pages say it with `gettext`."""
STORES_NAMED = 2
"""More are a number: a greeting is read in a second."""


def visitor(number: int) -> str:
    """What to call somebody without a name."""
    return _("Visitor %(number)s") % {"number": formats.number(number)}


def staff() -> str:
    """What to call staff where no names are shown."""
    return _("Staff")


def box_label(verdict: str, name: str, visit_number: int, also_at: Sequence[str] = ()) -> str:
    """For the box over a camera's picture. `verdict`: as in visits, or "deciding". `also_at`: other stores they come to."""
    if verdict in ("new", "returning") and also_at:
        greeting = _("Welcome, %(name)s") if verdict == "new" else _("Welcome back, %(name)s")
        return f"{greeting % {'name': name}} – {comes_to(also_at, 1)}"
    if verdict == "returning":
        if visit_number < 2:
            return _("Welcome back, %(name)s") % {"name": name}
        return _("Welcome back, %(name)s – %(nth)s visit") % {"name": name, "nth": formats.ordinal(visit_number)}
    return kind_label(box_kind(verdict))


def kind_label(kind: str) -> str:
    """For a box of this kind, whoever it is."""
    return {
        "back": _("Welcome back"),
        "new": _("New visitor"),
        "staff": _("Staff"),
        "unsure": _("Not sure"),
        "counted": _("Counted"),
        "flat": _("A picture, not counted"),
    }.get(kind, _("Looking…"))


def comes_to(stores: Sequence[str], names_max: int = STORES_NAMED) -> str:
    """also comes to Riverside, Old Town and 3 more"""
    named = ", ".join(stores[:names_max])
    if len(stores) > names_max:
        return _("also comes to %(stores)s and %(n)s more") % {"stores": named, "n": len(stores) - names_max}
    return _("also comes to %(stores)s") % {"stores": named}


def box_kind(verdict: str) -> str:
    return "back" if verdict == "returning" else verdict if verdict in BOX_KINDS else "deciding"


def doubt(nearest: str | None, similarity: float | None, bar: float | None) -> str:
    """might be Visitor 92 (.41, needs .46)"""
    if nearest is None:
        return _("not seen well enough to say")
    if similarity is None:
        return _("might be %(name)s") % {"name": nearest}
    if bar is None:
        return _("might be %(name)s (%(similarity)s)") % {"name": nearest, "similarity": formats.similarity(similarity)}
    return _("might be %(name)s (%(similarity)s, needs %(bar)s)") % {
        "name": nearest,
        "similarity": formats.similarity(similarity),
        "bar": formats.similarity(bar),
    }


def visit_words(verdict: str, visit_number: int) -> str:
    if verdict == "staff":
        return _("staff, not counted")
    if verdict == "new":
        return _("first visit")
    if visit_number > 1:
        return _("%(nth)s visit") % {"nth": formats.ordinal(visit_number)}
    return _("came back")
