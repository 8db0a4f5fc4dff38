"""What the gallery should hold, as the database says: people's templates, lent ones, and the looks of visits that nobody was named for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from appliance import persons, visits
from appliance.database import Store
from appliance.errors import GalleryError
from appliance.gallery import GUEST_KEY, UNSURE_KEY, Gallery, Template
from appliance.line import guests
from models.faces import Floats

ROLES = ("customer", "staff", "opted_out", "unsure", "guest")
UNSURE_LOOKS_MAX = 500
"""Newest unnamed visits that a later one may turn out to agree with."""


def all_of(store: Store, model: str) -> list[Template]:
    """Oldest unnamed visits first."""
    looks = visits.unsure_looks(store, model, UNSURE_LOOKS_MAX)
    unnamed = [unsure(visit_id, model, look) for visit_id, look in reversed(looks)]
    return persons.all_templates(store, model) + guests.templates(store, model) + unnamed


def of(store: Store, model: str, key: str) -> list[Template]:
    """Of one person, guest or unnamed visit; none for who is not there."""
    if key.startswith(UNSURE_KEY):
        looks = visits.unsure_looks(store, model, 1, key.removeprefix(UNSURE_KEY))
        return [unsure(visit_id, model, look) for visit_id, look in looks]
    if key.startswith(GUEST_KEY):
        return guests.templates(store, model, key.removeprefix(GUEST_KEY))
    return [template for template, _, _ in persons.templates_of(store, key, model)]


def unsure(visit_id: str, model: str, look: Floats) -> Template:
    return Template(f"{UNSURE_KEY}{visit_id}:look", UNSURE_KEY + visit_id, "unsure", model, look)


def put_right(gallery: Gallery, wanted: Sequence[Template]) -> None:
    """Raises GalleryError when the gallery held anything else; then it holds what it should."""
    stored = {t.id: t for t in wanted}
    held = {t.id: t for t in gallery.with_role(*ROLES)}
    extra = held.keys() - stored.keys()
    wrong = [t for i, t in stored.items() if i not in held or not _same(t, held[i])]
    if extra or wrong:
        gallery.remove(extra)
        gallery.add(wrong)
        raise GalleryError(
            f"The known faces in memory were not those of the database: {len(wrong)} missing or other, {len(extra)} too many. "
            "That was put right."
        )


def _same(a: Template, b: Template) -> bool:
    return (a.person_id, a.role) == (b.person_id, b.role) and np.array_equal(a.embedding, b.embedding)
