"""`regulars camera`: the store's cameras. A password is asked for or piped in, so that it stays out of the shell's history."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
import msgspec

from appliance.commands import premises
from ui.terminal import NOTHING, print_facts, print_json, print_table

if TYPE_CHECKING:
    from appliance.camera.messages import CameraSettings
    from appliance.camera.probe import Probe
    from appliance.camera.zones import Zone
    from appliance.cameras import Camera
    from appliance.config import Config

SECONDS_MAX = 60.0
"""A try of a camera is watched by somebody who waits."""

IGNORE_HELP = 'A zone to ignore, its corners as shares of the picture: "0.1,0.2 0.4,0.2 0.4,0.6". May be given several times.'
SAME_HELP = "It is meant that another camera is at this address, as for two zones of one wide picture."
SOURCE_WORDS = """SOURCE is one of

\b
  rtsp://user@192.168.1.20:554/stream   a network camera
  usb:0                                 the first camera plugged in
  /path/to/video.mp4                    a video file
  /path/to/pictures/                    a folder of pictures
"""


@click.group()
def camera() -> None:
    """Add, list, test and remove cameras."""


@camera.command(epilog=SOURCE_WORDS)
@click.argument("name")
@click.argument("source")
@click.option("--ask-password", is_flag=True, help="Ask for the camera's password (or read it from standard input).")
@click.option("--fps", type=click.FloatRange(0.5, 30), default=5.0, show_default=True, help="Pictures analysed a second.")
@click.option(
    "--side",
    type=click.IntRange(160, 1920),
    default=640,
    show_default=True,
    help="Longer side in pixels that faces are looked for in; more finds smaller faces and takes longer.",
)
@click.option("--always", is_flag=True, help="Analyse still pictures too.")
@click.option("--loop", is_flag=True, help="Begin a video file again at its end.")
@click.option("--full-pace", is_flag=True, help="Read a video file as fast as possible instead of at its own pace.")
@click.option("--liveness", is_flag=True, help="Leave out pictures of faces: prints, phones, screens.")
@click.option("--count-only", is_flag=True, help="Count visits and recognise nobody: no template, no picture, no person.")
@click.option("--ignore", multiple=True, metavar="CORNERS", help=IGNORE_HELP)
@click.option("--same-address", is_flag=True, help=SAME_HELP)
@click.pass_context
def add(
    context: click.Context,
    name: str,
    source: str,
    ask_password: bool,
    fps: float,
    side: int,
    always: bool,
    loop: bool,
    full_pace: bool,
    liveness: bool,
    count_only: bool,
    ignore: tuple[str, ...],
    same_address: bool,
) -> None:
    """Add a camera; a running appliance starts it within seconds."""
    from appliance import cameras

    kind, source = kind_and_source(source, ask_password)
    wanted = cameras.NewCamera(
        name=name,
        kind=kind,
        source=source,
        analysed_fps=fps,
        detector_side_px=side,
        motion_gate=not always,
        loop=loop,
        pace="full" if full_pace else "own",
        liveness=liveness,
        counting_only=count_only,
        ignored=zones_of(ignore),
    )
    with premises.to_change(premises.settings(context)) as store, naming_the_option():
        cameras.add(store, wanted, premises.now_ms(), meant=same_address)
    click.echo(f"Added {name}. Try it with: regulars camera test {as_argument(name)}")


@camera.command("set", short_help="Change a camera's settings; it is started again with them.")
@click.argument("name")
@click.option("--name", "new_name", help="Call it something else.")
@click.option("--on/--off", default=None, help="Whether it is watched at all.")
@click.option("--fps", type=click.FloatRange(0.5, 30), help="Pictures analysed a second.")
@click.option("--side", type=click.IntRange(160, 1920), help="Longer side in pixels that faces are looked for in.")
@click.option("--motion-gate/--always", default=None, help="Rest while nothing moves, or analyse still pictures too.")
@click.option("--liveness/--no-liveness", default=None, help="Leave out pictures of faces: prints, phones, screens.")
@click.option("--count-only/--recognise", default=None, help="Count visits and recognise nobody, or recognise people.")
@click.option("--ignore", multiple=True, metavar="CORNERS", help=IGNORE_HELP)
@click.option("--ignore-nothing", is_flag=True, help="Take all zones away.")
@click.option("--same-address", is_flag=True, help=SAME_HELP)
@click.pass_context
def set_command(
    context: click.Context,
    name: str,
    new_name: str | None,
    on: bool | None,
    fps: float | None,
    side: int | None,
    motion_gate: bool | None,
    liveness: bool | None,
    count_only: bool | None,
    ignore: tuple[str, ...],
    ignore_nothing: bool,
    same_address: bool,
) -> None:
    """Change a camera's settings; it is started again with them. What is not named stays as it is."""
    from appliance import cameras

    if ignore and ignore_nothing:
        raise click.UsageError("--ignore and --ignore-nothing are opposites: give one of them")
    wanted = cameras.Change(
        name=new_name,
        enabled=on,
        analysed_fps=fps,
        detector_side_px=side,
        motion_gate=motion_gate,
        liveness=liveness,
        counting_only=count_only,
        ignored=zones_of(ignore) if ignore or ignore_nothing else None,
    )
    if wanted == cameras.Change():
        raise click.UsageError("nothing to change was named; see `regulars camera set --help`")
    with premises.to_change(premises.settings(context)) as store, naming_the_option(), store.writing():
        cameras.change(store, cameras.named(store, name), wanted, premises.now_ms(), meant=same_address)
    click.echo(f"Changed {new_name or name}.")


@camera.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts. Passwords are never part of it.")
@click.pass_context
def list_command(context: click.Context, as_json: bool) -> None:
    """The store's cameras, without their passwords."""
    from appliance import cameras

    config = premises.settings(context)
    found: list[cameras.Camera] = []
    if not premises.nothing_yet(config):
        with premises.to_read(config) as store:
            found = cameras.list_cameras(store)
    if as_json:
        print_json([as_json_row(c) for c in found])
    elif not found:
        click.echo("No cameras yet. Add one with: regulars camera add NAME SOURCE")
    else:
        print_table(("Name", "Kind", "On", "Source"), [(c.name, c.kind, "yes" if c.enabled else "no", c.source_shown) for c in found])


@camera.command()
@click.argument("name")
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Remove a camera. Visits it saw are kept."""
    from appliance import cameras

    with premises.to_change(premises.settings(context)) as store:
        cameras.remove(store, name, premises.now_ms())
    click.echo(f"Removed {name}.")


@camera.command(epilog=SOURCE_WORDS, short_help="Whether it opens, and whether people can be recognised there.")
@click.argument("name_or_source")
@click.option("--seconds", type=click.FloatRange(1, SECONDS_MAX), default=5.0, show_default=True, help="How long to watch.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to save one frame with boxes drawn. [default: ./camera-test.jpg]",
)
@click.option("--ask-password", is_flag=True, help="Ask for the password of an address (or read it from standard input).")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def test(context: click.Context, name_or_source: str, seconds: float, picture: Path | None, ask_password: bool, as_json: bool) -> None:
    """Open a camera, save one frame, and say whether people can be recognised there.

    NAME_OR_SOURCE is a camera that was added, or a source that was not. Have somebody walk in meanwhile.
    """
    from appliance.camera.probe import probe
    from appliance.camera_trials import DETECTOR

    config = premises.settings(context)
    if looks_like_a_source(name_or_source):
        settings = unadded(*kind_and_source(name_or_source, ask_password))
    else:
        settings = added(config, name_or_source)
    folders = [str(config.data.folder), *([str(config.models.folder)] if config.models.folder else [])]
    found = probe(settings, DETECTOR, config.models.pack, folders, seconds)
    if found.error:
        raise click.ClickException(found.error)
    target = picture or Path("camera-test.jpg")
    save(target, found.frame_jpeg)
    if as_json:
        print_json({**msgspec.to_builtins(found, builtin_types=(bytes,)), "frame_jpeg": str(target)})
    else:
        print_facts(in_words(found, target))


@contextmanager
def naming_the_option() -> Iterator[None]:
    """Whoever is told that another camera is there is told how to say that it is meant."""
    from appliance.errors import SameAddress

    try:
        yield
    except SameAddress as same:
        raise click.ClickException(f"{same} If that is meant, as for two zones of one wide picture, say --same-address.") from None


def as_json_row(camera: Camera) -> dict[str, object]:
    return {
        "id": camera.id,
        "name": camera.name,
        "kind": camera.kind,
        "source": camera.source_shown,
        "enabled": camera.enabled,
        "fps": camera.analysed_fps,
        "side": camera.detector_side_px,
        "motion_gate": camera.motion_gate,
        "liveness": camera.liveness,
        "count_only": camera.counting_only,
        "ignored": camera.ignored,
    }


def zones_of(corners: tuple[str, ...]) -> tuple[Zone, ...]:
    """Raises click.UsageError with what is wrong."""
    from appliance.camera import zones

    try:
        return zones.judged([zones.from_words(each) for each in corners])
    except zones.BadZones as error:
        raise click.UsageError(str(error)) from None


def added(config: Config, name: str) -> CameraSettings:
    """Raises click.ClickException for a name that is no camera's: it may have been meant as a source."""
    from appliance import cameras
    from appliance.errors import CameraError

    try:
        if premises.nothing_yet(config):
            raise cameras.no_such(name, [])
        with premises.to_read(config) as store:
            return cameras.settings_of(store, cameras.named(store, name))
    except CameraError as error:
        forms = SOURCE_WORDS.replace("\b\n", "").rstrip()
        raise click.ClickException(f"{error}\n\nOr try a source that was not added; {forms}") from None


def in_words(found: Probe, target: Path) -> list[tuple[str, str]]:
    widths = found.face_widths_px
    return [
        ("Picture", f"{found.width} x {found.height}, {found.fps:g} a second"),
        ("Faces", f"{len(widths)} looks, {min(widths):.0f} to {max(widths):.0f} px wide" if widths else NOTHING),
        ("Placement", found.placement),
        ("Good enough", "yes" if found.good_enough else "no"),
        ("Saved", str(target)),
    ]


def looks_like_a_source(text: str) -> bool:
    return "://" in text or text.startswith(("usb:", ".", "/", "~")) or Path(text).exists()


def kind_and_source(text: str, ask_password: bool) -> tuple[str, str]:
    """What sort of camera a source is, from its form. Raises click.UsageError."""
    if "://" in text:
        if not text.lower().startswith(("rtsp://", "rtsps://")):
            raise click.UsageError(f"a network camera's address begins with rtsp:// or rtsps://, not {text.partition('://')[0]}://")
        return "rtsp", with_password(text) if ask_password else text
    if ask_password:
        raise click.UsageError("--ask-password is for network cameras (rtsp://...)")
    number = text.removeprefix("usb:")
    if number.isdecimal():
        return "usb", number
    path = Path(text).expanduser().absolute()
    if text and path.is_dir():
        return "folder", str(path)
    if path.is_file():
        return "file", str(path)
    raise click.UsageError(f"'{text}' is no camera: give rtsp://..., usb:0, or a video file or folder of pictures that exists")


def with_password(address: str) -> str:
    scheme, _, rest = address.partition("://")
    user, at, place = rest.rpartition("@")
    if not at or ":" in user:
        raise click.UsageError("with --ask-password the address names the user alone: rtsp://user@192.168.1.20:554/stream")
    password = click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("no password was given")
    return f"{scheme}://{user}:{quote(password, safe='')}@{place}"


def unadded(kind: str, source: str) -> CameraSettings:
    from appliance.camera.messages import CameraSettings

    return CameraSettings(id="test", name="the camera", kind=kind, source=source)


def as_argument(name: str) -> str:
    import shlex

    return shlex.quote(name)


def save(target: Path, jpeg: bytes) -> None:
    """Raises click.ClickException when the place cannot be written."""
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(jpeg)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise click.ClickException(
            f"the picture cannot be saved as {target}: {error.strerror}. Name another place with --picture."
        ) from None
