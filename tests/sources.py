"""The checkout as the tidiness tests see it: which files are tracked, and what each of our modules imports (late imports too)."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

from tests.shared import CHECKOUT

PACKAGES = ("appliance", "hub", "sync", "models", "ui")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks, or would if it were added; an unpacked archive without git has none."""
    command = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.split("\0")
    return tuple(CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file())


@cache
def modules() -> dict[str, Path]:
    """Our modules by dotted name."""
    found = {}
    for path in tracked():
        parts = path.relative_to(CHECKOUT).with_suffix("").parts
        if path.suffix == ".py" and parts[0] in PACKAGES:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names that a file imports anywhere in it: statements, late ones, and import_module("a constant")."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name lives"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                names.add(first.value)
    return frozenset(names)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@cache
def mentions(path: Path) -> frozenset[str]:
    """Modules of ours that a file names in a text: "appliance.camera.process" to start as a process, "a.b:function" to call there."""
    texts = (
        node.value for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return frozenset(name for text in texts if (name := text.partition(":")[0]) in modules() and "." in name)


def reached(entries: set[str]) -> set[str]:
    """Modules of ours that are imported, however indirectly, or started from the entries; a package's __init__ comes with its modules."""
    known = modules()
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found.add(name)
        waiting.extend(imports(known[name]) | mentions(known[name]))
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return found
