"""The page API: tokens for programs, made and revoked; a new one is shown once."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from hub import audit, tenants, tokens
from hub.errors import NotAllowed
from hub.web.access import Access, Asker, GivenAsker
from hub.web.pages import GivenPages, Pages
from ui.words import gettext as _


class TokenForm(msgspec.Struct, frozen=True):
    name: str = ""
    scope: str = "read"


TokenData = Annotated[TokenForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


def show(pages: Pages, asker: Asker, tenant_id: str, made: str = "", words: str = "", name: str = "", status: int = 200) -> Response[str]:
    with pages.deps.database.tenant(tenant_id) as tx:
        tenant, found = tenants.get(tx, tenant_id), tokens.every(tx)
    values = {"found": found, "made": made, "words": words, "name": name, "address": pages.deps.address()}
    return pages.of_tenant("tokens.html", "key", asker, tenant, values, status)


def by_a_person(asker: Asker) -> None:
    """A token that got out must not make itself others."""
    if asker.by_token:
        raise PermissionDeniedException(_("Tokens are made and revoked by people: sign in, or use `regulars-hub token`."))


@get("/t/{tenant_id:str}/tokens", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def tokens_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str]) -> Response[str]:
    by_a_person(asker)
    return show(pages, asker, tenant_id)


@post("/t/{tenant_id:str}/tokens", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def token_form(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], data: TokenData) -> Response[str]:
    by_a_person(asker)
    deps, now = pages.deps, pages.deps.now()
    try:
        with deps.database.tenant(tenant_id) as tx:
            made, token = tokens.add(tx, tenant_id, data.name, data.scope, asker.words, now)
            audit.note(tx, asker.words, f"API token made ({made.scope})", made.id, now)
    except NotAllowed as refused:
        return show(pages, asker, tenant_id, words=str(refused), name=data.name[:100], status=400)
    return show(pages, asker, tenant_id, made=token)


@post("/t/{tenant_id:str}/tokens/{token_id:str}/revoke", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def revoke_token(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], token_id: FromPath[str]) -> Redirect:
    by_a_person(asker)
    deps, now = pages.deps, pages.deps.now()
    with deps.database.tenant(tenant_id) as tx:
        tokens.revoke(tx, token_id, now)
        audit.note(tx, asker.words, "API token revoked", token_id, now)
    return Redirect(f"/t/{tenant_id}/tokens", status_code=303)


ROUTES = (tokens_page, token_form, revoke_token)
