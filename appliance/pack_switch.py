"""Another pack of models: people are embedded anew from the pictures that are still kept, while recognition goes on with the old ones; what
no picture is kept of is lost, and said before. It can be stopped and goes on where it was; nothing is taken away from the old models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from appliance import page_settings, persons, snapshots
from appliance.config import Config
from appliance.database import Store
from appliance.enrolment import Photo, look_at
from appliance.errors import SnapshotError
from appliance.long_work import Step
from models.faces import Picture
from models.pack import load_pack
from models.weights import weights_of
from ui.words import gettext as _

PICTURES_EACH = 4
"""Of a person's newest pictures; some 40 ms each on one core. Four views are as many as a usual customer's gallery holds."""
ROLES = ("customer", "staff", "opted_out")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many people stay known and how many do not, by role. `same`: both packs recognise by the same model, nothing is lost."""

    model: str
    same: bool
    kept: dict[str, int]
    lost: dict[str, int]
    looks: int
    """Visits that nobody was named for, and looks that were called somebody else's: they cannot be compared any more."""

    @property
    def lost_in_all(self) -> int:
        return sum(self.lost.values())


Look = Callable[[bytes], Photo | None]
"""A JPEG in, what it is good for out."""


def plan(store: Store, model: str, new_model: str) -> Plan:
    """`model`: the embedder that is used now."""
    if model == new_model:
        return Plan(new_model, True, dict.fromkeys(ROLES, 0), dict.fromkeys(ROLES, 0), 0)
    rows = store.db.execute(
        """WITH known AS (SELECT DISTINCT person_id FROM templates WHERE model = ?),
            kept AS (SELECT person_id FROM templates WHERE model = ?
                UNION SELECT person_id FROM visits WHERE snapshot IS NOT NULL AND person_id IS NOT NULL)
            SELECT p.role, p.id IN (SELECT person_id FROM kept), count(*) FROM known JOIN persons p ON p.id = known.person_id
            GROUP BY 1, 2""",
        [model, new_model],
    ).fetchall()
    found = {(role, bool(kept)): count for role, kept, count in rows}
    (unsure,) = store.db.execute("SELECT count(*) FROM sightings WHERE embedding_sealed IS NOT NULL AND model = ?", [model]).fetchone()
    (rejected,) = store.db.execute("SELECT count(*) FROM rejected_looks WHERE model = ?", [model]).fetchone()
    kept, lost = ({role: found.get((role, there), 0) for role in ROLES} for there in (True, False))
    return Plan(new_model, False, kept, lost, unsure + rejected)


def carry_over(store: Store, model: str, new_model: str, look: Look, step: Step, now_ms: int) -> tuple[int, int]:
    """People who have views by the new model now, and those whose pictures did not do. Who has some already is passed over."""
    waiting = store.db.execute(
        """SELECT p.id, p.role FROM persons p WHERE EXISTS (SELECT 1 FROM templates t WHERE t.person_id = p.id AND t.model = ?)
            AND NOT EXISTS (SELECT 1 FROM templates t WHERE t.person_id = p.id AND t.model = ?)
            AND EXISTS (SELECT 1 FROM visits v WHERE v.person_id = p.id AND v.snapshot IS NOT NULL)
            ORDER BY p.role DESC, p.last_seen_ms DESC""",
        [model, new_model],
    ).fetchall()
    done = failed = 0
    for number, (person_id, role) in enumerate(waiting):
        step(number, len(waiting))
        views = _views(store, person_id, look)
        with store.transaction() as db:
            # They may have been erased or merged while their pictures were looked at.
            there = db.execute("SELECT 1 FROM persons WHERE id = ?", [person_id]).fetchone() is not None
            for visit_id, photo in views if there else []:
                assert photo.embedding is not None
                persons.learn(store, person_id, role, new_model, photo.embedding, photo.quality, "visit", visit_id, now_ms)
        done, failed = done + bool(views), failed + (not views)
    return done, failed


def _views(store: Store, person_id: str, look: Look) -> list[tuple[str, Photo]]:
    rows = store.db.execute(
        "SELECT id, snapshot FROM visits WHERE person_id = ? AND snapshot IS NOT NULL ORDER BY last_seen_ms DESC LIMIT ?",
        [person_id, PICTURES_EACH],
    ).fetchall()
    found = []
    for visit_id, name in rows:
        try:
            photo = look(snapshots.load(store, name))
        except SnapshotError:
            continue
        if photo and photo.embedding is not None:
            found.append((visit_id, photo))
    return found


def switch(store: Store, config: Config, model: str, pack: str, new_model: str, step: Step, now_ms: int) -> str:
    """All of it, in words for the page. The pack holds from the next start."""
    words = _("The models “%(pack)s” hold from the next start.") % {"pack": pack}
    if model != new_model:
        done, failed = carry_over(store, model, new_model, looker(config, pack), step, now_ms)
        words = _("%(done)s people were carried over; of %(failed)s no picture did. The models “%(pack)s” hold from the next start.") % {
            "done": done,
            "failed": failed,
            "pack": pack,
        }
    page_settings.save(store, "models.pack", pack)
    return words


def looker(config: Config, pack: str) -> Look:
    """Raises models' errors where the pack cannot be loaded."""
    loaded = load_pack(pack, weights_of(config.data.folder, folder=config.models.folder))

    def look(jpeg: bytes) -> Photo | None:
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            return None
        picture: Picture = np.ascontiguousarray(decoded, np.uint8)
        return look_at(picture, loaded.detector, loaded.embedder)

    return look
