"""What is written on the boxes over a camera's picture: whom each face is taken for just now. Who opted out is not pointed at.

It is written in English, once for all who look; each page says it in its reader's language (`appliance/web/box_words.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.camera.messages import Box, Boxes
from appliance.live import FaceBox
from appliance.outcomes import Outcome
from appliance.web.words import box_kind, box_label
from ui.words import ENGLISH, speaking

Said = tuple[str, str]
"""A label, and the kind it belongs to."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """`standing_of`: what became of a sighting; `name_of`, `also_at`: of a person; `counts_only`: of a camera."""

    standing_of: Callable[[str], Outcome | None]
    name_of: Callable[[str], str]
    also_at: Callable[[str], Sequence[str]]
    counts_only: Callable[[str], bool]

    def boxes(self, camera_id: str, message: Boxes) -> tuple[FaceBox, ...]:
        found, counted = [], self.counts_only(camera_id)
        for number, box in enumerate(message.boxes):
            with speaking(ENGLISH):
                said = self._said(box, counted)
            if said:
                found.append(FaceBox(box.sighting_id or f"face{number}", box.x, box.y, box.width, box.height, *said))
        return tuple(found)

    def _said(self, box: Box, counted: bool) -> Said | None:
        if box.flat:
            return _plainly("flat")
        if counted:
            return _plainly("counted" if box.sighting_id else "deciding")
        outcome = self.standing_of(box.sighting_id) if box.sighting_id else None
        if outcome is None:
            return _plainly("deciding")
        if outcome.verdict == "opted_out":
            return None
        verdict = outcome.verdict if outcome.settled or outcome.person_id else "deciding"
        if not outcome.person_id:
            return _plainly(verdict)
        name, also_at = self.name_of(outcome.person_id), self.also_at(outcome.person_id)
        return box_label(verdict, name, outcome.visit_number, also_at), box_kind(verdict)


def _plainly(verdict: str) -> Said:
    return box_label(verdict, "", 0), box_kind(verdict)
