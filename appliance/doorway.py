"""How the store's page is opened at the start: what the first owner must know, and on which port it is served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from litestar import Litestar

from appliance import users
from appliance.config import Web
from appliance.database import Store
from appliance.web.access import Asker
from appliance.web.door import Door
from ui.server import CannotServe, Server, serve
from ui.sign_in import new_code

log = logging.getLogger(__name__)


def made_door(store: Store, everybody: Asker | None = None) -> Door:
    """`everybody`: see Door."""
    if everybody is not None or not users.no_owner_yet(store):
        return Door(everybody=everybody)
    first_code = new_code()
    # For an appliance without a terminal: whoever reads this log may read the data folder too.
    log.info("event=no_owner_yet code=%s page=/first-start", first_code)
    return Door(first_code)


def open_page(app: Litestar, web: Web, ports: Sequence[int], end_streams: Callable[[], None]) -> Server:
    """`ports`: the first that is free. Raises CannotServe."""
    for port in ports[:-1]:
        try:
            return serve(app, web.host, port, end_streams)
        except CannotServe:
            log.info("event=port_taken port=%d", port)
    return serve(app, web.host, ports[-1], end_streams)
