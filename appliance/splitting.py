"""A visit that is not whose it was said to be. It goes to nobody, or to a new person, and that is remembered: the views learned from it
leave the person, and what looks like them is never matched to that person again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance import merging, persons, rejected_looks, visits
from appliance.database import Store
from appliance.errors import PersonError
from models.faces import Floats
from sync.records import TemplateGone
from ui.words import gettext as _

BY_HAND = "somebody said that it is not whom it was taken for"
QUALITY = 0.5
"""Of a look whose shots are gone: neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Split:
    """`new_id`: the person that was made, if one was. `keys`: the gallery's persons that are other now."""

    person_id: str
    new_id: str | None
    sightings: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    remembered: int = 0
    """Looks that are known from now on not to be the person."""


def split(
    store: Store,
    visit_id: str,
    model: str,
    look_of: Callable[[str], Floats | None],
    now_ms: int,
    *,
    new_person: bool,
    of: str | None = None,
) -> Split:
    """Takes a visit from its person. `look_of`: what a sighting looked like, where that is still known. `of`: whose it was when somebody
    was asked; of a page that is old, the visit may be another's by now. In the caller's transaction. Raises PersonError, LookupError when
    the visit is not there."""
    row = store.db.execute("SELECT person_id, state FROM visits WHERE id = ?", [visit_id]).fetchone()
    if row is None:
        raise LookupError(f"there is no visit {visit_id}")
    person_id, state = row
    if person_id is None:
        raise PersonError(_("That visit is nobody's already."))
    if of is not None and of != person_id:
        raise PersonError(_("Somebody gave that visit to another person meanwhile. See whose it is now, and decide again."))
    if state != "settled":
        raise PersonError(_("That visit is still being decided. Try again when the person has left."))
    sightings = [i for (i,) in store.db.execute("SELECT id FROM sightings WHERE visit_id = ? ORDER BY began_ms", [visit_id]).fetchall()]
    learned = [
        (template, quality)
        for template, quality, _origin in persons.templates_of(store, person_id, model)
        if store.db.execute("SELECT 1 FROM templates WHERE id = ? AND visit_id = ?", [template.id, visit_id]).fetchone()
    ]
    looks = [look for sighting in sightings if (look := look_of(sighting)) is not None]
    views = looks + [template.embedding for template, _quality in learned]
    for view in views:
        rejected_looks.remember(store, person_id, visit_id, model, view, now_ms)
    new_id = persons.create(store, "customer", now_ms) if new_person else None
    for template, _quality in learned:
        _leave(store, template.id, person_id, new_id, now_ms)
    if new_id:
        if not learned and looks:
            persons.learn(store, new_id, "customer", model, looks[-1], QUALITY, "visit", visit_id, now_ms)
        merging.apart(store, person_id, new_id, BY_HAND, now_ms)
    store.db.execute(
        "UPDATE sightings SET verdict = ?, reason = ?, nearest_person_id = NULL, similarity = NULL, bar = NULL WHERE visit_id = ?",
        ["new" if new_id else "unsure", BY_HAND, visit_id],
    )
    store.db.execute("UPDATE visits SET person_id = ? WHERE id = ?", [new_id, visit_id])
    visits.refresh(store, visit_id, now_ms, person_id)
    return Split(person_id, new_id, sightings, [person_id, *([new_id] if new_id else [])], len(views))


def _leave(store: Store, template_id: str, person_id: str, new_id: str | None, now_ms: int) -> None:
    if new_id:
        store.db.execute("UPDATE templates SET person_id = ? WHERE id = ?", [new_id, template_id])
        persons.tell_template(store, template_id, now_ms)
        return
    store.db.execute("DELETE FROM templates WHERE id = ?", [template_id])
    store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
