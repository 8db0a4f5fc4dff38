"""Whom a store is lent to recognise on their first visit: staff of the chain always, frequent visitors of other stores where the tenant
wants it.

A pass works out for each appliance who should be lent, compares with who is (the table `lent_guests`), and tells the difference. Somebody
whom the appliance knows itself is lent no longer; one that it knows because they were lent, not before it has views enough of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub import facts, identities, known, tenants
from hub.database import Database, Tx
from hub.vault import Vault
from sync.facts import Guest, GuestGone, LentTemplate, encoded

PASS = "guests"
VISITS_MIN = 3
"""Visits in the chain that make somebody frequent."""
RECENT = timedelta(days=120)
"""Whoever did not come for so long is not expected at another door."""
STAFF_MAX = 1_000
"""Of a chain, lent to each store beside the guests; each costs a store's memory 2 to 8 KB."""
TEMPLATES_EACH = 4
"""Views lent of somebody: a fifth rarely helps, and each takes a place in every store's gallery."""
OWN_VIEWS_ENOUGH = 3
"""With so many views of its own a store recognises a guest who became a visitor without those lent."""
STAYS = 1.25
"""How much better a newcomer must be than one who is lent already: two who are about as frequent do not take turns each hour."""
TOLD_TOGETHER = 200
"""Facts in one transaction: while it lasts, no other facts of the tenant are told."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What a pass told: guests new or changed, and guests that are no more."""

    told: int = 0
    gone: int = 0
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """An identity as it is ranked. `appliances`: that know them themselves, and the views each has; `guest_at`: those of them that knew
    them by what was lent."""

    identity_id: str
    staff: bool
    special: bool
    visits: int
    appliances: dict[str, int]
    guest_at: frozenset[str]


@dataclass(frozen=True, slots=True)
class Borrower:
    appliance_id: str
    model: str


def lend(database: Database, tenant_id: str, now: datetime) -> Lent:
    """Raises DatabaseAway, DatabaseBusy; what was told by then stays told."""
    with database.once(PASS, tenant_id) as ours:
        if not ours:
            return Lent(busy=True)
        with database.tenant(tenant_id) as tx:
            tenant = tenants.get(tx, tenant_id)
            visitors = _visitors(tx, now)
            borrowers = _borrowers(tx)
        told = gone = 0
        for borrower in borrowers:
            with database.tenant(tenant_id) as tx:
                lent = {
                    row[0] for row in tx.execute("SELECT identity_id FROM lent_guests WHERE appliance_id = %s", [borrower.appliance_id])
                }
            wanted = chosen(visitors, borrower.appliance_id, lent, tenant.guests_max if tenant.guests else 0)
            for some in _pages([*wanted, *sorted(lent - set(wanted))]):
                one, other = _tell(database, tenant_id, borrower, some, set(wanted), now)
                told, gone = told + one, gone + other
        return Lent(told, gone)


def chosen(visitors: Sequence[Visitor], appliance_id: str, lent: set[str], guests_max: int) -> list[str]:
    """Identities that this appliance should be lent. Pure."""
    staff, guests = [], []
    for one in visitors:
        if not _unmet(one, appliance_id, one.identity_id in lent):
            continue
        if one.staff:
            staff.append(one)
        elif one.special or one.visits >= VISITS_MIN:
            guests.append(one)
    guests.sort(key=lambda one: (not one.special, -one.visits * (STAYS if one.identity_id in lent else 1), one.identity_id))
    staff.sort(key=lambda one: (one.identity_id not in lent, one.identity_id))
    return [one.identity_id for one in [*staff[:STAFF_MAX], *guests[:guests_max]]]


def _unmet(one: Visitor, appliance_id: str, is_lent: bool) -> bool:
    """Whether the appliance still has a use for what it is lent of somebody."""
    views = one.appliances.get(appliance_id)
    return views is None or (is_lent and appliance_id in one.guest_at and views < OWN_VIEWS_ENOUGH)


def _visitors(tx: Tx, now: datetime) -> list[Visitor]:
    rows = tx.execute(
        """SELECT i.id, i.role = 'staff' OR bool_or(p.role = 'staff'), i.vip OR i.watchlist, sum(p.visit_count)::bigint,
                array_agg(p.appliance_id), array_agg((SELECT count(*) FROM templates AS t WHERE t.person_id = p.id)),
                array_agg(p.guest_of IS NOT NULL)
            FROM identities AS i JOIN persons AS p ON p.identity_id = i.id
            WHERE i.merged_into IS NULL AND p.role <> 'opted_out'
            GROUP BY i.id, i.role, i.vip, i.watchlist
            HAVING i.role = 'staff' OR bool_or(p.role = 'staff') OR i.vip OR i.watchlist
                OR (sum(p.visit_count) >= %s AND max(p.last_seen_at) >= %s)""",
        [VISITS_MIN, now - RECENT],
    )
    return [
        Visitor(
            identity_id,
            staff,
            special,
            visits,
            {one: max(n for other, n in zip(at, views, strict=True) if other == one) for one in at},
            frozenset(one for one, lent in zip(at, as_guest, strict=True) if lent),
        )
        for identity_id, staff, special, visits, at, views, as_guest in rows
    ]


def _borrowers(tx: Tx) -> list[Borrower]:
    """Appliances, each with the model that it compares with: as it last told, else that of its newest template."""
    rows = tx.execute(
        """SELECT a.id, coalesce(nullif(a.status ->> 'model', ''), (SELECT t.model FROM templates AS t
                JOIN persons AS p ON p.id = t.person_id WHERE p.appliance_id = a.id ORDER BY t.made_at DESC LIMIT 1))
            FROM appliances AS a WHERE a.revoked_at IS NULL ORDER BY a.id"""
    )
    return [Borrower(appliance_id, model) for appliance_id, model in rows if model]


def _tell(
    database: Database, tenant_id: str, borrower: Borrower, identity_ids: Sequence[str], wanted: set[str], now: datetime
) -> tuple[int, int]:
    """How many guests were told, and how many that are gone."""
    with database.tenant(tenant_id) as tx:
        vault = database.vault(tx, tenant_id)
        identities.hold(tx)
        lent = {
            row[0]: (set(row[1]), bytes(row[2]))
            for row in tx.execute(
                "SELECT identity_id, template_ids, digest FROM lent_guests WHERE appliance_id = %s AND identity_id = ANY(%s::uuid[])",
                [borrower.appliance_id, list(identity_ids)],
            )
        }
        here = {one: kept for one, (kept, _) in lent.items()}
        guests = _guests(tx, vault, borrower, [one for one in identity_ids if one in wanted], here)
        told = [guest for guest in guests if lent.get(guest.identity_id, (None, b""))[1] != _digest(guest)]
        ended = [one for one in identity_ids if one in lent and one not in {guest.identity_id for guest in guests}]
        _note(tx, borrower, told, ended, now)
        news = [facts.Telling(guest, borrower.appliance_id, guest.identity_id) for guest in told]
        # Whoever was forgotten meanwhile is told of by that; nothing more is said of them.
        still = identities.today(tx, ended)
        mentioned = [one for one in ended if one in still or _has_fact(tx, borrower, one)]
        news += [facts.Telling(GuestGone(identity_id=one), borrower.appliance_id, one) for one in mentioned]
        if news:
            facts.tell_many(tx, vault, news, now)
        return len(told), len(ended)


def _guests(tx: Tx, vault: Vault, borrower: Borrower, identity_ids: Sequence[str], lent: dict[str, set[str]]) -> list[Guest]:
    """As they are to be told; without those of whom there is no view of the borrower's model."""
    families: dict[str, list[known.Member]] = {}
    for one in known.members_of(tx, vault, identity_ids):
        families.setdefault(one.identity_id, []).append(one)
    staff = {row[0] for row in tx.execute(STAFF, {"ids": list(identity_ids)})}
    views = _views(tx, vault, borrower.model, identity_ids, lent)
    also = known.tells_also_at(tx)
    return [
        Guest(
            identity_id=identity_id,
            role="staff" if identity_id in staff else "customer",
            name=family[0].identity_name or next((one.name for one in family if one.name), ""),
            vip=family[0].vip,
            watchlist=family[0].watchlist,
            also_at=sorted({one.site for one in family})[: known.ALSO_AT_MAX] if also else [],
            templates=views[identity_id],
        )
        for identity_id, family in families.items()
        if views.get(identity_id)
    ]


STAFF = """SELECT i.id FROM identities AS i WHERE i.id = ANY(%(ids)s::uuid[])
    AND (i.role = 'staff' OR EXISTS (SELECT FROM persons AS p WHERE p.identity_id = i.id AND p.role = 'staff'))"""


def _views(tx: Tx, vault: Vault, model: str, identity_ids: Sequence[str], lent: dict[str, set[str]]) -> dict[str, list[LentTemplate]]:
    """The best views of each; those that were lent before come first, so that a store is not told anew of every view that somebody
    learned."""
    kept = [one for those in lent.values() for one in those]
    rows = tx.execute(
        """SELECT identity_id, id, embedding_sealed FROM (
                SELECT p.identity_id, t.id, t.embedding_sealed, row_number() OVER (PARTITION BY p.identity_id
                    ORDER BY t.id = ANY(%s::uuid[]) DESC, t.origin = 'enrolled' DESC, t.quality DESC, t.id) AS place
                FROM templates AS t JOIN persons AS p ON p.id = t.person_id
                WHERE p.identity_id = ANY(%s::uuid[]) AND p.role <> 'opted_out' AND t.model = %s) AS ranked
            WHERE place <= %s ORDER BY identity_id, id""",
        [kept, list(identity_ids), model, TEMPLATES_EACH],
    )
    views: dict[str, list[LentTemplate]] = {}
    for identity_id, template_id, sealed in rows:
        embedding = vault.unseal(sealed, table="templates", column="embedding_sealed", row=template_id)
        views.setdefault(identity_id, []).append(LentTemplate(id=template_id, model=model, embedding=embedding))
    return views


def _note(tx: Tx, borrower: Borrower, told: Sequence[Guest], ended: Sequence[str], now: datetime) -> None:
    for guest in told:
        tx.execute(
            """INSERT INTO lent_guests (tenant_id, appliance_id, identity_id, template_ids, digest, told_at)
                VALUES ((SELECT current_tenant()), %s, %s, %s::uuid[], %b, %s)
                ON CONFLICT (tenant_id, appliance_id, identity_id) DO UPDATE
                    SET template_ids = excluded.template_ids, digest = excluded.digest, told_at = excluded.told_at""",
            [borrower.appliance_id, guest.identity_id, [one.id for one in guest.templates], _digest(guest), now],
        )
    tx.execute("DELETE FROM lent_guests WHERE appliance_id = %s AND identity_id = ANY(%s::uuid[])", [borrower.appliance_id, list(ended)])


def _has_fact(tx: Tx, borrower: Borrower, identity_id: str) -> bool:
    """Whether the guest is still told: not if they were forgotten."""
    row = tx.execute(
        "SELECT EXISTS (SELECT FROM facts WHERE appliance_id = %s AND kind = 'guest' AND subject = %s)",
        [borrower.appliance_id, identity_id],
    ).fetchone()
    return bool(row and row[0])


def _digest(guest: Guest) -> bytes:
    return hashlib.sha256(encoded(guest)).digest()


def _pages(identity_ids: Sequence[str]) -> list[list[str]]:
    return [list(identity_ids[start : start + TOLD_TOGETHER]) for start in range(0, len(identity_ids), TOLD_TOGETHER)]
