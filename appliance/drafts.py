"""Photos that somebody is choosing to enrol a member of staff with: in memory alone until they are enrolled, and gone after half an hour.

Each photo is looked at when it comes, and says at once what it is good for and whom it shows.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from appliance.enrolment import Photo
from appliance.persons import SAME_VIEW, TEMPLATES_MAX
from appliance.resemblance import Alike

PHOTOS_MAX = TEMPLATES_MAX
"""As many views as are kept of a person."""
DRAFTS_MAX = 16
"""Under way at once; the oldest goes. Each holds at most eight small pictures and embeddings."""
KEPT_MS = 1_800_000
ENROLLED_KEPT_MS = 12 * 3_600_000
"""Two ids each: somebody goes back in a browser that was left open since the morning."""
ACCEPTED, SAME, OTHER_FACE = "", "same view", "another face"


@dataclass(frozen=True, slots=True)
class Chosen:
    """`face`: JPEG; `alike`: who is known and looks like it; `trouble`: why it could not even be looked at, in words."""

    id: str
    photo: Photo
    face: bytes
    alike: list[Alike] = field(default_factory=list)
    trouble: str = ""

    @property
    def usable(self) -> bool:
        return self.photo.embedding is not None


@dataclass(frozen=True, slots=True)
class Draft:
    """`person_id`: of somebody who is staff already and gets more views; empty for somebody new."""

    id: str
    made_ms: int
    name: str = ""
    title: str = ""
    person_id: str = ""
    chosen: list[Chosen] = field(default_factory=list)

    def with_photo(self, photo: Photo, face: bytes, alike: Sequence[Alike] = (), trouble: str = "") -> Draft:
        return replace(self, chosen=[*self.chosen, Chosen(secrets.token_hex(4), photo, face, list(alike), trouble)])

    def without(self, chosen_id: str) -> Draft:
        return replace(self, chosen=[one for one in self.chosen if one.id != chosen_id])

    def usable(self) -> list[Photo]:
        return [one.photo for one in self.chosen if one.usable]


class Drafts:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: dict[str, Draft] = {}
        self._enrolled: dict[str, tuple[int, str]] = {}
        """Of drafts that were used: when they began, and who was enrolled. Nothing of the photos."""

    def begin(self, now_ms: int, name: str = "", title: str = "", person_id: str = "") -> Draft:
        draft = Draft(secrets.token_hex(8), now_ms, name, title, person_id)
        with self._lock:
            self._tidy(now_ms)
            while len(self._drafts) >= DRAFTS_MAX:
                del self._drafts[min(self._drafts, key=lambda i: self._drafts[i].made_ms)]
            self._drafts[draft.id] = draft
        return draft

    def get(self, draft_id: str, now_ms: int) -> Draft | None:
        with self._lock:
            self._tidy(now_ms)
            return self._drafts.get(draft_id)

    def change(self, draft_id: str, change: Callable[[Draft], Draft]) -> Draft | None:
        """None when it is gone."""
        with self._lock:
            draft = self._drafts.get(draft_id)
            if draft is not None:
                draft = self._drafts[draft_id] = change(draft)
            return draft

    def finish(self, draft_id: str, person_id: str) -> None:
        """Its photos go. Who comes back to it is told that this person was enrolled with them."""
        with self._lock:
            draft = self._drafts.pop(draft_id, None)
            if draft is not None:
                self._enrolled[draft_id] = (draft.made_ms, person_id)

    def enrolled(self, draft_id: str, now_ms: int) -> str | None:
        """Who was enrolled with it; None where nobody was, or it is long ago."""
        with self._lock:
            self._tidy(now_ms)
            found = self._enrolled.get(draft_id)
        return found[1] if found else None

    def drop(self, draft_id: str) -> None:
        with self._lock:
            self._drafts.pop(draft_id, None)

    def _tidy(self, now_ms: int) -> None:
        for draft in [d for d in self._drafts.values() if abs(now_ms - d.made_ms) > KEPT_MS]:
            del self._drafts[draft.id]
        self._enrolled = {draft_id: one for draft_id, one in self._enrolled.items() if abs(now_ms - one[0]) <= ENROLLED_KEPT_MS}


def among_themselves(chosen: Sequence[Chosen], stranger: float) -> dict[str, str]:
    """Of each usable photo, by its id: accepted, the same view as one before it, or another face than all the others. `stranger`: the
    cosine below which two looks are two people's."""
    said: dict[str, str] = {}
    usable = [one for one in chosen if one.photo.embedding is not None]
    for place, one in enumerate(usable):
        likeness = [float(one.photo.embedding @ other.photo.embedding) for other in usable if other is not one]  # type: ignore[operator]
        if place and max(likeness[:place]) >= SAME_VIEW:
            said[one.id] = SAME
        elif likeness and max(likeness) < stranger:
            said[one.id] = OTHER_FACE
        else:
            said[one.id] = ACCEPTED
    return said
