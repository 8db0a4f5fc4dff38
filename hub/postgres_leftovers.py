"""What a PostgreSQL that nobody stopped leaves behind: a server that still runs, orphaned processes, a note of a process that is gone.

Called only by whoever holds the hub's lock: any server on the folder is then nobody's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from hub.errors import DatabaseError

PID_FILE = "postmaster.pid"
FAST_S_MAX, AT_ONCE_S_MAX = 20.0, 10.0
POLL_S = 0.02
LISTING_S_MAX = 10.0


def clear(data: Path) -> None:
    """Ends what is left of a server on this folder and takes its note away if it is stale. Raises DatabaseError."""
    pid = noted_pid(data)
    if pid is None:
        return
    if _is_server_of(pid, data):
        for number, patience_s in ((signal.SIGINT, FAST_S_MAX), (signal.SIGQUIT, AT_ONCE_S_MAX), (signal.SIGKILL, AT_ONCE_S_MAX)):
            if _ended(pid, number, patience_s):
                break
        else:
            raise DatabaseError(f"An old PostgreSQL (process {pid}) on {data} cannot be ended. End it, or start the computer anew.")
    end_orphans(data)
    # PostgreSQL itself takes away the note of a process that is gone, but not of a number that another program has now.
    (data / PID_FILE).unlink(missing_ok=True)


def end_orphans(data: Path) -> None:
    """Server processes whose parent was killed end by themselves as soon as they look; a busy one is helped. Where the system does not
    say which processes stand in the folder, PostgreSQL's own check remains: it does not start beside them."""
    deadline_s = time.monotonic() + AT_ONCE_S_MAX
    number = signal.SIGQUIT
    while orphans := _standing_in(data):
        if time.monotonic() > deadline_s:
            raise DatabaseError(f"Old processes of PostgreSQL ({orphans[0]}) still hold {data}. End them, or start the computer anew.")
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(POLL_S)
        number = signal.SIGKILL if time.monotonic() > deadline_s - AT_ONCE_S_MAX / 2 else signal.SIGQUIT


def noted_pid(data: Path) -> int | None:
    try:
        first = (data / PID_FILE).read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.strip().isdigit() else 0


def _ended(pid: int, number: signal.Signals, patience_s: float) -> bool:
    deadline_s = time.monotonic() + patience_s
    try:
        os.kill(pid, number)
        while time.monotonic() < deadline_s:
            os.kill(pid, 0)
            time.sleep(POLL_S)
    except ProcessLookupError:
        return True
    return False


def _is_server_of(pid: int, data: Path) -> bool:
    """By its command line, which names the folder: after a restart of the computer the number may be anybody's."""
    if pid <= 1:
        return False
    try:
        if Path("/proc/self/cmdline").exists():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        else:
            listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
            words = subprocess.run(listing, capture_output=True, text=True, timeout=LISTING_S_MAX, check=False).stdout
    except OSError:
        return False
    return "postgres" in words and f"-D {data}" in words


def _standing_in(data: Path) -> list[int]:
    """Linux only: a server's processes all have its folder as their working folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == data and (entry / "exe").readlink().name == "postgres":
                found.append(int(entry.name))
    return found
