"""The page's routes out of the app's own table, and the shop with all that the running appliance has: a new route cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from litestar import Litestar
from litestar.enums import RequestEncodingType
from litestar.routes import HTTPRoute

from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.config import Config, Data
from appliance.long_work import LongWork
from appliance.starting_anew import Outside, StartingAnew
from appliance.upkeep import Upkeep
from tests.appliance.web.photos import with_studio
from tests.appliance.web.shop import ZONE, Shop

LOG = ["2026-11-22T07:00:00.000Z level=info from=a event=started"]


@dataclass(frozen=True)
class Spot:
    """`answers`: with what. `filled`: takes what somebody filled in; `photos`: and files."""

    method: str
    path: str
    access: str
    answers: str
    filled: bool
    photos: bool

    @property
    def stream(self) -> bool:
        """Never ends by itself."""
        return "ServerSentEvent" in self.answers

    def address(self, given: dict[str, str]) -> str:
        """With what is there in place of each parameter; 1 where nothing is known."""
        return re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], "1"), self.path)


def spots(app: Litestar) -> list[Spot]:
    found = []
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only plain HTTP is known here"
        for handler in route.route_handlers:
            access, path = str(handler.opt.get("access", "")), re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            data = handler.parsed_data_field
            photos = data is not None and getattr(data.kwarg_definition, "media_type", None) == RequestEncodingType.MULTI_PART
            answers = str(handler.parsed_return_field.raw)
            methods = handler.http_methods - {"OPTIONS"}
            found += [Spot(method, path, access, answers, data is not None, photos) for method in methods]
    assert len(found) > 40 and any(spot.stream for spot in found)
    return found


@contextmanager
def completed(shop: Shop) -> Iterator[Telling]:
    """With alerts, upkeep and a studio that knows drawn photos, as long as it lasts."""
    site = Site(shop.deps.site_name, ZONE)
    telling = Telling(shop.store, lambda: shop.cameras, shop.live, site, lambda _person_id: "Bob", lambda: shop.clock_ms)
    work = LongWork(lambda: shop.clock_ms)
    outside = Outside(frozenset(), StartingAnew(), lambda: LOG)
    upkeep = Upkeep(shop.store, Config(data=Data(folder=shop.folder)), lambda: shop.clock_ms, work, outside, "starter_embedder")
    with_studio(shop)
    shop.deps = replace(shop.deps, alerts=AlertDesk(telling), upkeep=upkeep)
    try:
        yield telling
    finally:
        work.stop()
