"""The settings: one TOML file, then the environment, each value checked before anything starts.

`REGULARS_WEB__PORT=9000` is `port` in section `[web]`. A wrong value, an unknown key or an unreadable file is one sentence that
names the key, its value, what is allowed and the place it came from. Cameras, staff and people are not settings: they live in the
database. Every key is described in docs/settings.md.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta

from appliance.errors import ConfigError

PREFIX = "REGULARS_"
OF_THE_HUB = "REGULARS_HUB_"
"""Settings of `regulars-hub`, which may run on the same computer."""
CONFIG_VARIABLE = "REGULARS_CONFIG"
FILE_NAME = "regulars.toml"
CONFIG_BYTES_MAX = 1 << 20
"""A settings file is a page of text; more is the wrong file."""

FOLDER_WORDS = 'the full path of a folder, such as "/Volumes/Backup/regulars" or "~/regulars"'
CA_FILE_WORDS = 'the full path of a PEM file, such as "/etc/ssl/our-own.pem"'
PACK_WORDS = 'the name of a pack, such as "open"; see `regulars models list`'
FolderPath = Annotated[Path, Meta(description=FOLDER_WORDS)]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=80, description="a name of 1 to 80 characters")] = "My store"
    time_zone: Annotated[str, Meta(description='a time zone such as "Asia/Ho_Chi_Minh" or "Europe/Paris"')] = ""
    """Filled by `load` with the computer's own zone when not set; always a valid IANA name afterwards."""

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone or "UTC")


class Data(msgspec.Struct, frozen=True, kw_only=True):
    folder: FolderPath = Path(platformdirs.user_data_dir("regulars", appauthor=False))


class Models(msgspec.Struct, frozen=True, kw_only=True):
    pack: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,40}$", description=PACK_WORDS)] = "open"
    folder: FolderPath | None = None


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    gap_s: Annotated[float, Meta(ge=1, le=86_400, description="a number of seconds from 1 to 86400")] = 600.0


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    analysed_fps: Annotated[float, Meta(ge=0.5, le=30, description="a number from 0.5 to 30")] = 5.0
    shots_min: Annotated[int, Meta(ge=2, le=8, description="a whole number from 2 to 8")] = 2
    false_match_per_search: Annotated[float, Meta(gt=0, le=0.1, description="a share above 0 and up to 0.1")] = 0.004
    min_face_px: Annotated[int, Meta(ge=20, le=400, description="a whole number from 20 to 400")] = 40


class Web(msgspec.Struct, frozen=True, kw_only=True):
    host: Annotated[str, Meta(description="an address of this computer itself: 127.0.0.1, ::1 or localhost")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="a whole number from 1 to 65535")] = 8477


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    snapshot_days: Annotated[int, Meta(ge=1, le=365, description="a whole number of days from 1 to 365")] = 30
    person_days: Annotated[int, Meta(ge=1, le=3_650, description="a whole number of days from 1 to 3650")] = 730


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    hour: Annotated[int, Meta(ge=0, le=23, description="an hour of the store's day from 0 to 23")] = 3
    keep: Annotated[int, Meta(ge=1, le=365, description="a whole number from 1 to 365")] = 14
    folder: FolderPath | None = None


class Headquarters(msgspec.Struct, frozen=True, kw_only=True):
    ca_file: Annotated[Path, Meta(description=CA_FILE_WORDS)] | None = None


class Log(msgspec.Struct, frozen=True, kw_only=True):
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="one of debug, info, warning, error")] = "info"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    site: Site = Site()
    data: Data = Data()
    models: Models = Models()
    visits: Visits = Visits()
    recognition: Recognition = Recognition()
    web: Web = Web()
    retention: Retention = Retention()
    backup: Backup = Backup()
    headquarters: Headquarters = Headquarters()
    log: Log = Log()


SECTIONS: dict[str, type[msgspec.Struct]] = {field.name: field.type for field in msgspec.structs.fields(Config)}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Settings from `path` (None: `$REGULARS_CONFIG`, else regulars.toml in the user's configuration folder, which may be missing).

    Raises ConfigError with the first thing that is wrong.
    """
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for section, key, raw, place in [*_from_file(named or _usual_place(), must_exist=named is not None), *_from_environment(environ)]:
        values[section][key] = _checked(section, key, raw, place)
    if "time_zone" not in values["site"]:
        values["site"]["time_zone"] = _computers_zone()
    sections: dict[str, Any] = {section: kind(**values[section]) for section, kind in SECTIONS.items()}
    return Config(**sections)


def keys() -> dict[str, str]:
    """Every setting, "section.key", with what is allowed, in words."""
    return {f"{section}.{key}": _words(section, key) for section, kind in SECTIONS.items() for key in kind.__struct_fields__}


Found = tuple[str, str, Any, str]
"""Section, key, raw value, and the place it came from in words."""


def _usual_place() -> Path:
    return Path(platformdirs.user_config_dir("regulars", appauthor=False)) / FILE_NAME


def _from_file(path: Path, *, must_exist: bool) -> list[Found]:
    try:
        text = path.read_bytes()[: CONFIG_BYTES_MAX + 1].decode()
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"There is no settings file {path}. Make it, or leave its name away to start with the defaults.") from None
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}.") from None
    if len(text) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{path} is larger than 1 MB: it is no settings file.")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The settings file {path} is not valid TOML: {error}.") from None
    found: list[Found] = []
    for section, table in tables.items():
        place = f"{path}{_line(text, section, None)}"
        if section not in SECTIONS and not isinstance(table, dict):
            raise ConfigError(f"{place}: {section} is a key without a section{_where_it_belongs(section)}.")
        if section not in SECTIONS:
            raise ConfigError(f"{place}: there is no section [{section}]{_suggestion(section, SECTIONS)}")
        if not isinstance(table, dict):
            raise ConfigError(f"{place}: {section} is a section; write [{section}] on a line of its own and its settings below.")
        for key, raw in table.items():
            place = f"{path}{_line(text, section, key)}"
            _known(section, key, place)
            found.append((section, key, raw, place))
    return found


def _from_environment(environ: Mapping[str, str]) -> list[Found]:
    found: list[Found] = []
    for name, raw in sorted(environ.items()):
        if not name.startswith(PREFIX) or name.startswith(OF_THE_HUB):
            continue
        if "__" not in name:
            _refuse_one_underscore(name)
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        place = f"environment variable {name}"
        if section not in SECTIONS:
            raise ConfigError(f"{place}: there is no section [{section}]{_suggestion(section, SECTIONS)}")
        _known(section, key, place)
        found.append((section, key, raw, place))
    return found


def _refuse_one_underscore(name: str) -> None:
    """REGULARS_WEB_PORT would be ignored in silence. Variables that begin with no section's name are none of our business."""
    section, _, key = name.removeprefix(PREFIX).lower().partition("_")
    if section in SECTIONS and key:
        raise ConfigError(
            f"environment variable {name}: a section and its setting are joined by two underscores; "
            f"write {PREFIX}{section.upper()}__{key.upper()}."
        )


def _known(section: str, key: str, place: str) -> None:
    known = SECTIONS[section].__struct_fields__
    if key not in known:
        raise ConfigError(f"{place}: there is no setting {section}.{key}{_suggestion(key, known)}")


def _checked(section: str, key: str, raw: Any, place: str) -> Any:
    """The value in its type. The environment has only text, so numbers are read from it; a file must say what it means."""
    said = f"{place}: {section}.{key} is {_shown(raw)}; it must be {_words(section, key)}"
    refusal = ConfigError(f"{said}.")
    if not isinstance(raw, (str, int, float)):
        raise refusal
    kind = get_type_hints(SECTIONS[section], include_extras=True)[key]
    if "folder" in key or key == "ca_file":
        folder = Path(raw).expanduser() if isinstance(raw, str) and "\0" not in raw else Path()
        if not folder.is_absolute():
            raise refusal
        return folder
    try:
        value = msgspec.convert(raw, kind, strict=not place.startswith("environment"))
    except msgspec.ValidationError:
        raise refusal from None
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal
    if (section, key) == ("site", "time_zone") and not _is_zone(value):
        raise ConfigError(f"{said}{_suggestion(value, zoneinfo.available_timezones())}")
    if (section, key) == ("web", "host") and not _is_loopback(value):
        raise ConfigError(f"{refusal} The page has no sign-in yet, so it cannot be opened to the network.")
    return value


def _words(section: str, key: str) -> str:
    hint = get_type_hints(SECTIONS[section], include_extras=True)[key]
    for part in (hint, *get_args(hint)):
        for meta in getattr(part, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.description:
                return meta.description
    raise AssertionError(f"{section}.{key} does not say what is allowed")


def _shown(raw: Any) -> str:
    text = f'"{raw}"' if isinstance(raw, str) else str(raw).lower() if isinstance(raw, bool) else str(raw)
    return text if len(text) <= 80 else text[:77] + "..."


def _line(text: str, section: str, key: str | None) -> str:
    """", line 12" where the key (or the section) stands, "" where that cannot be told (a key written some unusual way)."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            current = header[1]
            if key is None and current == section:
                return f", line {number}"
        elif assigned := re.match(r"\s*([\w-]+)\s*(?:\.\s*([\w-]+)\s*)?=", line):
            inside = (current, assigned[1]) if current else (assigned[1], assigned[2])
            if inside == (section, key):
                return f", line {number}"
    return ""


def _where_it_belongs(key: str) -> str:
    homes = [f"[{section}]" for section, kind in SECTIONS.items() if key in kind.__struct_fields__]
    return f"; put it under {' or '.join(homes)}" if homes else ", and no section has such a key"


def _suggestion(word: str, known: Any) -> str:
    """How a sentence about an unknown word ends."""
    near = difflib.get_close_matches(word.lower(), {k.lower(): k for k in known}, n=1, cutoff=0.6)
    return f"; did you mean {next(k for k in known if k.lower() == near[0])}?" if near else "."


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _computers_zone() -> str:
    """What the computer itself is set to; UTC where it does not say. /etc/localtime is a link into the zone folder on macOS and Linux."""
    try:
        name = str(Path("/etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        return "UTC"
    return name if _is_zone(name) else "UTC"
