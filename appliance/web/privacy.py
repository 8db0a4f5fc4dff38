"""The page Privacy: what is stored and for how long, who answers for it, the sign for the door, the record of processing, and who asked
for what. What is done with one person is `privacy_requests`'."""

from __future__ import annotations

from pathlib import Path

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from appliance import backup, clearing, set_aside
from appliance.alerts import targets
from appliance.alerts.targets import Target
from appliance.errors import PersonError
from appliance.meanwhile import Met
from appliance.privacy import holdings, papers, particulars, register, retention_days, sign
from appliance.privacy.particulars import Particulars
from appliance.privacy.retention_days import Days
from appliance.web import alert_rules, meanwhile
from appliance.web.access import Access
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, Form, seen, wrong
from ui.words import gettext as _

MANAGER = {"access": Access.MANAGER}
SAID = {
    "kept": _("Saved. What is older goes within the hour."),
    "told": _("Saved. The sign and the record say so from now on."),
    "refused": _("Entered as refused."),
    "erased": _("Erased. Their visits stay counted and are nobody's; headquarters is told."),
    "opted_out": _("Opted out. From now on nothing of them is stored but that somebody came."),
    "received": _("Entered. It is due in 30 days."),
}
KINDS = {"access": _("See everything about them"), "erase": _("Be erased"), "opt_out": _("Never be stored again")}


def backups_of(pages: Pages) -> Path:
    return pages.deps.config.backup.folder or pages.deps.desk.store.folder / backup.FOLDER


def privacy(pages: Pages, said: str = "", wrong_days: str = "", wrong_particulars: str = "", status: int = 200) -> Response[str]:
    deps, store = pages.deps, pages.deps.desk.store
    connection = deps.query()
    days, answers = retention_days.of(store, deps.config.retention), particulars.of(store)
    values = {
        "held": holdings.held(connection, store.folder, store.snapshots, backups_of(pages)),
        "days": days,
        "days_were": meanwhile.carried(pages, retention_days.as_form(days)),
        "particulars": answers,
        "answers_were": meanwhile.carried(pages, particulars.as_form(answers)),
        "answers_fields": particulars_fields(),
        "requests": register.listed(connection),
        "overdue": register.overdue(connection, deps.now()),
        "clearing": clearing.wanted(store) is not None,
        "backups_kept": deps.config.backup.keep,
        "aside_days": set_aside.KEPT.days,
        "kinds": KINDS,
        "by_photo": deps.studio is not None,
        "said_so": _(SAID.get(said, "")),
        "wrong_days": wrong_days,
        "wrong_particulars": wrong_particulars,
    }
    return pages.page("privacy.html", "privacy", values, status)


@get("/privacy", opt=MANAGER, sync_to_thread=True)
def privacy_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    return privacy(pages, said)


@post("/privacy/retention", opt=MANAGER, sync_to_thread=True)
def keep_for(pages: GivenPages, data: Form) -> Answer:
    """Asks first where saving would delete something. `sure`: the counts were shown."""
    deps, store, settle = pages.deps, pages.deps.desk.store, meanwhile.settling(data)
    now = retention_days.of(store, deps.config.retention)

    def settled(stands: Days, wanted: Days) -> Days:
        return retention_days.judged(settle(retention_days.as_form(stands), retention_days.as_form(wanted)), stands)

    try:
        days = settled(now, retention_days.judged(data, now))
        goes = holdings.leaving(deps.query(), days, deps.now())
        if not goes.nothing and data.get("sure") != "yes":
            values = {"days": days, "now": now, "goes": goes, "was": meanwhile.carried(pages, retention_days.as_form(now))}
            return pages.page("privacy_retention.html", "privacy", values)
        if said := wrong(lambda: retention_days.save(store, days, deps.config.retention, deps.desk.who, deps.now(), settled)):
            return privacy(pages, wrong_days=said[0], status=said[1])
    except PersonError as error:
        return privacy(pages, wrong_days=str(error), status=400)
    except Met as met:
        return meanwhile.decide(pages, met, days_matter())
    return seen("/privacy?said=kept")


def days_matter() -> Matter:
    labels = {
        "snapshot_days": _("Days until a picture goes"),
        "person_days": _("Days until somebody who stays away is not known any more"),
        "audit_days": _("Days until an entry of the audit log goes"),
    }
    return Matter("privacy", _("Privacy"), "/privacy/retention", "/privacy", labels, ("retention",), ("",))


@post("/privacy/particulars", opt=MANAGER, sync_to_thread=True)
def answer_for(pages: GivenPages, data: Form) -> Answer:
    deps, settle = pages.deps, meanwhile.settling(data)

    def settled(stands: Particulars, wanted: Particulars) -> Particulars:
        return Particulars(**settle(particulars.as_form(stands), particulars.as_form(wanted)))

    def save() -> None:
        particulars.save(deps.desk.store, particulars.judged(data), deps.desk.who, deps.now(), settled)

    try:
        if said := wrong(save):
            return privacy(pages, wrong_particulars=said[0], status=400)
    except Met as met:
        return meanwhile.decide(pages, met, particulars_matter())
    return seen("/privacy?said=told")


def particulars_matter() -> Matter:
    labels = {name: label for name, label, _more in particulars_fields()}
    return Matter("privacy", _("Privacy"), "/privacy/particulars", "/privacy", labels, ("particulars",), ("",))


def particulars_fields() -> list[tuple[str, str, str]]:
    """Each with its label and what more is to be said of it."""
    return [
        ("controller", _("Name and address of the business"), ""),
        ("contact", _("How to reach you"), _("e-mail, phone or a place in the store")),
        ("officer", _("Data protection officer"), ""),
        ("ground", _("Legal basis"), _("for example: consent; ask a lawyer, faces need more than an interest of yours")),
        ("authority", _("Where people may complain"), _("the data protection authority")),
    ]


@get("/privacy/record", opt=MANAGER, sync_to_thread=True)
def record_page(pages: GivenPages) -> Response[str]:
    """The record of processing activities (article 30 of the GDPR), as the settings are now."""
    deps, store = pages.deps, pages.deps.desk.store
    paired = deps.query().execute("SELECT tenant_name, hub_url, snapshots FROM link WHERE state = 'paired'").fetchone()
    values = {
        "particulars": particulars.of(store),
        "days": retention_days.of(store, deps.config.retention),
        "held": holdings.held(deps.query(), store.folder, store.snapshots, backups_of(pages)),
        "cameras": deps.cameras(),
        "headquarters": {"name": paired[0], "url": paired[1], "pictures": bool(paired[2])} if paired else None,
        "alerted": "; ".join(_told(place) for place in targets.list_targets(deps.query())),
        "backups_kept": deps.config.backup.keep,
        "aside_days": set_aside.KEPT.days,
        "backups_elsewhere": deps.config.backup.folder is not None,
        "gap_minutes": round(deps.config.visits.gap_s / 60),
    }
    return pages.page("privacy_record.html", "privacy", values)


def _told(place: Target) -> str:
    """A place that alerts are sent to, and whether it learns who came: it is given data as well."""
    names = _("is told names") if place.with_names else _("is told no names")
    return f"{place.name} ({_(alert_rules.KINDS[place.kind])}, {place.shown}; {names})"


@get("/privacy/sign/{language:str}", opt={**MANAGER, "page": False}, sync_to_thread=True)
def sign_pdf(pages: GivenPages, language: FromPath[str]) -> Response[bytes]:
    """`language`: en.pdf or vi.pdf."""
    short = language.removesuffix(".pdf")
    if short not in papers.LANGUAGES:
        raise NotFoundException(_("There is no sign in that language."))
    deps, store = pages.deps, pages.deps.desk.store
    chain = deps.query().execute("SELECT 1 FROM link WHERE state = 'paired'").fetchone() is not None
    told: Particulars = particulars.of(store)
    made = sign.pdf(short, deps.site_name, told, retention_days.of(store, deps.config.retention), chain=chain)
    return download(made, "application/pdf", f"sign-{short}.pdf")


def download(content: bytes, kind: str, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


ROUTES = (privacy_page, keep_for, answer_for, record_page, sign_pdf)
