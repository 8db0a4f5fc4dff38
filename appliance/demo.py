"""What the demo shows and with what: models that can be had within seconds, and a camera. All of it lies in a folder that is thrown
away."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import msgspec
import numpy as np

from appliance import cameras, enrolment, history_writing, lock
from appliance.cameras import NewCamera
from appliance.config import Backup, Config, Models, Visits, Web
from appliance.demo_feed import PARTS, WHOLE, group_photo, write_feed
from appliance.errors import DemoError, RegularsError
from appliance.history import Wanted
from appliance.running import Appliance
from appliance.web.access import Asker
from models.errors import ModelsError, PullError
from models.manifest import AnySpec
from models.pack import load_pack
from models.pull import pull
from models.weights import Weights, look, weights_of

WANTED, AT_HAND = "open", "starter"
PULL_S_MAX = 5.0
"""The first visitor is to be seen within seconds of the start; who wants to wait runs `regulars models pull open` first."""
WEB_TIMEOUT = httpx.Timeout(2.5)
CHECKOUT = Path(__file__).resolve().parents[1]
SCENARIOS = Path("data", "scenario")
SCENES = ("store_a", "store_b")
"""Recorded entrances of one chain: some people come to both."""
CAMERA = "Entrance"
EVERYBODY = Asker("", "Demo", "owner")
"""Whoever opens the demo's page: it is on this computer alone, and all of it is thrown away."""
ABSENCE_SHARE = 0.5
"""The visit gap as a share of the time that people stay away: they are seen to return, and a track that broke is not a return."""
PAST_CAMERAS = ("Till", "Back door")
"""Beside the entrance, in a made-up past."""
PAST_VISITS_A_DAY = 180
PAST_PEOPLE_SHARE = 0.4
"""People to visits, of a shop in a town."""

PREFIX = "regulars-demo-"
LEFT_S = 600.0
"""A folder this old that nobody holds was left by a demo that was killed: by then a running one has long taken its lock."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """`gap_s`: the visit gap that suits it. `enrol`: a folder of photos by name, for a role each."""

    video: Path
    words: str
    gap_s: float
    enrol: Path | None = None
    roles: tuple[tuple[str, str], ...] = ()
    """Name and role: staff or opted_out."""


class _Truth(msgspec.Struct, frozen=True):
    revisit_gap_s: float
    staff: list[str]
    opted_out: list[str]


def sweep(temporary: Path, now_s: float) -> None:
    """Removes what killed demos left: faces must not lie about, sealed or not."""
    for folder in temporary.glob(f"{PREFIX}*"):
        try:
            of_ours = folder.is_dir() and folder.stat().st_uid == os.getuid() and now_s - folder.stat().st_mtime > LEFT_S
            held = lock.take_if_free(folder) if of_ours else None
        except (OSError, RegularsError):
            continue
        if held:
            shutil.rmtree(folder, ignore_errors=True)
            held.release()


def settings(usual: Config, folder: Path, pack: str, gap_s: float) -> Config:
    """The usual settings on a data folder of its own, and a page for this computer alone: it asks nobody who they are. Weights that the
    usual folder has are used, not copied."""
    beside = usual.models.folder or usual.data.folder / "models"
    return msgspec.structs.replace(
        usual,
        data=msgspec.structs.replace(usual.data, folder=folder),
        models=Models(pack=pack, folder=beside if beside.is_dir() else None),
        visits=Visits(gap_s=gap_s),
        backup=Backup(),
        web=Web(),
    )


def choose_pack(usual: Config, folder: Path, say: Say) -> str:
    """The pack `open` if its files are here or come within seconds; else, with a line that says why, the one in the checkout."""
    config = settings(usual, folder, WANTED, 1.0)
    weights = weights_of(folder, folder=config.models.folder)
    manifest = weights.manifest()
    pack = manifest.pack(WANTED)
    wanted: list[AnySpec] = [manifest.detector(pack), manifest.embedder(pack)]
    missing = [spec for spec in wanted if look(weights, spec).state != "ok"]
    try:
        if missing:
            pulled(weights, missing, say)
    except ModelsError as error:
        say(f"The models {WANTED!r} cannot be had now ({error}); going on with {AT_HAND!r}, which recognise less well.")
        return AT_HAND
    return WANTED


def pulled(weights: Weights, missing: list[AnySpec], say: Say) -> None:
    """In a thread of its own: a name server that does not answer has no time limit. Raises PullError."""
    for spec in missing:
        if not weights.mirror and not spec.address:
            raise PullError(f"{spec.file} is not on this computer and $REGULARS_MODELS names no mirror")
    until_s = time.monotonic() + PULL_S_MAX
    failed: list[Exception] = []

    def in_time(name: str, _done: int, _of: int) -> None:
        if time.monotonic() > until_s:
            raise PullError(f"{name} takes longer than {PULL_S_MAX:.0f} s; 'regulars models pull {WANTED}' takes its time")

    def run() -> None:
        try:
            with httpx.Client(timeout=WEB_TIMEOUT, follow_redirects=True, max_redirects=5) as web:
                pull(weights, missing, web, in_time)
        except Exception as error:
            failed.append(error)

    say(f"Getting the models {WANTED!r} ({sum(spec.bytes for spec in missing) / 1e6:.0f} MB) …")
    pulling = threading.Thread(target=run, name="pull", daemon=True)
    pulling.start()
    pulling.join(PULL_S_MAX)
    if pulling.is_alive():
        raise PullError(f"nobody answered within {PULL_S_MAX:.0f} s")
    if failed:
        raise failed[0] if isinstance(failed[0], ModelsError) else PullError(type(failed[0]).__name__)


def choose_scene(folder: Path, say: Say, name: str | None = None) -> Scene:
    """The recorded entrance where the shared data are, else people walking past in a group photo. `name`: which of SCENES. Raises
    DemoError."""
    place = Path(os.environ.get("REGULARS_SHARED") or CHECKOUT.parent / "shared") / SCENARIOS / (name or SCENES[0])
    video = place / "entrance.mp4"
    if video.is_file():
        try:
            truth = msgspec.json.decode((place / "truth.json").read_bytes(), type=_Truth)
        except (OSError, msgspec.MsgspecError) as error:
            raise DemoError(f"{place / 'truth.json'} cannot be read: {error}") from None
        roles = (*((name, "staff") for name in truth.staff), *((name, "opted_out") for name in truth.opted_out))
        return Scene(video, "a recorded entrance", truth.revisit_gap_s * ABSENCE_SHARE, place / "enrol", roles)
    say("Making the demo's video out of a group photo …")
    made = folder / "entrance.mp4"
    round_s = write_feed(group_photo(), made, part=PARTS[name] if name else WHOLE)
    return Scene(made, "people of a group photo, walking past again and again", round_s * ABSENCE_SHARE)


def furnish(appliance: Appliance, scene: Scene, now_ms: int) -> int:
    """Enters the scene's staff and who opted out, and its camera; how many people were entered."""
    entered = _enrolled(appliance, scene, now_ms) if scene.enrol else 0
    cameras.add(appliance.store, NewCamera(CAMERA, "file", str(scene.video), loop=True), now_ms)
    return entered


def remember(appliance: Appliance, days: int, now_ms: int, say: Say) -> None:
    """Gives the store a made-up past, with cameras of its own that are switched off."""
    store, config = appliance.store, appliance.config
    say(f"Making up a past of {days} days …")
    for number, name in enumerate(PAST_CAMERAS):
        cameras.add(store, NewCamera(name, "rtsp", f"rtsp://192.0.2.{number + 1}/past"), now_ms)
        cameras.set_enabled(store, name, False, now_ms)
    ids = [camera.id for camera in cameras.list_cameras(store)]
    visits = days * PAST_VISITS_A_DAY
    wanted = Wanted(days, int(visits * PAST_PEOPLE_SHARE), visits, len(ids), now_ms, config.site.zone)
    history_writing.write(store, wanted, ids)


def _enrolled(appliance: Appliance, scene: Scene, now_ms: int) -> int:
    """The models are loaded for it here, and let go again: the cameras' processes have their own."""
    config, entered = appliance.config, 0
    pack = load_pack(config.models.pack, weights_of(config.data.folder, folder=config.models.folder))
    for name, role in scene.roles:
        photos = []
        for path in sorted((scene.enrol or Path()).joinpath(name).glob("*.jpg")):
            picture = cv2.imread(str(path))
            if picture is not None:
                photos.append(enrolment.look_at(np.asarray(picture, np.uint8), pack.detector, pack.embedder))
        if any(photo.embedding is not None for photo in photos):
            enrolment.enrol(appliance.store, appliance.gallery, role, name.replace("_", " "), photos, now_ms)
            entered += 1
    return entered
