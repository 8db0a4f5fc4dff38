from dataclasses import replace

import pytest

from appliance.camera.life import Life, Limits, Step, after_heartbeat, next_step, pause_s, why_kill
from appliance.camera.messages import Heartbeat

LIMITS = Limits()
WATCHING = Life(running=True, since_s=100.0, word="watching", heard_s=1000.0, got_on_s=1000.0, frames_done=50)
DEAD = Life(running=False, since_s=1000.0, failures=1)


@pytest.mark.parametrize(
    ("life", "now_s", "step"),
    [
        # Running
        (WATCHING, 1001, Step.WAIT),
        (WATCHING, 1019.9, Step.WAIT),
        (WATCHING, 1020, Step.KILL),
        (replace(WATCHING, heard_s=1019.0), 1020, Step.KILL),  # It beats, and no frame gets done.
        (replace(WATCHING, word="silent", heard_s=1019.0), 1100 - 70, Step.WAIT),  # The camera is away, and it says so.
        (replace(WATCHING, word="opening", heard_s=1990.0), 2000, Step.WAIT),
        (replace(WATCHING, word="silent"), 1020, Step.KILL),  # It has stopped saying so.
        (replace(WATCHING, word="stuck", heard_s=1001.0), 1001, Step.KILL),
        (replace(WATCHING, word="starting", since_s=1000.0, heard_s=1000.0), 1119, Step.WAIT),
        (replace(WATCHING, word="starting", since_s=1000.0, heard_s=1119.0), 1120, Step.KILL),
        # Stopping
        (replace(WATCHING, stop_asked_s=1000.0), 1002.9, Step.WAIT),
        (replace(WATCHING, stop_asked_s=1000.0), 1003, Step.KILL),
        (replace(WATCHING, ended=True), 1002, Step.WAIT),
        (replace(WATCHING, ended=True), 1003, Step.KILL),
        # Not running
        (Life(since_s=0.0), 0.1, Step.START),
        (DEAD, 1000.9, Step.WAIT),
        (DEAD, 1001, Step.START),
        (replace(DEAD, failures=4), 1007.9, Step.WAIT),
        (replace(DEAD, failures=4), 1008, Step.START),
        (replace(DEAD, failures=1000), 1030, Step.START),
        (replace(DEAD, ended=True, failures=0), 2000, Step.OVER),
        (replace(DEAD, stop_asked_s=999.0), 2000, Step.OVER),
        (Life(since_s=0.0, stop_asked_s=0.0), 0.1, Step.OVER),  # Stopped before it was ever started.
        (replace(DEAD, once=True), 2000, Step.OVER),  # Nobody is to be seen twice.
        (Life(since_s=0.0, once=True), 0.1, Step.START),
    ],
)
def test_what_is_done_next(life: Life, now_s: float, step: Step) -> None:
    assert next_step(life, now_s, LIMITS) is step
    assert bool(why_kill(life, now_s, LIMITS)) is (step is Step.KILL) or not life.running


def test_pauses_double_from_one_second_to_thirty() -> None:
    assert [pause_s(failures, LIMITS) for failures in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]


def beat(state: str, analysed: int, still: int = 0) -> Heartbeat:
    return Heartbeat(0, state, 0, 0, 0, analysed, still, 0, 0.0, 0.0)


def test_frames_that_the_motion_gate_skipped_are_progress_too() -> None:
    assert after_heartbeat(WATCHING, beat("watching", 50), 1010).got_on_s == 1000
    assert after_heartbeat(WATCHING, beat("watching", 51), 1010).got_on_s == 1010
    assert after_heartbeat(WATCHING, beat("watching", 50, still=1), 1010).got_on_s == 1010


def test_a_camera_that_comes_back_has_the_whole_time_again() -> None:
    silent = after_heartbeat(WATCHING, beat("silent", 50), 5000)
    back = after_heartbeat(silent, beat("watching", 50), 5001)
    assert next_step(replace(back, heard_s=5015), 5015, LIMITS) is Step.WAIT
