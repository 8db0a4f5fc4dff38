"""What the hub's pages are given, and how one is put into the frame. `running.py` fills in WebDeps; nothing here reaches past it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jinja2 import Environment
from litestar import Response
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import SkipValidation

from hub.database import Database
from hub.errors import DataFolderError
from hub.moments import to_ms
from hub.web.access import Asker
from ui import formats
from ui.assets import Asset
from ui.attempts import Attempts
from ui.guard import Place
from ui.passwords import USUAL, Cost
from ui.words import gettext as _

if TYPE_CHECKING:
    from hub.metrics import Metrics
    from hub.readiness import Readiness
    from hub.room import Room
    from hub.tenants import Tenant

PROGRAM = "regulars-hub"
"""The session's cookie."""


@dataclass(frozen=True, slots=True)
class WebDeps:
    """`first_code`: what the first admin must know, as the terminal shows it; empty once there is somebody. `fingerprint`: of the hub's
    keys. `address`: where appliances reach the hub."""

    database: Database
    now: Callable[[], datetime]
    place: Place
    address: Callable[[], str]
    fingerprint: Callable[[], str]
    first_code: str
    metrics: Metrics
    readiness: Readiness
    room: Callable[[], Room]
    """What the disk of the data folder has left; may raise DataFolderError."""
    forget_soon: Callable[[], None] = lambda: None
    """Somebody asked to be forgotten: what is to be done here is done at once, and not only at the next turn."""
    scrape_token: str = ""
    attempts: Attempts = field(default_factory=Attempts)
    cost: Cost = USUAL
    """At which passwords are kept."""

    def now_ms(self) -> int:
        return to_ms(self.now())

    @property
    def little_room(self) -> Room | None:
        """None while there is enough, and when it cannot be asked: then the page says other things."""
        try:
            room = self.room()
        except DataFolderError:
            return None
        return room if room.little else None

    @property
    def secure(self) -> bool:
        return self.place.secure


@dataclass(frozen=True, slots=True)
class Pages:
    deps: WebDeps
    environment: Environment
    assets: Mapping[str, Asset]

    def text(self, template: str, values: Mapping[str, object]) -> str:
        now = self.deps.now()
        return self.environment.get_template(template).render(
            {
                "site_name": _("Headquarters"),
                "asker": None,
                "tenant": None,
                "here": "",
                "now": now,
                "ago": lambda at: ago(at, now),
                "machine_time": lambda at: at.isoformat(timespec="seconds"),
                "stamp": stamp,
                "little_room": lambda: self.deps.little_room,
                **values,
            }
        )

    def page(
        self, template: str, values: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response[str]:
        return Response(self.text(template, values), media_type=MediaType.HTML, status_code=status, headers=dict(headers or {}))

    def of_tenant(
        self, template: str, here: str, asker: Asker, tenant: Tenant, values: Mapping[str, object], status: int = 200
    ) -> Response[str]:
        """`here`: the entry of the navigation that the page belongs to."""
        return self.page(template, {"asker": asker, "tenant": tenant, "here": here, "site_name": tenant.name, **values}, status)


GivenPages = NamedDependency[SkipValidation[Pages]]


def ago(at: datetime | None, now: datetime) -> str:
    """just now, 3 minutes ago, 2 h 5 min ago, 3 days ago; never."""
    if at is None:
        return _("never")
    if now - at < timedelta(seconds=10):
        return _("just now")
    return _("%(time)s ago") % {"time": formats.duration(round((now - at).total_seconds() * 1000))}


def stamp(at: datetime, zone: ZoneInfo | None = None) -> str:
    """2026-11-22 14:05, in `zone` or else in UTC and saying so: headquarters may be anywhere."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if zone else at.strftime("%Y-%m-%d %H:%M UTC")


def own_day(zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime, date]:
    """First moment of the site's own day, the next day's, and its date."""
    day = now.astimezone(zone).date()
    first = datetime.combine(day, datetime.min.time(), zone)
    return first, datetime.combine(day + timedelta(days=1), datetime.min.time(), zone), day
