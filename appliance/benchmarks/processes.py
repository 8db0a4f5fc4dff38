"""What running processes take of the machine: memory, by the system's own books. Linux and macOS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PS_S_MAX = 10.0


def memory_mb(process_id: int) -> float:
    """Resident memory; on Linux each process' share of what it shares with others (PSS). 0 for a process that is gone."""
    if sys.platform == "linux":
        return _field(Path(f"/proc/{process_id}/smaps_rollup"), "Pss:")
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(process_id)], capture_output=True, text=True, timeout=PS_S_MAX, check=False)
    return int(answer.stdout.strip() or 0) / 1024


def processor_s(process_id: int) -> float:
    """Processor time that it has used. 0 for a process that is gone, and where the system keeps no book to read."""
    try:
        words = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def machine_busy_s() -> float:
    """Processor time that all cores together have spent on anything since the start. 0 where the system keeps no book to read."""
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except FileNotFoundError:
        return 0.0
    user, nice, system, _idle, _waiting, irq, soft_irq = (int(word) for word in words[1:8])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def _field(path: Path, name: str) -> float:
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def slope(at_s: list[float], values: list[float]) -> float:
    """Change of the values a second: the median of the slopes between all pairs, which a few outliers do not move.

    Source: Theil, 1950; Sen, 1968.
    """
    pairs = [
        (values[j] - values[i]) / (at_s[j] - at_s[i]) for i in range(len(values)) for j in range(i + 1, len(values)) if at_s[j] > at_s[i]
    ]
    if not pairs:
        raise ValueError(f"a slope needs two samples at different times, got {len(values)}")
    pairs.sort()
    middle = len(pairs) // 2
    return pairs[middle] if len(pairs) % 2 else (pairs[middle - 1] + pairs[middle]) / 2
