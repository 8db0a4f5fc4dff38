"""A request's receipt: what went, how much, since when nothing is left. It holds no name: whoever has it is whom it is about."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from appliance.privacy import papers
from appliance.privacy.particulars import Particulars
from appliance.privacy.register import ACCESS, DONE, Request
from ui import formats
from ui.words import gettext as _
from ui.words import language

TITLES = {
    "access": _("Receipt: everything about a person was given out"),
    "erase": _("Receipt: a person was erased"),
    "opt_out": _("Receipt: a person is not stored any more"),
}


def rows_of(request: Request) -> list[tuple[str, int]]:
    """What went."""
    if request.kind == ACCESS or request.state != DONE:
        return []
    return [
        (_("Persons"), request.persons),
        (_("Templates: measurements of their face"), request.templates),
        (_("Measurements kept for review or to undo a merge"), request.looks),
        (_("Pictures"), request.snapshots),
        (_("Visits that are nobody's now"), request.visits),
        (_("Earlier backups written anew without them"), request.copies),
    ]


def pdf(request: Request, told: Particulars, site_name: str, zone: ZoneInfo, now_ms: int) -> bytes:
    """Of a request that is done."""
    assert request.done_ms is not None

    def moment(at_ms: int) -> str:
        return f"{formats.day_of(at_ms, zone).isoformat()} {formats.clock(at_ms, zone)}"

    facts = [
        (_("Number of the request"), str(request.id)),
        (_("Number of the visitor"), str(request.person_number)),
        (_("Asked"), moment(request.made_ms)),
        (_("Done"), moment(request.done_ms)),
    ]
    notes = []
    if request.kind == "opt_out":
        notes.append(_("Four measurements at most are kept, for nothing but not storing them again; all else of them is gone."))
    elif request.kind != ACCESS and request.cleared_ms is not None:
        said = _("Since %(when)s neither the database's file, its log nor any backup of this store holds anything of them.")
        notes.append(said % {"when": moment(request.cleared_ms)})
    elif request.kind != ACCESS:
        notes.append(_("The database's log and the earlier backups are being cleared; until then this receipt is not final."))
    if request.kind != ACCESS:
        notes.append(_("A backup carried elsewhere forgets them again as soon as it is restored."))
    return papers.pdf(
        papers.RECEIPT,
        {
            "lang": language(),
            "store": told.controller or site_name,
            "title": _(TITLES[request.kind]),
            "lead": _("This paper holds no name. Keep it: the number of the request finds it again in the store's register."),
            "rows": [*facts, *((words, formats.number(count)) for words, count in rows_of(request))],
            "notes": [*notes, *([told.contact] if told.contact else [])],
            "foot": _("Printed %(when)s") % {"when": moment(now_ms)},
        },
    )
