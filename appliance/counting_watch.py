"""What a camera's process does with a frame where visits are only counted: faces are found and followed, and that somebody was there is
said. No embedding is made, no crop is cut, and nothing of a face leaves this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.camera.messages import Box
from appliance.camera.zones import Zone, outside
from appliance.flat_faces import FlatFaces
from appliance.followed import APART_MS_MIN, SHOTS_TO_OPEN, TRAVEL_MIN, detection_of, fixture
from appliance.sightings import Phase, Sighting
from appliance.tracks import Track, Tracker
from models.detect import Detector
from models.faces import Faces, Picture
from models.quality import Gate, at_a_glance


@dataclass(slots=True)
class Seen:
    """Looks at one track's face that were good enough to count by."""

    count: int
    first_ms: int
    last_ms: int
    width_px: float
    told: bool = False


class CountingWatcher:
    """A camera's `Watcher`. `side_px`: the picture's longer side as the detector sees it."""

    def __init__(
        self,
        camera_id: str,
        detector: Detector,
        *,
        side_px: int,
        gate: Gate,
        tracker: Tracker,
        ignored: Sequence[Zone] = (),
        flat: FlatFaces | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._detector = detector
        self._side_px = side_px
        self._gate = gate
        self._tracker = tracker
        self._ignored = ignored
        self._flat = flat or FlatFaces(None)
        self._seen: dict[str, Seen] = {}
        self.boxes: list[Box] = []

    @property
    def faces_flat(self) -> int:
        return self._flat.count

    @property
    def busy(self) -> bool:
        return any(not fixture(t) for t in self._tracker.tracks)

    def see(self, picture: Picture, taken_ms: int) -> list[Sighting]:
        height, width = picture.shape[:2]
        faces = outside(self._ignored, self._detector.detect(picture, self._side_px, faint=True), height, width)
        detections = [detection_of(box, score) for box, score in zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)]
        tracks = self._tracker.update(detections, taken_ms)
        looked_at = []
        for track, flaw, box in zip(tracks, at_a_glance(faces, height, width, self._gate), faces.boxes.tolist(), strict=True):
            if track and flaw is None:
                self._look(track, box[2] - box[0], taken_ms)
                looked_at.append((track.id, (box[0], box[1], box[2], box[3])))
        self._flat.look(picture, looked_at)
        self.boxes = self._boxes(tracks, faces, height, width)
        news = [s for t in tracks if t and (s := self._news(t, taken_ms))]
        return news + [s for t in self._tracker.ended(taken_ms) if (s := self._close(t, taken_ms))]

    def finish(self) -> list[Sighting]:
        over, self._tracker.tracks = self._tracker.tracks, []
        return [s for t in over if (s := self._close(t, t.seen_ms))]

    def _look(self, track: Track, width_px: float, taken_ms: int) -> None:
        seen = self._seen.setdefault(track.id, Seen(0, taken_ms, taken_ms, width_px))
        seen.count, seen.last_ms, seen.width_px = seen.count + 1, taken_ms, max(seen.width_px, width_px)

    def _news(self, track: Track, now_ms: int) -> Sighting | None:
        seen = self._seen.get(track.id)
        if seen is None or seen.told or not _counts(track, seen) or self._flat.doubted(track.id):
            return None
        seen.told = True
        return self._sighting(track, seen, Phase.OPENED, now_ms)

    def _close(self, track: Track, now_ms: int) -> Sighting | None:
        seen = self._seen.pop(track.id, None)
        told = seen is not None and seen.told
        if self._flat.end(track.id, told) or seen is None or not (told or _counts(track, seen)):
            return None
        return self._sighting(track, seen, Phase.CLOSED, now_ms)

    def _sighting(self, track: Track, seen: Seen, phase: Phase, now_ms: int) -> Sighting:
        return Sighting(
            id=track.id,
            camera_id=self._camera_id,
            phase=phase,
            model="",
            began_ms=track.began_ms,
            ended_ms=track.seen_ms,
            shots=[],
            shot_count=seen.count,
            first_shot_ms=seen.first_ms,
            last_shot_ms=seen.last_ms,
            sent_ms=now_ms,
            travel=track.travel,
            portrait_width_px=seen.width_px,
            counted_only=True,
        )

    def _boxes(self, tracks: Sequence[Track | None], faces: Faces, height: int, width: int) -> list[Box]:
        return [
            Box(
                x1 / width,
                y1 / height,
                (x2 - x1) / width,
                (y2 - y1) / height,
                t.id if t.id in self._seen and self._seen[t.id].told else "",
                self._flat.is_flat(t.id),
            )
            for t, (x1, y1, x2, y2) in zip(tracks, faces.boxes.tolist(), strict=True)
            if t and not fixture(t)
        ]


def _counts(track: Track, seen: Seen) -> bool:
    """Moved, and was seen more than once: without a look to compare, a flicker must not be a visitor."""
    return track.travel >= TRAVEL_MIN and seen.count >= SHOTS_TO_OPEN and seen.last_ms - seen.first_ms >= APART_MS_MIN
