"""The stores' addresses over real HTTP: a real server on a real socket, and everything that may be sent to it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import Litestar

from hub import moments, pairing
from hub.snapshot_store import in_folder
from hub.web.sync_routes import sync_routes
from sync import envelope, keys
from sync import pairing as line_pairing
from sync.messages import MESSAGE_BYTES_MAX, PairRequest
from sync.refusals import is_refusal, read_refusal
from tests.hub.chain import Chain
from tests.hub.lines import Line, World, make_world
from tests.hub.telling import NOW_MS, new_id, person, template, visit


@dataclass(frozen=True)
class Served:
    world: World
    url: str


@contextlib.contextmanager
def serving(app: Litestar) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def served(chain: Chain, tmp_path: Path) -> Iterator[Served]:
    world = make_world(chain)
    app = Litestar(route_handlers=sync_routes(world.deps, in_folder(tmp_path / "snapshots")), openapi_config=None, logging_config=None)
    with serving(app) as url, httpx.Client(base_url=url, timeout=20) as client:
        for line in (world.a, world.b, world.danas):
            line.carry = lambda message: post(client, "exchange", message)
        yield Served(world, url)


def post(client: httpx.Client, name: str, body: bytes) -> bytes:
    answer = client.post(f"/sync/v1/{name}", content=body, headers={"content-type": envelope.CONTENT_TYPE})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == envelope.CONTENT_TYPE
    return answer.content


def test_a_batch_goes_up_and_its_answer_comes_down(served: Served) -> None:
    bob = new_id()
    assert served.world.a.tells(person(bob), template(bob), visit(bob)).acknowledged == 3
    with served.world.deps.database.tenant(served.world.a.tenant_id) as tx:
        assert tx.execute("SELECT person_id FROM visits").fetchall() == [(bob,)]


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00" * 1000, b"\xff" * 7_000])
@pytest.mark.parametrize("name", ["exchange", "snapshot", "pair"])
def test_rubbish_gets_an_answer_and_changes_nothing(served: Served, name: str, body: bytes) -> None:
    with httpx.Client(base_url=served.url) as client:
        answer = post(client, name, body)
    if name != "pair":
        assert is_refusal(answer)
        assert read_refusal(answer, answers=envelope.digest(body), senders=[served.world.a.hub.sign]).code == "malformed"
    else:
        assert answer == line_pairing.not_paired_message(line_pairing.NotPaired.MALFORMED)


@pytest.mark.parametrize("name", ["exchange", "snapshot", "pair"])
def test_a_body_too_large_is_refused_before_it_is_read(served: Served, name: str) -> None:
    with httpx.Client(base_url=served.url) as client:
        answer = client.post(f"/sync/v1/{name}", content=b"\x00" * (MESSAGE_BYTES_MAX + 1))
        assert answer.status_code == 413
        assert client.get(f"/sync/v1/{name}").status_code == 405


def test_nobody_sees_a_picture_without_being_signed_in(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        assert client.get("/snapshots/a.b.1.c").status_code >= 400


def test_stores_tell_at_once_and_each_batch_is_whole(served: Served) -> None:
    failed: list[Any] = []

    def tell(line: Line) -> None:
        try:
            for _ in range(10):
                bob = new_id()
                line.tells(person(bob), template(bob), *(visit(bob) for _ in range(10)))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=tell, args=[line]) for line in (served.world.a, served.world.b, served.world.danas)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    for line, stores in ((served.world.a, 2), (served.world.danas, 1)):
        with served.world.deps.database.tenant(line.tenant_id) as tx:
            assert tx.execute("SELECT count(*) FROM visits").fetchone() == (100 * stores,)


def test_a_store_pairs_over_http_and_tells_its_first_visit(served: Served) -> None:
    world = served.world
    database = world.deps.database
    made = pairing.make_code(database, world.a.tenant_id, world.chain.site_b.id, "admin", moments.now())
    key = line_pairing.proof_key(line_pairing.parse_code(made.shown))
    own = keys.make()
    request = line_pairing.request_message(
        PairRequest(code_id=made.shown[:4], keys=own.public, name="Mac", time_zone="UTC", version="1", sent_ms=NOW_MS, nonce=bytes(16)), key
    )
    with httpx.Client(base_url=served.url) as client:
        answer = line_pairing.read_answer(post(client, "pair", request), envelope.digest(request), key)
        line = Line(
            answer.tenant_id, answer.appliance_id, own, answer.keys, lambda message: post(client, "exchange", message), line=new_id()
        )
        assert line.tells(visit()).acknowledged == 1
    assert (answer.tenant_id, answer.site_id) == (world.a.tenant_id, world.chain.site_b.id)
