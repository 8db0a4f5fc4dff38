"""When a camera's process is started, left alone, killed or given up: decided from values and a time alone."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from appliance.camera.messages import Heartbeat


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `no_frame`: a process that claims to watch and does not get on; `starting`: loading the models, the first time ever
    with measuring; `healthy`: a process that ran this long was no failure to start."""

    no_frame: float = 20.0
    starting: float = 120.0
    stopping: float = 3.0
    pause_first: float = 1.0
    pause_max: float = 30.0
    healthy: float = 60.0


@dataclass(frozen=True, slots=True)
class Life:
    """What the main process knows of one camera's process. Times are monotonic seconds, taken here and not by the camera's process."""

    running: bool = False
    since_s: float = 0.0
    """When it was started, or, not running, when it ended."""
    word: str = "starting"
    """Its last heartbeat's state."""
    heard_s: float = 0.0
    """Last message of any kind."""
    got_on_s: float = 0.0
    """Last heartbeat with more frames done than before, or in a state in which none are to be expected."""
    frames_done: int = 0
    failures: int = 0
    """Ends that were not asked for, in a row."""
    ended: bool = False
    stop_asked_s: float | None = None
    once: bool = False
    """A file played once: playing it again would see everybody twice."""


class Step(enum.Enum):
    WAIT = "wait"
    START = "start"
    KILL = "kill"
    OVER = "over"


def next_step(life: Life, now_s: float, limits: Limits) -> Step:
    if not life.running:
        if life.ended or life.stop_asked_s is not None or (life.once and life.failures):
            return Step.OVER
        return Step.START if now_s - life.since_s >= pause_s(life.failures, limits) else Step.WAIT
    return Step.KILL if why_kill(life, now_s, limits) else Step.WAIT


def pause_s(failures: int, limits: Limits) -> float:
    """Before starting again: nothing at first, then 1 s doubling to 30 s."""
    return min(limits.pause_first * 2.0 ** min(failures - 1, 30), limits.pause_max) if failures else 0.0


def why_kill(life: Life, now_s: float, limits: Limits) -> str:
    """The reason in words, empty for none. A process that honestly says that its camera is silent is left alone."""
    if life.stop_asked_s is not None:
        return "did not stop when asked" if now_s - life.stop_asked_s >= limits.stopping else ""
    if life.ended:
        return "did not end after its last frame" if now_s - life.heard_s >= limits.stopping else ""
    if life.word == "stuck":
        return "hung while reading"
    if life.word == "starting":
        return "did not get ready" if now_s - life.since_s >= limits.starting else ""
    if now_s - life.heard_s >= limits.no_frame:
        return "gave no sign of life"
    if life.word == "watching" and now_s - life.got_on_s >= limits.no_frame:
        return "got no frame done"
    return ""


def after_heartbeat(life: Life, beat: Heartbeat, now_s: float) -> Life:
    done = beat.frames_analysed + beat.frames_still
    got_on = done > life.frames_done or beat.state != "watching" or life.word != "watching"
    return replace(life, word=beat.state, heard_s=now_s, frames_done=done, got_on_s=now_s if got_on else life.got_on_s)
