"""The JSON API, /api/v1: what programs of a tenant (tills, customer lists, reports) may ask and change, and its own description.

A program brings a token, a page its session. Ids in addresses are ids and never names. Times are UTC milliseconds, as everywhere in JSON.
"""

from __future__ import annotations

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router

from hub.web.access import Access
from hub.web.api import chain, decisions, forgetting, identities, page, requests

PAGE = page.ADDRESS
ROUTES = (*chain.ROUTES, *identities.ROUTES, *decisions.ROUTES, *forgetting.ROUTES, *requests.ROUTES, page.docs)
OPENAPI = OpenAPIConfig(
    title="Regulars headquarters",
    version="1",
    description="Everything is of one tenant, named in the address. Times are UTC milliseconds.",
    components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer", description="regulars-hub token add")}),
    security=[{"token": []}],
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    openapi_router=Router("/api/v1", route_handlers=[], opt={"access": Access.SIGNED_IN}, include_in_schema=False),
    use_handler_docstrings=True,
)
