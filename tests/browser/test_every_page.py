"""Every page that there is, out of the app's own table: from the narrowest telephone to the widest screen, for eyes and for programs that
read aloud, by light and in the dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from playwright.sync_api import Page

from tests.appliance.web.routes import IDS, completed, spots
from tests.appliance.web.shop import Shop
from tests.appliance.web.signing import with_door
from tests.browser.browsing import complaints_of_axe, fits, sign_in
from ui.server import Server

WIDTHS = (320, 390, 720, 1080, 1440, 2560)
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def app(shop: Shop) -> Iterator[Litestar]:
    with completed(shop):
        yield with_door(shop)


def addresses(page: Page, server: Server, app: Litestar) -> list[str]:
    """Of whole pages, with a request and somebody who is being enrolled."""
    page.request.post(server.address + "/privacy/people/bob", form={"kind": "access"}, headers=SAME)
    begun = page.request.post(server.address + "/staff/add", multipart={"name": "Emil"}, headers=SAME)
    ids = IDS | {"draft_id": begun.url.rpartition("/")[2]}
    parts = ("/parts", "/banner", "/progress", "/settings/work", "/form", "/holds")
    found = [spot.there(ids) for spot in spots(app) if spot.shown and not spot.path.endswith(parts)]
    return [address for address in found if page.request.get(server.address + address).status == 200]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_fits_every_screen_and_is_told_to_who_cannot_see_it(page: Page, server: Server, app: Litestar, colours: str) -> None:
    sign_in(page, server.address, "alice")
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    wrong: list[str] = []
    found = addresses(page, server, app)
    assert len(found) > 40, found
    for address in found:
        page.goto(server.address + address)
        for width in WIDTHS if colours == "light" else ():
            page.set_viewport_size({"width": width, "height": 900})
            if not fits(page):
                wrong.append(f"{address} is wider than {width} px")
        # In the dark only colours are other.
        asked = complaints_of_axe(page) if colours == "light" else complaints_of_axe(page, ["color-contrast"])
        wrong += [f"{address}: {complaint}" for complaint in asked]
    assert not wrong, "\n".join(wrong)
