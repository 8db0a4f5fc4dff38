"""How a process of a camera is started: a fresh interpreter, one end of a socket pair, and an environment that keeps libraries quiet."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

QUIET_AND_SMALL = {
    # RTSP over UDP loses packets on a busy shop network, and pictures tear.
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp",
    # Both would write addresses, and with them passwords, to stderr.
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "SILENT",
    # macOS: OpenCV asks for the right to use a USB camera from the main thread alone, and ours reads in another. The system asks instead.
    "OPENCV_AVFOUNDATION_SKIP_AUTH": "1",
    # One process a camera: more threads in each only wait for one another.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def launched(module: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Connection]:
    """Start `python -m module FD arguments` and return it with our end of the pipe. No other child inherits that end.

    Arguments show in the list of processes: nothing secret among them. Raises OSError.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno()), *arguments],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=os.environ | QUIET_AND_SMALL,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, Connection(ours.detach())
