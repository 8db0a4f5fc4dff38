"""Besides records and facts: pictures, the clock, pairing and unpairing, and the thread itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance import forgetting, notices, snapshots
from appliance.errors import LineError
from appliance.line import link, standing
from appliance.line.agent import POLL_S, Agent, Surroundings
from sync import outbox
from sync.facts import OptOut, PersonKnown, TenantSettings
from sync.records import ClockJumped, PersonRecord
from tests.appliance.line.both_ends import Line, three_come
from tests.appliance.line.chain import HUB_KEYS, an_id, guest, lent, pair, table
from tests.appliance.line.headquarters import Headquarters
from tests.appliance.stores import DAY_MS, JPEG, NOON
from tests.appliance.visitors import CHARLIE, a_shop, face
from tests.cheap import CHEAP_WORK

GRACE = 5


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(a_shop(tmp_path / "data"), Headquarters(work=CHEAP_WORK))
    yield made
    made.agent.stop()
    made.shop.store.close()


def test_pictures_go_behind_everything_else_and_only_where_they_are_wanted(line: Line) -> None:
    line.pair()
    three_come(line)
    line.run()
    assert line.hub.known.pictures == {}
    line.hub.tell(TenantSettings(snapshots=True))
    line.run(300)
    assert set(line.hub.known.pictures.values()) == {JPEG} and len(line.hub.known.pictures) == 3
    sent = line.hub.asked.count("/sync/v1/snapshot")
    line.begin()
    line.run(300)
    assert line.hub.asked.count("/sync/v1/snapshot") == sent == 3
    line.hub.wants_pictures = False
    three_come(line, NOON + DAY_MS)
    line.run(300)
    found = link.read(line.shop.store)
    assert found and not found.snapshots and line.hub.asked.count("/sync/v1/snapshot") == sent + 1


def test_a_picture_that_is_gone_or_was_erased_meanwhile_is_not_sent(line: Line) -> None:
    line.pair()
    bob, *_ = three_come(line)
    line.hub.tell(TenantSettings(snapshots=True))
    names = [str(r[0]) for r in table(line.shop, "SELECT snapshot FROM visits ORDER BY first_seen_ms")]
    snapshots.remove(line.shop.store, names[1])
    with line.shop.store.transaction():
        line.shop.recognition.renew(forgetting.erase(line.shop.store, bob, NOON).keys)
    line.run(300)
    assert len(line.hub.known.pictures) == 1 and line.agreed()


def test_a_clock_that_is_set_is_noticed_and_told(line: Line) -> None:
    line.pair()
    line.run(5)
    line.now_ms += 7_500_000
    line.run(100)
    jumps = [r for r in line.hub.known.records if isinstance(r, ClockJumped)]
    assert len(jumps) == 1 and abs(jumps[0].by_ms - 7_500_000) < 60_000
    assert "forward by 2 h 5 min" in notices.open_notices(line.shop.store)[0].words
    line.hub.clock_ahead_ms = 600_000
    line.run()
    assert "10 minutes behind" in standing.read(line.shop.store.db.conn).clock


def test_pairing_with_a_wrong_code_or_address_is_a_sentence(line: Line) -> None:
    line.hub.loses = 1
    line.pair()
    assert line.hub.asked == ["/sync/v1/pair"] * 2
    with pytest.raises(LineError, match="does not take this code"):
        line.pair()
    line.hub.away = True
    with pytest.raises(LineError, match=r"hub\.test cannot be reached"):
        line.pair()
    line.hub.away, line.hub.rubbish = False, httpx.Response(404)
    with pytest.raises(LineError, match="no headquarters at this address"):
        line.pair()


def test_paired_anew_while_an_answer_is_on_its_way_nothing_of_that_answer_is_done(line: Line) -> None:
    line.pair()
    line.run()
    waits = three_come(line) and outbox.span(line.shop.store.db.conn)
    line.hub.tell(guest(an_id(), face(GRACE)))
    line.hub.rotate()
    line.hub.meanwhile = lambda: pair(line.shop, tenant_id=an_id(), appliance_id=an_id()) and None
    line.steady_s += 100
    line.agent.step()
    line.hub.meanwhile = None
    assert outbox.span(line.shop.store.db.conn) == waits and line.shop.count("guests") == 0
    found = link.read(line.shop.store)
    assert found and (found.hub, found.contact_ms, found.error, found.cursor) == (HUB_KEYS.public, None, "", 0)


def test_unpaired_the_store_keeps_who_opted_out_and_nothing_else_of_the_chain(line: Line) -> None:
    line.pair()
    bob, *_ = three_come(line)
    line.hub.tell(
        guest(an_id(), face(GRACE)),
        OptOut(erasure_id=an_id(), identity_id=an_id(), templates=lent(face(CHARLIE))),
        PersonKnown(person_id=bob, identity_id=an_id(), name="Bob"),
    )
    line.run()
    link.end(line.shop.store)
    assert line.shop.count("chain") == line.shop.count("link") == 0
    assert table(line.shop, "SELECT role FROM guests") == [("opted_out",)]
    assert line.agent.step() == POLL_S


def test_a_person_of_a_guest_is_told_as_such(line: Line) -> None:
    line.pair()
    identity = an_id()
    line.hub.tell(guest(identity, face(GRACE)))
    line.run()
    line.shop.see(face(GRACE), NOON)
    line.run()
    assert [r.guest_of for r in line.hub.known.rows.values() if isinstance(r, PersonRecord)] == [identity]


def test_the_thread_itself_runs_and_stops(line: Line) -> None:
    line.pair()
    three_come(line)
    told = Agent(line.shop.store, Surroundings(now=lambda: NOON, transport=line.hub.transport))
    told.start()
    told.try_now()
    for _ in range(500):
        if line.agreed():
            break
        told._thread.join(0.01)
    told.stop()
    assert line.agreed() and not told._thread.is_alive()
