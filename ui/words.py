"""The one door for words that people read. English is the source; `ui/languages/<code>.po` says the same in another language.

Each request speaks one language (`speaking`); outside of one, as in a job or a command, it is the program's own (`set_own`). A constant
that is made when a module is read holds the English words: what shows it asks `gettext` once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "vi": "Tiếng Việt"}
"""Code to what a language calls itself."""
FOLDER = Path(__file__).parent / "languages"
ACCEPT_CHARACTERS_MAX = 500

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)
_own = ENGLISH


def gettext(message: str) -> str:
    return _catalogue(language()).gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    return _catalogue(language()).ngettext(one, many, count)


def language() -> str:
    """Code of the language that is spoken here and now."""
    return _spoken.get() or _own


def set_own(code: str) -> None:
    """What is spoken where nobody asked for another. Raises ValueError."""
    global _own
    if code not in LANGUAGES:
        raise ValueError(f"there is no language {code!r}: use one of {', '.join(LANGUAGES)}")
    _own = code


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """What this block, and the threads that it hands work to, speak. An unknown code is the program's own language."""
    before = _spoken.set(code if code in LANGUAGES else None)
    try:
        yield
    finally:
        _spoken.reset(before)


def preferred(accept_language: str) -> str | None:
    """The first of a browser's languages that there is, or None. Source: RFC 9110, 12.5.4."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:ACCEPT_CHARACTERS_MAX].split(",")):
        code, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, code.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((code for weight, _, code in sorted(wanted) if weight < 0 and code in LANGUAGES), None)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    # Late: a command that speaks English need not read Babel.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (FOLDER / f"{code}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
