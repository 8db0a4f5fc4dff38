"""What the figures were measured on: no figure without it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import msgspec

LIBRARIES = ("onnxruntime", "opencv-python", "numpy", "faiss-cpu", "insightface")
ASK_S_MAX = 5.0


class Machine(msgspec.Struct, frozen=True):
    """`load_at_start`: tasks that wanted a core on average over the minute before; what the machine did beside the measurements."""

    cpu: str
    cores: int
    memory_gb: float
    os: str
    python: str
    onnxruntime: str
    libraries: dict[str, str]
    load_at_start: float


def this_machine() -> Machine:
    libraries = {name: metadata.version(name) for name in LIBRARIES}
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        onnxruntime=libraries["onnxruntime"],
        libraries=libraries,
        load_at_start=round(os.getloadavg()[0], 2),
    )


def _cpu() -> str:
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=ASK_S_MAX, check=False)
        return answer.stdout.strip() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
