"""Who works here: the table `staff` (what they do, and how their last test went), and becoming staff or ceasing to be.

Everything in the caller's transaction, with its records. What changes the gallery gives its persons that are other now, for
`Recognition.renew`. Somebody's visits follow their role: staff's are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance import enrolment, merging, persons, visits
from appliance.database import Store
from appliance.enrolment import Photo
from appliance.errors import PersonError
from ui.words import gettext as _

TITLE_MAX = 40
"""Characters of a job title."""
NONE_OF_THEM = "looked at beside a member of staff and called different"
STAFF_MAX = 500
"""Shown on the page; a store has a few dozen."""


@dataclass(frozen=True, slots=True)
class Tested:
    """How well somebody is told from everybody else. `own`: how much their views resemble one another, None where there is one only;
    `other`, `other_id`: who else resembles them most; `bar`: what it takes to be known as staff."""

    at_ms: int
    own: float | None
    other: float | None
    other_id: str | None
    bar: float


def enrol(store: Store, model: str, name: str, title: str, photos: Sequence[Photo], now_ms: int) -> str:
    """A new member of staff, by photos. Raises ValueError when none of them is usable."""
    person_id = enrolment.entered(store, model, "staff", name, photos, now_ms)
    entitle(store, person_id, title, now_ms)
    return person_id


def add_photos(store: Store, model: str, person_id: str, photos: Sequence[Photo], now_ms: int) -> list[str]:
    """More views of somebody. Raises LookupError, PersonError for who is no longer staff, ValueError when no photo is usable."""
    must_be_staff(store, person_id)
    enrolment.teach(store, model, person_id, "staff", photos, now_ms)
    untested(store, person_id)
    return [person_id]


def employ(store: Store, person_id: str, title: str, now_ms: int) -> list[str]:
    """A customer who works here: their visits so far are a member of staff's, and no longer counted. `dismiss` undoes it."""
    if persons.one(store, person_id).role != "customer":
        raise PersonError(_("Only a customer can be made a member of staff."))
    _set_role(store, person_id, "staff", now_ms)
    entitle(store, person_id, title, now_ms)
    return [person_id]


def dismiss(store: Store, person_id: str, now_ms: int) -> list[str]:
    """Somebody who is a customer after all: from now on, and of all visits so far, they are counted."""
    must_be_staff(store, person_id)
    store.db.execute("DELETE FROM staff WHERE person_id = ?", [person_id])
    _set_role(store, person_id, "customer", now_ms)
    return [person_id]


def take(store: Store, staff_id: str, customer_ids: Sequence[str], gap_ms: int, now_ms: int) -> list[str]:
    """Customers who are this member of staff: their visits become staff's. Each can be undone as the merge it is."""
    must_be_staff(store, staff_id)
    keys = []
    for customer_id in customer_ids:
        keys += merging.merge(store, staff_id, customer_id, gap_ms, now_ms, into_staff=True)
    untested(store, staff_id)
    return keys


def none_of(store: Store, staff_id: str, customer_ids: Sequence[str], now_ms: int) -> list[str]:
    """Customers who are not this member of staff, however alike: as two that were called different. Those that are still there."""
    must_be_staff(store, staff_id)
    there = [i for i in customer_ids if store.db.execute("SELECT 1 FROM persons WHERE id = ? AND role = 'customer'", [i]).fetchone()]
    for customer_id in there:
        merging.apart(store, staff_id, customer_id, NONE_OF_THEM, now_ms)
    return there


def entitle(store: Store, person_id: str, title: str, now_ms: int) -> None:
    """What they do; empty for nothing said. Raises PersonError for a title that does not fit."""
    title = " ".join(title.split())
    if len(title) > TITLE_MAX:
        raise PersonError(_("A job title has at most %(n)s characters; this has %(has)s.") % {"n": TITLE_MAX, "has": len(title)})
    sealed = store.vault.seal(title.encode(), table="staff", column="title", row=person_id) if title else None
    store.db.execute(
        """INSERT INTO staff (person_id, title_sealed, since_ms) VALUES (?, ?, ?)
            ON CONFLICT (person_id) DO UPDATE SET title_sealed = excluded.title_sealed""",
        [person_id, sealed, now_ms],
    )


def title_now(store: Store, person_id: str) -> str:
    row = store.db.execute("SELECT title_sealed FROM staff WHERE person_id = ?", [person_id]).fetchone()
    return title_of(store, person_id, row[0]) if row else ""


def title_of(store: Store, person_id: str, sealed: bytes | None) -> str:
    return store.vault.unseal(sealed, table="staff", column="title", row=person_id).decode() if sealed else ""


def tested(store: Store, person_id: str, found: Tested) -> None:
    """Keeps how a test went."""
    store.db.execute(
        """INSERT INTO staff (person_id, since_ms, tested_ms, own, other, other_id, bar) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (person_id) DO UPDATE SET tested_ms = excluded.tested_ms, own = excluded.own, other = excluded.other,
            other_id = excluded.other_id, bar = excluded.bar""",
        [person_id, found.at_ms, found.own, found.other, found.other_id, found.bar],
    )


def untested(store: Store, person_id: str) -> None:
    """Their views are others now: what a test said of the former ones is void."""
    store.db.execute(
        "UPDATE staff SET tested_ms = NULL, own = NULL, other = NULL, other_id = NULL, bar = NULL WHERE person_id = ?", [person_id]
    )


def must_be_staff(store: Store, person_id: str) -> None:
    """Raises LookupError, PersonError."""
    if persons.one(store, person_id).role != "staff":
        raise PersonError(_("That is no member of staff, or no longer one."))


def _set_role(store: Store, person_id: str, role: str, now_ms: int) -> None:
    store.db.execute("UPDATE persons SET role = ? WHERE id = ?", [role, person_id])
    visits.renumber(store, person_id, now_ms)
