"""Weight files over the network: streamed to a `.part` file, resumed, and given their name only when the sha256 is right.

Called by `regulars models pull` alone: nothing else in models/ talks to anybody.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from models.errors import PullError
from models.manifest import OWN_NAME, AnySpec
from models.weights import STARTER_INSTEAD, VARIABLE, Weights, fault_of, how_to_get, look, sha256_of

TIMEOUT = httpx.Timeout(connect=10, read=30, write=10, pool=10)
TRIES = 3
"""Connections for one file: a line that drops is picked up where it broke, but not for ever."""
FILE_S_MAX = 3600.0
"""289 MB at 80 kB/s: a slower line is better served by a USB stick."""
CHUNK_BYTES = 1 << 16

Progress = Callable[[str, int, int], None]
"""Name of the file, bytes here, bytes in all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to download."""

    name: str
    address: str
    bytes: int
    sha256: str


class _Broken(Exception):
    """The connection ended early: worth another try from where it stopped."""


def client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=5)


def pull(weights: Weights, specs: list[AnySpec], web: httpx.Client, progress: Progress) -> list[Path]:
    """Every file of `specs`, verified, downloaded where no folder has it. Raises PullError; what was there before stays as it was.
    A file that can be had nowhere is said before anything is downloaded."""
    _refuse_what_has_no_address(weights, specs)
    for spec in specs:
        found = look(weights, spec)
        if found.state == "ok":
            continue
        with _said_plainly(weights.own):
            weights.own.mkdir(parents=True, exist_ok=True)
            if spec.archive and not weights.mirror:
                together = [s for s in specs if s.archive and s.address == spec.address and look(weights, s).state != "ok"]
                _from_archive(weights.own, together, web, progress)
            else:
                address = f"{weights.mirror}/{spec.file}" if weights.mirror else str(spec.address)
                part = fetch(weights.own, Wanted(spec.file, address, spec.bytes, spec.sha256), web, progress)
                part.replace(weights.own / spec.file)
    return [_there(weights, spec) for spec in specs]


def _refuse_what_has_no_address(weights: Weights, specs: list[AnySpec]) -> None:
    if weights.mirror:
        return
    lost = [spec for spec in specs if not spec.address and look(weights, spec).state != "ok"]
    for spec in lost:
        if spec.bundled:
            raise PullError(f"{spec.file} is not here: {how_to_get(spec)}")
    if not lost:
        return
    modified = any(spec.modified for spec in lost)
    why = "what was published was modified for Regulars, see `modified` in docs/models.md" if modified else f"{OWN_NAME} gives none"
    raise PullError(
        f"{' and '.join(spec.file for spec in lost)} {'has' if len(lost) == 1 else 'have'} no address to be downloaded from ({why}): "
        f"set {VARIABLE} to a folder or an http(s) mirror that has {'it' if len(lost) == 1 else 'them'}, or {STARTER_INSTEAD}"
    )


def fetch(folder: Path, wanted: Wanted, web: httpx.Client, progress: Progress, clock: Callable[[], float] = time.monotonic) -> Path:
    """`<name>.part` in the folder, whole and verified. A part from an earlier run is gone on with."""
    part, end = folder / f"{wanted.name}.part", clock() + FILE_S_MAX
    broken = "what came was another file"
    with part.open("ab", buffering=0) as file, _alone(file, wanted):
        _check_space(folder, wanted, size_of(file))
        resumed = size_of(file) > 0
        for _ in range(TRIES):
            try:
                if size_of(file) < wanted.bytes:
                    _stream(wanted, file, web, progress, end, clock)
            except _Broken as error:
                broken = str(error)
                continue
            os.fsync(file.fileno())
            if sha256_of(part) == wanted.sha256:
                return part
            file.truncate(0)
            if not resumed:
                part.unlink()
                raise PullError(f"{wanted.address} gives another file than {wanted.name}: sha256 not the expected {wanted.sha256[:12]}…")
            resumed = False  # The old beginning may have been at fault: once more from the start.
        size = size_of(file)
    raise PullError(
        f"{wanted.name} could not be downloaded from {urlsplit(wanted.address).hostname}: {broken}; "
        f"{size:,} of {wanted.bytes:,} bytes are kept, run the command again to go on"
    )


def _stream(wanted: Wanted, file: FileIO, web: httpx.Client, progress: Progress, end: float, clock: Callable[[], float]) -> None:
    have = size_of(file)
    # Without "identity" a server may compress, and a range of a compressed file is no range of the file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with web.stream("GET", wanted.address, headers=headers) as answer:
            if answer.status_code >= 500:
                raise _Broken(f"the server answered {answer.status_code}")
            if answer.status_code == 416 or (answer.status_code == 206 and not _continues(answer, have)):
                file.truncate(0)
                raise _Broken("the server would not go on where the download stopped")
            if answer.status_code not in (200, 206):
                raise PullError(f"{wanted.address} answered {answer.status_code} {answer.reason_phrase}: {wanted.name} cannot be had there")
            if answer.status_code == 200:  # From the beginning, asked for or not.
                file.truncate(0)
                have = 0
            for chunk in answer.iter_raw():
                have += len(chunk)
                if have > wanted.bytes:
                    file.truncate(0)
                    raise PullError(f"{wanted.address} gives more than the {wanted.bytes:,} bytes of {wanted.name}: it is another file")
                file.write(chunk)
                progress(wanted.name, have, wanted.bytes)
                if clock() > end:
                    raise PullError(f"{wanted.name}: not downloaded within {FILE_S_MAX / 60:.0f} minutes; run the command again to go on")
    except httpx.ConnectError as error:
        raise PullError(f"{urlsplit(wanted.address).hostname} cannot be reached ({error}): is there a network?") from error
    except httpx.TimeoutException as error:
        raise _Broken("the server went silent") from error
    except httpx.TooManyRedirects as error:
        raise PullError(f"{wanted.address} leads round in circles") from error
    except httpx.TransportError as error:
        raise _Broken("the connection broke off") from error
    if have < wanted.bytes:
        raise _Broken(f"the connection ended after {have:,} of {wanted.bytes:,} bytes")


def _continues(answer: httpx.Response, have: int) -> bool:
    return have > 0 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _from_archive(folder: Path, specs: list[AnySpec], web: httpx.Client, progress: Progress) -> None:
    archive = specs[0].archive
    assert archive and specs[0].address
    name = Path(urlsplit(specs[0].address).path).name
    part = fetch(folder, Wanted(name, specs[0].address, archive.bytes, archive.sha256), web, progress)
    try:
        with zipfile.ZipFile(part) as zipped:
            for spec in specs:
                _unpack(zipped, spec, folder)
    except (zipfile.BadZipFile, KeyError) as error:
        raise PullError(f"{specs[0].address}: the archive cannot be unpacked: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _unpack(zipped: zipfile.ZipFile, spec: AnySpec, folder: Path) -> None:
    assert spec.archive
    inside, part = zipped.getinfo(spec.archive.member), folder / f"{spec.file}.part"
    # The size is checked before unpacking: a small archive can hold a file that fills the disk.
    if inside.file_size != spec.bytes:
        raise PullError(f"{spec.archive.member} in the archive has {inside.file_size:,} bytes, expected {spec.bytes:,}")
    with zipped.open(inside) as source, part.open("wb") as file:
        shutil.copyfileobj(source, file, CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())
    if fault_of(part, spec):
        part.unlink()
        raise PullError(f"{spec.archive.member} in the archive is another file: its sha256 is not the expected {spec.sha256[:12]}…")
    part.replace(folder / spec.file)


def _there(weights: Weights, spec: AnySpec) -> Path:
    found = look(weights, spec)
    if not found.path or found.state != "ok":
        raise PullError(found.words)
    return found.path


def size_of(file: FileIO) -> int:
    """The file is opened for appending: truncating moves its end, and so the place of the next write."""
    return os.fstat(file.fileno()).st_size


def _check_space(folder: Path, wanted: Wanted, have: int) -> None:
    free, needed = shutil.disk_usage(folder).free, wanted.bytes - have
    if free < needed:
        raise PullError(f"{folder}: {wanted.name} needs {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free")


@contextmanager
def _alone(file: FileIO, wanted: Wanted) -> Iterator[None]:
    """Two downloads into one part would mix. The lock goes with the file's handle, whatever happens to the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PullError(f"{wanted.name} is being downloaded by another command already: wait for that one") from error
    yield


@contextmanager
def _said_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = "the disk is full: make room" if full else f"{error.strerror}"
        raise PullError(f"{folder}: the file cannot be written: {words}") from error
