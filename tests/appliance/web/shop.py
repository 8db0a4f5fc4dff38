"""A store's database for the page's tests: made through the migrations, with Alice (staff), Bob (a customer who came back) and Charlie,
who opted out and of whom there is only a count. The clock stands at 14:32 on Sunday, 22 November 2026, in Hanoi."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from appliance.camera.probe import Probe
from appliance.camera_desk import CameraDesk
from appliance.camera_trials import Trials, Try
from appliance.database import Store
from appliance.errors import PersonError
from appliance.live import Live
from appliance.people_desk import Desk
from appliance.web.access import Asker
from appliance.web.cameras import CameraLine
from appliance.web.door import Door
from appliance.web.pages import Names, PersonRow, WebDeps
from appliance.web.readers import readers
from appliance.web.words import visitor
from tests.appliance.stores import a_store
from tests.appliance.visitors import recognition

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 22, 14, 32, tzinfo=ZONE)
MINUTE = timedelta(minutes=1)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass
class Shop:
    folder: Path
    db: Database
    live: Live
    deps: WebDeps
    store: Store
    """The same data folder as the page's own writer has it. Ids of people and visits are words here, not UUIDs."""
    cameras: list[CameraLine]
    pictures: dict[str, bytes]
    looks: list[tuple[str, float]] = field(default_factory=list)
    clock_ms: int = ms(NOW)
    stores: dict[str, list[str]] = field(default_factory=dict)
    """Other stores that a person comes to."""
    attempt: Try = lambda _settings: Probe(error="There is no camera in this shop.")

    def person(self, id_: str, number: int, role: str = "customer", name: str | None = None, visits: int = 1, seen: datetime = NOW) -> None:
        sealed = self.store.vault.seal(name.encode(), table="persons", column="name", row=id_) if name else None
        self.db.execute(
            """INSERT INTO persons (id, number, role, name_sealed, first_seen_ms, last_seen_ms, visit_count, created_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (id_, number, role, sealed, ms(seen - timedelta(days=9)), ms(seen), visits, 0),
        )

    def visit(
        self,
        id_: str,
        verdict: str,
        at: datetime,
        person: str | None = None,
        number: int = 1,
        state: str = "settled",
        nearest: str | None = None,
        similarity: float | None = None,
        bar: float | None = 0.46,
        camera: str = "front",
        picture: bytes | None = JPEG,
        seconds: int = 6,
    ) -> None:
        start, end = ms(at), ms(at + timedelta(seconds=seconds))
        self.db.execute(
            """INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number, snapshot, snapshot_width_px)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (id_, person, verdict, state, start, end, number, f"{id_}.jpg" if picture else None, 96.0),
        )
        self.db.execute(
            """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
                nearest_person_id, similarity, bar, logged_after_ms, settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)""",
            (f"s-{id_}", id_, camera, start, end, 5, 96.4, "arcface_mobilefacenet", verdict, "", nearest, similarity, bar, 640),
        )
        if picture:
            self.pictures[id_] = picture

    def notice(self, words: str) -> int:
        return int(self.db.execute("INSERT INTO notices (created_ms, kind, words) VALUES (?, 'test', ?)", (ms(NOW), words)).lastrowid or 0)

    def pair(self, *, contact: datetime = NOW, waits: int = 0, speed: float | None = None) -> None:
        self.db.execute(
            """INSERT INTO link (id, hub_url, tenant_id, tenant_name, site_id, site_name, appliance_id, state, own_keys_sealed, hub_seal,
                hub_sign, line, paired_ms, contact_ms, error, skew_ms, bytes_per_s)
                VALUES (1, 'https://hub.example.com', 't', 'Corner Shops', 's', 'Ba Đình', 'a', 'paired', x'', x'', x'', 'l', 0, ?, '', 40,
                ?)""",
            (ms(contact), speed),
        )
        for _ in range(waits):
            self.db.execute("INSERT INTO outbox (made_ms, kind, payload_sealed) VALUES (?, 'visit', x'00')", (ms(NOW - 90 * MINUTE),))

    def case(self, subject: str, person: str, similarity: float, kind: str = "visit", low: float = 0.34, bar: float = 0.46) -> None:
        self.db.execute(
            "INSERT INTO review (kind, subject, person_id, similarity, low, bar, made_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, subject, person, similarity, low, bar, ms(NOW)),
        )

    def camera(self, id_: str, name: str, state: str = "watching", **more: object) -> None:
        place = f"192.168.1.{20 + len(self.cameras)}:554/stream1"
        sealed = self.store.vault.seal(f"rtsp://admin:s3cret@{place}".encode(), table="cameras", column="source_sealed", row=id_)
        self.db.execute(
            "INSERT INTO cameras (id, name, kind, source_sealed, source_shown, created_ms) VALUES (?, ?, 'rtsp', ?, ?, 0)",
            (id_, name, sealed, f"rtsp://…@{place}"),
        )
        self.cameras.append(CameraLine(id_, name, state, ms(NOW - 12 * MINUTE), 5.0, 21.0, **more))  # type: ignore[arg-type]


def open_shop(folder: Path, *, weak_pack: bool = False, site_name: str = "Ba Đình store") -> Shop:
    """An empty store, nothing seen yet, no camera."""
    path = folder / "regulars.db"
    store = a_store(folder)
    db = Database(path)
    db.conn.isolation_level = None
    # The numbers of `Shop.person` are given by hand: those that the store itself gives come after them.
    db.execute("INSERT OR REPLACE INTO settings VALUES ('last_visitor_number', '9000')")
    live = Live("boot")
    cameras: list[CameraLine] = []
    pictures: dict[str, bytes] = {}
    looks: list[tuple[str, float]] = []

    def nobody(*_asked: object) -> None:
        raise PersonError("Nobody decides anything in this shop.")

    def dismiss(notice_id: int) -> None:
        # The page's handlers run in threads of their own, this connection belongs to the test's.
        writer = Database(path)
        writer.execute("UPDATE notices SET dismissed_ms = coalesce(dismissed_ms, ?) WHERE id = ?", (ms(NOW), notice_id))
        writer.conn.commit()
        writer.close()

    deps = WebDeps(
        query=readers(path),
        names=names_of(store),
        dismiss_notice=dismiss,
        snapshot=pictures.get,
        desk=Desk(store, recognition(store), lambda do: do(), lambda: shop.clock_ms),
        live=live,
        cameras=lambda: list(cameras),
        look=lambda camera, seconds: looks.append((camera, seconds)),
        time_zone=ZONE,
        site_name=site_name,
        pack_name="starter" if weak_pack else "open",
        weak_pack=weak_pack,
        now=lambda: shop.clock_ms,
        decide=nobody,
        undo=nobody,
        also_at=lambda person_id: shop.stores.get(person_id, []),
        door=Door(everybody=Asker("", "Alice", "owner")),
        camera_desk=CameraDesk(store, Trials("", [], lambda settings: shop.attempt(settings)), lambda: shop.clock_ms),
    )
    shop = Shop(folder, db, live, deps, store, cameras, pictures, looks)
    return shop


def names_of(store: Store) -> Names:
    def names(person: PersonRow) -> str:
        if person.name_sealed is None:
            return visitor(person.number)
        return store.vault.unseal(person.name_sealed, table="persons", column="name", row=person.id).decode()

    return names


def busy_shop(folder: Path) -> Shop:
    """Alice was seen twice, Bob came back for the fifth time, visitor 1204 is new, somebody might be visitor 92, one is being decided."""
    shop = open_shop(folder)
    shop.camera("front", "Front entrance")
    shop.camera("back", "Back door", "silent", error="no answer from 192.168.1.21")
    shop.person("alice", 1, "staff", "Alice", visits=40)
    shop.person("bob", 2, "customer", "Bob", visits=5)
    shop.person("charlie", 3, "opted_out")
    shop.person("p92", 92, seen=NOW - timedelta(days=3))
    shop.person("p1204", 1204)
    shop.db.execute("INSERT INTO opted_out_counts VALUES ('2026-11-22', 2)")
    shop.visit("v-alice-1", "staff", NOW - 300 * MINUTE, "alice", 39, nearest="alice", similarity=0.71)
    shop.visit("v-alice-2", "staff", NOW - 20 * MINUTE, "alice", 40, nearest="alice", similarity=0.68)
    shop.visit("v-bob-old", "returning", NOW - timedelta(days=7), "bob", 4, nearest="bob", similarity=0.61)
    shop.visit("v-bob", "returning", NOW - 1 * MINUTE, "bob", 5, nearest="bob", similarity=0.62)
    shop.visit("v-new", "new", NOW - 2 * MINUTE, "p1204", 1, nearest="p92", similarity=0.21)
    shop.visit("v-unsure", "unsure", NOW - 5 * MINUTE, None, 0, nearest="p92", similarity=0.41)
    shop.visit("v-deciding", "new", NOW, None, 0, state="deciding", picture=None)
    return shop
