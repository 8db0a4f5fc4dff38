"""How the line to headquarters stands, read from the database alone: for the page, and for commands beside the appliance that runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sync import outbox
from sync.contact import Contact
from sync.pushing import clock_words

SILENT_MS = 3_600_000
"""An hour without a word is said in colour; a minute happens on every line."""

Mood = Literal["good", "warn", "bad", "idle"]


@dataclass(frozen=True, slots=True)
class Standing:
    """`paired` False: the rest says only what waits. `error`: why the last try failed, in words. `clock`: when this computer's is off.
    `retelling`: everything is being told anew."""

    paired: bool
    revoked: bool
    tenant: str
    site: str
    url: str
    waiting: int
    oldest_ms: int | None
    contact_ms: int | None
    tried_ms: int | None
    error: str
    skew_ms: int | None
    clock: str
    bytes_per_s: float | None
    set_aside: int
    passed_over: int
    retelling: bool
    snapshots: bool

    def mood(self, now_ms: int) -> Mood:
        if not self.paired:
            return "idle"
        if self.revoked:
            return "bad"
        # A clock that was set back makes the last contact lie ahead; that is no silence.
        silent = self.contact_ms is None or now_ms - self.contact_ms > SILENT_MS
        return "warn" if self.error or silent or self.clock else "good"


def read(connection: sqlite3.Connection) -> Standing:
    span = outbox.span(connection)
    oldest = connection.execute("SELECT made_ms FROM outbox WHERE sequence = ?", [span.oldest]).fetchone()
    row = connection.execute(
        """SELECT state, tenant_name, site_name, hub_url, contact_ms, tried_ms, error, skew_ms, bytes_per_s, set_aside, facts_passed_over,
            retell, snapshots FROM link"""
    ).fetchone()
    state, tenant, site, url, contact_ms, tried_ms, error, skew_ms, speed, aside, passed, retell, snapshots = row or ("", *EMPTY)
    return Standing(
        paired=row is not None,
        revoked=state == "revoked",
        tenant=tenant,
        site=site,
        url=url,
        waiting=waiting_in(span),
        oldest_ms=oldest[0] if oldest else None,
        contact_ms=contact_ms,
        tried_ms=tried_ms,
        error=error,
        skew_ms=skew_ms,
        clock=clock_words(Contact(skew_ms=skew_ms)),
        bytes_per_s=speed,
        set_aside=aside,
        passed_over=passed,
        retelling=bool(retell),
        snapshots=bool(snapshots),
    )


EMPTY = ("", "", "", None, None, "", None, None, 0, 0, "", 0)
"""What the table's columns behind `state` are where there is no row."""


def waiting_in(span: outbox.Span) -> int:
    """Records that headquarters has not got. Their numbers have no holes."""
    return 0 if span.oldest is None else span.newest - span.oldest + 1


def behind(span: outbox.Span, entries: Sequence[outbox.Entry]) -> outbox.Span:
    """What waits behind a batch."""
    if not entries:
        return span
    last = entries[-1].sequence
    return outbox.Span(last + 1 if last < span.newest else None, span.newest)
