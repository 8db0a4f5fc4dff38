"""What lies behind the counter of the screenshots' shop: accounts, alerts, requests, backups, and a log that is a day old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pyotp
from uuid_utils import uuid7

from appliance import audit, backup, one_time_codes, opening_hours, snapshots, users
from appliance.alerts import register, rules, targets
from appliance.alerts.telling import Telling
from appliance.database import Store
from appliance.details import Details, Entry
from appliance.forgetting import Forgotten
from appliance.opening_hours import Span, Week
from appliance.privacy import particulars
from appliance.privacy import register as requests
from appliance.privacy.particulars import Particulars
from appliance.upkeep import CHECKED
from tests.appliance.web.routes import equipped
from tests.appliance.web.shop import NOW, Shop, ms
from tests.browser.portraits import portrait
from ui import sessions

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PLACES = (
    {"kind": "email", "name": "Store manager", "to": "manager@example.com", "server": "smtp.example.com", "with_names": "yes"},
    {"kind": "slack", "name": "Shop floor", "slack_url": "https://hooks.slack.com/services/T0CORNER/B0SHOPS/a1B2c3D4e5"},
)
LOG = [
    "2026-11-22T01:00:02.114Z level=info from=appliance.running event=started version=0.1.0 cameras=3 persons=1204",
    "2026-11-22T01:00:03.871Z level=info from=appliance.camera.process event=camera_watching camera=front fps=5.0",
    "2026-11-22T01:00:04.020Z level=info from=appliance.camera.process event=camera_watching camera=side fps=5.0",
    "2026-11-22T01:00:04.377Z level=info from=appliance.camera.process event=camera_watching camera=back fps=5.0",
    "2026-11-22T02:17:40.903Z level=info from=appliance.gallery event=loaded templates=3318 seconds=0.4",
    "2026-11-22T03:05:12.556Z level=warning from=appliance.camera.process event=camera_restarted camera=side after_s=1.0",
    "2026-11-22T05:30:00.018Z level=info from=appliance.jobs event=job_done job=snapshots removed=212 seconds=1.2",
    "2026-11-22T06:41:28.240Z level=info from=appliance.line.agent event=told records=500 bytes=91744",
    "2026-11-22T07:20:00.730Z level=warning from=appliance.camera.process event=camera_silent camera=back seconds=20",
    "2026-11-22T07:20:21.102Z level=error from=appliance.camera.process event=camera_failed camera=back words=no_answer",
    "2026-11-22T07:31:44.668Z level=info from=appliance.web.sign_in event=signed_in role=owner",
]


@contextmanager
def at_work(shop: Shop) -> Iterator[None]:
    """As long as it lasts. `shop`: of the full day."""
    with equipped(shop, LOG) as telling:
        accounts(shop.store)
        alerts(shop, telling)
        asked(shop.store)
        with shop.store.transaction() as db:
            db.execute("UPDATE persons SET created_ms = first_seen_ms")
        for seed in range(5):
            # The shop keeps its pictures in memory; these few say how large one is.
            snapshots.save(shop.store, str(uuid7()), portrait(seed), ms(NOW))
        for days in (3, 2, 1):
            backup.make_backup(shop.folder, shop.store.vault, ms((NOW - days * DAY).replace(hour=3, minute=0)))
        with shop.store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [CHECKED, str(ms(NOW - 2 * DAY))])
            opening_hours.save(shop.store, Week(tuple(Span(8 * 60, (22 if day < 5 else 23) * 60) for day in range(7))))
        done(shop.store)
        shop.clock_ms = ms(NOW)
        yield


def accounts(store: Store) -> None:
    """Bob has a one-time code; two of Alice's browsers are open."""
    with store.transaction() as db:
        for number, name in enumerate(("Alice", "Bob", "Dana")):
            row = [name, name.casefold(), ms(NOW - (90 - number) * DAY), f"user-{number}"]
            db.execute("UPDATE users SET name = ?, name_key = ?, made_ms = ? WHERE id = ?", row)
    secret, then_ms = one_time_codes.new_secret(), ms(NOW - 60 * DAY)
    one_time_codes.turn_on(store, "user-1", secret, pyotp.TOTP(secret).at(then_ms // 1000), then_ms)
    storage = users.UserStorage(store)
    for user, name, ago in (
        ("user-0", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Safari/604.1", 40 * MINUTE),
        ("user-0", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.1 Safari/605.1.15", 10 * MINUTE),
        ("user-1", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", 25 * MINUTE),
    ):
        at = ms(NOW - ago)
        storage.keep_session(sessions.token_hash(f"{user} {name}"), user, at, at + sessions.WHOLE_MS_MAX, name)


def alerts(shop: Shop, telling: Telling) -> None:
    """Somebody on the watchlist may be here, a camera is away, a VIP came; earlier ones were answered."""
    store = shop.store
    shop.deps.desk.save("p23", Entry(name="Dũng Phạm", details=Details(watchlist=True), wrong={}))
    places = tuple(targets.add(store, targets.judged(place), ms(NOW - 40 * DAY)) for place in PLACES)
    for kind in (rules.VIP, rules.WATCHLIST, rules.CAMERA, rules.NOBODY):
        chosen = replace(rules.USUAL[kind], enabled=True, targets=places, always=kind == rules.WATCHLIST)
        rules.save(store, chosen, ms(NOW - 30 * DAY))
    rules.save_quiet(store, Span(22 * 60 + 30, 31 * 60))
    visit = store.db.execute("SELECT id FROM visits WHERE person_id = 'p23' ORDER BY first_seen_ms DESC").fetchone()
    found = (
        (register.Found(rules.CAMERA, "side", "", 5), 30 * HOUR, "over"),
        (register.Found(rules.VIP, "p11", "now-mai", 0), 26 * HOUR, "seen"),
        (register.Found(rules.WATCHLIST, "p23", visit[0], 0), 25 * HOUR, "no"),
        (register.Found(rules.CAMERA, "back", "", 5), 12 * MINUTE, ""),
        (register.Found(rules.WATCHLIST, "p23", visit[0], 0), 4 * MINUTE, ""),
        (register.Found(rules.VIP, "p11", "now-mai", 0), timedelta(seconds=12), ""),
    )
    known = rules.read(store.db.conn)
    for each, ago, then in found:
        at = ms(NOW - ago)
        with store.transaction():
            number = register.enter(store, each, known[each.rule], targets.list_targets(store.db.conn), at, None)
        assert number is not None
        for message in register.due(store.db.conn, at, 10):
            register.sent(store, message, at + 900)
        alert = register.one(store.db.conn, number)
        assert alert is not None
        with store.transaction():
            if then == "over":
                register.end(store, alert, [], at + 20 * 60_000, tell=False)
            elif then:
                register.answer(store, number, then, "Alice", [], at + 120_000)


def asked(store: Store) -> None:
    """Requests of visitors, and who answers for the store."""
    said = Particulars(
        controller="Corner Shops Co., 12 Phố Huế, Hà Nội",
        contact="privacy@example.com, +84 24 3825 0000",
        officer="Lê Minh, dpo@example.com",
        ground="Consent, asked for at the entrance",
        authority="Ministry of Public Security, A05",
    )
    particulars.save(store, said, "Alice", ms(NOW - 80 * DAY))
    with store.transaction():
        numbers = [row[0] for row in store.db.execute("SELECT id FROM persons WHERE role = 'customer' ORDER BY number LIMIT 6").fetchall()]
        requests.fulfil(store, "erase", "gone", 812, Forgotten(persons=1, templates=5, snapshots=9, visits=11), "Bob", ms(NOW - 20 * DAY))
        refused = requests.receive(store, "erase", numbers[1], "Bob", ms(NOW - 9 * DAY))
        requests.refuse(store, refused, "not_proven", "Alice", ms(NOW - 8 * DAY))
        requests.fulfil(store, "access", "p11", 11, Forgotten(), "Alice", ms(NOW - 5 * DAY))
        requests.receive(store, "opt_out", numbers[3], "Bob", ms(NOW - 2 * DAY))
        store.db.execute("UPDATE privacy_requests SET cleared_ms = ?, copies = 3 WHERE person_id = 'gone'", [ms(NOW - 20 * DAY + HOUR)])


def done(store: Store) -> None:
    """What the last days' log of who did what holds, in its order."""
    with store.transaction() as db:
        db.execute("DELETE FROM audit")
    for what, subject, other, who, ago in (
        ("particulars", "", "", "Alice", 80 * DAY),
        ("user_added", "user-1", "", "Alice", 60 * DAY),
        ("codes_on", "user-1", "", "Bob", 60 * DAY),
        ("alert_rule", "watchlist", "", "Alice", 30 * DAY),
        ("camera_change", "side", "", "Alice", 3 * DAY),
        ("merge", "p4", "", "Bob", 2 * DAY),
        ("see", "p23", "", "Bob", 26 * HOUR),
        ("review_different", "p4", "", "Bob", 25 * HOUR),
        ("sign_in", "user-1", "", "Bob", 5 * HOUR),
        ("review_same", "p11", "", "Bob", 4 * HOUR),
        ("edit", "p11", "", "Bob", 4 * HOUR - MINUTE),
        ("export", "p11", "", "Bob", 3 * HOUR),
        ("search_by_photo", "", "", "Alice", 2 * HOUR),
        ("see", "now-doubt", "", "Alice", 3 * MINUTE),
        ("see", "p23", "", "Alice", 2 * MINUTE),
    ):
        with store.transaction():
            audit.note(store, what, subject, ms(NOW - ago), other, who=who)
