"""Which picture a visit shows: the largest portrait among its sightings. Runs in the transaction that the log is written in.

A sighting that may yet turn out to be somebody else takes no other sighting's place, and takes its picture along when it leaves a visit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance import snapshots
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.sightings import Sighting

GAIN_MIN = 1.1
"""A picture larger by less shows nothing more, and costs the disk a file."""

Failed = Callable[[RegularsError | OSError], None]


@dataclass(slots=True)
class Portrait:
    """`name`: the snapshot that this sighting gave its visit, while that shows it; `gone`: snapshots to remove once it is committed."""

    name: str | None
    gone: list[str] = field(default_factory=list)


def shown(store: Store, visit_id: str) -> str | None:
    row = store.db.execute("SELECT snapshot FROM visits WHERE id = ?", [visit_id]).fetchone()
    return row[0] if row else None


def show(store: Store, visit_id: str, sighting: Sighting, own: Portrait, final: bool, failed: Failed, now_ms: int) -> None:
    """Keeps the sighting's portrait as the visit's picture if it is clearly the largest so far. One that cannot be written is told to
    `failed`: the visit counts all the same."""
    name, width = store.db.execute("SELECT snapshot, snapshot_width_px FROM visits WHERE id = ?", [visit_id]).fetchone()
    if not sighting.portrait or (name and (width * GAIN_MIN > sighting.portrait_width_px or not (final or name == own.name))):
        return
    try:
        new = snapshots.save(store, visit_id, sighting.portrait, now_ms)
    except RegularsError as error:
        failed(error)
        return
    store.db.execute("UPDATE visits SET snapshot = ?, snapshot_width_px = ? WHERE id = ?", [new, sighting.portrait_width_px, visit_id])
    own.name = new
    own.gone += [name] if name else []


def leave(store: Store, visit_id: str, was_shown: str | None, own: Portrait) -> None:
    """The sighting is of this visit no longer, or the visit is gone. `was_shown`: its picture until then."""
    if was_shown and shown(store, visit_id) is None:
        own.gone.append(was_shown)
        own.name = None
    else:
        hide(store, visit_id, own)


def hide(store: Store, visit_id: str, own: Portrait) -> None:
    """Takes the sighting's own picture out of a visit."""
    if own.name:
        hidden = store.db.execute(
            "UPDATE visits SET snapshot = NULL, snapshot_width_px = 0 WHERE id = ? AND snapshot = ?", [visit_id, own.name]
        ).rowcount
        own.gone += [own.name] if hidden else []
    own.name = None


def hide_all(store: Store, person_id: str, own: Portrait) -> None:
    """Takes the pictures out of all visits of a person."""
    own.gone += [n for (n,) in store.db.execute("SELECT snapshot FROM visits WHERE person_id = ?", [person_id]).fetchall() if n]
    store.db.execute("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0 WHERE person_id = ?", [person_id])


def clear(store: Store, own: Portrait, failed: Failed) -> None:
    """After the commit: the files that no row names any more. One that stays is the nightly sweep's."""
    for name in own.gone:
        try:
            snapshots.remove(store, name)
        except (RegularsError, OSError) as error:
            failed(error)
