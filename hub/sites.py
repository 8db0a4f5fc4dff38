"""Sites: the stores of a tenant."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime

import psycopg
import uuid_utils

from hub.database import Tx
from hub.errors import NotAllowed, NotFound
from hub.names import as_id, found_id, proper

SELECT = "SELECT id, tenant_id, name, time_zone, made_at FROM sites"


@dataclass(frozen=True, slots=True)
class Site:
    """`time_zone`: an IANA name; the store's day is the day there."""

    id: str
    tenant_id: str
    name: str
    time_zone: str
    made_at: datetime


def add(tx: Tx, tenant_id: str, name: str, time_zone: str, now: datetime) -> Site:
    """Raises NotAllowed."""
    called, site_id = proper(name, "A site"), str(uuid_utils.uuid7())
    if time_zone not in zoneinfo.available_timezones():
        raise NotAllowed(f"There is no time zone '{time_zone}'; a name such as Asia/Ho_Chi_Minh or Europe/Paris is wanted.")
    try:
        with tx.transaction():
            tx.execute("INSERT INTO sites VALUES (%s, %s, %s, %s, %s)", [tenant_id, site_id, called, time_zone, now])
    except psycopg.errors.UniqueViolation:
        raise NotAllowed(f"There is already a site called '{called}'.") from None
    return get(tx, site_id)


def every(tx: Tx) -> list[Site]:
    return [Site(*row) for row in tx.execute(f"{SELECT} ORDER BY name")]


def get(tx: Tx, site_id: str) -> Site:
    """Raises NotFound."""
    row = tx.execute(f"{SELECT} WHERE id = %s", [site_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no site {site_id}.")
    return Site(*row)


def named(tx: Tx, name_or_id: str) -> Site:
    """Raises NotFound."""
    return get(tx, as_id(name_or_id) or found_id(tx, "SELECT id FROM sites WHERE name = %s", name_or_id, "site"))
