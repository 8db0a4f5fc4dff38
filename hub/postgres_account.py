"""As whom PostgreSQL runs: as we do, or, since it refuses root, as an unprivileged user of the system."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import DatabaseError

NAMES = ("regulars", "postgres")
"""The first that exists is taken; where none does, the first is made."""
MAKING_S_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    other: bool
    """Whether it is somebody else than we are: then what belongs to PostgreSQL is given to it."""

    def own(self, path: Path) -> None:
        if self.other:
            os.chown(path, self.uid, self.gid)

    def as_it(self) -> dict[str, Any]:
        """Keywords of subprocess.Popen."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def unreachable(self, path: Path) -> Path | None:
        """The first folder on the way to `path` (or `path` itself) that another account may not pass; our own finds out by trying."""
        if not self.other:
            return None
        for place in [*reversed(path.parents), path]:
            status = place.stat()
            bit = 0o100 if status.st_uid == self.uid else 0o010 if status.st_gid == self.gid else 0o001
            if not status.st_mode & bit:
                return place
        return None


def account() -> Account:
    """Raises DatabaseError when we are root and there is no other user to be had."""
    if os.geteuid() != 0:
        return Account("", os.geteuid(), os.getegid(), other=False)
    for name in NAMES:
        if found := _named(name):
            return found
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAMES[0]] if useradd else None
    if (
        command
        and subprocess.run(command, capture_output=True, timeout=MAKING_S_MAX, check=False).returncode == 0
        and (made := _named(NAMES[0]))
    ):
        return made
    raise DatabaseError(
        f"PostgreSQL does not run as root, and no user {NAMES[0]} could be made for it. Make one, start the hub as another user, or set "
        "database.url to a server of your own."
    )


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid, other=True) if entry.pw_uid != 0 else None
