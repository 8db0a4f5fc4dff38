"""Transactions that act for somebody: what they see, what they leave behind, and what is said when the database is away or busy."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
import uuid_utils

from hub import partitions, postgres, sites
from hub.database import Database
from hub.errors import CannotOpen, DatabaseAway, DatabaseBusy, DatabaseError, NotFound
from hub.moments import from_ms, to_ms
from hub.vault import Vault
from tests.hub.chain import NOW, Chain
from tests.hub.conftest import MASTER, Server

VISIT = """
INSERT INTO visits (tenant_id, id, month, appliance_id, site_id, verdict, settled, first_seen_at, last_seen_at, visit_number, cameras,
    model, reason)
VALUES (%s, %s, %s, %s, %s, 'new', true, %s, %s, 1, '{}', 'm', 'r')
"""


def test_a_connection_that_goes_back_is_nobodys(chain: Chain) -> None:
    one = Database(chain.database._line, MASTER, connections_max=2)
    one.open()
    try:
        with one.tenant(chain.ours.tenant_id) as tx:
            assert sites.every(tx)
        with one._pool.connection() as raw:
            row = raw.execute("SELECT current_setting('app.tenant', true), current_tenant(), (SELECT count(*) FROM sites)").fetchone()
            # Empty where the connection was a tenant's before, null where it is a new one.
            assert row in {("", None, 0), (None, None, 0)}
    finally:
        one.close()


def test_a_transaction_is_whole_and_cannot_be_committed_in_its_middle(chain: Chain) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="commit"), chain.database.tenant(chain.ours.tenant_id) as tx:
        sites.add(tx, chain.ours.tenant_id, "Half", "UTC", NOW)
        tx.commit()
    with pytest.raises(RuntimeError), chain.database.tenant(chain.ours.tenant_id) as tx:
        sites.add(tx, chain.ours.tenant_id, "Half", "UTC", NOW)
        raise RuntimeError
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert [site.name for site in sites.every(tx)] == ["Hang Bai", "Tay Ho"]


def test_ids_are_text_and_times_are_in_utc(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id.upper()) as tx:
        assert tx.execute("SELECT tenant_id, made_at FROM tenants").fetchone() == (chain.ours.tenant_id, NOW)
        assert tx.execute("SELECT ARRAY[tenant_id] FROM tenants").fetchone() == ([chain.ours.tenant_id],)
        found = tx.execute("SELECT count(*) FROM sites WHERE id = ANY(%s::uuid[])", [[chain.site_a.id, chain.danas_site.id]]).fetchone()
        assert found == (1,)
        row = tx.execute("SELECT made_at FROM sites LIMIT 1").fetchone()
        assert row is not None and row[0].tzinfo is not None and row[0].utcoffset().total_seconds() == 0
    assert to_ms(NOW) == 1_795_510_800_000 and from_ms(to_ms(NOW)) == NOW


def test_what_is_no_id_of_a_tenant_is_a_defect_and_reaches_no_database(database: Database) -> None:
    with pytest.raises(ValueError), database.tenant("' OR true"):
        pass
    with database.tenant(str(uuid.uuid4())) as tx:
        assert not sites.every(tx)


def test_a_lock_makes_others_of_the_same_tenant_wait_and_no_others(chain: Chain) -> None:
    order: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with chain.database.tenant(chain.ours.tenant_id, lock="resolve"):
            inside.set()
            go_on.wait(20)
            order.append("first")

    def second() -> None:
        with chain.database.tenant(chain.ours.tenant_id, lock="resolve"):
            order.append("second")

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert inside.wait(20)
    two.start()
    with chain.database.tenant(chain.ours.tenant_id, lock="ingest"), chain.database.tenant(chain.danas.tenant_id, lock="resolve"):
        assert not order
    go_on.set()
    one.join(20)
    two.join(20)
    assert order == ["first", "second"]


def test_a_job_is_one_processs_at_a_time(chain: Chain, server: Server, database_name: str) -> None:
    other = Database(postgres.line_to(server.folder, postgres.APPLICATION, database_name), MASTER)
    tenant = chain.ours.tenant_id
    with chain.database.once("partitions") as ours, other.once("partitions") as theirs, other.once("partitions", tenant) as of_a_tenant:
        assert (ours, theirs, of_a_tenant) == (True, False, True)
    with other.once("partitions") as theirs:
        assert theirs


def test_a_statement_that_takes_too_long_is_ended_and_called_busy(chain: Chain) -> None:
    with pytest.raises(DatabaseBusy, match="QueryCanceled"), chain.database.tenant(chain.ours.tenant_id, statement_s=0.05) as tx:
        tx.execute("SELECT pg_sleep(10)")
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert tx.execute("SELECT current_setting('statement_timeout')").fetchone() == ("30s",)


def test_a_deadlock_is_busy_and_one_of_the_two_gets_through(chain: Chain) -> None:
    met = threading.Barrier(2, timeout=20)
    ended: list[str] = []

    def swapped(first: str, second: str) -> None:
        try:
            with chain.database.tenant(chain.ours.tenant_id) as tx:
                tx.execute("UPDATE sites SET time_zone = 'UTC' WHERE id = %s", [first])
                met.wait()
                tx.execute("UPDATE sites SET time_zone = 'UTC' WHERE id = %s", [second])
            ended.append("done")
        except DatabaseBusy:
            ended.append("busy")

    ids = (chain.site_a.id, chain.site_b.id)
    threads = [threading.Thread(target=swapped, args=order) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == ["busy", "done"]


def test_a_mistake_of_ours_stays_a_mistake(chain: Chain) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("SELECT * FROM no_such_table")
    with pytest.raises(psycopg.errors.UniqueViolation), chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("INSERT INTO sites SELECT * FROM sites")


def test_a_session_that_the_server_ends_is_away_and_the_next_one_works(chain: Chain, server: Server, database_name: str) -> None:
    with pytest.raises(DatabaseAway, match="AdminShutdown"), chain.database.tenant(chain.ours.tenant_id) as tx:
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database_name}'")
        tx.execute("SELECT 1")
    for _ in range(10):
        with chain.database.tenant(chain.ours.tenant_id) as tx:
            assert len(sites.every(tx)) == 2


def test_a_database_that_is_not_there_is_away_and_a_wrong_password_is_not(database: Database, server: Server, tmp_path: Path) -> None:
    line = postgres.line_to(server.folder, postgres.APPLICATION)
    with pytest.raises(DatabaseAway):
        Database({**line, "host": str(tmp_path)}, MASTER).open()
    for wrong in ({"password": "wrong"}, {"dbname": "nothing"}):
        with pytest.raises(DatabaseError) as refused:
            Database({**line, **wrong}, MASTER).open()
        assert line["password"] not in str(refused.value)
    database.close()
    with pytest.raises(DatabaseAway, match="being stopped"), database.anyone():
        pass


def test_a_tenants_vault_opens_its_own_and_no_other(chain: Chain) -> None:
    place = {"table": "persons", "column": "name_sealed", "row": "x"}
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        ours = chain.database.vault(tx, chain.ours.tenant_id)
        assert chain.database.vault(tx, chain.ours.tenant_id) is ours
        with pytest.raises(NotFound):
            chain.database.vault(tx, str(uuid.uuid4()))
    with chain.database.tenant(chain.danas.tenant_id) as tx:
        danas = chain.database.vault(tx, chain.danas.tenant_id)
    sealed = ours.seal(b"Bob", **place)
    assert ours.unseal(sealed, **place) == b"Bob"
    for wrong in (danas, chain.database.master, Vault(bytes(32))):
        with pytest.raises(CannotOpen):
            wrong.unseal(sealed, **place)
    assert len({ours.subkey("rotation"), danas.subkey("rotation"), ours.subkey("else"), ours.lookup("1", purpose="phone")}) == 4


def test_partitions_are_made_ahead_once_and_take_over_what_came_before_them(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        visit = [chain.ours.tenant_id, str(uuid_utils.uuid7()), date(2026, 12, 1), chain.appliance_a, chain.site_a.id, NOW, NOW]
        tx.execute(VISIT, visit)
        place = "SELECT tableoid::regclass::text FROM visits"
        assert tx.execute(place).fetchone() == ("visits_other",)
        made = partitions.make_ahead(tx, datetime(2026, 11, 30, tzinfo=UTC))
        assert made == [date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
        assert tx.execute(place).fetchone() == ("visits_2026_12",)
        assert partitions.make_ahead(tx, datetime(2026, 12, 1, tzinfo=UTC)) == [date(2027, 3, 1)]
    with chain.database.tenant(chain.danas.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM visits").fetchone() == (0,)


def test_two_that_make_partitions_at_once_do_not_fail(chain: Chain) -> None:
    made: list[int] = []

    def make() -> None:
        with chain.database.anyone() as tx:
            made.append(len(partitions.make_ahead(tx, NOW)))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [0, 0, 0, 5]
