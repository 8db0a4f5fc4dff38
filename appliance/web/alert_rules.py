"""What alerts are about and where they go: the forms of the rules, the places and the quiet hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery

from appliance import opening_hours
from appliance.alerts import rules, targets
from appliance.alerts.rules import BURST, CAMERA, NOBODY, VIP, WATCHLIST, Rule
from appliance.alerts.targets import Entry
from appliance.errors import AlertError, SettingError
from appliance.meanwhile import Met
from appliance.opening_hours import Span
from appliance.web import meanwhile
from appliance.web.alerts import MANAGER, desk_of
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, seen, wrong, yes_or_no
from ui.words import gettext as _

NOT_RIGHT = 400
Form = Annotated[dict[str, str | list[str]], Body(media_type=RequestEncodingType.URL_ENCODED)]
NAMES = {
    VIP: (_("A VIP comes in"), _("People marked as VIP on their page."), ""),
    WATCHLIST: (
        _("Somebody resembles a person on the watchlist"),
        _("Asks somebody to look first. Only after a yes is it said to be true."),
        "",
    ),
    CAMERA: (_("A camera sees nothing"), _("Told once more when it watches again."), _("After so many minutes")),
    NOBODY: (_("No visitor for a long time"), _("While the store is open: see the opening hours in Settings."), _("After so many hours")),
    BURST: (
        _("One customer recognised unusually often"),
        _("A sign that a bad view makes strangers look like them."),
        _("From so many times within 24 hours"),
    ),
}
KINDS = {"email": _("E-mail"), "webhook": _("Web hook"), "slack": _("Slack"), "telegram": _("Telegram")}
SAID = {
    "rule": _("The rule is saved."),
    "quiet": _("The quiet hours are saved."),
    "added": _("The place is added. Send it a test, then choose it in the rules above."),
    "removed": _("The place is removed. Nothing is sent there any more."),
    "tested": _("The test was taken. Look whether it has arrived: taken is not yet read."),
}


def rules_page_of(pages: Pages, problem: str = "", status: int = 200, said: str = "") -> Response[str]:
    connection = pages.deps.query()
    quiet, chosen = rules.quiet(connection), rules.read(connection)
    values = {
        "tab": "rules",
        "rules": chosen.values(),
        "were": {kind: meanwhile.carried(pages, as_form(rule)) for kind, rule in chosen.items()},
        "quiet_was": meanwhile.carried(pages, {"quiet": opening_hours.spelt(quiet)}),
        "names": NAMES,
        "numbers": rules.NUMBERS,
        "pause_max": rules.PAUSE_MIN_MAX,
        "places": targets.list_targets(connection),
        "kinds": KINDS,
        "quiet_from": opening_hours.written(quiet.opens) if quiet else "",
        "quiet_to": opening_hours.written(quiet.closes) if quiet else "",
        "hours": opening_hours.read(connection) is not None,
        "problem": problem,
        "said_so": _(SAID.get(said, "")),
    }
    return pages.page("alert_rules.html", "alerts", values, status)


@get("/alerts/rules", opt=MANAGER, sync_to_thread=True)
def rules_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    desk_of(pages)
    return rules_page_of(pages, said=said)


@post("/alerts/rules/{kind:str}", opt=MANAGER, sync_to_thread=True)
def save_rule(pages: GivenPages, kind: FromPath[str], data: Form) -> Answer:
    places, settle = targets.list_targets(pages.deps.query()), meanwhile.settling(data)
    there = {one.id for one in places}

    def settled(now: Rule, asked: Rule) -> Rule:
        return judged(kind, settle(as_form(now), as_form(asked)), there)

    try:
        rule = judged(kind, data, there)
        if problem := wrong(lambda: desk_of(pages).save_rule(rule, settled)):
            return rules_page_of(pages, *problem)
    except AlertError as error:
        return rules_page_of(pages, str(error), NOT_RIGHT)
    except Met as met:
        return meanwhile.decide(pages, met, rule_matter(kind, {one.id: one.name for one in places}))
    return seen("/alerts/rules?said=rule")


def as_form(rule: Rule) -> dict[str, str]:
    return {
        "enabled": "yes" if rule.enabled else "",
        "number": str(rule.number),
        "pause_min": str(rule.pause_min),
        "place": " ".join(sorted(rule.targets)),
        "always": "yes" if rule.always else "",
    }


def rule_matter(kind: str, places: dict[str, str]) -> Matter:
    """`places`: names by id."""
    labels = {
        "enabled": _("Tell me"),
        "number": _(NAMES[kind][2]) if NAMES[kind][2] else "",
        "pause_min": _("The same is not told again for so many minutes"),
        "place": _("Send it to"),
        "always": _("in the quiet hours too"),
    }

    def shown(name: str, value: str) -> str:
        if name == "place":
            return ", ".join(places.get(each, "–") for each in value.split())
        return yes_or_no(value) if name in ("enabled", "always") else value

    return Matter("alerts", _(NAMES[kind][0]), f"/alerts/rules/{kind}", "/alerts/rules", labels, ("alert_rule",), (kind,), shown)


def judged(kind: str, data: Mapping[str, str | list[str]], there: set[str]) -> Rule:
    """Raises AlertError."""
    if kind not in rules.USUAL:
        raise NotFoundException(_("There is no such rule."))
    usual, least = rules.USUAL[kind], rules.NUMBERS[kind][0]
    chosen = data.get("place", [])
    ids = chosen.split() if isinstance(chosen, str) else chosen
    return replace(
        usual,
        enabled=data.get("enabled") == "yes",
        number=_number(data.get("number", "")) if least else usual.number,
        pause_min=_number(data.get("pause_min", "")),
        always=data.get("always") == "yes",
        targets=tuple(sorted(set(ids) & there)),
    )


def _number(written: str | list[str]) -> int:
    if not isinstance(written, str) or not written.strip().isascii() or not written.strip().isdigit() or len(written) > 9:
        raise AlertError(_("Write whole numbers, such as 60."))
    return int(written)


@post("/alerts/quiet", opt=MANAGER, sync_to_thread=True)
def save_quiet(pages: GivenPages, data: Form) -> Answer:
    """`quiet`: both times in one, as who met somebody else's chooses them."""
    settle = meanwhile.settling(data)

    def settled(now: Span | None, asked: Span | None) -> Span | None:
        spelt = opening_hours.spelt
        return opening_hours.spelt_back(settle({"quiet": spelt(now)}, {"quiet": spelt(asked)})["quiet"])

    try:
        both = str(data.get("quiet", "")) if "quiet" in data else f"{data.get('from', '')}–{data.get('to', '')}"
        span = opening_hours.spelt_back(both)
        if problem := wrong(lambda: desk_of(pages).save_quiet(span, settled)):
            return rules_page_of(pages, *problem)
    except SettingError:
        return rules_page_of(pages, _("Quiet hours are two times such as 22:00 and 07:00; leave both empty for none."), NOT_RIGHT)
    except Met as met:
        name, back = _("Quiet hours"), "/alerts/rules"
        return meanwhile.decide(pages, met, Matter("alerts", name, "/alerts/quiet", back, {"quiet": name}, ("alert_rule",), ("quiet",)))
    return seen("/alerts/rules?said=quiet")


def place_form(
    pages: Pages, kind: str, written: dict[str, str], entry: Entry | None, problem: str = "", status: int = 200
) -> Response[str]:
    if kind not in KINDS:
        raise NotFoundException(_("There is no such way to send."))
    shown = {field: value for field, value in written.items() if field not in ("password", "token", "slack_url")}
    values = {"tab": "rules", "kind": kind, "kinds": KINDS, "written": shown, "wrong": entry.wrong if entry else {}, "problem": problem}
    return pages.page("alert_place.html", "alerts", values, status)


@get("/alerts/places/new/{kind:str}", opt=MANAGER, sync_to_thread=True)
def new_place(pages: GivenPages, kind: FromPath[str]) -> Response[str]:
    desk_of(pages)
    return place_form(pages, kind, {}, None)


@post("/alerts/places/new/{kind:str}", opt=MANAGER, sync_to_thread=True)
def add_place(pages: GivenPages, kind: FromPath[str], data: Form) -> Answer:
    written = {field: value for field, value in data.items() if isinstance(value, str)}
    try:
        entry = targets.judged({**written, "kind": kind})
    except AlertError as error:
        return place_form(pages, kind, {}, None, str(error), NOT_RIGHT)
    if entry.wrong:
        return place_form(pages, kind, written, entry, status=NOT_RIGHT)
    if problem := wrong(lambda: desk_of(pages).add_target(entry)):
        return place_form(pages, kind, written, entry, *problem)
    return seen("/alerts/rules?said=added#places")


@post("/alerts/places/{place_id:str}/test", opt=MANAGER, sync_to_thread=True)
def test_place(pages: GivenPages, place_id: FromPath[str]) -> Answer:
    """Waits for the answer, half a minute at most: whoever presses wants to know."""
    if problem := wrong(lambda: desk_of(pages).try_out(place_id)):
        return rules_page_of(pages, _("The test did not arrive. %(why)s") % {"why": problem[0]}, problem[1])
    return seen("/alerts/rules?said=tested#places")


@post("/alerts/places/{place_id:str}/remove", opt=MANAGER, sync_to_thread=True)
def remove_place(pages: GivenPages, place_id: FromPath[str]) -> Answer:
    if problem := wrong(lambda: desk_of(pages).remove_target(place_id)):
        return rules_page_of(pages, *problem)
    return seen("/alerts/rules?said=removed#places")


ROUTES = (rules_page, save_rule, save_quiet, new_place, add_place, test_place, remove_place)
