"""What is told and what is not: over a real database, with a web hook of our own where something is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import notices, opening_hours
from appliance.alerts import register, rules, targets
from appliance.alerts.desk import AlertDesk
from appliance.alerts.rules import BURST, CAMERA, NOBODY, VIP, WATCHLIST
from appliance.alerts.sending import Sender
from appliance.alerts.targets import Entry, Webhook
from appliance.alerts.telling import Site, Telling
from appliance.details import Details
from appliance.details import Entry as PersonEntry
from appliance.errors import AlertError
from appliance.opening_hours import Span, Week
from tests.appliance.alerts.receivers import Hook, web_hook
from tests.appliance.web.shop import MINUTE, NOW, ZONE, Shop, busy_shop, ms

HOUR = timedelta(hours=1)


@dataclass
class Office:
    shop: Shop
    telling: Telling
    desk: AlertDesk
    hook: Hook

    def rule(self, kind: str, **more: object) -> None:
        self.desk.save_rule(replace(rules.USUAL[kind], enabled=True, targets=tuple(self.places), **more))  # type: ignore[arg-type]

    @property
    def places(self) -> list[str]:
        return [one.id for one in targets.list_targets(self.shop.store.db.conn)]

    def mark(self, person: str, *, vip: bool = False, watchlist: bool = False) -> None:
        self.shop.deps.desk.save(person, PersonEntry(name="Bob Tran", details=Details(vip=vip, watchlist=watchlist), wrong={}))

    def later(self, by: timedelta) -> None:
        self.shop.clock_ms += round(by.total_seconds() * 1000)

    def alerts(self) -> list[register.Alert]:
        db = self.shop.store.db.conn
        return [*register.open_alerts(db, 50), *register.past(db, 50)]

    def bodies(self) -> list[str]:
        return [one["message"] for one in self.hook.came]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    shop = busy_shop(tmp_path)
    with web_hook() as hook:

        def name_of(person_id: str) -> str:
            return {"bob": "Bob Tran"}.get(person_id, "Visitor")

        telling = Telling(shop.store, lambda: shop.cameras, shop.live, Site("Ba Đình", ZONE), name_of, lambda: shop.clock_ms)
        made = Office(shop, telling, AlertDesk(telling), hook)
        address = Webhook(url=f"http://127.0.0.1:{hook.port}/x")
        made.desk.add_target(Entry("webhook", "Office", False, address, {}))
        yield made
    shop.store.close()


def come(office: Office, visit: str = "v-again", person: str = "bob", seconds: int = 6, state: str = "settled") -> None:
    office.later(2 * MINUTE)
    at = NOW + timedelta(milliseconds=office.shop.clock_ms - ms(NOW)) - timedelta(seconds=seconds)
    office.shop.visit(visit, "returning", at, person, 6, state=state, seconds=seconds)


def test_a_vip_is_told_of_once_a_visit_and_without_a_name_outside(office: Office) -> None:
    office.mark("bob", vip=True)
    office.rule(VIP)
    assert office.telling.look() == 0, "who was here before the rule is none of its business"
    come(office)
    assert office.telling.look() == 1 and office.telling.look() == 0
    assert office.telling.send_due() == 1
    assert office.bodies() == ["A VIP came in today 14:34."] and office.hook.came[0]["title"] == "Ba Đình: A VIP has come in"
    assert "Bob" not in str(office.hook.came)


def test_a_place_that_may_be_told_names_is_told_the_name(office: Office) -> None:
    office.shop.db.execute("UPDATE alert_targets SET with_names = 1")
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    office.telling.look()
    office.telling.send_due()
    assert office.bodies() == ["Bob Tran came in today 14:34."]


def test_a_first_guess_is_not_told_before_somebody_has_stood_there_for_three_seconds(office: Office) -> None:
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office, seconds=1, state="deciding")
    assert office.telling.look() == 0
    office.shop.db.execute("UPDATE visits SET last_seen_ms = first_seen_ms + 3000 WHERE id = 'v-again'")
    assert office.telling.look() == 1


def test_the_same_person_is_not_told_again_within_the_pause(office: Office) -> None:
    office.mark("bob", vip=True)
    office.rule(VIP, pause_min=60)
    come(office)
    assert office.telling.look() == 1
    office.later(30 * MINUTE)
    come(office, "v-soon")
    assert office.telling.look() == 0
    office.later(40 * MINUTE)
    come(office, "v-late")
    assert office.telling.look() == 1
    assert [alert.visit_id for alert in office.alerts()] == ["v-late", "v-again"], "what came within the pause is not told after it either"


def test_a_watchlist_alert_asks_and_only_the_yes_of_a_person_is_told_as_true(office: Office) -> None:
    office.mark("bob", watchlist=True)
    office.rule(WATCHLIST)
    come(office)
    office.telling.look()
    office.telling.send_due()
    assert "It is not known to be them" in office.bodies()[0] and "Bob" not in office.bodies()[0]
    (alert,) = office.alerts()
    assert office.desk.answer(alert.id, "yes") == "v-again"
    office.telling.send_due()
    assert "was looked at and confirmed" in office.bodies()[1]
    with pytest.raises(AlertError, match="answered that alert already"):
        office.desk.answer(alert.id, "no")


def test_a_no_is_told_to_nobody_and_takes_back_what_still_waits(office: Office) -> None:
    office.mark("bob", watchlist=True)
    office.rule(WATCHLIST)
    come(office)
    office.telling.look()
    office.desk.answer(office.alerts()[0].id, "no")
    assert office.telling.send_due() == 0 and office.bodies() == []


def test_a_likeness_cannot_be_waved_through_as_seen(office: Office) -> None:
    office.mark("bob", watchlist=True)
    office.rule(WATCHLIST)
    come(office)
    office.telling.look()
    with pytest.raises(AlertError, match="no answer"):
        office.desk.answer(office.alerts()[0].id, "seen")


def test_a_camera_that_sees_nothing_is_told_after_its_minutes_and_once_more_when_it_watches_again(office: Office) -> None:
    office.rule(CAMERA, number=15)
    assert office.telling.look() == 0
    office.later(4 * MINUTE)
    assert office.telling.look() == 1 and office.telling.look() == 0, "the back door has been silent for 16 minutes"
    office.telling.send_due()
    # Tried again, it is being opened for a moment: it is away all the same.
    office.shop.cameras[1] = replace(office.shop.cameras[1], state="opening", since_ms=office.shop.clock_ms)
    assert office.telling.look() == 0
    office.shop.cameras[1] = replace(office.shop.cameras[1], state="watching")
    assert office.telling.look() == 1
    office.telling.send_due()
    assert [said.split(":")[0] for said in office.bodies()] == [
        "The camera Back door",
        "The camera Back door watches again. It had been noticed today 14",
    ]


def test_a_camera_that_is_switched_off_is_not_said_to_watch_again(office: Office) -> None:
    office.rule(CAMERA, number=5)
    office.telling.look()
    office.telling.send_due()
    office.shop.cameras.pop()
    assert office.telling.look() == 1 and office.telling.send_due() == 0
    assert office.alerts()[0].state == "over"


def test_nobody_for_hours_is_told_within_the_opening_hours_alone(office: Office) -> None:
    opening_hours.save(office.shop.store, Week((Span(9 * 60, 21 * 60),) * 7))
    office.rule(NOBODY, number=2)
    office.later(HOUR + 59 * MINUTE)
    assert office.telling.look() == 0
    office.later(2 * MINUTE)
    assert office.telling.look() == 1
    office.later(5 * HOUR)
    assert office.telling.look() == 0, "closed: nothing more, and it is not over either"
    office.later(12 * HOUR)
    come(office)
    assert office.telling.look() == 1
    assert office.alerts()[0].state == "over"


def test_nobody_is_missed_in_the_morning_before_the_store_has_been_open_for_the_hours(office: Office) -> None:
    opening_hours.save(office.shop.store, Week((Span(9 * 60, 21 * 60),) * 7))
    office.rule(NOBODY, number=2)
    office.later(timedelta(hours=20))
    assert office.telling.look() == 0, "10:32: open for an hour and a half"
    office.later(30 * MINUTE)
    office.telling._counted_ms = 0
    assert office.telling.look() == 1


def test_a_silent_evening_does_not_hide_a_silent_day_after_it(office: Office) -> None:
    opening_hours.save(office.shop.store, Week((Span(9 * 60, 21 * 60),) * 7))
    office.rule(NOBODY, number=2)
    office.later(3 * HOUR)
    assert office.telling.look() == 1 and office.telling.send_due() == 1
    office.later(timedelta(hours=18))
    assert office.telling.look() == 1, "11:32: yesterday's is over"
    office.later(2 * MINUTE)
    assert office.telling.look() == 1 and office.telling.send_due() == 1
    assert sorted(alert.state for alert in office.alerts()) == ["open", "over"]
    assert all("again" not in body for body in office.bodies()), "that it is over is told of visitors alone"


def test_the_same_looks_at_a_customer_are_told_of_once_however_short_the_pause(office: Office) -> None:
    office.rule(BURST, number=5, pause_min=1)
    for number in range(4):
        come(office, f"v-{number}")
    assert office.telling.look() == 1
    office.later(HOUR)
    assert office.telling.look() == 0
    come(office, "v-late")
    office.later(MINUTE)
    assert office.telling.look() == 1


def test_one_customer_recognised_again_and_again_is_a_sign_of_a_bad_view(office: Office) -> None:
    office.rule(BURST, number=5)
    for number in range(4):
        come(office, f"v-{number}")
    assert office.telling.look() == 1
    (alert,) = office.alerts()
    assert (alert.rule, alert.subject, alert.number) == (BURST, "bob", 5)


def test_in_the_quiet_hours_it_stands_on_the_page_and_is_sent_when_they_end(office: Office) -> None:
    office.desk.save_quiet(Span(14 * 60, 16 * 60))
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    assert office.telling.look() == 1 and office.telling.send_due() == 0
    office.later(2 * HOUR)
    assert office.telling.send_due() == 1


def test_quiet_hours_may_go_over_midnight(office: Office) -> None:
    span = opening_hours.judged("22:00", "07:00")
    assert span is not None
    at = lambda hour: ms(NOW.replace(hour=hour, minute=0))  # noqa: E731
    assert [rules.quiet_until(span, at(hour), ZONE) is not None for hour in (6, 7, 12, 22, 23)] == [True, False, False, True, True]


def test_what_could_not_be_sent_is_tried_again_and_at_last_said_on_the_page(office: Office) -> None:
    office.hook.answers = [500]
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    office.telling.look()
    assert office.telling.send_due() == 1 and office.telling.send_due() == 0
    (message,) = register.messages(office.shop.store.db.conn, 10)
    assert message.state == "waiting" and message.why == "It answered with the error 500."
    for _ in register.TRIES:
        office.later(3 * HOUR)
        assert office.telling.send_due() == 1
    (message,) = register.messages(office.shop.store.db.conn, 10)
    assert (message.state, message.tries) == ("failed", 1 + len(register.TRIES))
    assert "could not be sent to Office" in notices.open_notices(office.shop.store)[0].words
    assert office.telling.send_due() == 0


def test_what_was_entered_before_a_power_cut_is_sent_after_it(office: Office, tmp_path: Path) -> None:
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    office.telling.look()
    # A program that was killed leaves the database as it is; another one opens it.
    again = Telling(office.shop.store, list, office.shop.live, Site("Ba Đình", ZONE), lambda _id: "", lambda: office.shop.clock_ms)
    assert again.look() == 0 and again.send_due() == 1 and len(office.bodies()) == 1


def test_nothing_is_sent_to_a_place_that_was_removed(office: Office) -> None:
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    office.telling.look()
    office.desk.remove_target(office.places[0])
    office.telling.send_due()
    assert office.bodies() == [] and register.messages(office.shop.store.db.conn, 1)[0].state == "failed"


def test_the_test_button_tells_the_truth(office: Office) -> None:
    office.desk.try_out(office.places[0])
    assert office.hook.came[0]["title"] == "Ba Đình: this is a test"
    office.hook.answers = [404]
    with pytest.raises(AlertError, match="no such address"):
        office.desk.try_out(office.places[0])


def test_an_address_lies_in_the_database_sealed_alone(office: Office) -> None:
    entry = targets.judged({"kind": "webhook", "name": "Till", "url": "https://example.com/services/s3cretpath"})
    office.desk.add_target(entry)
    found = b"".join(path.read_bytes() for path in office.shop.folder.iterdir() if path.is_file())
    assert b"s3cretpath" not in found and b"https://example.com/" in found


def test_a_place_that_hangs_keeps_nobody_from_looking(office: Office) -> None:
    office.hook.hangs = threading.Event()
    office.telling.sender = Sender()
    office.mark("bob", vip=True)
    office.rule(VIP)
    come(office)
    office.telling.start()
    until = threading.Event()
    for _ in range(500):
        if office.hook.paths:
            break
        until.wait(0.02)
    office.rule(CAMERA, number=5)
    for _ in range(500):
        if any(alert.rule == CAMERA for alert in office.alerts()):
            break
        until.wait(0.02)
    assert any(alert.rule == CAMERA for alert in office.alerts())
    office.hook.hangs.set()
    office.telling.stop()


def test_a_message_whose_address_does_not_open_is_said_and_holds_up_no_other(office: Office) -> None:
    office.desk.add_target(Entry("webhook", "Broken", False, Webhook(url="http://127.0.0.1:1/x"), {}))
    office.mark("bob", vip=True)
    office.rule(VIP)
    office.shop.db.execute("UPDATE alert_targets SET address_sealed = x'00' WHERE name = 'Broken'")
    come(office)
    office.telling.look()
    assert office.telling.send_due() == 2
    found = {one.target_name: one.state for one in register.messages(office.shop.store.db.conn, 10)}
    assert found == {"Office": "sent", "Broken": "waiting"}
