"""What the page needs to take photos: something that looks at them, and the choices that are under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.drafts import Drafts
from appliance.enrolment import Photo
from models.faces import Picture

Eyes = Callable[[Picture, bool], tuple[Photo, bytes]]
"""`photo_eye.Eye.look`: a picture and whether its largest face is meant; what it is good for, and the face as JPEG. Raises EyeError."""


@dataclass(frozen=True, slots=True)
class Studio:
    look: Eyes
    drafts: Drafts = field(default_factory=Drafts)
