"""Dana's store, properly paired with Dana's tenant, tells of our people by their ids: nothing of ours is seen or changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub import erasure, facts, pairing
from sync import keys
from sync import pairing as line_pairing
from sync.messages import Answer, PairRequest, Refusal
from sync.pairing import NotPaired, not_paired_message
from sync.records import (
    ApartRecord,
    CameraGone,
    CameraRecord,
    PersonGone,
    ReceiptRecord,
    Record,
    TemplateGone,
    VisitGone,
)
from tests.hub.chain import NOW, Chain
from tests.hub.lines import World, make_world
from tests.hub.telling import ADMIN, NOW_MS, new_id, person, template, visit

TABLES = """SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE' ORDER BY 1"""
OUR_VISIT, OUR_CAMERA = new_id(), new_id()


@pytest.fixture
def world(chain: Chain) -> World:
    made = make_world(chain)
    bob = chain.persons["Bob", chain.site_a.name]
    told = [visit(bob, id=OUR_VISIT), template(bob), CameraRecord(id=OUR_CAMERA, name="Entrance", kind="rtsp", enabled=True)]
    assert made.a.tells(*told).set_aside == 0
    return made


def everything_of_ours(world: World) -> dict[str, list[str]]:
    """But for when the store was last heard of."""
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        names = [row[0] for row in tx.execute(TABLES) if row[0] not in ("users",)]
        return {name: sorted(row[0] for row in tx.execute(f"SELECT t::text FROM {name} t")) for name in names}


def of_ours(world: World) -> list[Record]:
    chain = world.chain
    bob, alice = chain.persons["Bob", chain.site_a.name], chain.persons["Alice", chain.site_a.name]
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        (their_template,) = tx.execute("SELECT id FROM templates LIMIT 1").fetchone() or ("",)
    return [
        person(bob, name="Nobody", role="staff"),
        person(new_id(), guest_of=chain.people["Bob"]),
        template(bob),
        template(bob, id=their_template),
        TemplateGone(id=their_template, person_id=bob),
        visit(bob),
        visit(id=OUR_VISIT, verdict="unsure"),
        VisitGone(id=OUR_VISIT),
        CameraGone(id=OUR_CAMERA),
        CameraRecord(id=OUR_CAMERA, name="Dana's", kind="usb", enabled=False),
        ApartRecord(person_a=min(bob, alice), person_b=max(bob, alice), reason="Dana says so"),
        PersonGone(id=bob, merged_into=alice),
        PersonGone(id=bob, erased=True),
        person(alice, role="opted_out"),
    ]


def test_danas_store_changes_nothing_of_ours_by_naming_it(world: World) -> None:
    before = everything_of_ours(world)
    for record in of_ours(world):
        answer = world.danas.tells(record)
        assert all(world.chain.ours.name.encode() not in payload for _, payload in answer.facts)
    assert everything_of_ours(world) == before


def test_danas_store_cannot_answer_for_an_erasure_of_ours(world: World) -> None:
    database = world.deps.database
    with database.tenant(world.a.tenant_id) as tx:
        erasure_id = erasure.erase(tx, database.vault(tx, world.a.tenant_id), world.chain.people["Bob"], ADMIN, NOW)
    before = everything_of_ours(world)
    answer = world.danas.send(world.danas.message([ReceiptRecord(erasure_id=erasure_id, done_ms=NOW_MS, persons=1)]))
    assert isinstance(answer, Answer) and answer.set_aside == 1
    assert everything_of_ours(world) == before


def test_danas_store_hears_nothing_that_ours_is_told(world: World) -> None:
    database = world.deps.database
    with database.tenant(world.a.tenant_id) as tx:
        erasure.erase(tx, database.vault(tx, world.a.tenant_id), world.chain.people["Bob"], ADMIN, NOW)
    for cursor in (0, 1, 10**9):
        answer = world.danas.send(replace(world.danas, cursor=cursor).message([]))
        assert isinstance(answer, Answer) and answer.facts == []
    with database.tenant(world.a.tenant_id) as tx:
        assert facts.after(tx, database.vault(tx, world.a.tenant_id), world.a.appliance_id, 0).facts


def test_what_our_store_said_is_nothing_when_danas_says_it_again(world: World) -> None:
    heard = world.a.message([visit()])
    before = everything_of_ours(world)
    as_danas = replace(world.danas, tenant_id=world.a.tenant_id, appliance_id=world.a.appliance_id)
    assert isinstance(world.danas.send(as_danas.message([visit()])), Refusal)
    assert isinstance(world.danas.send(replace(world.a, tenant_id=world.danas.tenant_id).message([visit()])), Refusal)
    assert everything_of_ours(world) == before
    # The very message, whoever carries it, is ours: it is taken once, for us.
    assert isinstance(world.a.send(heard), Answer)
    with world.deps.database.tenant(world.danas.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM visits").fetchone() == (0,)


def test_a_code_of_danas_pairs_with_danas_tenant_and_no_other(world: World) -> None:
    chain, database = world.chain, world.deps.database
    made = pairing.make_code(database, chain.danas.tenant_id, chain.danas_site.id, "Dana", NOW)
    key = line_pairing.proof_key(line_pairing.parse_code(made.shown))
    before = everything_of_ours(world)

    def request(proof: bytes) -> bytes:
        asked = PairRequest(
            code_id=made.shown[:4], keys=keys.make().public, name="Mac", time_zone="UTC", version="1", sent_ms=NOW_MS, nonce=b"n" * 16
        )
        return line_pairing.request_message(asked, proof)

    ours = pairing.make_code(database, chain.ours.tenant_id, chain.site_a.id, "admin", NOW)
    wrong = line_pairing.proof_key(line_pairing.parse_code(ours.shown))
    refused = pairing.pair(database, world.deps.keys, world.deps.rates, request(wrong), "10.0.0.1", NOW)
    assert refused == not_paired_message(NotPaired.WRONG_CODE)
    pairing.pair(database, world.deps.keys, world.deps.rates, request(key), "10.0.0.1", NOW)
    after = everything_of_ours(world)
    assert {name: rows for name, rows in after.items() if name not in ("pair_codes", "audit")} == {
        name: rows for name, rows in before.items() if name not in ("pair_codes", "audit")
    }
    with database.tenant(chain.danas.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM appliances").fetchone() == (2,)
