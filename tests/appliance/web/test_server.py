"""The real server on a real port: it streams, it stops quickly whoever is connected, it says clearly when it cannot start."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.live import PAGES_MAX, VisitChanged
from appliance.web.app import create_app
from tests.appliance.web.shop import NOW, Shop, busy_shop
from ui.server import CannotServe, Server, listen, serve


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    running = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    yield running
    running.stop()


def events(answer: httpx.Response) -> Iterator[tuple[str, str, str]]:
    """(event, id, data) as they come."""
    found: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _colon, value = line.partition(":")
            found[name] = value.strip()
        else:
            yield found.get("event", ""), found.get("id", ""), found.get("data", "")
            found = {}


def wait_for_pages(shop: Shop, count: int) -> None:
    until = time.monotonic() + 5
    while shop.live.pages() != count:
        assert time.monotonic() < until, f"{shop.live.pages()} pages are open, not {count}"
        time.sleep(0.01)


def test_a_visit_reaches_an_open_page_as_the_line_to_show(server: Server, shop: Shop) -> None:
    with httpx.stream("GET", f"{server.address}/live/news", timeout=5) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        coming = events(answer)
        assert next(coming)[0] == "hello"
        wait_for_pages(shop, 1)
        shop.visit("v-now", "returning", NOW, "bob", 6, nearest="bob", similarity=0.6)
        shop.live.publish(VisitChanged("v-now"))
        event, mark, data = next(coming)
        assert (event, mark) == ("visit", shop.live.mark())
        assert json.loads(data)["id"] == "v-now"
        assert "6th visit" in json.loads(data)["html"]
        shop.live.publish(VisitChanged("v-taken-back"))
        assert json.loads(next(coming)[2]) == {"id": "v-taken-back", "html": ""}


def test_a_browser_that_comes_back_by_itself_learns_that_it_missed_something(server: Server, shop: Shop) -> None:
    mark = shop.live.mark()
    shop.live.publish(VisitChanged("v-bob"))
    for address, headers in ((f"/live/news?after={mark}", {}), (f"/live/news?after={shop.live.mark()}", {"last-event-id": mark})):
        with httpx.stream("GET", server.address + address, headers=headers, timeout=5) as answer:
            coming = events(answer)
            assert [next(coming)[0], next(coming)[0]] == ["hello", "reload"]


def test_a_page_that_is_closed_is_forgotten(server: Server, shop: Shop) -> None:
    with httpx.stream("GET", f"{server.address}/live/news", timeout=5) as answer:
        reader = events(answer)  # kept: httpx closes a stream whose reader is dropped
        next(reader)
        wait_for_pages(shop, 1)
    wait_for_pages(shop, 0)


def test_one_page_too_many_is_told_so(server: Server, shop: Shop) -> None:
    with httpx.Client(timeout=5, limits=httpx.Limits(max_connections=None)) as client:
        streams = [client.stream("GET", f"{server.address}/live/news") for _each in range(PAGES_MAX)]
        # Kept: httpx closes a stream whose reader is dropped.
        readers = [events(stream.__enter__()) for stream in streams]
        for reader in readers:
            next(reader)
        wait_for_pages(shop, PAGES_MAX)
        answer = client.get(f"{server.address}/live/news")
        assert answer.status_code == 503
        assert "Too many pages are open" in answer.text
        for stream in streams:
            stream.__exit__(None, None, None)


def test_stopping_takes_less_than_a_second_with_streams_open(shop: Shop) -> None:
    server = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    ended = threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{server.address}/live/news", timeout=20) as answer:
            for _each in events(answer):
                pass
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    wait_for_pages(shop, 1)
    httpx.get(server.address)
    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    assert took < 1.0
    assert ended.wait(5), "the stream ended properly, it was not cut"
    reader.join(5)
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.address)


def test_a_taken_port_is_said_in_one_sentence(server: Server, shop: Shop) -> None:
    with pytest.raises(CannotServe, match=rf"Port {server.port} of 127.0.0.1 is taken"):
        serve(create_app(shop.deps), "127.0.0.1", server.port, shop.live.close)


def test_an_address_of_another_machine_is_said_in_one_sentence(shop: Shop) -> None:
    with pytest.raises(CannotServe, match=r"203.0.113.9 is no address of this machine"):
        serve(create_app(shop.deps), "203.0.113.9", 0, shop.live.close)


def test_rubbish_on_the_port_harms_nobody(server: Server) -> None:
    for rubbish in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /notices/1/dismiss HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
            line.sendall(rubbish)
            line.shutdown(socket.SHUT_WR)
            assert b"Bob" not in line.recv(65536)
    assert httpx.get(server.address).status_code == 200


def test_an_answer_is_not_held_back_until_the_browser_acknowledged_its_head() -> None:
    listening = listen("127.0.0.1", 0, "")
    try:
        # asyncio switches Nagle's algorithm off for sockets that name their protocol, and for no others.
        assert listening.proto == socket.IPPROTO_TCP
    finally:
        listening.close()
