"""Records become rows: the last telling holds, ids have one owner, and what cannot be taken is set aside."""

from __future__ import annotations

import psycopg
import pytest

from hub import postgres
from sync.records import (
    ApartRecord,
    CameraGone,
    CameraRecord,
    ClockJumped,
    OptedOutCount,
    PersonGone,
    TemplateGone,
    VisitGone,
    encoded,
)
from tests.hub.chain import Chain
from tests.hub.conftest import Server
from tests.hub.telling import MODEL, NOW_MS, new_id, person, stores, template, visit


def test_a_visit_its_person_and_its_templates_are_stored_and_the_person_waits_for_resolution(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob, camera = new_id(), new_id()
    seen = visit(bob, cameras=[camera], model=MODEL, bar=0.4, reason="match", visit_number=3)
    look = template(bob)
    assert a.tells(CameraRecord(id=camera, name="Door", kind="rtsp", enabled=True), person(bob, name="Bob"), look, seen) == []
    ((person_id, month, cameras, number, first),) = a.rows(
        "SELECT person_id, month::text, cameras, visit_number, extract(epoch FROM first_seen_at)::float8 * 1000 FROM visits WHERE id = %s",
        seen.id,
    )
    assert (person_id, cameras, number, first) == (bob, [camera], 3, NOW_MS)
    assert month.endswith("-01")
    ((sealed, quality),) = a.rows("SELECT embedding_sealed, quality FROM templates WHERE id = %s", look.id)
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        assert vault.unseal(sealed, table="templates", column="embedding_sealed", row=look.id) == look.embedding
        (name,) = tx.execute("SELECT name_sealed FROM persons WHERE id = %s", [bob]).fetchone() or (b"",)
        assert vault.unseal(name, table="persons", column="name_sealed", row=bob) == b"Bob"
    assert quality == pytest.approx(0.8)
    assert a.rows("SELECT person_id FROM resolve_queue") == [(bob,)]


def test_the_last_telling_of_an_id_holds_within_a_batch_and_between_batches(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob = new_id()
    first = visit(bob)
    a.tells(person(bob, visit_count=1), first, person(bob, visit_count=2), visit(bob, id=first.id, settled=False, visit_number=1))
    a.tells(visit(bob, id=first.id, visit_number=2))
    assert a.rows("SELECT visit_number, settled FROM visits") == [(2, True)]
    assert a.rows("SELECT visit_count FROM persons WHERE id = %s", bob) == [(2,)]


def test_telling_a_batch_again_changes_nothing(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob = new_id()
    batch = (person(bob, name="Bob"), template(bob), visit(bob), OptedOutCount(day="2026-11-24", visits=4))
    tables = ("persons", "templates", "visits", "opted_out_counts", "set_aside")
    a.tells(*batch)
    before = [a.rows(f"SELECT count(*) FROM {table}") for table in tables]
    assert a.tells(*batch) == []
    assert [a.rows(f"SELECT count(*) FROM {table}") for table in tables] == before


def test_only_what_changes_who_somebody_is_is_resolved_anew(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob = new_id()
    a.tells(person(bob))
    with chain.database.tenant(a.tenant_id) as tx:
        tx.execute("DELETE FROM resolve_queue")
    a.tells(person(bob, visit_count=2), visit(bob))
    assert a.rows("SELECT person_id FROM resolve_queue") == []
    a.tells(person(bob, visit_count=2, name="Bob"))
    assert a.rows("SELECT person_id FROM resolve_queue") == [(bob,)]


def test_a_person_that_went_takes_its_templates_along_and_leaves_its_visits_to_its_heir(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob, twin, third = new_id(), new_id(), new_id()
    old, inside = visit(twin), visit(twin)
    a.tells(person(bob), person(twin), template(twin, 1), old)
    a.tells(template(twin, 2), inside, PersonGone(id=twin, merged_into=third), person(third), PersonGone(id=third, merged_into=bob))
    assert a.rows("SELECT id FROM persons WHERE id = ANY(%s::uuid[])", [bob, twin, third]) == [(bob,)]
    assert a.rows("SELECT count(*) FROM templates") == [(0,)]
    assert a.rows("SELECT DISTINCT person_id FROM visits") == [(bob,)]


def test_a_person_that_came_back_has_what_was_told_since(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob, twin = new_id(), new_id()
    a.tells(person(bob), person(twin), template(twin, 1))
    kept = template(twin, 2)
    a.tells(PersonGone(id=twin, merged_into=bob), person(twin), kept, visit(twin))
    assert a.rows("SELECT id FROM templates") == [(kept.id,)]
    assert a.rows("SELECT person_id FROM visits") == [(twin,)]


def test_what_is_gone_is_gone(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob, camera, seen = new_id(), new_id(), visit()
    look = template(bob)
    a.tells(person(bob), look, seen, CameraRecord(id=camera, name="Door", kind="usb", enabled=True))
    a.tells(TemplateGone(id=look.id, person_id=bob), VisitGone(id=seen.id), CameraGone(id=camera))
    for table in ("templates", "visits", "cameras"):
        assert a.rows(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_ids_of_another_appliance_are_set_aside_and_left_as_they_are(chain: Chain) -> None:
    a, b, _ = stores(chain)
    bob, camera, seen = new_id(), new_id(), visit()
    look = template(bob)
    a.tells(person(bob, number=5), look, seen, CameraRecord(id=camera, name="Door", kind="usb", enabled=True))
    mine = new_id()
    told = [
        person(bob, number=6),
        visit(id=seen.id, verdict="returning"),
        visit(bob),
        template(bob),
        template(mine, id=look.id),
        CameraRecord(id=camera, name="Mine", kind="usb", enabled=False),
        ApartRecord(person_a=min(bob, mine), person_b=max(bob, mine)),
    ]
    asides = b.tells(person(mine), *told)
    assert {one.sequence for one in asides} == set(range(2, 2 + len(told)))
    assert all("another appliance" in one.reason for one in asides), asides
    gone = (TemplateGone(id=look.id, person_id=bob), PersonGone(id=bob), PersonGone(id=mine, merged_into=bob))
    assert len(b.tells(*gone)) == 3
    b.tells(VisitGone(id=seen.id), CameraGone(id=camera))
    assert a.rows("SELECT number FROM persons WHERE id = %s", bob) == [(5,)]
    assert a.rows("SELECT verdict FROM visits") == [("new",)]
    assert a.rows("SELECT person_id FROM templates") == [(bob,)]
    assert a.rows("SELECT name FROM cameras") == [("Door",)]


def test_another_tenants_ids_mean_nothing_here(chain: Chain) -> None:
    a, _, danas = stores(chain)
    bob = chain.persons["Bob", chain.site_a.name]
    assert danas.tells(person(bob, number=77), visit(bob), PersonGone(id=bob, erased=True)) == []
    assert a.rows("SELECT number FROM persons WHERE id = %s", bob) == [(2,)]
    assert a.rows("SELECT count(*) FROM tombstones") == [(0,)]
    # Under Dana's tenant it was a person of her own with the same id, and is erased there.
    assert danas.rows("SELECT count(*) FROM persons WHERE id = %s", bob) == [(0,)]


def test_a_template_of_nobody_is_set_aside(chain: Chain) -> None:
    a, _, _ = stores(chain)
    (aside,) = a.tells(template(new_id()))
    assert "has not told of" in aside.reason


@pytest.mark.parametrize("rubbish", [b"\xc1", b"\x80", b"\x00" * 100, b'{"type":"visit"}', encoded(visit(id="../etc"))])
def test_rubbish_is_set_aside_and_the_rest_is_stored(chain: Chain, rubbish: bytes) -> None:
    a, _, _ = stores(chain)
    seen = visit()
    (aside,) = a.tells(visit(), rubbish, seen)
    assert aside.sequence == 2
    assert aside.payload == rubbish
    assert a.rows("SELECT count(*) FROM visits") == [(2,)]


def test_a_record_that_the_database_refuses_is_found_among_many(chain: Chain, server: Server, database_name: str) -> None:
    a, _, _ = stores(chain)
    with psycopg.connect(**postgres.line_to(server.folder, postgres.OWNER, database_name)) as owner:
        owner.execute("ALTER TABLE persons ADD CHECK (number <> 13)")
        owner.execute("ALTER TABLE visits ADD CHECK (visit_number <> 13)")
    people = [person(new_id(), number=number) for number in range(10, 30)]
    visits = [visit(one.id, visit_number=number) for number, one in enumerate(people, 1)]
    asides = a.tells(*people, *visits)
    assert [(one.sequence, one.kind) for one in asides] == [(4, "person"), (33, "visit")]
    assert all("does not take it" in one.reason for one in asides)
    assert a.rows("SELECT count(*) FROM persons WHERE number BETWEEN 10 AND 29") == [(19,)]
    assert a.rows("SELECT count(*) FROM visits") == [(19,)]


def test_a_placeholder_is_passed_over(chain: Chain) -> None:
    a, _, _ = stores(chain)
    assert a.tells(b"", visit(), b"") == []


def test_visits_stand_in_the_month_of_their_id(chain: Chain) -> None:
    a, _, _ = stores(chain)
    in_march = "0195a5b6-7c00-7000-8000-000000000001"
    by_chance = "a0000000-0000-4000-8000-000000000002"
    a.tells(visit(id=in_march), visit(id=by_chance))
    a.tells(visit(id=in_march, first_seen_ms=NOW_MS + 5_000_000, last_seen_ms=NOW_MS + 6_000_000))
    assert a.rows("SELECT id, month::text FROM visits ORDER BY id") == [(in_march, "2025-03-01"), (by_chance, "1970-01-01")]


def test_two_called_apart_are_noted_and_looked_at_anew(chain: Chain) -> None:
    a, _, _ = stores(chain)
    first, second = sorted((new_id(), new_id()))
    a.tells(person(first), person(second))
    with chain.database.tenant(a.tenant_id) as tx:
        tx.execute("DELETE FROM resolve_queue")
    a.tells(ApartRecord(person_a=first, person_b=second, reason="one frame"))
    assert a.rows("SELECT person_a, person_b FROM apart") == [(first, second)]
    assert a.rows("SELECT person_id FROM resolve_queue ORDER BY 1") == [(first,), (second,)]


def test_a_clock_that_jumped_is_noted_and_one_set_right_by_seconds_is_not(chain: Chain) -> None:
    a, _, _ = stores(chain)
    a.tells(ClockJumped(at_ms=NOW_MS, by_ms=3_600_000), ClockJumped(at_ms=NOW_MS, by_ms=2_000))
    assert a.rows("SELECT what FROM audit") == [("clock jumped by 3600 s",)]


def test_a_template_told_under_another_person_queues_both(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob, twin = new_id(), new_id()
    look = template(twin)
    a.tells(person(bob), person(twin), look)
    with chain.database.tenant(a.tenant_id) as tx:
        tx.execute("DELETE FROM resolve_queue")
    a.tells(template(bob, id=look.id))
    assert a.rows("SELECT person_id FROM resolve_queue ORDER BY 1") == [(one,) for one in sorted([bob, twin])]
