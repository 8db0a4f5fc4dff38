"""A real RTSP server for tests: Debian's GStreamer, run under the system's Python, which its bindings are packaged for."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = "gstreamer1.0-rtsp gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"  # noqa: E501
READY_S_MAX = 15.0
BALL = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
"""A bright ball that moves over black, with a key frame a second."""


def file_launch(path: Path) -> str:
    """Each client gets the H.264 file from its beginning, at its own pace."""
    return f'( filesrc location="{path}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )'


def server_python() -> str:
    """The Python that can run server.py. Missing: the test is skipped with a line that says what to install; in CI it fails."""
    words = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    there = Path(SYSTEM_PYTHON).exists() and subprocess.run([SYSTEM_PYTHON, "-c", words], capture_output=True, timeout=30).returncode == 0
    if not there:
        why = f"needs a GStreamer RTSP server; on Debian or Ubuntu: apt-get install {PACKAGES}"
        if os.environ.get("REGULARS_CI") == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    return SYSTEM_PYTHON


@dataclass(frozen=True)
class Taken:
    memory_mb: float
    threads: int
    files: int


def taken_by(process_id: int | str = "self") -> Taken:
    """What a process takes of the machine (Linux, as the server is)."""
    folder = Path("/proc") / str(process_id)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return Taken(int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), len(list((folder / "fd").iterdir())))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """One RTSP server on one port, which can be killed and brought back. The stream is at /shop."""

    def __init__(self, launch: str = BALL, user: str = "", password: str = "", method: str = "digest") -> None:
        self.port = free_port()
        self._command = [server_python(), str(Path(__file__).with_name("server.py")), str(self.port), launch, user, password, method]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + READY_S_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > until_s or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(5)

    def address(self, credentials: str = "", path: str = "/shop") -> str:
        return f"rtsp://{credentials + '@' if credentials else ''}127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
