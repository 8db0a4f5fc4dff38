"""API: to erase somebody, and to never store them again. Both reach every store; the answer names the request whose receipts tell where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from hub import erasure
from hub.database import Tx
from hub.erasure import Asked
from hub.errors import NotAllowed
from hub.vault import Vault
from hub.web.access import Access, Asker, GivenAsker
from hub.web.api.chain import BELOW
from hub.web.pages import GivenPages, Pages

REASON_CHARACTERS_MAX = 300


class ReasonIn(msgspec.Struct, frozen=True):
    """`reason`: for the record, as in "asked at the counter"; no name."""

    reason: str = ""


class AskedOut(msgspec.Struct, frozen=True):
    """`request_id`: find its receipts below /erasures."""

    request_id: str


class OptedIn(msgspec.Struct, frozen=True):
    identity_id: str


Forget = Callable[[Tx, Vault, str, Asked, datetime], str]
"""`erasure.erase` or `erasure.opt_out`."""


def asked(pages: Pages, asker: Asker, tenant_id: str, identity_id: str, data: ReasonIn, forget: Forget) -> AskedOut:
    if len(data.reason) > REASON_CHARACTERS_MAX:
        raise NotAllowed(f"A reason has at most {REASON_CHARACTERS_MAX} characters.")
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        request_id = forget(tx, database.vault(tx, tenant_id), identity_id, Asked(asker.words, data.reason.strip()), pages.deps.now())
    pages.deps.forget_soon()
    return AskedOut(request_id)


OF_SOMEBODY = f"{BELOW}/identities/{{identity_id:str}}"
TAGS = ["requests to be forgotten"]


@post(f"{OF_SOMEBODY}/erase", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, status_code=202, tags=TAGS)
def erase(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], identity_id: FromPath[str], data: JSONBody[ReasonIn]) -> AskedOut:
    """Everything about them goes: here, in the index, pictures, and at every store. It cannot be undone."""
    return asked(pages, asker, tenant_id, identity_id, data, erasure.erase)


@post(f"{OF_SOMEBODY}/opt-out", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, status_code=202, tags=TAGS)
def opt_out(
    pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], identity_id: FromPath[str], data: JSONBody[ReasonIn]
) -> AskedOut:
    """The same, and they are never stored again: what tells their face is kept for that alone."""
    return asked(pages, asker, tenant_id, identity_id, data, erasure.opt_out)


@post(f"{OF_SOMEBODY}/opt-in", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, status_code=200, tags=TAGS)
def opt_in(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], identity_id: FromPath[str]) -> OptedIn:
    """Somebody who had opted out wants to be known again. What was kept of them goes; they begin anew with their next visit."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        erasure.end_opt_out(tx, database.vault(tx, tenant_id), identity_id, asker.words, pages.deps.now())
    return OptedIn(identity_id)


ROUTES = (erase, opt_out, opt_in)
