"""`regulars-hub` as its own process: it serves, ends at control-C with its PostgreSQL, and refuses what is not safe."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hub.config import Web
from hub.errors import ConfigError
from hub.web.opening import opening
from tests.shared import CHECKOUT

WORDS = "seven quiet lamps"
START_S_MAX = 60.0
END_S_MAX = 10.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def settings(folder: Path, port: int) -> dict[str, str]:
    own = {"REGULARS_HUB_DATA__FOLDER": str(folder / "a hub"), "REGULARS_HUB_WEB__PORT": str(port), "PYTHONPATH": str(CHECKOUT)}
    return {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")} | own


def run(environ: dict[str, str], *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub.main", *words]
    return subprocess.run(command, env=environ, input=said, capture_output=True, text=True, timeout=START_S_MAX, check=False)


@contextmanager
def serving(environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    output = folder / "output.txt"
    with output.open("w") as written:
        started = subprocess.Popen([sys.executable, "-m", "hub.main", "serve"], env=environ, stdout=written, stderr=written, text=True)
    try:
        until_s = time.monotonic() + START_S_MAX
        while "Headquarters runs" not in output.read_text():
            assert started.poll() is None and time.monotonic() < until_s, output.read_text()
            time.sleep(0.05)
        yield started
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()


def test_a_hub_is_begun_used_and_ended(hub_folder: Path) -> None:
    port = free_port()
    environ, page = settings(hub_folder, port), f"http://127.0.0.1:{port}"
    with serving(environ, hub_folder) as hub:
        ready = httpx.get(f"{page}/readyz")
        checks = ready.json()["checks"]
        assert (ready.status_code, checks) == (200, {"postgres": "ok", "migrations": "ok", "index": "ok", "snapshots": "ok", "disk": "ok"})
        assert httpx.get(f"{page}/healthz").text == "ok\n"
        assert "regulars_hub_appliances_online 0.0" in httpx.get(f"{page}/metrics").text
        for foreign in ({"x-forwarded-for": "127.0.0.1"}, {"host": f"evil.example:{port}"}, {"host": "127.0.0.1.evil.example"}):
            assert httpx.get(f"{page}/metrics", headers=foreign).status_code == 403
        code = re.search(r"the code (\w{4}-\w{4}-\w{4})", (hub_folder / "output.txt").read_text())
        assert code
        with httpx.Client(base_url=page, headers={"sec-fetch-site": "same-origin"}) as browser:
            data = {"code": code[1], "name": "alice", "password": WORDS, "again": WORDS}
            assert browser.post("/first-start", data=data).headers["location"] == "/"
            assert "No tenant yet" in browser.get("/").text
            assert run(environ, "tenant", "add", "Phin Coffee").returncode == 0
            assert run(environ, "site", "add", "Phin Coffee", "Tây Hồ").returncode == 0
            paired = run(environ, "pair-code", "Phin Coffee", "Tây Hồ").stdout
            assert re.search(rf"regulars pair \w{{4}}-\w{{4}}-\w{{4}}@{page}", paired)
            shown = re.search(r"This hub's key +(\S+)", paired)
            assert shown and shown[1] in browser.get("/").text
            token = run(environ, "token", "add", "Phin Coffee", "till").stdout.strip()
            bearer = {"authorization": f"Bearer {token}"}
            assert [tenant["name"] for tenant in httpx.get(f"{page}/api/v1/tenants", headers=bearer).json()] == ["Phin Coffee"]
            assert "read" in run(environ, "token", "list", "Phin Coffee").stdout
            assert run(environ, "token", "revoke", "Phin Coffee", "till").returncode == 0
            assert httpx.get(f"{page}/api/v1/tenants", headers=bearer).status_code == 401
            reset = run(environ, "user", "reset", "Alice", said="another quiet lamp\n")
            assert "Signed out: 1" in reset.stdout
            assert browser.get("/").headers["location"] == "/sign-in?to=/"
        began_s = time.monotonic()
        hub.send_signal(signal.SIGINT)
        assert hub.wait(END_S_MAX) == 0, (hub_folder / "output.txt").read_text()
        assert time.monotonic() - began_s < END_S_MAX
    said = (hub_folder / "output.txt").read_text()
    assert "Headquarters has ended." in said
    for secret in (WORDS, "another quiet lamp", token, "Phin", "Tây"):
        assert secret not in said, "the log names nobody and no secret"
    left = subprocess.run(["pgrep", "-fa", str(hub_folder)], capture_output=True, text=True, check=False).stdout
    assert left == "", "nothing of it is left behind"


def test_users_are_added_and_refused_from_the_terminal(hub_folder: Path) -> None:
    environ = settings(hub_folder, free_port())
    for words, said, wanted in (
        (("add", "root", "--system"), f"{WORDS}\n", "root may sign in."),
        (("add", "ROOT", "--system"), f"{WORDS}\n", "a user of that name already"),
        (("add", "mai", "--system"), "short\n", "at least 12 characters"),
        (("add", "mai", "--tenant", "Nobody"), f"{WORDS}\n", "no tenant called 'Nobody'"),
        (("add", "mai"), f"{WORDS}\n", "either --tenant TENANT or --system"),
        (("reset", "nobody"), f"{WORDS}\n", "no user 'nobody'"),
        (("list",), "", "system admin"),
    ):
        done = run(environ, "user", *words, said=said)
        assert wanted in done.stdout + done.stderr, done
        assert "Traceback" not in done.stderr and WORDS not in done.stdout + done.stderr


def test_a_host_that_others_reach_is_refused_with_one_sentence_before_anything_starts(hub_folder: Path) -> None:
    environ = settings(hub_folder, free_port()) | {"REGULARS_HUB_WEB__HOST": "0.0.0.0"}
    done = run(environ, "serve")
    assert done.returncode == 1 and "so the hub needs TLS" in done.stderr and "Traceback" not in done.stderr


CERTIFICATE = Path("/etc/hub/cert.pem")
KEY = Path("/etc/hub/key.pem")
URL = "https://hub.example.com"


@pytest.mark.parametrize(
    ("web", "somebody", "said"),
    [
        (Web(host="0.0.0.0"), True, "needs TLS"),
        (Web(host="192.168.1.5", public_url=URL), True, "needs TLS"),
        (Web(host="::", certificate_file=CERTIFICATE, key_file=KEY), True, "set web.public_url"),
        (Web(host="0.0.0.0", certificate_file=CERTIFICATE, key_file=KEY, public_url=URL), False, "nobody can sign in yet"),
        (Web(host="0.0.0.0", proxies="10.0.0.4", public_url="http://hub.example.com"), True, "in the clear"),
        (Web(certificate_file=CERTIFICATE), True, "belong together"),
        (Web(proxies="10.0.0.4, somewhere"), True, "no address"),
    ],
)
def test_what_would_not_be_safe_does_not_open(web: Web, somebody: bool, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        opening(web, somebody)


@pytest.mark.parametrize(
    ("web", "address", "secure"),
    [
        (Web(), "http://127.0.0.1:8478", False),
        (Web(host="::1"), "http://[::1]:8478", False),
        (Web(public_url=URL, proxies="127.0.0.1"), URL, True),
        (Web(host="0.0.0.0", public_url=URL, proxies="10.0.0.0/24"), URL, True),
        (Web(host="0.0.0.0", public_url=URL, certificate_file=CERTIFICATE, key_file=KEY), URL, True),
        (Web(certificate_file=CERTIFICATE, key_file=KEY), "https://127.0.0.1:8478", True),
    ],
)
def test_what_is_safe_opens_at_its_address(web: Web, address: str, secure: bool) -> None:
    opened = opening(web, True)
    assert (opened.address, opened.place.secure) == (address, secure)
