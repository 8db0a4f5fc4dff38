"""One visit as a line of a list: who, how sure, when, before which cameras. Read here for every page that lists visits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.counting import REASON as COUNTED
from appliance.web import words
from appliance.web.pages import Names, PersonRow
from ui.words import gettext as _

Kind = Literal["new", "back", "staff", "unsure", "counted", "deciding"]
AlsoAt = Callable[[str], list[str]]

COLUMNS = """v.id, v.verdict, v.state, v.first_seen_ms, v.last_seen_ms, v.visit_number, v.snapshot IS NOT NULL,
    p.id, p.number, p.role, p.name_sealed FROM visits v LEFT JOIN persons p ON p.id = v.person_id"""
"""Follows SELECT; the reader of these columns is `read_rows`."""


def no_store(_person_id: str) -> list[str]:
    """Where the chain tells of nobody."""
    return []


@dataclass(frozen=True, slots=True)
class VisitRow:
    id: str
    kind: Kind
    who: str
    words: str
    cameras: tuple[str, ...]
    first_seen_ms: int
    last_seen_ms: int
    has_picture: bool
    person_id: str | None


def read_rows(
    connection: sqlite3.Connection, names: Names, where: str, values: Sequence[object], also_at: AlsoAt = no_store
) -> list[VisitRow]:
    """`where`: SQL of ours that follows the FROM clause, with its order and limit; only `values` come from outside. `also_at`: the other
    stores that a person comes to, by their id."""
    found = connection.execute(f"SELECT {COLUMNS} {where}", tuple(values)).fetchall()
    seen = read_seen(connection, names, [row[0] for row in found])
    return [visit_row(row, names, seen.get(row[0], NOT_SEEN), also_at) for row in found]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sightings of a visit say. `cameras`: names in the order it came before them; `doubt`: of a doubtful one, whom it resembles
    most; `counted`: its camera recognises nobody."""

    cameras: tuple[str, ...] = ()
    doubt: str | None = None
    counted: bool = False


NOT_SEEN = Seen()


def visit_row(row: Sequence[object], names: Names, seen: Seen, also_at: AlsoAt) -> VisitRow:
    id_, verdict, state, first_ms, last_ms, number, has_picture, *person = row
    assert isinstance(id_, str) and isinstance(verdict, str) and isinstance(first_ms, int) and isinstance(last_ms, int)
    assert isinstance(number, int)
    known = PersonRow(*person) if person[0] is not None else None  # type: ignore[arg-type]
    who = names(known) if known else _("Somebody")
    said: str
    kind: Kind
    if seen.counted:
        kind, said = "counted", _("counted only")
    elif state == "deciding":
        kind, said = "deciding", _("still looking")
    elif verdict == "unsure":
        # A doubtful visit names nobody, whatever stands beside it in the table.
        kind, who, said, known = "unsure", _("Somebody"), seen.doubt or words.doubt(None, None, None), None
    else:
        kind = "new" if verdict == "new" else "staff" if verdict == "staff" else "back"
        said = words.visit_words(verdict, number)
        if known and kind != "staff" and (stores := also_at(known.id)):
            said = f"{said} · {words.comes_to(stores)}"
    return VisitRow(id_, kind, who, said, seen.cameras, first_ms, last_ms, bool(has_picture), known.id if known else None)


def read_seen(connection: sqlite3.Connection, names: Names, visit_ids: list[str]) -> dict[str, Seen]:
    """By visit."""
    marks = ",".join("?" * len(visit_ids))
    rows = connection.execute(
        f"""SELECT s.visit_id, coalesce(c.name, ?), s.verdict, s.reason = ?, s.similarity, s.bar, p.id, p.number, p.role, p.name_sealed
            FROM sightings s LEFT JOIN cameras c ON c.id = s.camera_id LEFT JOIN persons p ON p.id = s.nearest_person_id
            WHERE s.visit_id IN ({marks}) ORDER BY s.began_ms""",
        (_("a removed camera"), COUNTED, *visit_ids),
    ).fetchall()
    found: dict[str, Seen] = {}
    nearest: dict[str, float] = {}
    for visit_id, camera, verdict, counted, similarity, bar, *person in rows:
        seen = found.get(visit_id, NOT_SEEN)
        cameras = seen.cameras if camera in seen.cameras else (*seen.cameras, camera)
        doubt = seen.doubt
        if verdict == "unsure" and person[0] is not None:
            height = -1.0 if similarity is None else similarity
            if visit_id not in nearest or height > nearest[visit_id]:
                nearest[visit_id], doubt = height, words.doubt(names(PersonRow(*person)), similarity, bar)
        found[visit_id] = Seen(cameras, doubt, bool(counted))
    return found
