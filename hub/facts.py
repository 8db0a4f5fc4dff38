"""What the hub has to tell its appliances: the table `facts`, numbered per tenant in the order of commits, payloads sealed at rest.

The newest fact of (appliance, kind, subject) takes the place of the older, so the table is no larger than what holds, and an appliance that
starts from nothing hears all of it. Numbers are given by counting up the tenant's row in the transaction that tells: whoever tells next
waits for the commit, so nobody who has read up to n ever misses a fact below n. Tell last in a transaction, for the wait's sake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.database import Tx
from hub.vault import Vault
from sync.facts import Fact, decoded, encoded, kind_of
from sync.messages import FACTS_BYTES_MAX, FACTS_MAX

TABLE, COLUMN = "facts", "payload_sealed"
SETTINGS = "settings"
"""Subject of the one fact that tells a tenant's switches."""
OPPOSITES = {"person_known": "person_unknown", "guest": "guest_gone"}
OPPOSITES |= {gone: known for known, gone in OPPOSITES.items()}
"""Of two such facts about one subject only the newer holds."""
GONE_DAYS = 400
"""That something is no more is told for longer than any backup of a store is kept: one that is restored may still have it."""
GONE_KINDS = ["person_unknown", "guest_gone", "opt_out_ended"]


@dataclass(frozen=True, slots=True)
class Telling:
    """`appliance_id` None: for every appliance of the tenant."""

    fact: Fact
    appliance_id: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor`: where to go on. It may be smaller than the one asked with: then the hub lost facts, and all that hold are told anew."""

    facts: list[tuple[int, bytes]]
    cursor: int
    more: bool


@dataclass(frozen=True, slots=True)
class Held:
    sequence: int
    appliance_id: str | None
    subject: str
    fact: Fact


def tell(tx: Tx, vault: Vault, fact: Fact, *, appliance_id: str | None, subject: str, now: datetime) -> int:
    """The fact's number. Raises RecordError when it is too large."""
    return tell_many(tx, vault, [Telling(fact, appliance_id, subject)], now)


def tell_many(tx: Tx, vault: Vault, told: Sequence[Telling], now: datetime) -> int:
    """The last one's number; of several of one kind and subject the last holds. Raises RecordError, and then nothing is told."""
    newest = {(one.appliance_id, kind_of(one.fact), one.subject): encoded(one.fact) for one in told}
    # Counted up even by nothing: the number given is the last that anybody may have read.
    counted = tx.execute(
        "UPDATE tenants SET fact_sequence = fact_sequence + %s WHERE tenant_id = (SELECT current_tenant()) RETURNING fact_sequence",
        [len(newest)],
    ).fetchone()
    assert counted is not None, "facts are told in a tenant's transaction"
    last: int = counted[0]
    if not newest:
        return last
    keys = list(newest)
    numbers = list(range(last - len(keys) + 1, last + 1))
    sealed = [
        vault.seal(payload, table=TABLE, column=COLUMN, row=str(number)) for number, payload in zip(numbers, newest.values(), strict=True)
    ]
    tx.execute(
        """INSERT INTO facts (tenant_id, sequence, appliance_id, kind, subject, payload_sealed, made_at)
            SELECT (SELECT current_tenant()), t.*, %s FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %b::bytea[]) AS t
            ON CONFLICT (tenant_id, appliance_id, kind, subject) DO UPDATE
                SET sequence = excluded.sequence, payload_sealed = excluded.payload_sealed, made_at = excluded.made_at""",
        [now, numbers, [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys], sealed],
    )
    tx.execute("INSERT INTO fact_marks (tenant_id, through, made_at) VALUES ((SELECT current_tenant()), %s, %s)", [last, now])
    outdated = [(appliance, OPPOSITES[kind], subject) for appliance, kind, subject in keys if kind in OPPOSITES]
    _take_away(tx, [key for key in outdated if key not in newest])
    return last


def _take_away(tx: Tx, keys: Sequence[tuple[str | None, str, str]]) -> None:
    # Two statements, because neither "=" nor "IS NULL" alone fits both and only they use the index.
    own = [key for key in keys if key[0] is not None]
    if own:
        tx.execute(
            """DELETE FROM facts AS f USING unnest(%s::uuid[], %s::text[], %s::text[]) AS t (appliance_id, kind, subject)
                WHERE f.appliance_id = t.appliance_id AND f.kind = t.kind AND f.subject = t.subject""",
            [[key[0] for key in own], [key[1] for key in own], [key[2] for key in own]],
        )
    everybodys = [key for key in keys if key[0] is None]
    if everybodys:
        tx.execute(
            """DELETE FROM facts AS f USING unnest(%s::text[], %s::text[]) AS t (kind, subject)
                WHERE f.appliance_id IS NULL AND f.kind = t.kind AND f.subject = t.subject""",
            [[key[1] for key in everybodys], [key[2] for key in everybodys]],
        )


def after(tx: Tx, vault: Vault, appliance_id: str, cursor: int, *, facts_max: int = FACTS_MAX, bytes_max: int = FACTS_BYTES_MAX) -> Page:
    """The next facts for an appliance behind the last that it has applied; at least one if there is any."""
    row = tx.execute("SELECT fact_sequence FROM tenants WHERE tenant_id = (SELECT current_tenant())").fetchone()
    assert row is not None, "facts are read in a tenant's transaction"
    # Read first: every fact up to this number is committed, so where there is no more to tell the cursor may jump to it.
    newest: int = row[0]
    start = cursor if 0 <= cursor <= newest else 0
    limit = max(1, min(facts_max, FACTS_MAX))
    rows = tx.execute(
        """SELECT sequence, payload_sealed FROM facts WHERE sequence > %s AND sequence <= %s AND (appliance_id = %s OR appliance_id IS NULL)
            ORDER BY sequence LIMIT %s""",
        [start, newest, appliance_id, limit + 1],
    ).fetchall()
    page: list[tuple[int, bytes]] = []
    size = 0
    for sequence, sealed in rows[:limit]:
        payload = vault.unseal(sealed, table=TABLE, column=COLUMN, row=str(sequence))
        if page and size + len(payload) > bytes_max:
            break
        page.append((sequence, payload))
        size += len(payload)
    more = len(page) < len(rows)
    return Page(page, page[-1][0] if more else newest, more)


def mark_at(tx: Tx, cursor: int) -> str:
    """The mark of what was told together with the fact of this number; empty where it is too old to have one."""
    if cursor <= 0:
        return ""
    row = tx.execute("SELECT mark FROM fact_marks WHERE through >= %s ORDER BY through LIMIT 1", [cursor]).fetchone()
    return str(row[0]) if row else ""


def opened(vault: Vault, sequence: int, sealed: bytes) -> Fact:
    return decoded(vault.unseal(sealed, table=TABLE, column=COLUMN, row=str(sequence)))


def held(tx: Tx, vault: Vault, kind: str, subjects: Sequence[str] | None = None) -> list[Held]:
    """The facts of a kind that hold, in order: all, or those whose subject is one of these or begins with it and a slash."""
    chosen = None if subjects is None else list(subjects)
    rows = tx.execute(
        """SELECT sequence, appliance_id, subject, payload_sealed FROM facts
            WHERE kind = %s AND (%s::text[] IS NULL OR split_part(subject, '/', 1) = ANY(%s)) ORDER BY sequence""",
        [kind, chosen, chosen],
    ).fetchall()
    return [Held(sequence, appliance_id, subject, opened(vault, sequence, sealed)) for sequence, appliance_id, subject, sealed in rows]


def rewrite(tx: Tx, vault: Vault, sequence: int, fact: Fact) -> None:
    """Changes a fact where it stands: who has heard it does not hear it again, who has not hears only this."""
    sealed = vault.seal(encoded(fact), table=TABLE, column=COLUMN, row=str(sequence))
    tx.execute("UPDATE facts SET payload_sealed = %b WHERE sequence = %s", [sealed, sequence])


def withdraw(tx: Tx, kinds: Sequence[str], subjects: Sequence[str]) -> int:
    """Takes away what nobody needs to hear any more, from all appliances; how many facts."""
    return tx.execute("DELETE FROM facts WHERE kind = ANY(%s) AND subject = ANY(%s)", [list(kinds), list(subjects)]).rowcount


def prune(tx: Tx, now: datetime) -> int:
    """What need not be told any more: records that were given back and taken, facts for revoked appliances, and old news that something is
    no more. How many facts."""
    tx.execute("DELETE FROM fact_marks WHERE made_at < %s", [now - timedelta(days=GONE_DAYS)])
    revoked = "DELETE FROM facts AS f USING appliances AS a WHERE f.appliance_id = a.id AND a.revoked_at IS NOT NULL"
    old = tx.execute("DELETE FROM facts WHERE kind = ANY(%s) AND made_at < %s", [GONE_KINDS, now - timedelta(days=GONE_DAYS)])
    return tx.execute(revoked).rowcount + old.rowcount + drop_taken(tx)


def drop_taken(tx: Tx) -> int:
    """Records that were given back and are taken; how many."""
    return tx.execute(
        """DELETE FROM facts AS f USING appliances AS a
            WHERE f.appliance_id = a.id AND f.kind = 'given_back' AND f.sequence <= a.cursor"""
    ).rowcount
