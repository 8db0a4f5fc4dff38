"""Recognition talks to nobody: watched from outside, with strace, in a child that has a home of its own.

The runtime's reports begin some ten seconds after its first session, so the children wait; they do it side by side.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WAIT_S = 16
RECOGNISE = f"""
import time
import numpy as np
from pathlib import Path
from models.crops import embedder_crop
from models.pack import load_pack
from models.weights import BUNDLED, Weights
pack = load_pack("starter", Weights(Path("own"), (BUNDLED,)))
picture = np.random.default_rng(1).integers(0, 255, (320, 320, 3), np.uint8)
pack.detector.detect(picture, 320)
box, points = np.array([80, 80, 200, 220], np.float32), np.array([[110, 130], [170, 130], [140, 160], [120, 190], [160, 190]], np.float32)
assert pack.embedder.embed(embedder_crop(picture, box, points, pack.embedder_spec)[None]).shape == (1, 128)
time.sleep({WAIT_S})
"""
WITHOUT_THE_SWITCH = "import os, models\ndel os.environ['ORT_DISABLE_TELEMETRY']\n" + RECOGNISE
LOOK_UP = "import socket\ntry: socket.getaddrinfo('example.com', 443)\nexcept OSError: pass\n"
CONNECT = "import socket\ns = socket.socket()\ns.settimeout(1)\ntry: s.connect(('127.0.0.1', 9))\nexcept OSError: pass\n"
RUN_S_MAX = 120
FAMILY = re.compile(r"\bsocket(?:pair)?\((\w+)|sa_family=(\w+)")


def watched(script: str, folder: Path) -> tuple[list[str], list[str]]:
    """The script's network calls of any family but AF_UNIX, with those of its threads and children; and the files it left at home."""
    strace = shutil.which("strace")
    if sys.platform != "linux" or not strace:
        pytest.skip("strace is needed to watch the network calls (Debian: apt-get install strace)")
    trace, home = folder / "trace.txt", folder / "home"
    home.mkdir()
    environ = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "CI") and not k.startswith("XDG_")}
    environ |= {"PYTHONPATH": str(CHECKOUT), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [strace, "-f", "-qq", "-e", "trace=network", "-o", str(trace), sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=RUN_S_MAX, check=False)
    if "ptrace" in ran.stderr and ran.returncode:
        pytest.skip("strace may not watch a process here")
    assert ran.returncode == 0, ran.stderr
    calls = [line for line in trace.read_text().splitlines() if families(line) - {"AF_UNIX"}]
    return calls, [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]


def families(line: str) -> set[str]:
    return {family for found in FAMILY.findall(line) for family in found if family}


def test_recognition_talks_to_nobody_where_the_runtime_left_alone_would(tmp_path: Path) -> None:
    for name in ("ours", "control"):
        (tmp_path / name).mkdir()
    with ThreadPoolExecutor() as both:
        ours = both.submit(watched, RECOGNISE, tmp_path / "ours")
        control = both.submit(watched, WITHOUT_THE_SWITCH, tmp_path / "control")
    assert ours.result() == ([], [])
    # The same without the switch: should this ever be silent, the line above would no longer show anything.
    calls, left = control.result()
    assert calls and any("onnxruntime" in name for name in left), (calls, left)


@pytest.mark.parametrize("script", [LOOK_UP, CONNECT])
def test_a_child_that_does_talk_is_caught(tmp_path: Path, script: str) -> None:
    calls, _ = watched(script, tmp_path)
    assert calls
