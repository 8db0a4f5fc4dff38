"""Opening the page to the shop's network, and closing it again: the setting `web.host`, chosen by the owner. It is asked first, because it
needs a new start, and because whoever closes it from another device shuts themselves out.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, post

from appliance import doorway
from appliance.errors import RegularsError
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Pages
from appliance.web.settings import upkeep_of
from appliance.web.sign_in import Form
from ui.server import CannotServe
from ui.words import gettext as _

HOST = "web.host"
EVERYWHERE, HERE = "0.0.0.0", "127.0.0.1"


def chosen_here(pages: Pages) -> bool:
    """Whether the page may decide it: neither the settings file nor the environment says it, and the program can start anew."""
    upkeep = pages.deps.upkeep
    return upkeep is not None and upkeep.outside.anew is not None and HOST not in upkeep.outside.said


def asked(pages: Pages, problem: str = "", status: int = 200) -> Response[str]:
    web = pages.deps.config.web
    values = {"opened": pages.deps.door.certificate is not None, "port": web.port, "problem": problem}
    return pages.page("network.html", "users", values, status)


@get("/users/network", opt={"access": Access.OWNER, "page": False}, sync_to_thread=True)
def network_page(pages: GivenPages) -> Response[str]:
    return asked(pages)


@post("/users/network", opt={"access": Access.OWNER}, sync_to_thread=True)
def change_network(pages: GivenPages, data: Form) -> Response[str]:
    """`open`: yes or no. Says where the page is afterwards: it cannot lead there itself, the browser does not trust the certificate yet."""
    deps, upkeep, opens = pages.deps, upkeep_of(pages), data.get("open") == "yes"
    if not chosen_here(pages):
        return asked(pages, _("The settings file or the environment says it (web.host): change it there."), 409)
    web = msgspec.structs.replace(deps.config.web, host=EVERYWHERE if opens else HERE)
    try:
        door = doorway.could_open(upkeep.store, web, deps.now()) if opens else None
        upkeep.save({HOST: web.host})
        upkeep.start_anew()
    except (RegularsError, CannotServe) as error:
        return asked(pages, retold.said(str(error)), 409)
    addresses = door.addresses if door else (f"http://{HERE}:{web.port}",)
    return pages.page("network_changed.html", "users", {"addresses": addresses, "certificate": door.certificate if door else None})


ROUTES = (network_page, change_network)
