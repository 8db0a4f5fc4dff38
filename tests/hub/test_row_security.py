"""One tenant's rows from another's, attacked in SQL as the application's role: what a hole in our own code, or in a query, could try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import uuid_utils
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from hub import partitions, postgres
from hub.database import Database
from hub.master_key import THE_HUB
from tests.hub.chain import NOW, Chain
from tests.hub.conftest import Server

NOT_A_TENANTS = {"tenant_proof", "migrations", "installation"}
"""What no row security stands before: nothing is granted on the first, the others say which version this is."""
THE_HUBS = {"hub_keys", "sessions"}
"""Rows of the hub itself, without a tenant."""


@pytest.fixture
def attacker(server: Server, database_name: str, chain: Chain) -> Iterator[Connection[Any]]:
    """A session of the application's role, which may say what it likes."""
    with psycopg.connect(**postgres.line_to(server.folder, postgres.APPLICATION, database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def everything(server: Server, database_name: str, chain: Chain) -> Iterator[Connection[Any]]:
    """A superuser's, who sees what is really there."""
    with psycopg.connect(**postgres.line_to(server.folder, postgres.SUPERUSER, database_name), autocommit=True) as connection:
        yield connection


def tables(connection: Connection[Any]) -> list[str]:
    """Every table, partitioned table and partition there is: a new one without row security fails here."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"
    )
    return [name for (name,) in rows]


def said(connection: Connection[Any], setting: str) -> None:
    connection.execute("SELECT set_config('app.tenant', %s, false)", [setting])


def counts(connection: Connection[Any]) -> dict[str, int]:
    """Rows that a session sees, of every table it may read."""
    found = {}
    for table in tables(connection):
        try:
            with connection.transaction():
                row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        except InsufficientPrivilege:
            continue
        assert row is not None
        found[table] = row[0]
    return found


def filled(chain: Chain, everything: Connection[Any]) -> list[str]:
    """Both tenants get a row in every table that has a tenant, so that "sees nothing" says something."""
    partitioned = [n for (n,) in everything.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")]
    mine = [table for table in tables(everything) if table not in NOT_A_TENANTS | THE_HUBS | {"tenants", *partitioned}]
    everything.execute("SET session_replication_role = replica")
    for tenant in (chain.ours, chain.danas):
        for table in mine:
            columns = everything.execute(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped AND (attnotnull OR attname = 'tenant_id') AND NOT atthasdef",
                [f"public.{table}"],
            ).fetchall()
            names = ", ".join(name for name, _ in columns)
            values = [tenant.tenant_id if name == "tenant_id" else invented(table, name, kind) for name, kind in columns]
            words = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))})"
            everything.execute(words, values)
    everything.execute("RESET session_replication_role")
    return mine


def invented(table: str, column: str, kind: str) -> Any:
    chosen = {("identities", "role"): "customer", ("persons", "role"): "customer", ("users", "role"): "tenant_admin"}
    chosen |= {("review", "kind"): "duplicate", ("erasures", "kind"): "erase", ("api_tokens", "scope"): "read"}
    if (table, column) in chosen:
        return chosen[table, column]
    if column == "person_a":
        return "00000000-0000-7000-8000-000000000001"
    kinds: dict[str, Any] = {"uuid": str(uuid_utils.uuid7()), "bytea": uuid_utils.uuid7().bytes, "boolean": True, "date": NOW.date()}
    kinds |= {"jsonb": "{}", "timestamp with time zone": NOW, "uuid[]": [], "text": str(uuid_utils.uuid7())}
    return kinds.get(kind, int(uuid_utils.uuid4().int % 30_000))


def test_every_table_has_row_security_that_binds_its_owner_too(everything: Connection[Any], chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert partitions.make_ahead(tx, NOW)
    rows = everything.execute(
        "SELECT relname, relrowsecurity AND relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid), "
        "has_any_column_privilege('regulars_app', c.oid, 'SELECT, INSERT, UPDATE') FROM pg_class c "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    ).fetchall()
    assert any(name.startswith("visits_20") for name, *_ in rows)
    bare = [name for name, secured, policies, _ in rows if not (secured and policies)]
    assert set(bare) == NOT_A_TENANTS
    assert not [name for name, *_, granted in rows if granted and (name == "tenant_proof" or name.startswith("visits_"))]


def test_nothing_else_lies_in_the_schema_that_could_pass_by_it(everything: Connection[Any]) -> None:
    """No view, which would read as its owner; of the owner's functions only those that were meant to be called."""
    kinds = everything.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'p', 'i', 'I', 't')"
    )
    assert not kinds.fetchall()
    callable_ = everything.execute(
        "SELECT proname, prosecdef, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "AND has_function_privilege('regulars_app', oid, 'EXECUTE')"
    ).fetchall()
    assert {name for name, *_ in callable_} == {"current_tenant", "make_visits_partition"}
    assert all(definer and config == ["search_path=pg_catalog, pg_temp"] for _, definer, config in callable_)


def test_each_tenant_sees_its_row_of_every_table_and_a_session_of_nobody_sees_none(
    chain: Chain, attacker: Connection[Any], everything: Connection[Any]
) -> None:
    mine = filled(chain, everything)
    assert len(mine) >= 20
    really = counts(everything)
    for tenant in (chain.ours, chain.danas):
        said(attacker, chain.database.master.acting_for(tenant.tenant_id))
        seen = counts(attacker)
        for table in mine:
            assert 0 < seen[table] < really[table], table
            others = attacker.execute(f"SELECT count(*) FROM {table} WHERE tenant_id <> %s", [tenant.tenant_id])
            assert others.fetchone() == (0,), table
        assert not any(seen[table] for table in THE_HUBS)
    attacker.execute("RESET app.tenant")
    assert not {table for table, rows in counts(attacker).items() if rows} - NOT_A_TENANTS


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "{danas}",
        "{danas}.",
        "{danas}.{zeros}",
        "{danas}.{our_proof}",
        "{DANAS}.{danas_proof}",
        "{danas}.{danas_proof} ",
        " {danas}.{danas_proof}",
        "{danas}.{danas_proof}\n",
        "{danas}{danas_proof}",
        "{danas}.{DANAS_PROOF}",
        "' OR true --",
        "'; RESET ROLE; --",
        "{danas}' OR '1'='1",
        "NULL",
        "true",
        "*",
        "00000000-0000-0000-0000-000000000000.{our_proof}",
        "x" * 100_000,
    ],
)
def test_a_forged_setting_is_nobodys(forged: str, chain: Chain, attacker: Connection[Any]) -> None:
    ours, danas = (chain.database.master.acting_for(tenant.tenant_id).split(".") for tenant in (chain.ours, chain.danas))
    words = {"danas": danas[0], "our_proof": ours[1], "danas_proof": danas[1], "zeros": "0" * 64}
    # What is too loose by a capital or a blank is refused as well: there is one way to say it.
    words |= {
        "DANAS": danas[0].upper() + "\u200b" * (danas[0].upper() == danas[0]),
        "DANAS_PROOF": danas[1].upper() + "f" * danas[1].isdigit(),
    }
    said(attacker, forged.format(**words) if "{" in forged else forged)
    assert attacker.execute("SELECT current_tenant()").fetchone() == (None,)
    assert not {table for table, rows in counts(attacker).items() if rows} - NOT_A_TENANTS


def test_another_tenants_rows_are_neither_changed_nor_made_nor_removed(
    chain: Chain, attacker: Connection[Any], everything: Connection[Any]
) -> None:
    mine = filled(chain, everything)
    before = counts(everything)
    said(attacker, chain.database.master.acting_for(chain.danas.tenant_id))
    for table in mine:
        # Where the application may not delete or change at all, that is refused before row security is asked.
        with suppress(InsufficientPrivilege):
            assert attacker.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [chain.ours.tenant_id]).rowcount == 0, table
        with pytest.raises(InsufficientPrivilege, match=r"row-level security|permission denied"):
            attacker.execute(f"UPDATE {table} SET tenant_id = %s", [chain.ours.tenant_id])
    for words in (
        "INSERT INTO sites VALUES (%s, gen_random_uuid(), 'planted', 'UTC', now())",
        "INSERT INTO audit VALUES (%s, gen_random_uuid(), now(), 'somebody', 'planted')",
        "INSERT INTO visits SELECT %s, gen_random_uuid(), month, appliance_id, site_id, person_id, verdict, settled, first_seen_at, "
        "last_seen_at, visit_number, cameras, model, reason FROM visits",
    ):
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            attacker.execute(words, [chain.ours.tenant_id])
    assert counts(everything) == before


@pytest.mark.parametrize(
    "words",
    [
        "SELECT * FROM tenant_proof",
        "COPY tenant_proof TO STDOUT",
        "TABLE pg_authid",
        "SET ROLE regulars_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION regulars_owner",
        "ALTER ROLE regulars_app BYPASSRLS",
        "ALTER ROLE regulars_app SUPERUSER",
        "GRANT regulars_owner TO regulars_app",
        "ALTER TABLE persons DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE persons NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE persons OWNER TO regulars_app",
        "DROP POLICY own_rows ON persons",
        "CREATE POLICY all_rows ON persons USING (true)",
        "CREATE TABLE public.copied AS SELECT 1",
        "CREATE VIEW public.seen AS SELECT * FROM persons",
        "CREATE FUNCTION public.current_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "CREATE OR REPLACE FUNCTION public.current_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "CREATE SCHEMA other",
        "CREATE EXTENSION pgcrypto",
        "CREATE TRIGGER watching BEFORE INSERT ON persons EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE watching AS ON INSERT TO persons DO ALSO SELECT 1",
        "SELECT own_rows_only('persons')",
        "SELECT * FROM visits_other",
        "DELETE FROM tenants",
        "UPDATE audit SET what = ''",
        "DELETE FROM audit",
        "UPDATE installation SET master_fingerprint = ''",
        "DELETE FROM migrations",
        "TRUNCATE persons",
        "SET session_replication_role = replica",
        "COPY persons FROM STDIN",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY persons TO '/tmp/persons'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_binary_file('postgresql.conf')",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
        "SELECT make_visits_partition('1999-01-01')",
        "SELECT make_visits_partition('2099-01-01')",
        "SELECT make_visits_partition(NULL)",
    ],
)
def test_what_would_get_round_it_is_refused(words: str, attacker: Connection[Any], chain: Chain) -> None:
    said(attacker, chain.database.master.acting_for(chain.danas.tenant_id))
    with pytest.raises(psycopg.Error) as refused:
        attacker.execute(words)
    # Not allowed, or, where that is not the reason, not possible for this role: never a slip in the attack itself.
    assert not isinstance(refused.value, (psycopg.errors.SyntaxError, psycopg.errors.UndefinedTable)), refused.value


def test_switching_row_security_off_is_an_error_and_shows_nothing(attacker: Connection[Any]) -> None:
    attacker.execute("SET row_security = off")
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        attacker.execute("SELECT * FROM persons")


def test_a_temporary_table_called_tenant_proof_proves_nothing(chain: Chain, attacker: Connection[Any]) -> None:
    attacker.execute("CREATE TEMP TABLE tenant_proof (only_row boolean, inner_pad bytea, outer_pad bytea)")
    attacker.execute("INSERT INTO pg_temp.tenant_proof VALUES (true, decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex'))")
    attacker.execute("GRANT ALL ON pg_temp.tenant_proof TO PUBLIC")
    attacker.execute("SET search_path = pg_temp, public")
    # HMAC-SHA256 of the tenant's id under the empty key, which that table would be the pads of.
    attacker.execute(
        "SELECT set_config('app.tenant', %(id)s || '.' || encode(sha256(decode(repeat('5c', 64), 'hex') "
        "|| sha256(decode(repeat('36', 64), 'hex') || convert_to(%(id)s, 'UTF8'))), 'hex'), false)",
        {"id": chain.ours.tenant_id},
    )
    assert attacker.execute("SELECT public.current_tenant()").fetchone() == (None,)


def test_temporary_functions_and_operators_of_the_callers_are_not_asked(chain: Chain, attacker: Connection[Any]) -> None:
    attacker.execute("CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''x'''")
    attacker.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''''::bytea'")
    attacker.execute("SET search_path = pg_temp, pg_catalog, public")
    said(attacker, f"{chain.ours.tenant_id}.{'0' * 64}")
    assert attacker.execute("SELECT public.current_tenant()").fetchone() == (None,)
    said(attacker, chain.database.master.acting_for(chain.danas.tenant_id))
    assert attacker.execute("SELECT public.current_tenant()::text").fetchone() == (chain.danas.tenant_id,)


def test_a_function_that_shouts_what_it_is_shown_is_shown_no_row_of_others(chain: Chain, attacker: Connection[Any]) -> None:
    """The classical leak: a cheap function in the condition runs before the policy unless the planner is held back."""
    attacker.execute("CREATE TEMP TABLE heard (name text)")
    attacker.execute(
        "CREATE FUNCTION pg_temp.heard(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 "
        "AS 'BEGIN INSERT INTO heard VALUES ($1); RETURN true; END'"
    )
    said(attacker, chain.database.master.acting_for(chain.danas.tenant_id))
    attacker.execute("SELECT * FROM sites WHERE pg_temp.heard(name)")
    assert attacker.execute("SELECT name FROM heard").fetchall() == [("Hang Bai",)]


def test_statistics_and_running_queries_show_nothing_of_others(
    chain: Chain, attacker: Connection[Any], everything: Connection[Any]
) -> None:
    everything.execute("ANALYZE")
    assert everything.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'sites'").fetchone() != (0,)
    shown = attacker.execute("SELECT tablename FROM pg_stats WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in shown} <= NOT_A_TENANTS
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("SELECT 1")
        shown = attacker.execute("SELECT query FROM pg_stat_activity").fetchall()
    proof = chain.database.master.acting_for(chain.ours.tenant_id).split(".")[1]
    assert not [query for (query,) in shown if proof in (query or "")]


def test_the_hub_itself_sees_no_tenants_rows_and_a_pair_code_only_by_its_open_half(
    chain: Chain, attacker: Connection[Any], database: Database
) -> None:
    with database.tenant(chain.ours.tenant_id) as tx:
        tx.execute(
            "INSERT INTO pair_codes VALUES ('7K2M', %s, %s, 'x', 'Alice', %s, %s)", [chain.ours.tenant_id, chain.site_a.id, NOW, NOW]
        )
    attacker.execute("SELECT set_config('app.pair_code', '7K2M', false)")
    assert attacker.execute("SELECT count(*) FROM pair_codes").fetchone() == (0,)
    with database.anyone() as tx:
        assert tx.execute("SELECT current_tenant()").fetchone() == (THE_HUB,)
        assert {table for table, rows in counts(tx).items() if rows} - NOT_A_TENANTS == {"tenants"}
        tx.execute("SELECT set_config('app.pair_code', '7K2M', true)")
        assert tx.execute("SELECT count(*) FROM pair_codes").fetchone() == (1,)


def test_rows_come_in_through_a_temporary_table_of_the_transactions_own(chain: Chain, database: Database) -> None:
    with database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("CREATE TEMP TABLE incoming (LIKE sites) ON COMMIT DROP")
        with tx.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN") as copy:
            for number in range(3):
                copy.write_row((chain.ours.tenant_id, str(uuid_utils.uuid7()), f"Store {number}", "UTC", NOW))
        assert tx.execute("INSERT INTO sites SELECT * FROM incoming ON CONFLICT DO NOTHING").rowcount == 3
    with database.tenant(chain.danas.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM sites").fetchone() == (1,)
