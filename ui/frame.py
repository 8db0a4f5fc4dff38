"""The environment that every page of ours is rendered in. Everything is escaped; an unknown variable is an error, not a blank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ui import formats
from ui.assets import Asset
from ui.words import gettext, language, ngettext

FOLDER = Path(__file__).parent / "templates"


def environment(folders: Iterable[Path], assets: Mapping[str, Asset]) -> Environment:
    """Templates of `folders` and ours. `asset(name)` in a template gives the asset's address."""

    def asset(name: str) -> str:
        return f"/static/{name}?v={assets[name].version}"

    made = Environment(
        loader=FileSystemLoader([*folders, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals["asset"] = asset
    made.globals["language"] = language
    made.filters["number"] = formats.number
    made.filters["decimal"] = formats.decimal
    made.filters["brief"] = formats.brief
    made.filters["similarity"] = formats.similarity
    made.filters["change"] = formats.change
    made.filters["how_large"] = formats.size
    made.filters["duration"] = formats.duration
    return made
