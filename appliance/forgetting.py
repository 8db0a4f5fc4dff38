"""People who ask to be forgotten, or never to be stored again. Everything of them goes in the caller's transaction, with its records; the
pictures' files go before it is committed, so that no receipt is told while one of them is there.

What is left of an erased person is that somebody came: their visits stay counted and are nobody's. Of one who opted out a few templates
stay, in the opt-out gallery alone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from appliance import persons, rejected_looks, review, snapshots, visits
from appliance.database import Store
from appliance.errors import SnapshotError
from appliance.gallery import UNSURE_KEY, guest_key
from sync.records import TemplateGone, VisitGone

OPTED_OUT_TEMPLATES = 4
"""Enough to know them again from the front and from either side; each one more is a view of somebody who wants none kept."""
ASKED_HERE, BY_THE_CHAIN, NEVER_HERE = 1, 2, 3
"""`gone_persons.erased`: who had them erased. What was asked here the chain must hear of, again if it forgets."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much went. `keys`: the gallery's persons that are gone or other now, for `Recognition.renew`."""

    persons: int = 0
    templates: int = 0
    snapshots: int = 0
    keys: list[str] = field(default_factory=list)

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            self.persons + other.persons,
            self.templates + other.templates,
            self.snapshots + other.snapshots,
            [*self.keys, *other.keys],
        )


def erase(store: Store, person_id: str, now_ms: int, *, by_the_chain: bool = False) -> Forgotten:
    """Forgets a person of this store; one that is not there is forgotten already. `by_the_chain`: headquarters asked, and need not be told
    to ask the others."""
    if not _there(store, person_id):
        return Forgotten()
    gone = _let_go(store, person_id, now_ms)
    (templates,) = store.db.execute("SELECT count(*) FROM templates WHERE person_id = ?", [person_id]).fetchone()
    persons.remove(store, person_id, now_ms, erased=not by_the_chain)
    by = BY_THE_CHAIN if by_the_chain else ASKED_HERE
    store.db.execute("INSERT OR REPLACE INTO gone_persons VALUES (?, NULL, ?, ?)", [person_id, by, now_ms])
    return gone + Forgotten(persons=1, templates=templates)


def opt_out(store: Store, person_id: str, now_ms: int) -> Forgotten:
    """Keeps nothing of a person but what it takes not to store them again. Twice is once. Raises LookupError."""
    if not _there(store, person_id):
        raise LookupError(f"there is no person {person_id}")
    db = store.db
    (role,) = db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    if role == "opted_out":
        return Forgotten()
    gone = _let_go(store, person_id, now_ms)
    dropped = [row[0] for row in db.execute(BEYOND_A_FEW, [person_id, OPTED_OUT_TEMPLATES]).fetchall()]
    for template_id in dropped:
        db.execute("DELETE FROM templates WHERE id = ?", [template_id])
        store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
    db.execute("UPDATE templates SET visit_id = NULL WHERE person_id = ?", [person_id])
    db.execute(
        """UPDATE persons SET role = 'opted_out', name_sealed = NULL, guest_of = NULL, first_seen_ms = NULL, last_seen_ms = NULL,
            visit_count = 0 WHERE id = ?""",
        [person_id],
    )
    persons.tell(store, person_id, now_ms)
    return gone + Forgotten(persons=1, templates=len(dropped))


BEYOND_A_FEW = """SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY model ORDER BY quality DESC, id) AS place FROM templates
    WHERE person_id = ?) WHERE place > ?"""


def _there(store: Store, person_id: str) -> bool:
    return store.db.execute("SELECT 1 FROM persons WHERE id = ?", [person_id]).fetchone() is not None


def _let_go(store: Store, person_id: str, now_ms: int) -> Forgotten:
    """All but the person's row and templates: pictures, visits, looks kept for review, and what the chain told or lent of them."""
    db = store.db
    pictures = _pictures(store, person_id)
    keys = [person_id, *_looks_dropped(store, person_id)]
    rejected_looks.forget(store, person_id)
    db.execute("DELETE FROM details WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM staff WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM merges WHERE holder_id = ?", [person_id])
    (role,) = db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    if role == "staff":
        _forget_visits(store, person_id, now_ms)
    else:
        visits.unname(store, person_id, now_ms)
    db.execute("UPDATE sightings SET nearest_person_id = NULL WHERE nearest_person_id = ?", [person_id])
    lent = db.execute(
        """SELECT identity_id FROM guests WHERE role <> 'opted_out'
            AND (person_id = ?1 OR identity_id IN (SELECT identity_id FROM chain WHERE person_id = ?1))""",
        [person_id],
    ).fetchall()
    for (identity_id,) in lent:
        db.execute("DELETE FROM guests WHERE identity_id = ?", [identity_id])
        db.execute("UPDATE sightings SET nearest_person_id = NULL WHERE nearest_person_id = ?", [guest_key(identity_id)])
        keys.append(guest_key(identity_id))
    db.execute("DELETE FROM chain WHERE person_id = ?", [person_id])
    review.forget(store, person_id)
    db.execute("DELETE FROM apart WHERE person_a = ?1 OR person_b = ?1", [person_id])
    return Forgotten(snapshots=pictures, keys=keys)


def _pictures(store: Store, person_id: str) -> int:
    """Takes the pictures of a person's visits, and of nobody's visits that resembled them, out of the log and off the disk; how many."""
    rows = store.db.execute(
        """SELECT id, snapshot FROM visits WHERE snapshot IS NOT NULL AND (person_id = ?1 OR person_id IS NULL AND id IN
            (SELECT visit_id FROM sightings WHERE nearest_person_id = ?1))""",
        [person_id],
    ).fetchall()
    for visit_id, name in rows:
        store.db.execute("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0, snapshot_sent = NULL WHERE id = ?", [visit_id])
        # A name that is none of ours has no file; the database must not keep an erasure from being carried out.
        with suppress(SnapshotError):
            snapshots.remove(store, name)
    return len(rows)


def _looks_dropped(store: Store, person_id: str) -> list[str]:
    """Looks kept for review that may show this person; their keys in the gallery."""
    rows = store.db.execute(
        """UPDATE sightings SET embedding_sealed = NULL WHERE embedding_sealed IS NOT NULL AND (nearest_person_id = ?1 OR visit_id IN
            (SELECT id FROM visits WHERE person_id = ?1)) RETURNING visit_id""",
        [person_id],
    ).fetchall()
    return [UNSURE_KEY + visit_id for (visit_id,) in dict.fromkeys(rows)]


def _forget_visits(store: Store, person_id: str, now_ms: int) -> None:
    """Staff were never counted: without a name their visits would be customers'."""
    for (visit_id,) in store.db.execute("SELECT id FROM visits WHERE person_id = ?", [person_id]).fetchall():
        store.db.execute("DELETE FROM visits WHERE id = ?", [visit_id])
        store.record(VisitGone(id=visit_id), now_ms)
