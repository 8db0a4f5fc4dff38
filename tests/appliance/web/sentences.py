"""Reads out of a module's source what it says to people: every string of three words or more that is no docstring, no SQL, no log line, no
word that goes through gettext, and no error for programmers. What is put into an f-string is a 7, or what the module itself puts there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

WORDY = re.compile(r"[A-Za-z'’]+,? [A-Za-z'’]+,? [A-Za-z'’]+")
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|VACUUM|CREATE|ALTER|DROP)\b")
NOT_FOR_PEOPLE = frozenset({"ValueError", "RuntimeError", "LookupError", "TimeoutError", "AssertionError", "OSError", "ReadTimeout"})
NOT_SHOWN = frozenset({"_", "gettext", "ngettext", "debug", "info", "warning", "error", "execute", "compile"})
VARIANTS_MAX = 16


def sentences(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    named = _named(tree)
    quoted = {name for node in ast.walk(tree) if isinstance(node, ast.FormattedValue) for name in _names(node.value)}
    fragments = {id(value) for name in quoted & named.keys() for value in named[name]}
    for node in _shown(tree):
        if id(node) not in fragments:
            yield from (text for text in _texts(node, named) if WORDY.search(text) and not SQL.match(text))


def _names(value: ast.expr) -> set[str]:
    if isinstance(value, ast.Call):
        return {_called(value)}
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} if isinstance(value, ast.Name | ast.IfExp) else set()


def _named(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What is a text, by the name that it is given or of the function that returns it."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).extend(_either(node.value))
        if isinstance(node, ast.FunctionDef):
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
            found.setdefault(node.name, []).extend(text for value in returned for text in _either(value))
    return {name: texts for name, texts in found.items() if texts}


def _either(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.IfExp):
        return _either(value.body) + _either(value.orelse)
    return [value] if isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str)) else []


def _shown(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Call) and _called(child) in NOT_SHOWN | NOT_FOR_PEOPLE:
            continue
        if isinstance(child, ast.JoinedStr) or (isinstance(child, ast.Constant) and isinstance(child.value, str)):
            yield child
        else:
            yield from _shown(child)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> list[str]:
    """One for each way that it may be put together."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in product(*(_texts(part, named) for part in node.values))][:VARIANTS_MAX]
    if isinstance(node, ast.FormattedValue):
        mark = "'" if node.conversion == ord("r") else ""
        return [f"{mark}{text}{mark}" for text in _texts(node.value, named)]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, named) + _texts(node.orelse, named)
    name = node.id if isinstance(node, ast.Name) else _called(node) if isinstance(node, ast.Call) else ""
    others = {other: texts for other, texts in named.items() if other != name}
    return [text for value in named.get(name, []) for text in _texts(value, others)] or ["7"]
