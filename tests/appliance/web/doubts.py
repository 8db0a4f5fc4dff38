"""A store with doubts: a real database, recognition and review behind the page. Bob, Dora and Emil are known; twelve visits resemble one of
them a little, two persons are doubles of Bob and Dora, and Alice's templates hold a view that is not hers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance import persons, snapshots
from appliance.camera_desk import CameraDesk
from appliance.camera_trials import Trials
from appliance.database_file import path_in
from appliance.live import Live
from appliance.people_desk import Desk
from appliance.review_desk import ReviewDesk
from appliance.web.access import Asker
from appliance.web.door import Door
from appliance.web.pages import PersonRow, WebDeps
from appliance.web.readers import readers
from appliance.web.words import visitor
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import ALICE, BARS, BOB, DORA, EMIL, MODEL, Shop, a_shop, face, like
from tests.appliance.web.shop import JPEG, ZONE

NOW_MS = NOON + 20 * DAY_MS
KNOWN = (BOB, DORA, EMIL)
DOUBTS = 12
CASES = DOUBTS + 3


@dataclass
class Doubts:
    shop: Shop
    live: Live
    desk: ReviewDesk
    deps: WebDeps

    def close(self) -> None:
        self.shop.recognition.check()
        self.shop.store.close()


def open_doubts(folder: Path, picture: Callable[[int], bytes] = lambda _seed: JPEG, doubts: int = DOUBTS, doubles: bool = True) -> Doubts:
    shop, live, one_at_a_time = a_shop(folder / "data"), Live("boot"), threading.Lock()
    store = shop.store

    def ask(do: Callable[[], None]) -> None:
        with one_at_a_time:
            do()

    def snapshot(visit_id: str) -> bytes | None:
        row = store.db.execute("SELECT snapshot FROM visits WHERE id = ?", [visit_id]).fetchone()
        return snapshots.load(store, row[0]) if row and row[0] else None

    def names(row: PersonRow) -> str:
        sealed = row.name_sealed
        return store.vault.unseal(sealed, table="persons", column="name", row=row.id).decode() if sealed else visitor(row.number)

    for day in range(4):
        for who in KNOWN:
            shop.see(face(who), NOON + day * DAY_MS + who * 3_600_000, portrait=picture(who))
    for number in range(doubts):
        who = KNOWN[number % len(KNOWN)]
        at_ms = NOON + 8 * DAY_MS + number * 5_400_000
        assert shop.see(shop.unsure(who, number // len(KNOWN)), at_ms, portrait=picture(who)).verdict == "unsure"
    if doubles:
        with store.transaction():
            for who in (BOB, DORA):
                twin = persons.create(store, "customer", NOON)
                persons.learn(store, twin, "customer", MODEL, like(who, 0.9, 6), 0.5, "visit", None, NOON)
            alice = persons.create(store, "staff", NOON, "Alice Nguyễn")
            views = [*(like(ALICE, 0.95, view) for view in range(3)), like(ALICE, BARS.bar_at(0.01) / 0.95, 5)]
            for view in views:
                persons.learn(store, alice, "staff", MODEL, view, 0.5, "visit", None, NOON)
        shop.again()
    desk = ReviewDesk(store, shop.recognition, ask, lambda: False, lambda: NOW_MS)
    desk.look_through(lambda: False)
    deps = WebDeps(
        query=readers(path_in(store.folder)),
        names=names,
        dismiss_notice=lambda _notice: None,
        snapshot=snapshot,
        desk=Desk(store, shop.recognition, ask, lambda: NOW_MS),
        live=live,
        cameras=list,
        look=lambda _camera, _seconds: None,
        time_zone=ZONE,
        site_name="Ba Đình store",
        pack_name="open",
        weak_pack=False,
        now=lambda: NOW_MS,
        decide=desk.decide,
        undo=desk.undo,
        door=Door(everybody=Asker("", "Alice", "owner")),
        camera_desk=CameraDesk(store, Trials("", []), lambda: NOW_MS),
    )
    return Doubts(shop, live, desk, deps)
