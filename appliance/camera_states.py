"""How the cameras do, left in the data folder by the appliance that runs so that a command beside it can say it. No credential, no source.

It is worth only what its time says: whoever reads it looks at `at_ms`, and whether the appliance runs at all.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from appliance.errors import StoreError
from appliance.files import write_whole
from appliance.web.cameras import CameraLine

FILE = "cameras.json"
BLOCK_BYTES = 4096
"""Padded to whole blocks: a file that is written over needs no space that a full disk would not give."""


class CameraStates(msgspec.Struct, frozen=True):
    at_ms: int
    trouble: str
    """What keeps the visit log from being written, in words; empty while all is well."""
    cameras: list[CameraLine]


def leave(folder: Path, states: CameraStates) -> None:
    """Never fails: on a full disk it is written over the one before, and if even that is refused the old one's time says so."""
    content = msgspec.json.encode(states) + b"\n"
    content += b" " * (-len(content) % BLOCK_BYTES)
    path = folder / FILE
    try:
        write_whole(path, content)
    except StoreError:
        with contextlib.suppress(OSError), path.open("r+b") as file:
            file.write(content)
            file.truncate()


def found(folder: Path) -> CameraStates | None:
    """None: there is none, or it is being written over just now."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=CameraStates)
    except (OSError, msgspec.MsgspecError):
        return None


def take_away(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)
