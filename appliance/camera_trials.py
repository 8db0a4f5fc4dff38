"""Cameras that somebody tries out before they are saved: each is opened in a process of its own, and what it showed is kept for a while.

A source with its password stays in here, in memory: a page gets the picture and the words, never the source.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from appliance.camera.messages import CameraSettings
from appliance.camera.probe import Probe, probe
from appliance.errors import CameraError
from ui.words import gettext as _

DETECTOR = "appliance.watch:open_detector"
"""What finds faces in the probe's own process: "module:function"."""
SECONDS = 5.0
"""Of watching: somebody walks in meanwhile."""
KEPT_MAX = 8
"""Each holds a picture of at most a megabyte; somebody who sets up a store looks at one after the other."""
KEPT_MS = 30 * 60_000
"""A password is not held for longer than it takes to look at a picture and fetch a ladder."""

Try = Callable[[CameraSettings], Probe]


@dataclass(frozen=True, slots=True)
class Trial:
    """`camera_id`: the camera that is to look there, or whose view was tried; empty for a new one. `moves`: its address is to change.
    `meant`: another camera may be at the same address."""

    id: str
    settings: CameraSettings = field(repr=False)
    began_ms: int
    camera_id: str = ""
    moves: bool = False
    meant: bool = False
    found: Probe | None = None
    """None while it is under way."""


class Trials:
    """`attempt` is what opens a camera: tests have one that needs no camera."""

    def __init__(self, pack: str, model_folders: list[str], attempt: Try | None = None) -> None:
        self._attempt = attempt or (lambda settings: probe(settings, DETECTOR, pack, model_folders, SECONDS))
        self._kept: OrderedDict[str, Trial] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, settings: CameraSettings, now_ms: int, camera_id: str = "", moves: bool = False, meant: bool = False) -> str:
        """Its id. Raises CameraError while another is under way: each takes a core, and a camera often allows one stream more."""
        with self._lock:
            self._forget_old(now_ms)
            if any(trial.found is None for trial in self._kept.values()):
                raise CameraError(_("Another camera is being tried out just now. Wait until that is done, then try this one."))
            trial = Trial(secrets.token_urlsafe(12), settings, now_ms, camera_id, moves, meant)
            self._kept[trial.id] = trial
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        threading.Thread(target=self._run, args=(trial,), name="camera trial", daemon=True).start()
        return trial.id

    def of(self, trial_id: str, now_ms: int) -> Trial:
        """Raises LookupError when it is not kept any more."""
        with self._lock:
            self._forget_old(now_ms)
            return self._kept[trial_id]

    def forget(self, trial_id: str) -> None:
        with self._lock:
            self._kept.pop(trial_id, None)

    def _run(self, trial: Trial) -> None:
        try:
            found = self._attempt(trial.settings)
        except OSError as error:
            found = Probe(error=f"the process that tries it out could not be started: {error.strerror}")
        with self._lock:
            if trial.id in self._kept:
                self._kept[trial.id] = replace(trial, found=found)

    def _forget_old(self, now_ms: int) -> None:
        for trial in list(self._kept.values()):
            # abs: a clock that was set back must not keep a password for longer.
            if trial.found is not None and abs(now_ms - trial.began_ms) > KEPT_MS:
                del self._kept[trial.id]
