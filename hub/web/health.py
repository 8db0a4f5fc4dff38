"""For monitors and load balancers: /healthz (the process answers), /readyz (it can do its work), /metrics (figures)."""

from __future__ import annotations

from litestar import Response, get
from litestar.enums import MediaType

from hub.metrics import CONTENT_TYPE
from hub.web.access import Access
from hub.web.pages import GivenPages


@get("/healthz", opt={"access": Access.ANYONE}, sync_to_thread=False, include_in_schema=False)
def healthz() -> Response[str]:
    return Response("ok\n", media_type=MediaType.TEXT)


@get("/readyz", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def readyz(pages: GivenPages) -> Response[dict[str, object]]:
    """503 while anything is missing; says what."""
    found = pages.deps.readiness.look()
    missing = sorted(name for name, state in found.items() if state != "ok")
    return Response({"ready": not missing, "missing": missing, "checks": found}, status_code=503 if missing else 200)


@get("/metrics", opt={"access": Access.SCRAPE}, sync_to_thread=True, include_in_schema=False)
def metrics(pages: GivenPages) -> Response[bytes]:
    return Response(pages.deps.metrics.text(), media_type=CONTENT_TYPE)


ROUTES = (healthz, readyz, metrics)
