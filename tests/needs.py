"""What a test needs from outside the checkout. Missing: a newcomer's run skips the test with one line that says what to install,
CI (REGULARS_CI=1) fails it, for there it was to be installed. The shared data alone may be missing in CI too.

    def test_...(): page = needs.browser() ...      # the path of a Chromium
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tests.shared import shared

ANSWER_S_MAX = 30.0
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own: the GStreamer bindings are packaged for it and for no other."""
RTSP_PACKAGES = (
    "gstreamer1.0-rtsp gir1.2-gst-rtsp-server-1.0 python3-gi "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)


def program(name: str, package: str = "") -> str:
    """The path of a program, e.g. program("strace") or program("ip", "iproute2")."""
    return shutil.which(name) or missing(f"the program {name}", package or name)


def browser() -> str:
    """The path of a Chromium for playwright's `executable_path`."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    on_a_mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return str(on_a_mac) if on_a_mac.exists() else missing("a Chromium browser", "chromium")


def rtsp() -> str:
    """The Python that can run GStreamer's RTSP server (`gi`, GstRtspServer)."""
    words = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        answer = subprocess.run([SYSTEM_PYTHON, "-c", words], capture_output=True, timeout=ANSWER_S_MAX, check=False)
        works = answer.returncode == 0
    except OSError:
        works = False
    return SYSTEM_PYTHON if works else missing("a GStreamer RTSP server", RTSP_PACKAGES)


def shared_data(*parts: str) -> Path:
    """A file or folder of the shared data, e.g. shared_data("data", "lfw"). A clone has none, and neither may CI's."""
    folder = shared()
    if folder is None:
        pytest.skip("no shared data: set REGULARS_SHARED, or put the folder 'shared' beside the checkout")
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the shared data has no {'/'.join(parts)}")
    return path


def missing(what: str, packages: str) -> NoReturn:
    words = f"needs {what}; on Debian or Ubuntu: apt-get install {packages}"
    if in_ci():
        pytest.fail(words + " (in CI it must be there)", pytrace=False)
    pytest.skip(words)


def in_ci() -> bool:
    return os.environ.get("REGULARS_CI") == "1"
