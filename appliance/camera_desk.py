"""What the page may have done with cameras: each change is one transaction with its audit row. The roster follows the table within seconds.

Everything raises CameraError or StoreError with words for the page, and LookupError for a camera or a trial that is not there any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from appliance import audit, cameras
from appliance.camera.messages import CameraSettings
from appliance.camera_trials import Trial, Trials
from appliance.cameras import Camera, Change, NewCamera
from appliance.database import Store
from appliance.errors import CameraError
from appliance.meanwhile import as_asked
from ui.words import gettext as _

ADD, CHANGE, REMOVE = "camera_add", "camera_change", "camera_remove"
"""In the audit log."""
UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True)
class CameraDesk:
    """`liveness`: whether the models can tell a face from a picture of one; `usual_fps`: the setting that holds for all cameras."""

    store: Store
    trials: Trials
    now: Callable[[], int]
    liveness: bool = True
    usual_fps: float = 5.0
    who: str = audit.THIS_COMPUTER
    """In whose name."""

    def by(self, who: str) -> CameraDesk:
        return replace(self, who=who)

    def listed(self) -> list[Camera]:
        return cameras.list_cameras(self.store)

    def one(self, camera_id: str) -> Camera:
        return cameras.by_id(self.store, camera_id)

    def source_of(self, camera: Camera) -> str:
        """With its password: not for a page."""
        return cameras.settings_of(self.store, camera).source

    def try_new(self, new: NewCamera, *, meant: bool = False) -> str:
        """The trial's id. `meant`: another camera may be at the same address."""
        new = cameras.checked(new)
        cameras.require_free(new.name, self.listed())
        if not meant:
            cameras.require_own_place(self.store, new.kind, new.source)
        return self.trials.start(CameraSettings(UNSAVED, new.name, new.kind, new.source), self.now(), meant=meant)

    def try_elsewhere(self, camera: Camera, kind: str, source: str, *, meant: bool = False) -> str:
        """A camera that is there, at another address."""
        new = cameras.checked(NewCamera(camera.name, kind, source))
        if camera.enabled and not meant:
            cameras.require_own_place(self.store, new.kind, new.source, camera)
        settings = replace_source(cameras.settings_of(self.store, camera), new)
        return self.trials.start(settings, self.now(), camera.id, moves=True, meant=meant)

    def try_view(self, camera: Camera) -> str:
        """A camera as it is: how well people can be recognised there."""
        return self.trials.start(cameras.settings_of(self.store, camera), self.now(), camera.id)

    def trial(self, trial_id: str) -> Trial:
        return self.trials.of(trial_id, self.now())

    def save(self, trial: Trial, *, meant: bool = False) -> str:
        """The id of the camera that was tried out. `meant`: another camera may be at the same address, also one that came there since."""
        settings, now_ms, meant = trial.settings, self.now(), meant or trial.meant
        with self.store.transaction():
            if trial.camera_id:
                moved = Change(kind=settings.kind, source=settings.source)
                cameras.change(self.store, self.one(trial.camera_id), moved, now_ms, meant=meant)
                camera_id = trial.camera_id
            else:
                loop = settings.kind in ("file", "folder")
                new = NewCamera(settings.name, settings.kind, settings.source, loop=loop)
                camera_id = cameras.add(self.store, new, now_ms, meant=meant)
            audit.note(self.store, CHANGE if trial.camera_id else ADD, camera_id, now_ms, who=self.who)
        self.trials.forget(trial.id)
        return camera_id

    def change(
        self, camera_id: str, wanted: Change, *, meant: bool = False, settled: Callable[[Camera, Change], Change] = as_asked
    ) -> Camera:
        """`meant`: another camera may be at the same address. `settled`: of what stands and what is wanted what is to stand."""
        if wanted.liveness and not self.liveness:
            raise CameraError(_("These models cannot tell a face from a picture of one: get others with `regulars models pull open`."))
        with self.store.transaction():
            stands = self.one(camera_id)
            camera = cameras.change(self.store, stands, settled(stands, wanted), self.now(), meant=meant)
            audit.note(self.store, CHANGE, camera_id, self.now(), who=self.who)
        return camera

    def remove(self, camera_id: str) -> None:
        """Its visits stay. Twice is once."""
        with self.store.transaction():
            cameras.remove(self.store, self.one(camera_id).name, self.now())
            audit.note(self.store, REMOVE, camera_id, self.now(), who=self.who)


def replace_source(settings: CameraSettings, new: NewCamera) -> CameraSettings:
    """The camera's own settings at another address."""
    return msgspec.structs.replace(settings, kind=new.kind, source=new.source, loop=False, pace="own")
