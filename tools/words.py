"""Finds every word that a page shows and writes the catalogues `ui/languages/<code>.po`."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PACKAGES = ("appliance", "hub", "ui")
METHODS = [("**/languages/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"encoding": "utf-8", "trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def found() -> Catalog:
    """All words in English, sorted, so that a change of the code moves no other line."""
    catalogue = Catalog(charset="utf-8")
    for package in PACKAGES:
        folder = ROOT / package
        for _, _, message, comments, context in extract_from_dir(folder, METHODS, OPTIONS, KEYWORDS):
            catalogue.add(message, None, auto_comments=comments, context=context)
    return catalogue


def main() -> None:
    there = found()
    for path in sorted((ROOT / "ui" / "languages").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem)
        catalogue.update(there, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=140, sort_output=True, omit_header=True, no_location=True)
        missing = [m.id for m in catalogue if m.id and not translated(m.string)]
        print(f"{path.name}: {len(catalogue)} entries, {len(missing)} without a translation")


def translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    main()
