"""Where weight files lie on this machine, and whether they are the ones that the manifest means. Nothing here touches the network.

Looked for in this order: the data directory's models folder, $REGULARS_MODELS, `shared/models` beside the checkout, models/starter.
A file is used only if its sha256 is the manifest's.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.errors import WeightsError
from models.manifest import OWN_NAME, AnySpec, Manifest, Spec, manifest

VARIABLE = "REGULARS_MODELS"
BUNDLED = Path(__file__).with_name("starter")
BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "models"
VERIFIED_NAME = "verified.json"
STARTER_INSTEAD = (
    'run with the weak pack that is part of every checkout: REGULARS_MODELS__PACK=starter, or pack = "starter" in [models] of the settings'
)


@dataclass(frozen=True, slots=True)
class Weights:
    """`own`: the data directory's models folder, the only one written to. `others`: looked into after it, never written.

    `mirror`: address of a folder on a web server that has the files under their names, asked before the address in the manifest.
    """

    own: Path
    others: tuple[Path, ...] = ()
    mirror: str = ""

    @property
    def folders(self) -> tuple[Path, ...]:
        return (self.own, *self.others)

    def manifest(self) -> Manifest:
        return manifest(self.own)


def weights_of(data_dir: Path, environ: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Weights:
    """The folders for this data directory, `folder` (from the settings) next after it. $REGULARS_MODELS names a folder, or a mirror
    by its http(s) address."""
    environ = os.environ if environ is None else environ
    own, named = data_dir / "models", environ.get(VARIABLE, "").strip()
    others, mirror = [folder] if folder else [], ""
    if named.startswith(("http://", "https://")):
        mirror = named.rstrip("/")
    elif named:
        others.append(Path(named))
    for other in others:
        if not other.is_dir():
            raise WeightsError(f"models are to be looked for in {other}, which is not a folder: correct {VARIABLE} or `models.folder`")
    return Weights(own, (*others, BESIDE_THE_CHECKOUT, BUNDLED), mirror)


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked for. `state`: ok, missing, or wrong (a file of that name that is not the one of the manifest); `words` say it."""

    spec: AnySpec
    state: str
    path: Path | None
    words: str


def look(weights: Weights, spec: AnySpec, *, remembered: bool = True, pack: str = "") -> Found:
    """The first file of that name that is the right one; where there is none, the first wrong one. Not `remembered`: read it again.
    `pack`: the pack that the words say to pull."""
    wrong: Found | None = None
    for folder in weights.folders:
        path = folder / spec.file
        if not path.is_file():
            continue
        fault = fault_of(path, spec, weights.own / VERIFIED_NAME if remembered else None, pack)
        if not fault:
            return Found(spec, "ok", path, str(path))
        wrong = wrong or Found(spec, "wrong", path, fault)
    return wrong or Found(spec, "missing", None, f"{spec.file} is not here: {how_to_get(spec, pack)}")


def find(weights: Weights, spec: AnySpec) -> Path:
    """The verified file. Raises WeightsError with one sentence where it is missing or wrong."""
    found = look(weights, spec)
    if found.path and found.state == "ok":
        return found.path
    raise WeightsError(found.words)


def how_to_get(spec: Spec, pack: str = "") -> str:
    """What to do, as an order: it follows "is not here:" and "remove it and"."""
    if spec.bundled:
        return "check models/starter out again: it comes with the repository"
    if spec.modified and not spec.address:
        return (
            f"set {VARIABLE} to a folder or an http(s) mirror that has it and run `{pull_command(pack)}` (where it was published "
            f"it cannot be had, because {spec.modified}), or {STARTER_INSTEAD}"
        )
    if not spec.address:
        return f"copy it into the data directory's models folder ({OWN_NAME} gives no address for it)"
    return f"run `{pull_command(pack)}`, or {STARTER_INSTEAD}"


def pull_command(pack: str = "") -> str:
    return f"regulars models pull {pack}".rstrip()


def fault_of(path: Path, spec: Spec, verified: Path | None = None, pack: str = "") -> str:
    """Empty for the file that the manifest means, else a sentence. Right ones are remembered in `verified` while they do not change."""
    try:
        status = path.stat()
        if status.st_size != spec.bytes:
            kind = "cut short" if status.st_size < spec.bytes else "too long"
            return f"{path} is {kind}: {status.st_size:,} bytes, expected {spec.bytes:,}; remove it and {how_to_get(spec, pack)}"
        mark = f"{status.st_size} {status.st_mtime_ns} {status.st_ino} {spec.sha256}"
        known = _read_verified(verified) if verified else {}
        if known.get(str(path)) == mark:
            return ""
        digest = sha256_of(path)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if digest != spec.sha256:
        return f"{path} is another file: sha256 {digest[:12]}…, expected {spec.sha256[:12]}…; remove it and {how_to_get(spec, pack)}"
    if verified:
        _write_verified(verified, {**known, str(path): mark})
    return ""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Under a temporary name, synced, renamed: nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read_verified(path: Path) -> dict[str, str]:
    # Only a shortcut: whatever is wrong with it, the files are read again.
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _write_verified(path: Path, known: dict[str, str]) -> None:
    try:
        if path.parent.is_dir():
            write_whole(path, msgspec.json.encode(known))
    except OSError:
        return
