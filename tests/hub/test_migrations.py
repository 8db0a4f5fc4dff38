"""The tables' versions: applied once, in order, whole or not at all, and refused where they are not ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hub import migrations, postgres
from hub.database import Database
from hub.errors import DatabaseError, KeyUnavailable, WrongVersion
from hub.master_key import MasterKey
from hub.migrations import Migration, known, migrate
from tests.hub.chain import NOW
from tests.hub.conftest import MASTER, Server

NEXT = len(known()) + 1


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """The name of a database without tables."""
    name = server.new_database("template1")
    yield name
    server.drop(name)


def owner(server: Server, name: str) -> dict[str, Any]:
    return postgres.line_to(server.folder, postgres.OWNER, name)


def application(server: Server, name: str, master: MasterKey = MASTER) -> Database:
    return Database(postgres.line_to(server.folder, postgres.APPLICATION, name), master)


def asked(server: Server, name: str, words: str) -> Any:
    with psycopg.connect(**postgres.line_to(server.folder, postgres.SUPERUSER, name), autocommit=True) as connection:
        done = connection.execute(words)
        return done.fetchall() if done.description else None


def test_an_empty_database_gets_all_tables_and_a_second_time_nothing(server: Server, empty: str) -> None:
    assert migrate(owner(server, empty), MASTER, NOW) == known()
    assert migrate(owner(server, empty), MASTER, NOW) == []
    noted = asked(server, empty, "SELECT version, name, checksum FROM migrations ORDER BY version")
    assert noted == [(each.version, each.name, each.checksum) for each in known()]
    database = application(server, empty)
    database.open()
    database.close()


def test_two_that_migrate_at_once_do_it_once(server: Server, empty: str) -> None:
    applied: list[int] = []
    threads = [threading.Thread(target=lambda: applied.append(len(migrate(owner(server, empty), MASTER, NOW)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(applied) == [0, 0, 0, len(known())]


def test_a_migration_that_fails_leaves_nothing_of_itself_or_those_before_it(server: Server, database_name: str) -> None:
    before = asked(server, database_name, "SELECT relname FROM pg_class ORDER BY 1")
    good = Migration(NEXT, "good", "CREATE TABLE good (tenant_id uuid)")
    bad = Migration(NEXT + 1, "bad", "CREATE TABLE half (tenant_id uuid); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(owner(server, database_name), MASTER, NOW, migrations=[*known(), good, bad])
    assert asked(server, database_name, "SELECT relname FROM pg_class ORDER BY 1") == before
    assert migrate(owner(server, database_name), MASTER, NOW, migrations=[*known(), good]) == [good]


def test_a_database_of_a_newer_regulars_is_refused(server: Server, database_name: str) -> None:
    asked(server, database_name, f"INSERT INTO migrations VALUES ({NEXT}, 'tomorrow', 'x', now())")
    for tried in (lambda: migrate(owner(server, database_name), MASTER, NOW), application(server, database_name).open):
        with pytest.raises(WrongVersion, match="made by a newer Regulars"):
            tried()


def test_a_migration_changed_after_it_was_applied_is_refused(server: Server, database_name: str) -> None:
    asked(server, database_name, "UPDATE migrations SET checksum = 'x' WHERE version = 1")
    with pytest.raises(WrongVersion, match=r"Migration 0001 \(headquarters\) is not the one"):
        migrate(owner(server, database_name), MASTER, NOW)


def test_a_hub_waits_for_nobody_to_migrate_and_says_what_to_run(server: Server, database_name: str, empty: str) -> None:
    with pytest.raises(WrongVersion, match=r"no tables yet\. Run: regulars-hub migrate"):
        application(server, empty).open()
    asked(server, database_name, f"DELETE FROM migrations WHERE version = {len(known())}")
    with pytest.raises(WrongVersion, match="Run: regulars-hub migrate"):
        application(server, database_name).open()


def test_another_master_key_is_refused_before_anything_is_read_or_changed(server: Server, database_name: str) -> None:
    other = MasterKey(bytes(32))
    for tried in (lambda: migrate(owner(server, database_name), other, NOW), application(server, database_name, other).open):
        with pytest.raises(KeyUnavailable, match="not the one that this database was sealed under"):
            tried()
    assert asked(server, database_name, "SELECT inner_pad, outer_pad FROM tenant_proof") == [MASTER.proof_pads()]


@pytest.mark.parametrize("role", [postgres.OWNER, postgres.SUPERUSER])
def test_a_hub_does_not_work_as_somebody_whom_row_security_does_not_bind(server: Server, database_name: str, role: str) -> None:
    with pytest.raises(DatabaseError, match="must not use the database as its owner or a superuser"):
        Database(postgres.line_to(server.folder, role, database_name), MASTER).open()


def test_an_application_role_that_passes_by_row_security_is_refused(server: Server, empty: str) -> None:
    server.run("ALTER ROLE regulars_app BYPASSRLS")
    try:
        with pytest.raises(DatabaseError, match="regulars_app is a superuser or passes by row security"):
            migrate(owner(server, empty), MASTER, NOW)
        with pytest.raises(DatabaseError, match="must not use the database"):
            application(server, empty).open()
    finally:
        server.run("ALTER ROLE regulars_app NOBYPASSRLS")


def test_a_database_lets_nobody_in_but_those_two(server: Server, empty: str) -> None:
    server.run(f"GRANT CONNECT, TEMPORARY ON DATABASE {empty} TO PUBLIC")
    migrate(owner(server, empty), MASTER, NOW)
    server.run("CREATE ROLE passer_by LOGIN PASSWORD 'x'")
    try:
        line = {**postgres.line_to(server.folder, postgres.OWNER, empty), "user": "passer_by", "password": "x"}
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(**line)
    finally:
        server.run("DROP ROLE passer_by")


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [each.version for each in known()] == list(range(1, NEXT))
    assert all("\r" not in each.sql for each in known())


def test_the_lock_is_one_that_postgres_takes() -> None:
    assert 0 < migrations.LOCK < 2**63
