"""The settings of a hub: what there is and what is allowed. How they are read is `ui.settings`'.

`REGULARS_HUB_WEB__PORT=9000` is `port` in section `[web]` of regulars-hub.toml. Tenants, sites and what they switched on are not settings:
they live in the database. Every key is described in docs/hub-settings.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta

from hub.errors import ConfigError
from ui import settings

URL_WORDS = 'the URL of a database, such as "postgresql://regulars_app@db.example/regulars"'
SECRET = {"secret": True}
ORIGIN = r"^(https?://[a-z0-9.-]+(:[0-9]{1,5})?)?$"
ORIGIN_WORDS = 'the address of the page without a path, such as "https://hub.example.com"'
PROXIES = r"^[0-9A-Fa-f.:/, ]*$"
DatabaseUrl = Annotated[str, Meta(pattern=r"^(postgres(ql)?://\S+)?$", description=URL_WORDS, extra=SECRET)]


def usual_folder() -> Path:
    """As root not in root's own home, which PostgreSQL's user may not enter."""
    return Path("/var/lib/regulars-hub") if os.geteuid() == 0 else Path(platformdirs.user_data_dir("regulars-hub", appauthor=False))


class Data(msgspec.Struct, frozen=True, kw_only=True):
    folder: Annotated[Path, Meta(description='the full path of a folder, such as "/srv/regulars-hub"')] = usual_folder()


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """Without `url` the hub runs a PostgreSQL of its own in the data folder."""

    url: DatabaseUrl = ""
    owner_url: DatabaseUrl = ""
    connections_max: Annotated[int, Meta(ge=2, le=80, description="a whole number from 2 to 80")] = 16


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    master: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{64})?$", description="64 hexadecimal digits", extra=SECRET)] = ""
    master_file: Annotated[Path, Meta(description='the full path of a file, such as "/run/secrets/master.key"')] | None = None


class Web(msgspec.Struct, frozen=True, kw_only=True):
    """What may be opened to the network, and how: `hub.web.opening`."""

    host: Annotated[str, Meta(min_length=1, max_length=253, description="an address of this computer to answer on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="a whole number from 1 to 65535")] = 8478
    public_url: Annotated[str, Meta(pattern=ORIGIN, description=ORIGIN_WORDS)] = ""
    certificate_file: Annotated[Path, Meta(description='the full path of a PEM file, such as "/etc/hub/fullchain.pem"')] | None = None
    key_file: Annotated[Path, Meta(description='the full path of a PEM file, such as "/etc/hub/key.pem"')] | None = None
    proxies: Annotated[str, Meta(pattern=PROXIES, description='addresses with commas between, such as "127.0.0.1, 10.0.0.4"')] = ""


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    token: Annotated[str, Meta(pattern=r"^([!-~]{16,200})?$", description="16 to 200 characters without blanks", extra=SECRET)] = ""
    tenants: Annotated[bool, Meta(description="true or false")] = False


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Without `url` the hub keeps an index of its own in the data folder."""

    url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$", description='a Milvus server, such as "https://milvus.example:19530"')] = ""
    token: Annotated[str, Meta(description='what the server asks for, such as "user:password"', extra=SECRET)] = ""


class Snapshots(msgspec.Struct, frozen=True, kw_only=True):
    """Without `url` pictures lie in the data folder. Without keys for a bucket they are found as AWS's own tools find them."""

    url: Annotated[str, Meta(pattern=r"^(s3://[^\s?#@]+)?$", description='a bucket, such as "s3://regulars/snapshots"')] = ""
    endpoint: Annotated[str, Meta(pattern=r"^(https?://\S+)?$", description='an address, such as "https://minio.example:9000"')] = ""
    region: Annotated[str, Meta(max_length=64, description='a region, such as "eu-central-1"')] = ""
    access_key_id: Annotated[str, Meta(max_length=256, description="a key's id")] = ""
    secret_access_key: Annotated[str, Meta(max_length=256, description="a key's secret", extra=SECRET)] = ""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="one of debug, info, warning, error")] = "info"
    form: Annotated[Literal["text", "json"], Meta(description="one of text, json")] = "text"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    data: Data = Data()
    database: Database = Database()
    keys: Keys = Keys()
    web: Web = Web()
    index: Index = Index()
    snapshots: Snapshots = Snapshots()
    metrics: Metrics = Metrics()
    log: Log = Log()


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Settings from `path` (None: `$REGULARS_HUB_CONFIG`, else regulars-hub.toml in the user's configuration folder, which may be missing).

    Raises ConfigError with the first thing that is wrong.
    """
    values = settings.read(SETTINGS, path, environ)
    sections: dict[str, Any] = {section: kind(**values[section]) for section, kind in SETTINGS.sections.items()}
    return Config(**sections)


def keys() -> dict[str, str]:
    """Every setting, "section.key", with what is allowed, in words."""
    return settings.keys(SETTINGS)


def _judge(section: str, key: str, value: Any, said: str) -> str | None:
    return None


SETTINGS = settings.Settings("regulars-hub", "REGULARS_HUB_", Config, ConfigError, _judge)
