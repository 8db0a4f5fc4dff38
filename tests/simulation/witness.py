"""Who stands beside and sees everything that PostgreSQL has committed, whosever it is; and the checks that are cheap enough to run all
along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

from appliance.line import link
from hub import postgres
from sync import outbox
from tests.simulation.store import Shop

OPEN = {"erasure_receipts": " AND place IN ('index', 'snapshots') AND done_at IS NULL"}
"""Which rows of a table are still to be worked off, where not all are."""


RECEIPTS = """SELECT count(*) FROM erasure_receipts WHERE tenant_id = %s AND done_at IS NULL
    AND place NOT IN (SELECT id::text FROM appliances WHERE revoked_at IS NOT NULL)"""
"""A revoked appliance answers no more."""


class NotCommitted(AssertionError):
    """The store let go of records that the hub has not got."""


class WentBack(AssertionError):
    """The hub has fewer records of a line than it had."""


class Witness:
    def __init__(self, folder: Path, database: str) -> None:
        self._line = postgres.line_to(folder, postgres.SUPERUSER, database)
        self._applied: dict[tuple[str, str], int] = {}
        self._lost: dict[str, int] = {}
        """By line: records that the hub had committed, and had no more after it was put back. The store tells anew what they told."""
        self._connect()

    def _connect(self) -> None:
        self._connection = psycopg.connect(**self._line, autocommit=True)
        self._connection.adapters.register_loader("uuid", TextLoader)

    @contextmanager
    def away(self) -> Iterator[None]:
        """While the database is copied."""
        self._connection.close()
        yield
        self._connect()

    def put_back(self, gone: Iterable[tuple[str, int]]) -> None:
        """`gone`: each store's line, and its last record that it let go of."""
        self._applied.clear()
        self._lost.update(gone)

    def close(self) -> None:
        self._connection.close()

    def rows(self, words: str, values: object = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(words, values).fetchall()  # type: ignore[call-overload, no-any-return]

    def one(self, words: str, values: object = ()) -> Any:
        found = self.rows(words, values)
        return found[0][0] if found else None

    def newest_fact(self, tenant_id: str) -> int:
        return int(self.one("SELECT fact_sequence FROM tenants WHERE tenant_id = %s", [tenant_id]))

    def identities(self, tenant_id: str) -> list[tuple[int, str]]:
        """In the order they were made."""
        words = "SELECT number, id FROM identities WHERE tenant_id = %s AND merged_into IS NULL ORDER BY number"
        return [(int(number), str(identity_id)) for number, identity_id in self.rows(words, [tenant_id])]

    def persons_of(self, identity_id: str) -> list[str]:
        return [str(row[0]) for row in self.rows("SELECT id FROM persons WHERE identity_id = %s", [identity_id])]

    def numbered_persons_of(self, identity_id: str) -> list[str]:
        """In an order that does not hang on ids."""
        words = """SELECT p.id FROM persons p JOIN sites s ON s.tenant_id = p.tenant_id AND s.id = p.site_id
            WHERE p.identity_id = %s ORDER BY s.name, p.number"""
        return [str(row[0]) for row in self.rows(words, [identity_id])]

    def has(self, tenant_id: str, *tables: str) -> bool:
        asked = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE tenant_id = %(tenant)s{OPEN.get(table, '')})" for table in tables)
        return bool(self.one(f"SELECT {asked}", {"tenant": tenant_id}))

    def waits(self, tenant_id: str) -> list[str]:
        found = []
        if count := self.one("SELECT count(*) FROM resolve_queue WHERE tenant_id = %s", [tenant_id]):
            found.append(f"{count} persons to resolve")
        if count := self.one("SELECT count(*) FROM index_leftovers WHERE tenant_id = %s", [tenant_id]):
            found.append(f"{count} templates to take out of the index")
        if count := self.one(RECEIPTS, [tenant_id]):
            found.append(f"{count} receipts")
        return found

    def life(self, tenant_id: str) -> str:
        return str(self.one("SELECT life FROM tenants WHERE tenant_id = %s", [tenant_id]))

    def look(self, shop: Shop) -> None:
        """Acknowledged means committed; and what was committed stays. Raises NotCommitted, WentBack."""
        found = self.rows("SELECT line, applied FROM appliances WHERE id = %s", [shop.appliance_id])
        if not found:
            # Paired since the backup to which the hub was put back.
            return
        line, applied = found[0]
        before = self._applied.get((shop.appliance_id, line), 0)
        if applied < before:
            raise WentBack(f"{shop.name}: the hub had {before} records and has {applied}")
        self._applied[shop.appliance_id, line] = applied
        if not shop.runs or link.line_of(shop.store) != line:
            return
        span = outbox.span(shop.store.db.conn)
        gone = span.newest if span.oldest is None else span.oldest - 1
        if gone > max(applied, shop.shed_through.get(line, 0), self._lost.get(line, 0)):
            raise NotCommitted(f"{shop.name}: record {gone} is gone from the outbox, and the hub has committed {applied}")
