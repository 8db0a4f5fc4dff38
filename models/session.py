"""The only place where onnxruntime sessions are made, and where it is decided what a model runs on.

Several cameras share a store's computer: a session has few threads of its own, and they sleep when there is nothing to do.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import onnxruntime as ort

from models.errors import WeightsError
from models.intake import taking_bytes
from models.joining import joined
from models.manifest import Normalisation
from models.weights import write_whole

CPU = "CPUExecutionProvider"
COREML = "CoreMLExecutionProvider"
THREADS_MAX = 8
GAIN_MIN = 1.3
"""CoreML takes more memory than the CPU and leaves it idle less predictably: it must be clearly quicker to be worth it."""
WARM_RUNS, TIMED_RUNS = 3, 10
FREE_SIDE = {1: 1, 2: 384, 3: 640}
"""Sizes that a model leaves open, by place in (N, C, H, W): one picture of a 16:9 camera."""

Measure = Callable[[Path, str, int], float]
"""Model, provider, threads -> seconds a run; raises where the provider cannot run it."""


def open_session(
    path: Path,
    *,
    threads: int = 1,
    scheme: Normalisation | None = None,
    providers: Sequence[str] | Literal["auto"] | None = None,
    choices_file: Path | None = None,
    available: Sequence[str] | None = None,
    measure: Measure | None = None,
) -> ort.InferenceSession:
    """A session for the model. `scheme`: let the net itself turn bytes into its numbers where that can be (models/intake.py says which it
    became). `providers`: None for the CPU; "auto" for what was measured to be quickest, remembered in
    `choices_file`; or onnxruntime's names in order. Raises WeightsError where the file is no model that can be run."""
    if not 1 <= threads <= THREADS_MAX:
        raise ValueError(f"threads must be 1 to {THREADS_MAX}, got {threads}")
    if providers == "auto":
        there = ort.get_available_providers() if available is None else available
        providers = [chosen(path, threads, there, choices_file, measure or seconds_a_run)]
    return _open(path, threads, list(providers or [CPU]), scheme)


def chosen(path: Path, threads: int, available: Sequence[str], choices_file: Path | None, measure: Measure) -> str:
    """CPU, or CoreML where that was measured to be quicker for this model on this machine."""
    if COREML not in available:
        return CPU
    key = _key(path, threads)
    choices = _read(choices_file)
    if key not in choices:
        on_cpu = measure(path, CPU, threads)
        try:
            on_coreml = measure(path, COREML, threads)
        except Exception:  # A provider that cannot run this model says so in many ways: it is not the one to choose.
            on_coreml = float("inf")
        choices[key] = COREML if on_coreml * GAIN_MIN < on_cpu else CPU
        _remember(choices_file, choices)
    return choices[key]


def seconds_a_run(path: Path, provider: str, threads: int) -> float:
    """The median of some runs on one picture of noise."""
    session = _open(path, threads, [provider])
    rng = np.random.default_rng(1)
    feed = {}
    for given in session.get_inputs():
        shape = [size if isinstance(size, int) else FREE_SIDE.get(place, 1) for place, size in enumerate(given.shape)]
        feed[given.name] = rng.uniform(0, 255, shape).astype(np.float32)
    taken = []
    for _ in range(WARM_RUNS + TIMED_RUNS):
        began = time.perf_counter()
        session.run(None, feed)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[WARM_RUNS:]))


def _open(path: Path, threads: int, providers: list[str], scheme: Normalisation | None = None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # A spinning thread burns a core that another camera could use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # The pattern planner keeps a plan and buffers for every input size it has seen: over a dozen sizes it took 50 MB more and no less time.
    options.enable_mem_pattern = False
    try:
        model = taking_bytes(path, scheme) if scheme else None
        model = joined(model) if model else None
        return ort.InferenceSession(model or str(path), options, providers=providers)
    except Exception as error:  # onnxruntime has a dozen exception classes without a common one of its own.
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"{path} cannot be opened as a model: {first_line[:200]}") from error


def _key(path: Path, threads: int) -> str:
    # A new file, runtime, system or processor is measured anew.
    machine = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{path.name} {path.stat().st_size} threads={threads} onnxruntime={ort.__version__} {machine}"


def _read(choices_file: Path | None) -> dict[str, str]:
    # A shortcut only: where it cannot be read, the models are measured again.
    try:
        return msgspec.json.decode(choices_file.read_bytes(), type=dict[str, str]) if choices_file else {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _remember(choices_file: Path | None, choices: dict[str, str]) -> None:
    try:
        if choices_file and choices_file.parent.is_dir():
            write_whole(choices_file, msgspec.json.encode(choices))
    except OSError:
        return
