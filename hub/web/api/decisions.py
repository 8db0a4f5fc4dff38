"""API: what somebody at headquarters decides about who is who, and what is known of them. Each decision is kept and can be undone, and the
stores are told in the same transaction."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from hub import identities, identity_changes, identity_events, review, reviewing
from hub.errors import NotFound
from hub.identity_events import Noted
from hub.moments import to_ms
from hub.names import as_id
from hub.review import Open
from hub.web.access import Access, GivenAsker
from hub.web.api.chain import BELOW
from hub.web.pages import GivenPages

ADMIN = {"access": Access.TENANT_ADMIN}
READ = {"access": Access.TENANT_READ}
WHO_IS_WHO = ["who is who"]
Reason = Annotated[str, Meta(max_length=300)]


class LinkIn(msgspec.Struct, frozen=True):
    """The identity that the person is."""

    identity_id: str
    reason: Reason = ""


class WhyIn(msgspec.Struct, frozen=True):
    reason: Reason = ""


class MergeIn(msgspec.Struct, frozen=True):
    """`taken_id`: the identity that is this one as well; what its stores know goes over."""

    taken_id: str
    reason: Reason = ""


class KnownIn(msgspec.Struct, frozen=True):
    """What is left away stays. An empty name takes it away."""

    name: Annotated[str, Meta(max_length=80)] | None = None
    vip: bool | None = None
    watchlist: bool | None = None
    role: Literal["customer", "staff"] | None = None


class IdentityNamed(msgspec.Struct, frozen=True):
    identity_id: str


class EventNamed(msgspec.Struct, frozen=True):
    """To be undone by."""

    event_id: str


class EventOut(msgspec.Struct, frozen=True):
    """`kind`: link, unlink or merge. `undone_ms`: when it was taken back."""

    id: str
    at_ms: int
    kind: str
    made_by: str
    person_id: str | None
    reason: str
    undone_ms: int | None


class CaseOut(msgspec.Struct, frozen=True):
    """`kind` link: is the person this identity? duplicate: are the two identities one? `similarity` and `bar`: how near it is."""

    id: str
    kind: str
    person_id: str | None
    identity_id: str
    other_identity_id: str | None
    similarity: float
    bar: float
    made_ms: int


class CasesOut(msgspec.Struct, frozen=True):
    total: int
    items: list[CaseOut]


class AnswerIn(msgspec.Struct, frozen=True):
    decision: Literal["same", "different"]


def wanted_id(given: str, what: str) -> str:
    """Raises NotFound for what is no id at all."""
    found = as_id(given)
    if found is None:
        raise NotFound(f"There is no {what} of that id.")
    return found


def of_event(noted: Noted) -> EventOut:
    undone_ms = to_ms(noted.undone_at) if noted.undone_at else None
    event = noted.event
    return EventOut(noted.id, to_ms(noted.at), event.kind, event.made_by, event.person_id, event.reason, undone_ms)


def of_case(case: Open) -> CaseOut:
    asked = case.question
    who = (asked.person_id, asked.identity_id, asked.other_identity_id)
    return CaseOut(case.id, asked.kind, *who, asked.similarity, asked.bar, to_ms(case.made_at))


@post(f"{BELOW}/persons/{{person_id:str}}/link", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def link(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], person_id: FromPath[str], data: JSONBody[LinkIn]) -> IdentityNamed:
    """Somebody says that what a store calls a person is this identity. No machine changes that."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        identity_id = wanted_id(data.identity_id, "identity")
        identity_changes.link(tx, database.vault(tx, tenant_id), person_id, identity_id, asker.words, data.reason, pages.deps.now())
        return IdentityNamed(identities.living(tx, identity_id))


@post(f"{BELOW}/persons/{{person_id:str}}/unlink", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def unlink(
    pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], person_id: FromPath[str], data: JSONBody[WhyIn]
) -> IdentityNamed:
    """Somebody says that the person is not the others of its identity: it becomes one of its own, and is not linked to them again."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        vault = database.vault(tx, tenant_id)
        return IdentityNamed(identity_changes.unlink(tx, vault, person_id, asker.words, data.reason, pages.deps.now()))


@post(f"{BELOW}/identities/{{identity_id:str}}/merge", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def merge(
    pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], identity_id: FromPath[str], data: JSONBody[MergeIn]
) -> EventNamed:
    """Two identities are one. The answer names what to undo it by."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        vault, taken = database.vault(tx, tenant_id), wanted_id(data.taken_id, "identity")
        return EventNamed(identity_changes.merge(tx, vault, identity_id, taken, asker.words, data.reason, pages.deps.now()))


@patch(f"{BELOW}/identities/{{identity_id:str}}", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def describe(
    pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], identity_id: FromPath[str], data: JSONBody[KnownIn]
) -> IdentityNamed:
    """Name, VIP, watchlist, staff of the chain: told to every store that knows them."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        identity_changes.describe(
            tx,
            database.vault(tx, tenant_id),
            identity_id,
            asker.words,
            pages.deps.now(),
            name=data.name,
            vip=data.vip,
            watchlist=data.watchlist,
            role=data.role,
        )
        return IdentityNamed(identities.living(tx, identity_id))


@get(f"{BELOW}/identities/{{identity_id:str}}/events", opt=READ, sync_to_thread=True, tags=WHO_IS_WHO)
def list_events(pages: GivenPages, tenant_id: FromPath[str], identity_id: FromPath[str]) -> list[EventOut]:
    """What was decided about somebody, by whom and why, newest first."""
    with pages.deps.database.tenant(tenant_id) as tx:
        return [of_event(noted) for noted in identity_events.of_identity(tx, identities.living(tx, identity_id))]


@post(f"{BELOW}/events/{{event_id:str}}/undo", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def undo(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], event_id: FromPath[str]) -> EventNamed:
    """Takes a link or a merge back, as far as the persons are still where it put them."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        identity_changes.undo(tx, database.vault(tx, tenant_id), event_id, asker.words, pages.deps.now())
    return EventNamed(event_id)


@get(f"{BELOW}/review", opt=READ, sync_to_thread=True, tags=WHO_IS_WHO)
def list_cases(pages: GivenPages, tenant_id: FromPath[str]) -> CasesOut:
    """What the machine was not sure of and somebody should decide; the hundred that are quickest to decide come first."""
    with pages.deps.database.tenant(tenant_id) as tx:
        return CasesOut(review.count_open(tx), [of_case(case) for case in review.list_open(tx)])


@post(f"{BELOW}/review/{{case_id:str}}", opt=ADMIN, sync_to_thread=True, status_code=200, tags=WHO_IS_WHO)
def answer(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], case_id: FromPath[str], data: JSONBody[AnswerIn]) -> AnswerIn:
    """The same, or different; both are remembered."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        decide = reviewing.answer_same if data.decision == "same" else reviewing.answer_different
        decide(tx, database.vault(tx, tenant_id), case_id, asker.words, pages.deps.now())
    return data


ROUTES = (link, unlink, merge, describe, list_events, undo, list_cases, answer)
