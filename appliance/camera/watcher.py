"""What looks at a camera's frames, as the camera's process sees it: frames in, sightings out."""

from __future__ import annotations

from typing import Protocol

from appliance.camera.messages import Box
from appliance.sightings import Sighting
from models.faces import Picture


class Watcher(Protocol):
    def see(self, picture: Picture, taken_ms: int) -> list[Sighting]:
        """What the frame changed: sightings that opened, improved or closed. Times grow from call to call."""

    def finish(self) -> list[Sighting]:
        """Close every track: the source ended, fell silent or its clock was set back. `see` may be called again after it."""

    @property
    def boxes(self) -> list[Box]:
        """Faces in the newest frame."""

    @property
    def faces_flat(self) -> int:
        """Tracks that turned out to be pictures of faces, so far."""

    @property
    def busy(self) -> bool:
        """Somebody who is not known to be a still picture is being followed: the motion gate stays open."""
