"""The page's routes out of the app's own table, and the shop with all that the running appliance has: a new route cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from litestar import Litestar
from litestar.enums import RequestEncodingType
from litestar.routes import HTTPRoute

from appliance import config, persons
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.config import Config, Data
from appliance.long_work import LongWork
from appliance.starting_anew import Outside, StartingAnew
from appliance.upkeep import Upkeep
from tests.appliance.visitors import ALICE, BOB, EMIL, MODEL, face, like
from tests.appliance.web.photos import photo, with_studio
from tests.appliance.web.shop import NOW, ZONE, Shop, ms
from tests.appliance.web.signing import add_users

IDS = {
    "visit_id": "v-bob", "person_id": "bob", "other_id": "p1204", "camera_id": "front", "notice_id": "1", "case_id": "1", "said": "seen",
    "answer": "ignored", "user_id": "user-2", "kind": "webhook", "request_id": "1", "pack_name": "starter",
}  # fmt: skip
"""What is there in the completed shop, for each parameter of an address."""
STAFF = re.compile(r"^/staff/\{person_id\}")
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

    @property
    def shown(self) -> bool:
        """Answers with a page, or with a part of one."""
        return self.method == "GET" and "Response[str]" in self.answers and not re.search(r"csv|/table/", self.path)

    def there(self, ids: dict[str, str]) -> str:
        """The address of something that is there."""
        return self.address(ids | {"person_id": "alice"} if STAFF.match(self.path) else ids)

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
def equipped(shop: Shop, log: list[str] = LOG) -> Iterator[Telling]:
    """With users, and as long as it lasts with alerts, upkeep and a studio that knows drawn photos."""
    add_users(shop)
    site = Site(shop.deps.site_name, ZONE)
    telling = Telling(shop.store, lambda: shop.cameras, shop.live, site, lambda _person_id: "Bob", lambda: shop.clock_ms)
    work = LongWork(lambda: shop.clock_ms)
    outside = Outside(frozenset(), StartingAnew(), lambda: log)
    settings = Config(site=config.Site(name=shop.deps.site_name, time_zone=ZONE.key), data=Data(folder=shop.folder))
    upkeep = Upkeep(shop.store, settings, lambda: shop.clock_ms, work, outside, "starter_embedder")
    with_studio(shop)
    shop.deps = replace(shop.deps, alerts=AlertDesk(telling), upkeep=upkeep)
    try:
        yield telling
    finally:
        work.stop()


@contextmanager
def completed(shop: Shop) -> Iterator[Telling]:
    """The busy shop with all that a page can be about, and cameras that show Emil whenever somebody looks."""
    with shop.store.transaction():
        for person, role, who in (("alice", "staff", ALICE), ("bob", "customer", BOB)):
            for view in (face(who), like(who, 0.8)):
                persons.learn(shop.store, person, role, MODEL, view, 0.7, "visit", None, ms(NOW))
    shop.deps.desk.recognition.load()
    shop.case("v-unsure", "p92", 0.41)
    shop.notice("Bob was seen.")

    def look(camera: str, _seconds: float) -> None:
        shop.live.show(camera, shop.clock_ms, photo(EMIL), ())

    shop.deps = replace(shop.deps, look=look)
    with equipped(shop) as telling:
        yield telling
