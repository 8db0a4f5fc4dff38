"""Asks the package registry whether every pin of our locks has a binary wheel for each platform and Python that we support.

A Mac in a shop has no compiler. The question is put to the registry through uv's ordinary client; nothing is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-hub.lock")
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("aarch64-apple-darwin", "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
MACOS = "14.0"
"""Older targets silently take old faiss and onnxruntime, or find none."""
ANSWER_S_MAX = 120.0


def missing_wheels(lock: Path, platform: str, python: str, macos: str = MACOS) -> str:
    """Empty if every pin has a wheel, else uv's own words."""
    with tempfile.TemporaryDirectory() as nowhere:
        command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--require-hashes", "--python-platform", platform, "--python-version", python]
        command += ["--target", nowhere, "--requirement", str(lock)]
        try:
            answer = subprocess.run(
                command,
                env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": macos},
                capture_output=True,
                text=True,
                timeout=ANSWER_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"the package registry did not answer within {ANSWER_S_MAX:.0f} s"
    return "" if answer.returncode == 0 else answer.stderr.strip()


def main() -> int:
    failures = 0
    for lock in LOCKS:
        for platform in PLATFORMS:
            for python in PYTHONS:
                words = missing_wheels(ROOT / lock, platform, python)
                if words:
                    failures += 1
                    print(f"{lock}, {platform}, Python {python}:\n{words}", file=sys.stderr)
    if not failures:
        print(f"every pin has a wheel: {', '.join(PLATFORMS)} (macOS {MACOS}), Python {', '.join(PYTHONS)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
