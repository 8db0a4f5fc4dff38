"""The settings of a store: what there is and what is allowed. How they are read is `ui.settings`'.

`REGULARS_WEB__PORT=9000` is `port` in section `[web]`. Cameras, staff and people are not settings: they live in the database. Every key
is described in docs/settings.md.
"""

from __future__ import annotations

import ipaddress
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta

from appliance.errors import ConfigError
from appliance.loyalty import Weights
from ui import settings

FOLDER_WORDS = 'the full path of a folder, such as "/Volumes/Backup/regulars" or "~/regulars"'
CA_FILE_WORDS = 'the full path of a PEM file, such as "/etc/ssl/our-own.pem"'
CERTIFICATE_WORDS = 'the full path of a PEM file, such as "/etc/ssl/shop.pem"'
HOST_WORDS = "an address of this computer: 127.0.0.1 for itself alone, 0.0.0.0 (or ::) for the whole network, or one of its own"
PACK_WORDS = 'the name of a pack, such as "open"; see `regulars models list`'
FolderPath = Annotated[Path, Meta(description=FOLDER_WORDS)]


UNNAMED = "My store"


class Site(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=80, description="a name of 1 to 80 characters")] = UNNAMED
    time_zone: Annotated[str, Meta(description='a time zone such as "Asia/Ho_Chi_Minh" or "Europe/Paris"')] = ""
    """Filled by `load` with the computer's own zone when not set; always a valid IANA name afterwards."""

    language: Annotated[Literal["", "en", "vi"], Meta(description="en or vi")] = ""
    """Empty: each browser's own, where there is a catalogue for it."""

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone or "UTC")

    @property
    def own_name(self) -> str:
        """Empty where nobody gave the store one."""
        return "" if self.name == UNNAMED else self.name


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
    attributes: Annotated[bool, Meta(description="true or false")] = True


class Web(msgspec.Struct, frozen=True, kw_only=True):
    host: Annotated[str, Meta(description=HOST_WORDS)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="a whole number from 1 to 65535")] = 8477
    redirect_port: Annotated[int, Meta(ge=0, le=65_535, description="a whole number from 1 to 65535, or 0 for none")] = 8478
    names: Annotated[str, Meta(max_length=500, description='names with spaces between them, such as "shop.lan regulars.lan"')] = ""
    certificate_file: Annotated[Path, Meta(description=CERTIFICATE_WORDS)] | None = None
    key_file: Annotated[Path, Meta(description=CERTIFICATE_WORDS)] | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    snapshot_days: Annotated[int, Meta(ge=1, le=365, description="a whole number of days from 1 to 365")] = 30
    person_days: Annotated[int, Meta(ge=1, le=3_650, description="a whole number of days from 1 to 3650")] = 730
    audit_days: Annotated[int, Meta(ge=90, le=3_650, description="a whole number of days from 90 to 3650")] = 730


class Loyalty(msgspec.Struct, frozen=True, kw_only=True):
    weight_30_days: Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")] = 1.0
    weight_180_days: Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")] = 0.25
    regular_from: Annotated[float, Meta(gt=0, le=10_000, description="a number above 0 and up to 10000")] = 3.0
    loyal_from: Annotated[float, Meta(gt=0, le=10_000, description="a number above 0 and up to 10000")] = 8.0

    @property
    def weights(self) -> Weights:
        return Weights(self.weight_30_days, self.weight_180_days, self.regular_from, self.loyal_from)


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
    loyalty: Loyalty = Loyalty()
    backup: Backup = Backup()
    headquarters: Headquarters = Headquarters()
    log: Log = Log()


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Settings from `path` (None: `$REGULARS_CONFIG`, else regulars.toml in the user's configuration folder, which may be missing).

    Raises ConfigError with the first thing that is wrong.
    """
    return load_said(path, environ)[0]


def load_said(path: Path | None, environ: Mapping[str, str]) -> tuple[Config, frozenset[str]]:
    """The settings, and which of them ("section.key") the file or the environment says. Raises ConfigError."""
    values = settings.read(SETTINGS, path, environ)
    said = frozenset(f"{section}.{key}" for section, given in values.items() for key in given)
    if "time_zone" not in values["site"]:
        values["site"]["time_zone"] = _computers_zone()
    if ("certificate_file" in values["web"]) != ("key_file" in values["web"]):
        raise ConfigError("web.certificate_file and web.key_file belong together: set both, or neither for a certificate of Regulars' own.")
    sections: dict[str, Any] = {section: kind(**values[section]) for section, kind in SETTINGS.sections.items()}
    return Config(**sections), said


def keys() -> dict[str, str]:
    """Every setting, "section.key", with what is allowed, in words."""
    return settings.keys(SETTINGS)


def _judge(section: str, key: str, value: Any, said: str) -> str | None:
    if (section, key) == ("site", "time_zone") and not _is_zone(value):
        return f"{said}{settings.suggestion(value, zoneinfo.available_timezones())}"
    if (section, key) == ("web", "host") and not is_loopback(value) and not _is_address(value):
        return f"{said}."
    return None


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a page there is seen by this computer alone."""
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


SETTINGS = settings.Settings("regulars", "REGULARS_", Config, ConfigError, _judge, not_ours=("REGULARS_HUB_",))
