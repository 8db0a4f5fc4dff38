"""The hub's own keys: pairs in the table `hub_keys`, sealed under the master key. The newest is told to the stores; the older still open
what a store seals to them that has not heard of the newest, and answer it.

Old pairs are never thrown away: a store that was off for a year is answered with the one it knows, and told of the newest.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from hub.database import Database, Tx
from sync import keys
from sync.keys import OwnKeys

TABLE, COLUMN = "hub_keys", "private_sealed"
FRESH_FOR = timedelta(seconds=60)
"""For how long what another process of the hub rotated may go unnoticed. A message sealed to a key that is not known looks at once."""


class HubKeys:
    """Read from the database now and then. May be used from any thread."""

    def __init__(self, database: Database, now: datetime) -> None:
        """The first pair is made at the first start. Raises DatabaseAway, CannotOpen."""
        self._database = database
        self._turn = threading.Lock()
        with database.anyone(lock="hub keys") as tx:
            if not _read(tx, database):
                _make(tx, database, now)
            self._pairs = _read(tx, database)
        self._read_at = now

    def newest_first(self, now: datetime, *, wanted: str = "") -> list[OwnKeys]:
        """`wanted`: the id of a sealing key that somebody used."""
        with self._turn:
            pairs, age = self._pairs, now - self._read_at
            known = not wanted or any(keys.key_id(pair.public.seal) == wanted for pair in pairs)
            # A second between two looks: somebody who makes up keys must not make us read all day.
            if age < timedelta(0) or age > (FRESH_FOR if known else timedelta(seconds=1)):
                with self._database.anyone() as tx:
                    self._pairs = pairs = _read(tx, self._database)
                self._read_at = now
            return pairs

    def known(self) -> list[OwnKeys]:
        """The newest first, without a look at the database."""
        with self._turn:
            return self._pairs

    def current(self, now: datetime) -> OwnKeys:
        return self.newest_first(now)[0]

    def rotate(self, now: datetime) -> OwnKeys:
        """A new pair, told to each store with its next answer."""
        with self._turn:
            with self._database.anyone(lock="hub keys") as tx:
                tx.execute("UPDATE hub_keys SET retired_at = %s WHERE retired_at IS NULL", [now])
                made = _make(tx, self._database, now)
                self._pairs = _read(tx, self._database)
            self._read_at = now
            return made


def _make(tx: Tx, database: Database, now: datetime) -> OwnKeys:
    made = keys.make()
    name = keys.key_id(made.public.seal)
    sealed = database.master.seal(made.stored, table=TABLE, column=COLUMN, row=name)
    tx.execute("INSERT INTO hub_keys (id, private_sealed, made_at) VALUES (%s, %s, %s)", [name, sealed, now])
    return made


def _read(tx: Tx, database: Database) -> list[OwnKeys]:
    rows = tx.execute("SELECT id, private_sealed FROM hub_keys ORDER BY retired_at IS NULL DESC, made_at DESC, id").fetchall()
    return [keys.from_stored(database.master.unseal(sealed, table=TABLE, column=COLUMN, row=name)) for name, sealed in rows]
