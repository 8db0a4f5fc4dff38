"""The page Models: which packs there are, and what becomes of the people when another one is chosen, said before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from appliance import page_settings
from appliance.errors import SettingError
from appliance.web import retold
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, Form, seen, wrong
from appliance.web.settings import NOT_RIGHT, OWNER, upkeep_of, work_of
from models.errors import ModelsError
from models.weights import weights_of
from ui.words import gettext as _

SUMMARIES = (
    _("Comes with the code; weak, for trying out and for tests, not for a store"),
    _("The default: every licence in it allows commercial use"),
    _("More accurate, slower; non-commercial"),
    _("InsightFace's large pack: RetinaFace-family detector, ArcFace ResNet-50; non-commercial, 289 MB to download"),
)
"""As the manifest has them: whoever adds a pack of their own says in their own language what it is."""


@dataclass(frozen=True, slots=True)
class PackRow:
    """`missing`: why it cannot be used, in words; empty for one that can."""

    name: str
    summary: str
    now: bool
    chosen: bool
    missing: str


def models_form(pages: Pages, problem: str = "", status: int = 200) -> Response[str]:
    upkeep = upkeep_of(pages)
    config = upkeep.config
    chosen = page_settings.stored(pages.deps.query()).get("models.pack", config.models.pack)
    try:
        packs = weights_of(config.data.folder, folder=config.models.folder).manifest().packs
    except ModelsError as error:
        packs, problem = [], _sentence(error)
    rows = []
    for pack in packs:
        missing = ""
        try:
            upkeep.pack(pack.name)
        except SettingError as error:
            missing = _sentence(error)
        now = pack.name == config.models.pack
        rows.append(PackRow(pack.name, _(pack.summary), now, not now and pack.name == chosen, missing))
    values = {
        "tab": "models",
        "packs": rows,
        "fixed": "models.pack" in upkeep.outside.said,
        "waits": any(row.chosen for row in rows),
        "starts_anew": upkeep.outside.anew is not None,
        "work": work_of(upkeep),
        "problem": problem,
    }
    return pages.page("settings_models.html", "settings", values, status)


def _sentence(error: Exception) -> str:
    words = retold.said(str(error))
    return words[:1].upper() + words[1:]


@get("/settings/models", opt=OWNER, sync_to_thread=True)
def models_page(pages: GivenPages) -> Response[str]:
    return models_form(pages)


@get("/settings/models/{pack_name:str}", opt={"access": "owner", "page": False}, sync_to_thread=True)
def plan_page(pages: GivenPages, pack_name: FromPath[str]) -> Response[str]:
    try:
        plan = upkeep_of(pages).plan(pack_name)
    except SettingError as error:
        return models_form(pages, _sentence(error), NOT_RIGHT)
    return pages.page("settings_plan.html", "settings", {"pack": pack_name, "plan": plan})


@post("/settings/models/{pack_name:str}", opt=OWNER, sync_to_thread=True)
def switch_pack(pages: GivenPages, pack_name: FromPath[str], data: Form) -> Answer:
    """Whom the new models cannot know although they asked not to be stored needs a word of its own."""
    try:
        plan = upkeep_of(pages).plan(pack_name)
        if plan.lost["opted_out"] and data.get("although") != "yes":
            raise SettingError(_("Say first that you know of those who opted out: tick the box on the page before."))
    except SettingError as error:
        return models_form(pages, _sentence(error), NOT_RIGHT)
    if problem := wrong(lambda: upkeep_of(pages).switch_pack(pack_name)):
        return models_form(pages, *problem)
    return seen("/settings/models")


ROUTES = (models_page, plan_page, switch_pack)
