"""What the pages are given, and how one is put into the frame. `main.py` fills in WebDeps; nothing in this folder reaches past it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from jinja2 import Environment
from litestar import Response
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import SkipValidation

from appliance import review
from appliance.alerts.desk import AlertDesk
from appliance.audit import THIS_COMPUTER
from appliance.camera_desk import CameraDesk
from appliance.config import Config
from appliance.live import Live
from appliance.loyalty import USUAL, Weights
from appliance.people_desk import Desk
from appliance.reports.making import Making
from appliance.studio import Studio
from appliance.upkeep import Upkeep
from appliance.users import UserStorage
from appliance.web.access import Access, Asker
from appliance.web.cameras import CameraLine
from appliance.web.door import Door
from appliance.web.words import staff, visitor
from ui import formats, sign_in
from ui.assets import Asset


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as the table has it; the name is still sealed."""

    id: str
    number: int
    role: str
    name_sealed: bytes | None


Names = Callable[[PersonRow], str]
"""What to call a person on a page: the unsealed name, or "Visitor 1204"."""


@dataclass(frozen=True, slots=True)
class WebDeps:
    query: Callable[[], sqlite3.Connection]
    """The calling thread's own read-only connection."""
    names: Names
    dismiss_notice: Callable[[int], None]
    snapshot: Callable[[str], bytes | None]
    """A visit's face as JPEG, by the visit's id."""
    desk: Desk
    """Where changes of people are asked for."""
    live: Live
    cameras: Callable[[], list[CameraLine]]
    look: Callable[[str, float], None]
    """Ask a camera for pictures for so many seconds."""
    time_zone: ZoneInfo
    site_name: str
    pack_name: str
    weak_pack: bool
    now: Callable[[], int]
    """UTC milliseconds."""
    decide: Callable[[int, str, str], None]
    """A review case's number, its answer and who gave it. Raises RegularsError, TimeoutError."""
    undo: Callable[[str], None]
    """Takes the last decision at review back, in somebody's name. Raises RegularsError, TimeoutError."""
    loyalty: Weights = USUAL
    also_at: Callable[[str], list[str]] = lambda _person_id: []
    """The other stores that a person comes to, where the chain tells."""
    language: Callable[[], str | None] = lambda: None
    """The store's own language, where one was chosen."""
    trouble: Callable[[], str] = lambda: ""
    """What keeps the appliance from writing just now, in words: a notice that cannot be put into the table."""
    door: Door = field(default_factory=Door)
    """How people get in. Unless something else is said: with an account of this store's, and not at all while there is none."""
    reports: Making = field(default_factory=Making)
    """Draws charts and papers, one at a time."""
    studio: Studio | None = None
    """What looks at photos that somebody sends."""
    config: Config = field(default_factory=Config)
    """As the settings file has it."""
    camera_desk: CameraDesk = field(kw_only=True)
    """Where cameras are tried out, added, changed and removed."""
    alerts: AlertDesk | None = None
    """Where alerts are answered and chosen."""
    upkeep: Upkeep | None = None
    """Settings, backups, the computer's health."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What a route is given. `asker`: whom it answers, None for nobody yet; `entrances`: who may open which page."""

    deps: WebDeps
    environment: Environment
    assets: Mapping[str, Asset]
    entrances: Mapping[str, Access] = field(default_factory=dict)
    asker: Asker | None = None

    @property
    def sees_people(self) -> bool:
        return self.asker is not None and self.asker.sees_people

    @property
    def who(self) -> str:
        """In whose name something is done."""
        return self.asker.name if self.asker else THIS_COMPUTER

    def opens(self, address: str) -> bool:
        """Whether there is such a page, and whoever asks may see it."""
        access = self.entrances.get(address)
        return access is not None and (access is Access.ANYONE or (self.asker is not None and self.asker.may(access)))

    def still_in(self) -> bool:
        """Whether whoever asks is signed in still and may what they might: for a line that stays open. Counts as use."""
        if self.asker is None or not self.asker.session:
            return self.asker is not None
        account = sign_in.holder(UserStorage(self.deps.desk.store), self.asker.session, self.deps.now())
        return account is not None and account.role == self.asker.role

    def when(self, at_ms: int) -> str:
        """today 14:27, 3 October 09:10."""
        return f"{self.day(at_ms)} {formats.clock(at_ms, self.deps.time_zone)}"

    def cases(self) -> int:
        """How many wait at review. The frame has it, and the page that tells of a failure must not fail with it."""
        try:
            return review.count_open(self.deps.query())
        except sqlite3.Error:
            return 0

    def day(self, at_ms: int) -> str:
        """today, yesterday, 3 October."""
        zone = self.deps.time_zone
        return formats.short_day(formats.day_of(at_ms, zone), formats.day_of(self.deps.now(), zone))

    def text(self, template: str, values: Mapping[str, object]) -> str:
        """A template with what every template may use: the clock and its own zone, the site and its recognition pack."""
        deps = self.deps
        zone, now = deps.time_zone, deps.now()
        today = formats.day_of(now, zone)
        return self.environment.get_template(template).render(
            values,
            site_name=deps.site_name,
            pack_name=deps.pack_name,
            weak_pack=deps.weak_pack,
            now_ms=now,
            today=today,
            cases=self.cases,
            asker=self.asker,
            sees_people=self.sees_people,
            opens=self.opens,
            clock=lambda at: formats.clock(at, zone),
            clock_exact=lambda at: formats.clock_exact(at, zone),
            machine_time=lambda at: formats.machine_time(at, zone),
            when=self.when,
            day=self.day,
            weekday=lambda day: formats.weekday(day.weekday()),
            long_day=lambda day: formats.long_day(day, today),
        )

    def page(self, template: str, here: str, values: Mapping[str, object], status: int = 200) -> Response[str]:
        """`here`: the entry of the navigation that this page belongs to."""
        return Response(self.text(template, {"here": here, **values}), media_type=MediaType.HTML, status_code=status)


GivenPages = NamedDependency[SkipValidation[Pages]]


def given_to(asker: Asker | None, pages: Pages) -> Pages:
    """The same pages for whoever asks: changes are made in their name, and a viewer is told no name and given no picture."""
    deps = pages.deps
    if asker is None or not asker.sees_people:
        seen = replace(deps, names=unnamed, snapshot=no_picture, also_at=lambda _person_id: [])
        return replace(pages, deps=seen, asker=asker)
    named = replace(
        deps,
        desk=deps.desk.by(asker.name),
        camera_desk=deps.camera_desk.by(asker.name),
        alerts=deps.alerts.by(asker.name) if deps.alerts else None,
        upkeep=deps.upkeep.by(asker.name) if deps.upkeep else None,
    )
    return replace(pages, deps=named, asker=asker)


def unnamed(person: PersonRow) -> str:
    return staff() if person.role == "staff" else visitor(person.number)


def no_picture(_visit_id: str) -> bytes | None:
    return None
