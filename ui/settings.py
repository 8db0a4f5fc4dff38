"""Reading a program's settings: one TOML file, then the environment, each value checked before anything starts.

The settings are a struct of sections, each a struct whose fields say in `Meta(description=…)` what is allowed; one with
`Meta(extra={"secret": True})` is never shown. A wrong value, an unknown key or an unreadable file is one sentence that names the key, its
value, what is allowed and the place it came from.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta

CONFIG_BYTES_MAX = 1 << 20
"""A settings file is a page of text; more is the wrong file."""

Found = tuple[str, str, Any, str]
"""Section, key, raw value, and the place it came from in words."""
Judge = Callable[[str, str, Any, str], str | None]
"""Section, key, value, "<place>: <key> is <value>; it must be <words>": what is said of a value that its type allows and the program
does not, None if nothing is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whose settings they are. `name`: of the file NAME.toml and its folder; `prefix`: of its variables in the environment, where those
    beginning with one of `not_ours` are another program's; `refusal`: the exception that is raised."""

    name: str
    prefix: str
    config: type[msgspec.Struct]
    refusal: type[Exception]
    judge: Judge
    not_ours: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """Names the file."""
        return f"{self.prefix}CONFIG"

    @property
    def sections(self) -> dict[str, type[msgspec.Struct]]:
        return {field.name: field.type for field in msgspec.structs.fields(self.config)}


def read(settings: Settings, path: Path | None, environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The values that are set, by section and key, from `path` (None: the variable, else the user's configuration folder, where there need
    be none). Raises the settings' refusal with the first thing that is wrong."""
    named = path or (Path(environ[settings.variable]) if environ.get(settings.variable) else None)
    usual = Path(platformdirs.user_config_dir(settings.name, appauthor=False)) / f"{settings.name}.toml"
    values: dict[str, dict[str, Any]] = {section: {} for section in settings.sections}
    found = [*_from_file(settings, named or usual, must_exist=named is not None), *_from_environment(settings, environ)]
    for section, key, raw, place in found:
        values[section][key] = checked(settings, section, key, raw, place)
    return values


def keys(settings: Settings) -> dict[str, str]:
    """Every setting, "section.key", with what is allowed, in words."""
    return {
        f"{section}.{key}": _words(settings, section, key) for section, kind in settings.sections.items() for key in kind.__struct_fields__
    }


def suggestion(word: str, known: Any) -> str:
    """How a sentence about an unknown word ends."""
    near = difflib.get_close_matches(word.lower(), {k.lower(): k for k in known}, n=1, cutoff=0.6)
    return f"; did you mean {next(k for k in known if k.lower() == near[0])}?" if near else "."


def _from_file(settings: Settings, path: Path, *, must_exist: bool) -> list[Found]:
    refusal, sections = settings.refusal, settings.sections
    try:
        text = path.read_bytes()[: CONFIG_BYTES_MAX + 1].decode()
    except FileNotFoundError:
        if must_exist:
            raise refusal(f"There is no settings file {path}. Make it, or leave its name away to start with the defaults.") from None
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(f"The settings file {path} cannot be read: {error}.") from None
    if len(text) > CONFIG_BYTES_MAX:
        raise refusal(f"{path} is larger than 1 MB: it is no settings file.")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refusal(f"The settings file {path} is not valid TOML: {error}.") from None
    found: list[Found] = []
    for section, table in tables.items():
        place = f"{path}{_line(text, section, None)}"
        if section not in sections and not isinstance(table, dict):
            raise refusal(f"{place}: {section} is a key without a section{_where_it_belongs(sections, section)}.")
        if section not in sections:
            raise refusal(f"{place}: there is no section [{section}]{suggestion(section, sections)}")
        if not isinstance(table, dict):
            raise refusal(f"{place}: {section} is a section; write [{section}] on a line of its own and its settings below.")
        for key, raw in table.items():
            place = f"{path}{_line(text, section, key)}"
            _known(settings, section, key, place)
            found.append((section, key, raw, place))
    return found


def _from_environment(settings: Settings, environ: Mapping[str, str]) -> Iterator[Found]:
    for name, raw in sorted(environ.items()):
        if not name.startswith(settings.prefix) or name.startswith(settings.not_ours):
            continue
        if "__" not in name:
            _refuse_one_underscore(settings, name)
            continue
        section, _, key = name.removeprefix(settings.prefix).lower().partition("__")
        place = f"environment variable {name}"
        if section not in settings.sections:
            raise settings.refusal(f"{place}: there is no section [{section}]{suggestion(section, settings.sections)}")
        _known(settings, section, key, place)
        yield section, key, raw, place


def _refuse_one_underscore(settings: Settings, name: str) -> None:
    """REGULARS_WEB_PORT would be ignored in silence. Variables that begin with no section's name are none of our business."""
    section, _, key = name.removeprefix(settings.prefix).lower().partition("_")
    if section in settings.sections and key:
        raise settings.refusal(
            f"environment variable {name}: a section and its setting are joined by two underscores; "
            f"write {settings.prefix}{section.upper()}__{key.upper()}."
        )


def _known(settings: Settings, section: str, key: str, place: str) -> None:
    known = settings.sections[section].__struct_fields__
    if key not in known:
        raise settings.refusal(f"{place}: there is no setting {section}.{key}{suggestion(key, known)}")


def checked(settings: Settings, section: str, key: str, raw: Any, place: str) -> Any:
    """The value in its type. The environment has only text, so numbers are read from it; a file must say what it means."""
    shown = "not shown" if _is_secret(settings, section, key) else _shown(raw)
    said = f"{place}: {section}.{key} is {shown}; it must be {_words(settings, section, key)}"
    refusal = settings.refusal(f"{said}.")
    if not isinstance(raw, (str, int, float)):
        raise refusal
    kind = get_type_hints(settings.sections[section], include_extras=True)[key]
    if "folder" in key or key.endswith("file"):
        path = Path(raw).expanduser() if isinstance(raw, str) and "\0" not in raw else Path()
        if not path.is_absolute():
            raise refusal
        return path
    try:
        value = msgspec.convert(raw, kind, strict=not place.startswith("environment"))
    except msgspec.ValidationError:
        raise refusal from None
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal
    if (judged := settings.judge(section, key, value, said)) is not None:
        raise settings.refusal(judged)
    return value


def _metas(settings: Settings, section: str, key: str) -> Iterator[Meta]:
    hint = get_type_hints(settings.sections[section], include_extras=True)[key]
    for part in (hint, *get_args(hint)):
        yield from (meta for meta in getattr(part, "__metadata__", ()) if isinstance(meta, Meta))


def _words(settings: Settings, section: str, key: str) -> str:
    for meta in _metas(settings, section, key):
        if meta.description:
            return meta.description
    raise AssertionError(f"{section}.{key} does not say what is allowed")


def _is_secret(settings: Settings, section: str, key: str) -> bool:
    return any((meta.extra or {}).get("secret") for meta in _metas(settings, section, key))


def _shown(raw: Any) -> str:
    text = f'"{raw}"' if isinstance(raw, str) else str(raw).lower() if isinstance(raw, bool) else str(raw)
    return text if len(text) <= 80 else text[:77] + "..."


def _line(text: str, section: str, key: str | None) -> str:
    """ ", line 12" where the key (or the section) stands, "" where that cannot be told (a key written some unusual way)."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            current = header[1]
            if key is None and current == section:
                return f", line {number}"
        elif assigned := re.match(r"\s*([\w-]+)\s*(?:\.\s*([\w-]+)\s*)?=", line):
            inside = (current, assigned[1]) if current else (assigned[1], assigned[2])
            if inside == (section, key):
                return f", line {number}"
    return ""


def _where_it_belongs(sections: Mapping[str, type[msgspec.Struct]], key: str) -> str:
    homes = [f"[{section}]" for section, kind in sections.items() if key in kind.__struct_fields__]
    return f"; put it under {' or '.join(homes)}" if homes else ", and no section has such a key"
