"""Keeps the house: who may import whom, names, unreached modules, undocumented commands and settings."""

from __future__ import annotations

import importlib
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from appliance.commands.table import COMMANDS
from appliance.main import cli
from hub.commands.table import COMMANDS as HUB_COMMANDS
from hub.main import cli as hub_cli
from tests.shared import CHECKOUT
from tests.sources import PACKAGES, imports, modules, reached, tracked
from ui.command_table import CommandTable

MAY_IMPORT = {
    "models": {"models"},
    "sync": {"sync"},
    "ui": {"ui"},
    "appliance": {"appliance", "models", "sync", "ui"},
    "hub": {"hub", "models", "sync", "ui"},
}
BANNED_NAMES = {"util", "helper", "common", "misc", "base", "manager", "service", "handler", "processor"}
PLACES = {**{f"regulars {name}": place for name, place in COMMANDS.items()}, **{f"regulars-hub {n}": p for n, p in HUB_COMMANDS.items()}}
PYTHON_LINES_MAX = 400
NOT_TEXT = {".onnx", ".png", ".jpg", ".mp4", ".woff2", ".ico"}
# Put together here so that this file does not hold what it looks for.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|NotImplemented" + r"Error)\b")
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/|py" + r"pi\.(org|python)|files\.python" + r"hosted|index-url\s+https?:"
)


def every_module() -> list[tuple[str, Path]]:
    return sorted(modules().items())


@pytest.mark.parametrize(("name", "path"), every_module())
def test_a_module_imports_only_the_packages_it_may(name: str, path: Path) -> None:
    package = name.partition(".")[0]
    ours = {imported.partition(".")[0] for imported in imports(path)} & set(PACKAGES)
    assert ours <= MAY_IMPORT[package], f"{name} imports {ours - MAY_IMPORT[package]}; see ARCHITECTURE.md, 'Who may import whom'"


@pytest.mark.parametrize(("name", "path"), every_module())
def test_only_models_imports_what_reports_to_its_maker(name: str, path: Path) -> None:
    roots = {imported.partition(".")[0] for imported in imports(path)}
    if not name.startswith("models"):
        assert not roots & {"onnxruntime", "insightface"}, f"{name}: only models/ may, because it switches the reporting off first"


def test_tests_leave_the_switching_off_to_models_as_well() -> None:
    for path in tracked():
        if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in ("tests", "tools"):
            found = imports(path)
            if {imported.partition(".")[0] for imported in found} & {"onnxruntime", "insightface"}:
                assert any(i.split(".")[0] == "models" for i in found), f"{path}: import models before onnxruntime"


def test_no_module_is_called_by_a_name_that_says_nothing() -> None:
    for path in tracked():
        if path.suffix == ".py":
            for part in path.relative_to(CHECKOUT).with_suffix("").parts:
                words = {word.rstrip("s") for word in part.lower().split("_")}
                assert not words & BANNED_NAMES, f"{path.relative_to(CHECKOUT)}: name it after what it owns"


def test_every_module_is_reached_from_an_entry_point() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    entries = {"appliance.main", "hub.main", *re.findall(r"-m (\w[\w.]*)", makefile), *(place.module for place in PLACES.values())}
    entries |= {name for name in modules() if name.endswith(".__main__")}
    unreached = set(modules()) - reached(entries) - set(PACKAGES)
    assert not unreached, f"nothing imports {sorted(unreached)}: wire them in or take them out"


@pytest.mark.parametrize("name", PLACES)
def test_a_command_in_the_table_exists_and_says_there_what_it_says_itself(name: str) -> None:
    place = PLACES[name]
    command = getattr(importlib.import_module(place.module), place.function)
    assert isinstance(command, click.Command)
    assert command.get_short_help_str(200).rstrip(".") == place.help.rstrip(".")


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        if isinstance(group, CommandTable) and name in group.places and not (module_exists(group.places[name].module)):
            continue  # the test above says so
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def module_exists(name: str) -> bool:
    return name in modules()


def test_every_command_and_option_is_documented() -> None:
    documented = (CHECKOUT / "docs" / "commands.md").read_text()
    sections = dict(re.findall(r"^#+ `(regulars[^`]*)`\n(.*?)(?=^#|\Z)", documented, flags=re.MULTILINE | re.DOTALL))
    for path, command in [*commands(cli, ("regulars",)), *commands(hub_cli, ("regulars-hub",))]:
        heading = " ".join(path)
        assert heading in sections, f"docs/commands.md lacks a section '## `{heading}`'"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                longest = max(parameter.opts, key=len)
                assert longest in sections[heading], f"docs/commands.md, {heading}: {longest} is not described"


@pytest.mark.parametrize(("program", "page"), [("appliance.config", "settings.md"), ("hub.config", "hub-settings.md")])
def test_every_setting_is_documented(program: str, page: str) -> None:
    config = importlib.import_module(program).Config
    documented = (CHECKOUT / "docs" / page).read_text()
    below = dict(re.findall(r"^#+ \W*([\w.]+)\W*\n(.*?)(?=^#+ |\Z)", documented, flags=re.MULTILINE | re.DOTALL))
    for section, key in settings(config):
        described = f"`{section}.{key}`" in documented or f"`{key}`" in below.get(section, "")
        assert described, f"docs/{page} lacks `{key}` below '## [{section}]'"


def settings(struct: type[msgspec.Struct], section: str = "") -> Iterator[tuple[str, str]]:
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        kind = hints[field.name]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from settings(kind, f"{section}.{field.name}".lstrip("."))
        else:
            yield section, field.name


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        if path.suffix not in NOT_TEXT and path.name != "LICENSE":
            yield path.relative_to(CHECKOUT), path.read_text(encoding="utf-8")


def test_nothing_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}" for path, text in texts() for hit in OF_ONE_MACHINE.finditer(text)
    ]
    assert not found, found


def test_nothing_lands_unfinished() -> None:
    found = [f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}" for path, text in texts() for hit in UNFINISHED.finditer(text)]
    assert not found, found


def test_no_python_file_is_longer_than_a_reader_can_hold() -> None:
    long = {str(path): text.count("\n") for path, text in texts() if path.suffix == ".py" and text.count("\n") > PYTHON_LINES_MAX}
    assert not long, f"over {PYTHON_LINES_MAX} lines: {long}"


def test_the_import_reader_sees_late_and_named_imports(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("import a.b\nfrom c import d\ndef f():\n    import e\n    import importlib\n    importlib.import_module('g.h')\n")
    assert {"a.b", "c", "c.d", "e", "g.h"} <= imports(sample)
