"""Where visitors' pictures lie: a folder, or a bucket of S3 or MinIO, through obstore. Sealed under the tenant's key before they leave
the process.

    key = <tenant>/<day>/<32 hexadecimal digits>.jpg.sealed         nobody who has one key can guess another

Whoever reads the bucket, or its backups, sees no face. Pages get their pictures through the hub, by links that it signs (`hub.snapshots`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from hub.config import Snapshots
from hub.errors import ConfigError, HubError
from hub.files import make_folder
from hub.vault import Vault

TABLE, COLUMN = "snapshots", "jpeg"
JPEG_BYTES_MAX = 1 << 20
OVERHEAD_BYTES = 64
TIMEOUT = "10s"
DELETE_MAX = 500
"""Keys in one call; S3 takes a thousand."""


class SnapshotsAway(HubError):
    """The store of pictures does not answer, or refuses. Nothing is lost by waiting and asking again."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How to reach a bucket. Empty fields: as AWS's own tools find them (environment, instance role)."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""


@dataclass(frozen=True, slots=True)
class SnapshotStore:
    """`bucket` None: a folder."""

    objects: ObjectStore
    bucket: Bucket | None = None

    def put(self, vault: Vault, key: str, jpeg: bytes) -> None:
        """Raises SnapshotsAway."""
        sealed = vault.seal(jpeg, table=TABLE, column=COLUMN, row=key)
        with _spoken():
            obstore.put(self.objects, key, sealed)

    def get(self, vault: Vault, key: str) -> bytes | None:
        """The picture, None when it is gone. Raises SnapshotsAway, CannotOpen."""
        try:
            with _spoken():
                found = obstore.get(self.objects, key)
                if found.meta["size"] > JPEG_BYTES_MAX + OVERHEAD_BYTES:
                    return None
                sealed = bytes(found.bytes())
        except FileNotFoundError:
            return None
        return vault.unseal(sealed, table=TABLE, column=COLUMN, row=key)

    def holds(self, key: str) -> bool:
        """Raises SnapshotsAway."""
        try:
            with _spoken():
                obstore.head(self.objects, key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, keys: Sequence[str]) -> None:
        """Harmless for what is gone. Raises SnapshotsAway."""
        for start in range(0, len(keys), DELETE_MAX):
            some = list(keys[start : start + DELETE_MAX])
            try:
                with _spoken():
                    obstore.delete(self.objects, some)
            except FileNotFoundError:
                # A folder stops at the first that is not there.
                for key in some:
                    try:
                        with _spoken():
                            obstore.delete(self.objects, key)
                    except FileNotFoundError:
                        continue

    def keys_before(self, tenant_id: str, day: date) -> Iterator[list[str]]:
        """Keys of a tenant's pictures of earlier days, in pages. Raises SnapshotsAway."""
        with _spoken():
            for page in obstore.list(self.objects, prefix=tenant_id, chunk_size=DELETE_MAX):
                yield [one["path"] for one in page if _day_of(one["path"]) < day]

    def ping(self) -> None:
        """Raises SnapshotsAway."""
        self.holds("ping")


def new_key(tenant_id: str, taken_at: datetime) -> str:
    return f"{tenant_id}/{taken_at:%Y-%m-%d}/{secrets.token_hex(16)}.jpg.sealed"


def open_store(settings: Snapshots, folder: Path) -> SnapshotStore:
    """`folder`: where pictures lie when no bucket is set. Raises ConfigError, DataFolderError."""
    if not settings.url:
        return in_folder(folder)
    return in_bucket(
        parse_bucket(
            settings.url,
            endpoint=settings.endpoint,
            region=settings.region,
            access_key_id=settings.access_key_id,
            secret_access_key=settings.secret_access_key,
        )
    )


def in_folder(folder: Path) -> SnapshotStore:
    """Raises DataFolderError."""
    make_folder(folder)
    return SnapshotStore(LocalStore(prefix=folder))


def in_bucket(bucket: Bucket) -> SnapshotStore:
    """Raises ConfigError; whether it can be reached, `ping` tells."""
    given = {
        "bucket": bucket.name,
        "endpoint": bucket.endpoint,
        "region": bucket.region,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": bucket.secret_access_key,
    }
    options = {name: value for name, value in given.items() if value}
    try:
        store = S3Store(
            prefix=bucket.prefix or None,
            client_options={"timeout": TIMEOUT, "connect_timeout": "5s", "allow_http": bucket.endpoint.startswith("http://")},
            **options,  # type: ignore[arg-type]
        )
    except (BaseError, ValueError) as error:
        raise ConfigError(f"snapshots.url, or a setting beside it, cannot be used for S3 ({type(error).__name__}).") from None
    return SnapshotStore(cast("ObjectStore", store), bucket)


def parse_bucket(url: str, *, endpoint: str = "", region: str = "", access_key_id: str = "", secret_access_key: str = "") -> Bucket:
    """`s3://bucket/prefix`. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigError('snapshots.url must be a bucket, such as "s3://regulars/snapshots", or empty for a folder.')
    return Bucket(parts.hostname, parts.path.strip("/"), endpoint.rstrip("/"), region, access_key_id, secret_access_key)


def _day_of(key: str) -> date:
    """Of what is no key of ours, a day that never is over."""
    try:
        return date.fromisoformat(key.split("/")[1])
    except (IndexError, ValueError):
        return date.max


class _spoken:
    """Errors of the store in our own words; that a picture is not there passes through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            return
        if isinstance(error, (BaseError, OSError)):
            # Its words may hold an address with a signature.
            raise SnapshotsAway(f"The store of pictures does not answer as it should ({type(error).__name__}).") from None
