"""The addresses that stores speak to, and the one that pictures are seen at. What is in a message is answered in a message: the status is
200 unless nothing of it could be read. Nothing of the content is logged.

    POST /sync/v1/exchange    records up, facts down        hub.ingest
    POST /sync/v1/snapshot    a picture up                  hub.snapshots
    POST /sync/v1/pair        a store with a one-time code  hub.pairing
    GET  /snapshots/{link}    a picture, for who is signed in and has the page it stands on
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from hub import moments, pairing, snapshots
from hub.errors import NotFound
from hub.ingest import Deps, exchange
from hub.snapshot_store import SnapshotStore
from sync import envelope
from sync import pairing as line_pairing
from sync.messages import MESSAGE_BYTES_MAX
from sync.refusals import is_refusal

MACHINE, SIGNED_IN = {"access": "machine"}, {"access": "signed_in"}
PREFIX_IPV6 = 64
"""Of an IPv6 address only the network counts: whoever has one has all of it."""
NEVER_KEPT = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}

log = logging.getLogger(__name__)
Asked = Request[Any, Any, State]


def sync_routes(deps: Deps, store: SnapshotStore) -> list[ControllerRouterHandler]:
    """For the app's routes. Each proves its sender by itself."""

    @post("/sync/v1/exchange", opt=MACHINE, request_max_body_size=MESSAGE_BYTES_MAX, status_code=200, sync_to_thread=True)
    def exchange_route(request: Asked, body: RawBody) -> Response[bytes]:
        return _timed("exchange", body, lambda: exchange(deps, body, moments.now(), came_from=address(request)))

    @post("/sync/v1/snapshot", opt=MACHINE, request_max_body_size=MESSAGE_BYTES_MAX, status_code=200, sync_to_thread=True)
    def snapshot_route(request: Asked, body: RawBody) -> Response[bytes]:
        return _timed("snapshot", body, lambda: snapshots.take(deps, store, body, moments.now(), came_from=address(request)))

    @post("/sync/v1/pair", opt=MACHINE, request_max_body_size=line_pairing.MESSAGE_BYTES_MAX, status_code=200, sync_to_thread=True)
    def pair_route(request: Asked, body: RawBody) -> Response[bytes]:
        def answer() -> bytes:
            return pairing.pair(deps.database, deps.keys, deps.rates, body, address(request), moments.now())

        return _timed("pair", body, answer, line_pairing.is_not_paired)

    @get("/snapshots/{link:str}", opt=SIGNED_IN, sync_to_thread=True, include_in_schema=False)
    def picture_route(request: Asked, link: FromPath[str]) -> Response[bytes]:
        asker = request.scope["state"].get("asker")
        if asker is None:
            raise NotFound("There is no such picture.")
        jpeg = snapshots.follow(deps.database, store, link, asker.may_see, moments.now())
        return Response(jpeg, media_type="image/jpeg", headers=NEVER_KEPT)

    return [exchange_route, snapshot_route, pair_route, picture_route]


def address(request: Asked) -> str:
    """Where a request came from, for counting. Behind a proxy all come from one place: uvicorn is told whom to believe."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((found, PREFIX_IPV6), strict=False)) if found.version == 6 else host


def _timed(what: str, body: bytes, answer: Callable[[], bytes], refuses: Callable[[bytes], bool] = is_refusal) -> Response[bytes]:
    began_s = time.perf_counter()
    answered = answer()
    took_ms = (time.perf_counter() - began_s) * 1000
    log.info("event=%s bytes_in=%d bytes_out=%d refused=%s took_ms=%.0f", what, len(body), len(answered), refuses(answered), took_ms)
    return Response(answered, media_type=envelope.CONTENT_TYPE)
