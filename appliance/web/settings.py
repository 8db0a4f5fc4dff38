"""The page Settings: what the store is called, its time zone, language and opening hours. What the settings file says is only shown."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field, replace

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from appliance import opening_hours, page_settings
from appliance.errors import SettingError
from appliance.long_work import Progress
from appliance.meanwhile import Met, Values
from appliance.opening_hours import Span, Week
from appliance.upkeep import Upkeep
from appliance.web import meanwhile, retold
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, Form, seen, wrong
from ui import formats, words
from ui.words import gettext as _

OWNER = {"access": "owner"}
NOT_RIGHT = 400
FIELDS = {"site.name": "name", "site.time_zone": "zone", "site.language": "language"}
"""Settings of this form; the models have one of their own."""
SAID = {
    "saved": _("Saved. It holds from the next start."),
    "hours": _("The opening hours are saved."),
    "same": _("Nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The form as it stands. `waits`: something was chosen that holds from the next start."""

    values: dict[str, str]
    fixed: set[str]
    waits: bool
    hours: list[tuple[str, str, str]]
    wrong: dict[str, str] = field(default_factory=dict)


def upkeep_of(pages: Pages) -> Upkeep:
    if pages.deps.upkeep is None:
        raise NotFoundException(_("This appliance has no settings page."))
    return pages.deps.upkeep


def work_of(upkeep: Upkeep) -> Progress | None:
    """The long work, and what came of it in the reader's language."""
    progress = upkeep.work.progress
    return replace(progress, words=retold.said(progress.words)) if progress else None


def shown(pages: Pages) -> Shown:
    upkeep, connection = upkeep_of(pages), pages.deps.query()
    chosen, week = page_settings.stored(connection), opening_hours.read(connection)
    running = {key: str(page_settings.value_of(upkeep.config, key)) for key in page_settings.KEYS}
    said = upkeep.outside.said
    values = {**running, **{key: value for key, value in chosen.items() if key not in said}}
    days = week.days if week else (None,) * 7
    hours = [
        (formats.weekday(day), opening_hours.written(span.opens) if span else "", opening_hours.written(span.closes) if span else "")
        for day, span in enumerate(days)
    ]
    return Shown(
        {name: values[key] for key, name in FIELDS.items()},
        {name for key, name in FIELDS.items() if key in said},
        values != running,
        hours,
    )


def settings_form(
    pages: Pages, form: Shown, problem: str = "", status: int = 200, said: str = "", was: str = "", hours_were: str = ""
) -> Response[str]:
    """`was`, `hours_were`: what a form that is shown again was made from."""
    upkeep = upkeep_of(pages)
    values = {
        "tab": "settings",
        "form": form,
        "was": was or meanwhile.carried(pages, {name: form.values[name] for name in FIELDS.values() if name not in form.fixed}),
        "hours_were": hours_were or meanwhile.carried(pages, hours_form(opening_hours.read(pages.deps.query()))),
        "zones": sorted(zoneinfo.available_timezones()),
        "languages": words.LANGUAGES,
        "starts_anew": upkeep.outside.anew is not None,
        "problem": problem,
        "said_so": _(SAID.get(said, "")),
        "ever_hours": opening_hours.read(pages.deps.query()) is not None,
    }
    return pages.page("settings.html", "settings", values, status)


@get("/settings", opt=OWNER, sync_to_thread=True)
def settings_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    return settings_form(pages, shown(pages), said=said)


@post("/settings", opt=OWNER, sync_to_thread=True)
def save_settings(pages: GivenPages, data: Form) -> Answer:
    form, faults, settle = shown(pages), {}, meanwhile.settling(data)
    was = data.get(meanwhile.CARRIED, "")
    given = {key: data[name] for key, name in FIELDS.items() if name in data and name not in form.fixed}
    for key, value in given.items():
        try:
            page_settings.judged(key, value)
        except SettingError as error:
            faults[FIELDS[key]] = str(error)
    if faults:
        again = Shown({**form.values, **{FIELDS[key]: value for key, value in given.items()}}, form.fixed, form.waits, form.hours, faults)
        return settings_form(pages, again, status=NOT_RIGHT, was=was)

    def settled(now: Values, asked: Values) -> Values:
        values = settle({FIELDS[key]: now[key] for key in asked}, {FIELDS[key]: value for key, value in asked.items()})
        return {key: values[FIELDS[key]] for key in asked}

    changed: list[str] = []
    try:
        if problem := wrong(lambda: changed.extend(upkeep_of(pages).save(given, settled))):
            return settings_form(pages, form, *problem)
    except Met as met:
        return meanwhile.decide(pages, met, settings_matter(met.both))
    return seen("/settings?said=saved" if changed else "/settings?said=same")


def settings_matter(both: list[str]) -> Matter:
    """`both`: the fields that two changed. Each is an entry of the audit log."""
    labels = {"name": _("Name"), "zone": _("Time zone"), "language": _("Language")}
    keys = tuple(key for key, name in FIELDS.items() if name in both)

    def shown_as(name: str, value: str) -> str:
        return words.LANGUAGES.get(value, _("each browser's own")) if name == "language" else value

    return Matter("settings", _("Settings"), "/settings", "/settings", labels, ("setting",), keys, shown_as)


@post("/settings/hours", opt=OWNER, sync_to_thread=True)
def save_hours(pages: GivenPages, data: Form) -> Answer:
    """All days empty: nobody says when the store is open. `day-0`: a day's times in one, as who met somebody else's chooses them."""
    settle, form, days = meanwhile.settling(data), shown(pages), list[Span | None]()
    spelt = [data.get(f"day-{day}", f"{data.get(f'opens-{day}', '')}–{data.get(f'closes-{day}', '')}") for day in range(7)]
    written = [(formats.weekday(day), *text.partition("–")[::2]) for day, text in enumerate(spelt)]
    for name, opens, closes in written:
        try:
            days.append(opening_hours.judged(opens, closes))
        except SettingError as error:
            again, was = Shown(form.values, form.fixed, form.waits, written), data.get(meanwhile.CARRIED, "")
            return settings_form(pages, again, f"{name}: {error}", NOT_RIGHT, hours_were=was)

    def settled(now: Week | None, asked: Week | None) -> Week | None:
        return week_of(settle(hours_form(now), hours_form(asked)))

    try:
        if problem := wrong(lambda: upkeep_of(pages).save_hours(_week(days), settled)):
            return settings_form(pages, form, *problem)
    except Met as met:
        labels = {f"day-{day}": formats.weekday(day) for day in range(7)}
        matter = Matter("settings", _("Settings"), "/settings/hours", "/settings", labels, ("setting",), (opening_hours.KEY,), closed_or)
        return meanwhile.decide(pages, met, matter)
    return seen("/settings?said=hours")


def hours_form(week: Week | None) -> dict[str, str]:
    return {f"day-{day}": opening_hours.spelt(span) for day, span in enumerate(week.days if week else (None,) * 7)}


def week_of(fields: Values) -> Week | None:
    return _week([opening_hours.spelt_back(fields[f"day-{day}"]) for day in range(7)])


def _week(days: list[Span | None]) -> Week | None:
    return Week(tuple(days)) if any(days) else None


def closed_or(_day: str, value: str) -> str:
    return value or _("closed")


@post("/settings/start-anew", opt=OWNER, sync_to_thread=True)
def start_anew(pages: GivenPages) -> Answer:
    if problem := wrong(upkeep_of(pages).start_anew):
        return settings_form(pages, shown(pages), *problem)
    return pages.page("starts_anew.html", "settings", {"back": "/settings"})


ROUTES = (settings_page, save_settings, save_hours, start_anew)
