"""The page for whoever saves a form that somebody else saved while it was open: who did and when, and of each field that both changed what
stands and what they wrote, to decide. It is a form like the first, made from what stands now: a third one is met in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec
from litestar import Response
from litestar.exceptions import ValidationException

from appliance import audit, meanwhile
from appliance.audit_words import who_words
from appliance.meanwhile import Made, Met, Values
from appliance.web.pages import Pages
from ui.words import gettext as _

CARRIED = "was"
"""The form's hidden field."""
SAVES_MAX = 5
"""Of those who saved meanwhile so many are named: more do not happen while a form is open."""
MET = 409
Settle = Callable[[Values, Values], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Matter:
    """What a form is about. `labels`: its fields in order; `whats` and `subjects`: how the audit log knows that it was saved; `shown`: a
    field's value as a reader knows it; `outlines`: polygons to draw as well, in a picture of 160 by 90; `longest`: of a field in which
    both texts may stand, how long they may be together."""

    here: str
    name: str
    action: str
    back: str
    labels: Mapping[str, str]
    whats: tuple[str, ...]
    subjects: tuple[str, ...]
    shown: Callable[[str, str], str] = lambda _field, value: value
    outlines: Callable[[str, str], list[str]] = lambda _field, _value: []
    longest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """`value`: as the form sends it; `shown`: empty for nothing."""

    words: str
    value: str
    shown: str
    outlines: list[str]


@dataclass(frozen=True, slots=True)
class Question:
    field: str
    label: str
    choices: list[Choice]


def carried(pages: Pages, values: Values) -> str:
    """What the hidden field of a form with these values holds."""
    return msgspec.json.encode(Made(audit.newest(pages.deps.desk.store), dict(values))).decode()


def settling(data: Mapping[str, object]) -> Settle:
    """Of what stands and what is wanted what is to stand, for the form that was sent. Raises ValidationException for one that was not made
    here; what it gives raises Met."""
    sent = data.get(CARRIED)
    try:
        made = msgspec.json.decode(sent, type=Made) if isinstance(sent, str) and sent else None
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise ValidationException(
            _("What was sent is no form that can be read here. Load the page again and send it once more.")
        ) from None
    return partial(meanwhile.settled, made)


def decide(pages: Pages, met: Met, matter: Matter) -> Response[str]:
    saves = audit.since(pages.deps.desk.store, matter.whats, matter.subjects, met.made.after, SAVES_MAX)
    names = {save.who for save in saves}
    theirs = _("As %(who)s saved it") % {"who": who_words(names.pop())} if len(names) == 1 else _("As it stands now")
    values = {
        "matter": matter,
        "saves": [_save(pages, save) for save in saves],
        "questions": [_question(matter, met, name, theirs) for name in met.both],
        "kept": ", ".join(matter.labels[name] for name in met.theirs),
        "rest": {name: value for name, value in met.values.items() if name not in met.both},
        "was": carried(pages, met.now),
    }
    return pages.page("meanwhile.html", matter.here, values, MET)


def _save(pages: Pages, save: audit.Entry) -> str:
    if save.who == pages.who:
        return _("You saved it yourself %(when)s, in another window.") % {"when": pages.when(save.at_ms)}
    return _("%(who)s saved it %(when)s.") % {"who": who_words(save.who), "when": pages.when(save.at_ms)}


def _question(matter: Matter, met: Met, name: str, theirs: str) -> Question:
    stands, wanted = met.now[name], met.values[name]
    offered = [(theirs, stands), (_("As you wrote it"), wanted)]
    both = f"{stands}\n{wanted}"
    if stands and wanted and len(both) <= matter.longest.get(name, 0):
        offered.append((_("Both, one below the other"), both))
    choices = [Choice(words, value, matter.shown(name, value), matter.outlines(name, value)) for words, value in offered]
    return Question(name, matter.labels[name], choices)
