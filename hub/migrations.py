"""The tables' versions: numbered SQL files beside this one, applied in order by the owner's role, all in one transaction under one lock.

What was applied is noted with its checksum: a file that changed afterwards, or a number that this version does not know, stops the program.
The installation's row names the master key by its fingerprint, so that a hub with another key stops instead of finding nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from hub.database_errors import spoken
from hub.errors import DatabaseError, KeyUnavailable, WrongVersion
from hub.master_key import MasterKey

FOLDER = Path(__file__).with_name("migrations")
APPLICATION = "regulars_app"
SERVER_VERSION_MIN = 150_000
"""PostgreSQL 15 is the first in which nobody but the owner may make tables in the schema public."""
LOCK = int.from_bytes(b"regulars")
"""Any number that nothing else takes for an advisory lock."""
WAIT_S_MAX = 60
MAKE_ROLE = (
    f"CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '...'; -- and, as the owner of the database: "
    f"REVOKE ALL ON DATABASE ... FROM PUBLIC; GRANT CONNECT, TEMPORARY ON DATABASE ... TO {APPLICATION};"
)
NOTES = """
CREATE TABLE IF NOT EXISTS public.migrations (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS public.installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), master_fingerprint text NOT NULL, made_at timestamptz NOT NULL);
GRANT SELECT ON public.migrations, public.installation TO regulars_app;
"""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known(folder: Path = FOLDER) -> list[Migration]:
    """In order and without a gap."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        named = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        assert named and int(named[1]) == len(found) + 1, f"{path.name}: migrations are numbered 0001, 0002, … without a gap"
        found.append(Migration(int(named[1]), named[2], path.read_text(encoding="utf-8")))
    return found


def migrate(owner: Mapping[str, Any], master: MasterKey, now: datetime, *, migrations: list[Migration] | None = None) -> list[Migration]:
    """Brings the tables to this version; what was applied. `owner`: keywords of psycopg.connect for the owner's role.

    Raises WrongVersion, KeyUnavailable, DatabaseError; then nothing was changed.
    """
    ours = known() if migrations is None else migrations
    with spoken(), psycopg.connect(**owner) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_S_MAX}s"])
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        _check_server(connection)
        _own_the_database(connection)
        connection.execute(NOTES)
        done = _applied(connection)
        _compare(done, ours)
        fresh = [migration for migration in ours if migration.version not in done]
        for migration in fresh:
            # A file of our own, many statements and no values: psycopg sends such a text as it is.
            connection.execute(migration.sql.encode())
            note = [migration.version, migration.name, migration.checksum, now]
            connection.execute("INSERT INTO migrations VALUES (%s, %s, %s, %s)", note)
        _install(connection, master, now)
        return fresh


def check(connection: Connection[Any], master: MasterKey) -> None:
    """What the application asks before it works. Raises WrongVersion, KeyUnavailable, DatabaseError."""
    strong = connection.execute(
        """
        SELECT rolsuper OR rolbypassrls
            OR EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND pg_has_role(tableowner, 'MEMBER'))
        FROM pg_roles WHERE rolname = current_user
        """
    ).fetchone()
    if strong is None or strong[0]:
        raise DatabaseError(
            "The hub must not use the database as its owner or a superuser, whom row security does not bind: "
            f"database.url must name the role {APPLICATION}."
        )
    if connection.execute("SELECT to_regclass('public.migrations'), to_regclass('public.installation')").fetchone() == (None, None):
        raise WrongVersion("The database has no tables yet. Run: regulars-hub migrate")
    done = _applied(connection)
    ours = known()
    _compare(done, ours)
    if len(done) < len(ours):
        raise WrongVersion(
            f"The database's tables are of version {max(done, default=0)}, this hub's of {len(ours)}. Run: regulars-hub migrate"
        )
    _compare_key(connection, master)


def _check_server(connection: Connection[Any]) -> None:
    if connection.info.server_version < SERVER_VERSION_MIN:
        raise DatabaseError(f"The database server is PostgreSQL {connection.info.server_version // 10_000}; at least 15 is needed.")
    role = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone()
    if role is None:
        raise DatabaseError(f"The database server has no role {APPLICATION} for the hub to work as. Make it: {MAKE_ROLE}")
    if role[0]:
        raise DatabaseError(
            f"The role {APPLICATION} is a superuser or passes by row security. Take that from it, or no tenant is safe from another."
        )


def _own_the_database(connection: Connection[Any]) -> None:
    """Who may come in. Only the database's owner can say so; where we are not, it was to be done with the role (see MAKE_ROLE)."""
    connection.execute(
        """
        DO $$ BEGIN
            IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER') THEN
                EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
                EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO regulars_app', current_database());
            END IF;
        END $$
        """
    )


def _applied(connection: Connection[Any]) -> dict[int, str]:
    return {int(version): str(checksum) for version, checksum in connection.execute("SELECT version, checksum FROM public.migrations")}


def _compare(done: Mapping[int, str], ours: list[Migration]) -> None:
    if max(done, default=0) > len(ours):
        raise WrongVersion(
            f"The database was made by a newer Regulars (tables of version {max(done)}, this one knows {len(ours)}). Install it again."
        )
    for migration in ours:
        if done.get(migration.version, migration.checksum) != migration.checksum:
            raise WrongVersion(
                f"Migration {migration.version:04} ({migration.name}) is not the one that this database was made with. "
                "Install the version of Regulars that made it, or begin with an empty database."
            )


def _install(connection: Connection[Any], master: MasterKey, now: datetime) -> None:
    inner, outer = master.proof_pads()
    connection.execute("INSERT INTO installation VALUES (true, %s, %s) ON CONFLICT DO NOTHING", [master.fingerprint, now])
    _compare_key(connection, master)
    connection.execute("INSERT INTO tenant_proof VALUES (true, %s, %s) ON CONFLICT DO NOTHING", [inner, outer])


def _compare_key(connection: Connection[Any], master: MasterKey) -> None:
    found = connection.execute("SELECT master_fingerprint FROM public.installation").fetchone()
    if found is None or found[0] != master.fingerprint:
        raise KeyUnavailable("The master key is not the one that this database was sealed under. Put the right key back.")
