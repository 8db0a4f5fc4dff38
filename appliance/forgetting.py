"""People who ask to be forgotten, or never to be stored again. Everything of them goes in the caller's transaction, with its records; the
pictures' files go before it is committed, so that no receipt is told while one of them is there.

What is left of an erased person is that somebody came: their visits stay counted and are nobody's. Of one who opted out a few templates
stay, in the opt-out gallery alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from appliance import forgotten_list, persons, rejected_looks, review, snapshots, visits
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
    """How much went. `keys`: the gallery's persons that are gone or other now, for `Recognition.renew`; `looks`: kept for review, against
    somebody or to undo a merge; `visits`: that are nobody's now, or gone."""

    persons: int = 0
    templates: int = 0
    snapshots: int = 0
    keys: list[str] = field(default_factory=list)
    looks: int = 0
    visits: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            self.persons + other.persons,
            self.templates + other.templates,
            self.snapshots + other.snapshots,
            [*self.keys, *other.keys],
            self.looks + other.looks,
            self.visits + other.visits,
        )


CLEARING = "clearing"
"""Settings row: something was forgotten, and the log, free pages and backups are still to be cleared of it."""


def erase(store: Store, person_id: str, now_ms: int, *, by_the_chain: bool = False) -> Forgotten:
    """Forgets a person of this store; one that is not there is forgotten already. `by_the_chain`: headquarters asked, and need not be told
    to ask the others."""
    if not _there(store, person_id):
        return Forgotten()
    templates = _templates(store, person_id)
    _marked(store, forgotten_list.BY_THE_CHAIN if by_the_chain else forgotten_list.PERSON, person_id, templates, now_ms)
    gone = _let_go(store, person_id, now_ms) + Forgotten(persons=1, templates=len(templates))
    persons.remove(store, person_id, now_ms, erased=not by_the_chain)
    by = BY_THE_CHAIN if by_the_chain else ASKED_HERE
    store.db.execute("INSERT OR REPLACE INTO gone_persons VALUES (?, NULL, ?, ?)", [person_id, by, now_ms])
    if not by_the_chain:
        _counted_here(store, person_id, gone)
    return gone


def opt_out(store: Store, person_id: str, now_ms: int) -> Forgotten:
    """Keeps nothing of a person but what it takes not to store them again. Twice is once. Raises LookupError."""
    if not _there(store, person_id):
        raise LookupError(f"there is no person {person_id}")
    db = store.db
    (role,) = db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    if role == "opted_out":
        return Forgotten()
    dropped = [row[0] for row in db.execute(BEYOND_A_FEW, [person_id, OPTED_OUT_TEMPLATES]).fetchall()]
    _marked(store, forgotten_list.OPTED_OUT, person_id, dropped, now_ms)
    gone = _let_go(store, person_id, now_ms) + Forgotten(persons=1, templates=len(dropped))
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
    _counted_here(store, person_id, gone)
    return gone


BEYOND_A_FEW = """SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY model ORDER BY quality DESC, id) AS place FROM templates
    WHERE person_id = ?) WHERE place > ?"""


def taken_here(store: Store, person_ids: Sequence[str]) -> tuple[list[str], Forgotten]:
    """Who of these were forgotten here before headquarters asked for it, and how much that was. It is told once: the rows go."""
    found, gone = [], Forgotten()
    for person_id in person_ids:
        row = store.db.execute("DELETE FROM forgotten_here WHERE person_id = ? RETURNING templates, snapshots", [person_id]).fetchone()
        if row:
            found.append(person_id)
            gone += Forgotten(templates=row[0], snapshots=row[1])
    return found, gone


def once_called(store: Store, person_id: str) -> list[str]:
    """The person's id, and those of everybody who was merged into them."""
    rows = store.db.execute(
        """WITH RECURSIVE they (id) AS (SELECT ?1 UNION SELECT g.id FROM gone_persons g JOIN they ON g.merged_into = they.id)
            SELECT id FROM they""",
        [person_id],
    ).fetchall()
    return [row[0] for row in rows]


def _there(store: Store, person_id: str) -> bool:
    return store.db.execute("SELECT 1 FROM persons WHERE id = ?", [person_id]).fetchone() is not None


def _templates(store: Store, person_id: str) -> list[str]:
    return [row[0] for row in store.db.execute("SELECT id FROM templates WHERE person_id = ?", [person_id]).fetchall()]


def _marked(store: Store, kind: str, person_id: str, templates: Sequence[str], now_ms: int) -> None:
    """What goes is not to come back out of a backup, nor to be left in free pages. Before any of it goes. `templates`: those that go; one
    that an opt-out keeps would be found for ever, and nothing be cleared."""
    db = store.db
    shown = db.execute(SHOWN, [person_id]).fetchall()
    forgotten_list.note(store, kind, once_called(store, person_id))
    forgotten_list.note(store, forgotten_list.TEMPLATE, templates)
    forgotten_list.note(store, forgotten_list.VISIT, (visit_id for (visit_id,) in shown))
    for table, columns in SEALED:
        store.trace(value for row in db.execute(f"SELECT {columns} FROM {table}", [person_id]).fetchall() for value in row)
    for template_id in templates:
        store.trace(db.execute("SELECT embedding_sealed FROM templates WHERE id = ?", [template_id]).fetchone())
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [CLEARING, str(now_ms)])


SHOWN = """SELECT id FROM visits WHERE person_id = ?1 UNION SELECT s.visit_id FROM sightings s JOIN visits v ON v.id = s.visit_id
    WHERE s.nearest_person_id = ?1 AND v.person_id IS NULL"""
"""Visits that a picture or look of a person may be of."""
SEALED = (
    ("persons WHERE id = ?", "name_sealed"),
    ("details WHERE person_id = ?", "words_sealed"),
    ("staff WHERE person_id = ?", "title_sealed"),
    ("merges WHERE holder_id = ?", "before_sealed"),
    ("rejected_looks WHERE person_id = ?1 OR visit_id IN (SELECT id FROM visits WHERE person_id = ?1)", "embedding_sealed"),
    (f"sightings WHERE embedding_sealed IS NOT NULL AND visit_id IN ({SHOWN})", "embedding_sealed"),
    ("chain WHERE person_id = ?", "name_sealed, also_at_sealed"),
)
"""Where something sealed of a person lies besides their templates, by the person's id."""


def _counted_here(store: Store, person_id: str, gone: Forgotten) -> None:
    """For the receipt that headquarters will ask for: by then there is nothing left to count."""
    store.db.execute(
        """INSERT INTO forgotten_here VALUES (?, ?, ?) ON CONFLICT (person_id) DO UPDATE SET
            templates = templates + excluded.templates, snapshots = snapshots + excluded.snapshots""",
        [person_id, gone.templates, gone.snapshots],
    )


def _let_go(store: Store, person_id: str, now_ms: int) -> Forgotten:
    """All but the person's row and templates: pictures, visits, looks kept for review, and what the chain told or lent of them."""
    db = store.db
    (visits_were,) = db.execute("SELECT count(*) FROM visits WHERE person_id = ?", [person_id]).fetchone()
    pictures = _pictures(store, person_id)
    dropped = _looks_dropped(store, person_id)
    keys = [person_id, *dropped]
    looks = len(dropped) + rejected_looks.forget(store, person_id)
    db.execute("DELETE FROM details WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM staff WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM alerts WHERE subject = ?", [person_id])
    looks += db.execute("DELETE FROM merges WHERE holder_id = ?", [person_id]).rowcount
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
    return Forgotten(snapshots=pictures, keys=keys, looks=looks, visits=visits_were)


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
