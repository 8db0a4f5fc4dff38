"""What the stores are told of their own persons: the facts PersonKnown and PersonUnknown. Told only where they say something new.

A store that told a person's name owns that name; what headquarters named goes before it. Where nobody named somebody at headquarters, the
name that one store gave is told to the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from hub import facts
from hub.database import Tx
from hub.vault import Vault
from sync.facts import Fact, PersonKnown, PersonUnknown

KNOWN, UNKNOWN = "person_known", "person_unknown"
ALSO_AT_MAX = 20
"""Names of other stores in one fact."""
VISITS_NEWS = 1.5
"""The number of visits alone is told again when it has grown by half: it grows with every visit, and is no more than an impression."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an identity, and what is known of the identity. `guest_of`: whom its store took the person for by what was lent;
    empty if for nobody."""

    person_id: str
    appliance_id: str
    site_id: str
    site: str
    name: str
    visits: int
    identity_id: str
    identity_name: str
    vip: bool
    watchlist: bool
    guest_of: str


def tell(tx: Tx, vault: Vault, identity_ids: Sequence[str], now: datetime) -> int:
    """Brings the stores up to date about the persons of these identities; how many facts. Last in a transaction."""
    members = members_of(tx, vault, identity_ids)
    also = tells_also_at(tx)
    families: dict[str, list[Member]] = {}
    for one in members:
        families.setdefault(one.identity_id, []).append(one)
    told = _told(tx, vault, members)
    news: list[facts.Telling] = []
    for family in families.values():
        for one in family:
            before = told.get((one.appliance_id, one.person_id))
            fact = known_of(one, family, also)
            if fact is None and (isinstance(before, PersonKnown) or (before is None and one.guest_of not in ("", one.identity_id))):
                # Also of one of whom nothing was told: the store itself believes them to be a guest.
                news.append(facts.Telling(PersonUnknown(person_id=one.person_id), one.appliance_id, one.person_id))
            elif fact is not None and not _says_the_same(before, fact):
                news.append(facts.Telling(fact, one.appliance_id, one.person_id))
    if news:
        facts.tell_many(tx, vault, news, now)
    return len(news)


def known_of(one: Member, family: Sequence[Member], also: bool) -> PersonKnown | None:
    """None: the chain knows no more of the person than its own store. Pure."""
    name = one.identity_name or next((other.name for other in family if other.name), "")
    if len(family) == 1 and not (one.identity_name or one.vip or one.watchlist):
        return None
    elsewhere = sorted({other.site for other in family if other.site_id != one.site_id}) if also else []
    return PersonKnown(
        person_id=one.person_id,
        identity_id=one.identity_id,
        name=name,
        vip=one.vip,
        watchlist=one.watchlist,
        also_at=elsewhere[:ALSO_AT_MAX],
        chain_visits=sum(other.visits for other in family),
    )


def members_of(tx: Tx, vault: Vault, identity_ids: Sequence[str]) -> list[Member]:
    rows = tx.execute(
        """SELECT p.id, p.appliance_id, p.site_id, s.name, p.name_sealed, p.visit_count, i.id, i.name_sealed, i.vip, i.watchlist,
                coalesce(p.guest_of::text, '')
            FROM persons AS p JOIN identities AS i ON i.id = p.identity_id JOIN sites AS s ON s.id = p.site_id
            WHERE p.identity_id = ANY(%s::uuid[]) AND p.role <> 'opted_out' ORDER BY p.id""",
        [list(dict.fromkeys(identity_ids))],
    )
    return [
        Member(
            person_id,
            appliance_id,
            site_id,
            site,
            name_of(vault, "persons", person_id, own),
            visits,
            identity_id,
            name_of(vault, "identities", identity_id, name),
            vip,
            watchlist,
            guest_of,
        )
        for person_id, appliance_id, site_id, site, own, visits, identity_id, name, vip, watchlist, guest_of in rows
    ]


def name_of(vault: Vault, table: str, row: str, sealed: bytes | None) -> str:
    return vault.unseal(sealed, table=table, column="name_sealed", row=row).decode() if sealed else ""


def tells_also_at(tx: Tx) -> bool:
    row = tx.execute("SELECT also_at FROM tenants WHERE tenant_id = (SELECT current_tenant())").fetchone()
    return bool(row and row[0])


def _told(tx: Tx, vault: Vault, members: Sequence[Member]) -> Mapping[tuple[str, str], Fact]:
    """What each of these persons' appliances was told of them last, known or unknown: looked up one by one through the facts' own index."""
    rows = tx.execute(
        """SELECT f.sequence, f.appliance_id, f.subject, f.payload_sealed FROM unnest(%s::uuid[], %s::text[]) AS t (appliance_id, subject)
            JOIN facts AS f ON f.appliance_id = t.appliance_id AND f.kind = ANY(%s) AND f.subject = t.subject""",
        [[one.appliance_id for one in members], [one.person_id for one in members], [KNOWN, UNKNOWN]],
    )
    return {(appliance_id, subject): facts.opened(vault, sequence, sealed) for sequence, appliance_id, subject, sealed in rows}


def _says_the_same(before: Fact | None, now: PersonKnown) -> bool:
    if not isinstance(before, PersonKnown):
        return False
    return replace(before, chain_visits=now.chain_visits) == now and now.chain_visits < max(1, before.chain_visits) * VISITS_NEWS
