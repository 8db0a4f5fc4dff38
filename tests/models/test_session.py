"""Which provider a model runs on is measured once and remembered; what is not a model is said so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import WeightsError
from models.session import COREML, CPU, chosen, open_session, seconds_a_run
from models.weights import BUNDLED

MODEL = BUNDLED / "starter_detector.onnx"
MAC = [COREML, CPU]


class Stopwatch:
    """Says how long a provider takes, and how often it was asked."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {CPU: seconds["cpu"], COREML: seconds["coreml"]}
        self.asked: list[str] = []

    def __call__(self, path: Path, provider: str, threads: int) -> float:
        self.asked.append(provider)
        return self.seconds[provider]


def test_coreml_is_chosen_where_it_is_clearly_quicker_and_measured_once(tmp_path: Path) -> None:
    watch, choices = Stopwatch(cpu=0.010, coreml=0.002), tmp_path / "choices.json"
    assert [chosen(MODEL, 1, MAC, choices, watch) for _ in range(3)] == [COREML] * 3
    assert watch.asked == [CPU, COREML]


def test_the_cpu_is_kept_where_coreml_gains_little(tmp_path: Path) -> None:
    assert chosen(MODEL, 1, MAC, tmp_path / "choices.json", Stopwatch(cpu=0.010, coreml=0.009)) == CPU


def test_a_provider_that_cannot_run_the_model_is_not_chosen(tmp_path: Path) -> None:
    def measure(path: Path, provider: str, threads: int) -> float:
        if provider == COREML:
            raise RuntimeError("unsupported")
        return 1.0

    assert chosen(MODEL, 1, MAC, tmp_path / "choices.json", measure) == CPU


def test_nothing_is_measured_where_there_is_no_choice(tmp_path: Path) -> None:
    watch = Stopwatch(cpu=1, coreml=0)
    assert chosen(MODEL, 1, [CPU], tmp_path / "choices.json", watch) == CPU
    assert watch.asked == []


def test_choices_that_cannot_be_read_are_measured_again(tmp_path: Path) -> None:
    choices = tmp_path / "choices.json"
    choices.write_bytes(b"\xff{")
    assert chosen(MODEL, 1, MAC, choices, Stopwatch(cpu=1, coreml=0.1)) == COREML
    assert chosen(MODEL, 1, MAC, choices, Stopwatch(cpu=0.1, coreml=1)) == COREML


def test_a_model_is_measured_on_the_cpu(tmp_path: Path) -> None:
    assert 0 < seconds_a_run(MODEL, CPU, 1) < 5


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"rubbish" * 100)
    with pytest.raises(WeightsError, match=r"rubbish.onnx cannot be opened as a model: ") as caught:
        open_session(rubbish)
    assert "\n" not in str(caught.value)


def test_threads_are_bounded() -> None:
    with pytest.raises(ValueError, match=r"threads must be 1 to 8, got 64"):
        open_session(MODEL, threads=64)


def test_memory_does_not_grow_with_pictures_of_every_size() -> None:
    session, status = open_session(MODEL), Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("memory is read from /proc, which this system has not")
    sizes = [(32 * h, 32 * w) for h in range(3, 13) for w in range(3, 13)]

    def resident_mb() -> float:
        return int(status.read_text().split()[1]) * 4096 / 1e6

    def run_all() -> None:
        for height, width in sizes:
            session.run(None, {"input": np.zeros((1, 3, height, width), np.float32)})

    run_all()
    before = resident_mb()
    for _ in range(3):
        run_all()
    assert resident_mb() - before < 10
