"""Where a camera is, as a form asks for it and as a form may show it again: never with a user name or a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.camera.address import MASK, Address, BadAddress, parsed, shown
from appliance.errors import CameraError
from appliance.web import retold
from ui.words import gettext as _

ADDRESS_MAX = 500
SECRET_MAX = 128


@dataclass(frozen=True, slots=True)
class SourceForm:
    """What is filled in. `kind`: rtsp, usb, file. There is no password in it: it is not shown again."""

    name: str = ""
    kind: str = "rtsp"
    address: str = ""
    index: str = "0"
    path: str = ""


def filled(name: str, kind: str, source: str) -> SourceForm:
    """The form for a source that was given before, without what is secret."""
    if kind == "usb":
        return SourceForm(name, "usb", index=source)
    if kind == "rtsp":
        return SourceForm(name, "rtsp", address=shown("rtsp", source).replace(f"{MASK}@", ""))
    return SourceForm(name, "file", path=source)


def as_typed(data: Mapping[str, str]) -> SourceForm:
    """For the form that is shown again with what is wrong: an address with a password in it comes back without."""
    kind = data.get("kind", "rtsp")
    address = data.get("address", "").strip()[:ADDRESS_MAX]
    bare = shown("rtsp", address).replace(f"{MASK}@", "") if "@" in address or "?" in address else address
    return SourceForm(
        data.get("name", "").strip()[:200],
        kind if kind in ("rtsp", "usb", "file") else "rtsp",
        bare,
        data.get("index", "0").strip()[:5],
        data.get("path", "").strip()[:1000],
    )


def source_of(data: Mapping[str, str], before: str = "") -> tuple[str, str]:
    """Kind and source. `before`: the camera's present address, whose user and password are kept when it stays at the same place and none
    are given. Raises CameraError with words for the page."""
    kind = data.get("kind", "")
    if kind == "usb":
        return "usb", data.get("index", "").strip()
    if kind == "file":
        path = data.get("path", "").strip()
        if not path:
            raise CameraError(_("Which file? Give its whole path, as in /Volumes/Films/entrance.mp4."))
        return ("folder" if Path(path).expanduser().is_dir() else "file"), path
    if kind != "rtsp":
        raise CameraError(_("What kind of camera is it? Choose one."))
    typed = data.get("address", "").strip()
    if MASK in typed:
        raise CameraError(_("The part of the address behind the ? is not shown again. Write the address anew."))
    user, password = data.get("user", "").strip(), data.get("password", "")
    if len(typed) > ADDRESS_MAX or len(user) > SECRET_MAX or len(password) > SECRET_MAX:
        raise CameraError(_("That is too long for an address, a user name or a password."))
    try:
        address = parsed(typed)
    except BadAddress as error:
        raise CameraError(_sentence(retold.said(str(error)))) from None
    if password and not (user or address.user):
        raise CameraError(_("A password needs a user name. Many cameras call it admin."))
    if user:
        address = replace(address, user=user, password=password)
    elif password:
        address = replace(address, password=password)
    elif not address.user and (known := _at(before)) and (known.host, known.port) == (address.host, address.port):
        address = replace(address, user=known.user, password=known.password)
    return "rtsp", address.for_the_decoder()


def _at(source: str) -> Address | None:
    try:
        return parsed(source)
    except BadAddress:
        return None


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
