"""The page Audit log: who saw, named, merged, exported and erased, newest first; by whom, by what, about whom."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromQuery

from appliance import audit, users
from appliance.alerts import targets
from appliance.audit import Asked, Entry
from appliance.audit_words import what_words, who_words
from appliance.errors import StoreError
from appliance.web import alert_rules
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Pages, PersonRow
from ui.words import gettext as _

log = logging.getLogger(__name__)

ROWS_MAX = 50
CHOICES_MAX = 200
BEFORE_MAX = 1 << 53
NAMED_THEMSELVES = ("setting", "backup", "restore")
"""What their row is about is a setting's or a backup's own name."""
OF_THE_STORE = ("alert_target_added", "alert_target_removed", "retention", "particulars")
"""Was about no person: a place that is there no more has left nothing but its id, which says nothing to a reader."""


@dataclass(frozen=True, slots=True)
class Line:
    """`about`: in words; `address`: where they are shown, empty for nowhere."""

    entry: Entry
    who: str
    what: str
    about: str
    address: str


def saw(pages: Pages, subject_id: str) -> None:
    """The page is shown even if that cannot be noted: a full disk must not hide a person from who runs the store."""
    try:
        audit.saw(pages.deps.desk.store, pages.who, subject_id, pages.deps.now())
    except StoreError as error:
        log.error("event=look_not_noted error=%s", type(error).__name__)


def lines(pages: Pages, found: list[Entry]) -> list[Line]:
    ids = [entry.subject_id for entry in found]
    marks, connection = ",".join("?" * len(ids)), pages.deps.query()
    people = {
        row[0]: pages.deps.names(PersonRow(*row))
        for row in connection.execute(
            f"SELECT id, number, role, name_sealed FROM persons WHERE id IN ({marks}) AND role <> 'opted_out'", ids
        ).fetchall()
    }
    cameras = dict(connection.execute(f"SELECT id, name FROM cameras WHERE id IN ({marks})", ids).fetchall())
    visits = {row[0] for row in connection.execute(f"SELECT id FROM visits WHERE id IN ({marks})", ids).fetchall()}
    accounts = {user.id: user.name for user in users.every(pages.deps.desk.store)}
    places = {target.id: target.name for target in targets.list_targets(connection)}
    rules = {kind: _(words[0]) for kind, words in alert_rules.NAMES.items()}
    rules["quiet"] = _("Quiet hours")
    return [_line(entry, people, visits, {**cameras, **accounts, **places, **rules}) for entry in found]


def _line(entry: Entry, people: dict[str, str], visits: set[str], others: dict[str, str]) -> Line:
    """`others`: names of cameras, accounts, rules, and places that alerts are sent to."""
    what, who, id_ = what_words(entry.what), who_words(entry.who), entry.subject_id
    if entry.what == audit.SIGN_IN_FAILED:
        meant = others.get(id_) or (_("an account that is gone") if id_ else _("no account there is"))
        return Line(entry, who, what, _("%(name)s, from %(address)s") % {"name": meant, "address": entry.other_id or "–"}, "")
    if id_ in people:
        return Line(entry, who, what, people[id_], f"/people/{id_}")
    if id_ in visits:
        return Line(entry, who, what, _("a visit"), f"/visits/{id_}")
    if id_ in others:
        return Line(entry, who, what, others[id_] if others[id_] != entry.who else "–", "")
    if entry.what in NAMED_THEMSELVES:
        return Line(entry, who, what, id_, "")
    if not id_ or entry.what in OF_THE_STORE:
        return Line(entry, who, what, _("the list of visits") if entry.what == "export" else "–", "")
    return Line(entry, who, what, _("what is gone by now"), "")


def address(asked: Asked, before: int) -> str:
    values = {"who": asked.who, "what": asked.what, "about": asked.about, "before": before or ""}
    left = {key: value for key, value in values.items() if value}
    return f"/audit?{urlencode(left)}" if left else "/audit"


@get("/audit", opt={"access": Access.MANAGER}, sync_to_thread=True)
def audit_page(
    pages: GivenPages, who: FromQuery[str] = "", what: FromQuery[str] = "", about: FromQuery[str] = "", before: FromQuery[int] = 0
) -> Response[str]:
    if not 0 <= before < BEFORE_MAX:
        raise ValidationException(_("There is no such place in the log."))
    store, asked = pages.deps.desk.store, Asked(who[:100], what[:40], about[:64], before)
    found = audit.entries(store, asked, ROWS_MAX + 1)
    whats = sorted(((kind, what_words(kind)) for kind in audit.kinds(store, CHOICES_MAX)), key=lambda choice: choice[1])
    values = {
        "lines": lines(pages, found[:ROWS_MAX]),
        "asked": asked,
        "people": [(name, who_words(name)) for name in audit.everybody(store, CHOICES_MAX)],
        "whats": whats,
        "newest": address(asked, 0) if before else "",
        "older": address(asked, found[ROWS_MAX - 1].id) if len(found) > ROWS_MAX else "",
    }
    return pages.page("audit.html", "audit", values)
