"""The page Alerts: what somebody has to look at, what was answered, and what was sent. The banner of every page is read from here too."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException, ServiceUnavailableException
from litestar.params import FromPath
from litestar.response import ServerSentEvent

from appliance.alerts import register, words
from appliance.alerts.desk import AlertDesk
from appliance.alerts.register import Alert, Message
from appliance.alerts.rules import BURST, CAMERA, NOBODY, WATCHLIST
from appliance.live import TooManyPages
from appliance.web.pages import GivenPages, Pages, PersonRow
from appliance.web.person_changes import Answer, seen, wrong
from appliance.web.stream import messages
from ui.words import gettext as _

OPEN_MAX, PAST_MAX, SENT_MAX = 30, 60, 60
MANAGER = {"access": "manager"}
NO_PAGE = {"access": "manager", "page": False}


@dataclass(frozen=True, slots=True)
class View:
    """An alert as the page shows it. `visit_id`, `other_id`: visits with a face to show; empty where there is none. `taken_back`: the visit
    turned out to be somebody else's."""

    alert: Alert
    said: words.Said
    person_id: str
    visit_id: str
    other_id: str
    taken_back: bool

    @property
    def asks(self) -> bool:
        return self.alert.rule == WATCHLIST

    @property
    def mood(self) -> str:
        if self.alert.state in ("over", "no"):
            return "idle"
        return "bad" if self.alert.rule in (WATCHLIST, CAMERA) else "warn" if self.alert.rule in (BURST, NOBODY) else "good"


def desk_of(pages: Pages) -> AlertDesk:
    if pages.deps.alerts is None:
        raise NotFoundException(_("This appliance has no alerts."))
    return pages.deps.alerts


def view(pages: Pages, alert: Alert) -> View:
    connection = pages.deps.query()
    if alert.rule in (CAMERA, NOBODY):
        name = next((line.name for line in pages.deps.cameras() if line.id == alert.subject), "")
        return View(alert, words.on_page(alert, name or _("A camera that was removed")), "", "", "", False)
    row = connection.execute("SELECT id, number, role, name_sealed FROM persons WHERE id = ?", [alert.subject]).fetchone()
    visit = connection.execute("SELECT person_id, snapshot IS NOT NULL FROM visits WHERE id = ?", [alert.visit_id]).fetchone()
    face = alert.visit_id if visit and visit[1] else ""
    taken_back = bool(alert.visit_id) and row is not None and visit is not None and visit[0] != alert.subject
    said = words.on_page(alert, pages.deps.names(PersonRow(*row)) if row else "")
    return View(alert, said, alert.subject if row else "", face, _earlier_face(connection, alert), taken_back)


def _earlier_face(connection: sqlite3.Connection, alert: Alert) -> str:
    row = connection.execute(
        "SELECT id FROM visits WHERE person_id = ? AND id != ? AND snapshot IS NOT NULL ORDER BY last_seen_ms DESC LIMIT 1",
        [alert.subject, alert.visit_id],
    ).fetchone()
    return row[0] if row else ""


def alerts_values(pages: Pages, said_so: str = "") -> dict[str, object]:
    connection = pages.deps.query()
    sent: dict[int, list[Message]] = {}
    for message in register.messages(connection, SENT_MAX):
        sent.setdefault(message.alert_id, []).append(message)
    return {
        "tab": "now",
        "open": [view(pages, alert) for alert in register.open_alerts(connection, OPEN_MAX)],
        "past": [view(pages, alert) for alert in register.past(connection, PAST_MAX)],
        "sent": sent,
        "said_so": said_so,
    }


@get("/alerts", opt=MANAGER, sync_to_thread=True)
def alerts_page(pages: GivenPages) -> Response[str]:
    desk_of(pages)
    return pages.page("alerts.html", "alerts", alerts_values(pages))


@post("/alerts/{alert_id:int}/{said:str}", opt=MANAGER, sync_to_thread=True)
def answer_alert(pages: GivenPages, alert_id: FromPath[int], said: FromPath[str]) -> Answer:
    """Twice is harmless. Who is not whom they were taken for is led to where the visit is taken off them."""
    visits: list[str] = []
    if problem := wrong(lambda: visits.append(desk_of(pages).answer(alert_id, said))):
        return pages.page("alerts.html", "alerts", alerts_values(pages, problem[0]), problem[1])
    row = pages.deps.query().execute("SELECT person_id FROM visits WHERE id = ?", visits).fetchone()
    return seen(f"/visits/{visits[0]}/split" if said == "no" and row and row[0] else "/alerts")


@get("/alerts/sent", opt=MANAGER, sync_to_thread=True)
def sent_page(pages: GivenPages) -> Response[str]:
    desk_of(pages)
    connection = pages.deps.query()
    rows = [(message, register.one(connection, message.alert_id)) for message in register.messages(connection, SENT_MAX)]
    return pages.page("alerts_sent.html", "alerts", {"tab": "sent", "rows": [(m, view(pages, a)) for m, a in rows if a]})


@get("/alerts/banner", opt=NO_PAGE, sync_to_thread=True)
def banner(pages: GivenPages) -> Response[str]:
    """The newest alert that nobody has looked at; empty when there is none."""
    connection = pages.deps.query()
    newest = register.open_alerts(connection, 1)
    values = {"newest": view(pages, newest[0]) if newest else None, "more": register.count_open(connection) - 1}
    return Response(pages.text("alert_banner.html", values), media_type=MediaType.HTML)


@get("/alerts/news", opt=NO_PAGE)
async def alert_news(request: Request[object, object, State], pages: GivenPages) -> ServerSentEvent:
    """For pages that have no other line open."""
    try:
        told = pages.deps.live.open(request.headers.get("last-event-id"))
    except TooManyPages:
        raise ServiceUnavailableException(_("Too many pages are open. Close some and load this one again.")) from None
    return ServerSentEvent(messages(pages, told))


ROUTES = (alerts_page, answer_alert, sent_page, banner, alert_news)
