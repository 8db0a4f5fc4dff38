"""A believable Sunday of a shop for the screenshots: some 200 visits of 150 people from nine in the morning, out of one seed."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from appliance import persons
from appliance.details import Details, Entry, Words
from appliance.live import FaceBox
from appliance.web.words import box_label
from tests.appliance.visitors import MODEL, face
from tests.appliance.web.shop import NOW, Shop, ms, open_shop
from tests.browser.portraits import entrance, portrait

BY_HOUR = {9: 16, 10: 31, 11: 47, 12: 41, 13: 36, 14: 19}
NAMED = {4: "Bob Tran", 11: "Mai Lê", 23: "Dũng Phạm"}
FACES = ((52, 0.46, 0.30, 0.036), (11, 0.73, 0.40, 0.062), (7, 0.27, 0.46, 0.085))
"""Who stands in the entrance just now: seed, middle of the face, width."""
POSTER = "[[[0.78,0.1],[0.97,0.1],[0.97,0.46],[0.78,0.46]]]"
"""A zone that the front camera ignores."""


def full_day(folder: Path) -> Shop:
    shop = open_shop(folder)
    chance = random.Random(20261122)
    shop.camera("front", "Front entrance")
    shop.db.execute("UPDATE cameras SET ignored = ? WHERE id = 'front'", (POSTER,))
    shop.camera("side", "Side entrance", restarts=2)
    shop.camera("back", "Back door", "silent", error="The camera does not answer at 192.168.1.21, port 554.")
    shop.db.execute("INSERT INTO opted_out_counts VALUES ('2026-11-22', 3)")
    shop.notice("The back door camera has been silent for 12 minutes. It is tried again every 30 seconds; the other two count on.")
    known: dict[str, int] = {}

    def meet(number: int, role: str = "customer", name: str | None = None) -> str:
        id_ = f"p{number}"
        if id_ not in known:
            known[id_] = 0
            shop.person(id_, number, role, name or NAMED.get(number))
        known[id_] += 1
        return id_

    def come(id_: str, verdict: str, at, number: int, seen: int, person: str | None, **more: object) -> None:  # type: ignore[no-untyped-def]
        camera = chance.choices(("front", "side"), (3, 1))[0]
        seconds = chance.randint(3, 14)
        shop.visit(id_, verdict, at, person, number, camera=camera, picture=portrait(seen), seconds=seconds, **more)  # type: ignore[arg-type]

    regulars = [*NAMED, *chance.sample(range(30, 1100), 60)]
    fresh = 1110
    for days_ago in (23, 16, 9, 7, 2):
        for index, number in enumerate(chance.sample(regulars, 24)):
            at = NOW - timedelta(days=days_ago, minutes=index * 9)
            person = meet(number)
            come(f"old-{days_ago}-{number}", "returning", at, known[person], number, person, nearest=person, similarity=0.6)
    serial = 0
    for hour, count in BY_HOUR.items():
        minutes = 31 if hour == 14 else 60
        for at_s in sorted(chance.sample(range(minutes * 60), count)):
            serial += 1
            at = NOW.replace(hour=hour, minute=0) + timedelta(seconds=at_s)
            kind = chance.choices(("new", "returning", "unsure", "staff"), (56, 34, 5, 5))[0]
            if kind == "new":
                fresh += 1
                nearest = f"p{chance.choice(regulars)}"
                person = meet(fresh)
                nearest_known = nearest if nearest in known else None
                come(f"t{serial}", kind, at, 1, fresh, person, nearest=nearest_known, similarity=chance.uniform(0.12, 0.3))
            elif kind == "returning":
                number = chance.choice(regulars)
                person = meet(number)
                come(f"t{serial}", kind, at, known[person] + 1, number, person, nearest=person, similarity=chance.uniform(0.5, 0.78))
            elif kind == "unsure":
                nearest = chance.choice([id_ for id_ in known if id_ != "p1"])
                come(f"t{serial}", kind, at, 0, 5000 + serial, None, nearest=nearest, similarity=chance.uniform(0.36, 0.45))
            else:
                come(f"t{serial}", kind, at, 40, 1, meet(1, "staff", "Alice Nguyễn"), nearest="p1", similarity=chance.uniform(0.6, 0.8))
    doubts(shop)
    shop.pair(contact=NOW - timedelta(seconds=40))
    shop.stores |= {"p11": ["Old Quarter", "West Lake"], "p1297": ["West Lake"]}
    just_now(shop, come, meet)
    # What the visit log itself would have written: a person's first visit is new, the others are counted from there.
    shop.db.execute(
        """UPDATE visits SET visit_number = ranked.n,
               verdict = CASE WHEN verdict = 'staff' THEN 'staff' WHEN ranked.n = 1 THEN 'new' ELSE 'returning' END
           FROM (SELECT id, row_number() OVER (PARTITION BY person_id ORDER BY first_seen_ms) AS n
                 FROM visits WHERE person_id IS NOT NULL) ranked
           WHERE ranked.id = visits.id"""
    )
    for id_, visits in known.items():
        first, last = shop.db.execute("SELECT min(first_seen_ms), max(last_seen_ms) FROM visits WHERE person_id = ?", (id_,)).fetchone()
        shop.db.execute("UPDATE persons SET visit_count = ?, first_seen_ms = ?, last_seen_ms = ? WHERE id = ?", (visits, first, last, id_))
    details_of_mai(shop)
    return shop


def details_of_mai(shop: Shop) -> None:
    """She has been merged with somebody once, and is known by a few templates."""
    with shop.store.transaction():
        other = persons.create(shop.store, "customer", ms(NOW))
        for person, who, visit in (("p11", 0, "now-mai"), ("p11", 1, None), (other, 2, None)):
            at_ms = ms(NOW - timedelta(days=2 + who))
            persons.learn(shop.store, person, "customer", MODEL, face(who), 0.6 + who / 10, "visit", visit, at_ms)
    words = Words(gender="female", phone="+84 24 3825 1234", email="mai@example.com", notes="Phin coffee, no sugar.\nAsk about the dog.")
    shop.deps.desk.save("p11", Entry(name="Mai Lê", details=Details(words=words, vip=True), wrong={}))
    shop.deps.desk.merge("p11", other)


def doubts(shop: Shop) -> None:
    """What the machine was unsure of today is asked at review; of 120 such answers 7 were "different"."""
    rows = shop.db.execute(
        """SELECT v.id, s.nearest_person_id, s.similarity FROM visits v JOIN sightings s ON s.visit_id = v.id WHERE v.verdict = 'unsure'
            ORDER BY (SELECT count(*) FROM visits o WHERE o.person_id = s.nearest_person_id) DESC LIMIT 7"""
    ).fetchall()
    most = max(similarity for _, _, similarity in rows)
    for visit, nearest, similarity in rows:
        shop.case(visit, nearest, similarity)
        shop.pictures[visit] = portrait(int(nearest.removeprefix("p")))
    for number in range(120):
        shop.case(f"earlier-{number}", "p4", most)
    shop.db.execute(
        """UPDATE review SET decision = iif(id % 18 = 0, 'different', 'same'), turn = id, undo = iif(id % 120 = 0, '{}', NULL)
            WHERE subject LIKE 'earlier-%'"""
    )


def just_now(shop: Shop, come, meet) -> None:  # type: ignore[no-untyped-def]
    """The last minute, in which each kind of decision is to be seen."""
    second = timedelta(seconds=1)
    come("now-mai", "returning", NOW - 12 * second, 5, 11, meet(11), nearest="p11", similarity=0.64)
    come("now-new", "new", NOW - 9 * second, 1, 7, meet(1297), nearest="p4", similarity=0.22)
    come("now-bob", "returning", NOW - 190 * second, 12, 4, meet(4), nearest="p4", similarity=0.71)
    come("now-doubt", "unsure", NOW - 250 * second, 0, 9092, None, nearest="p23", similarity=0.41)
    shop.visit("now-deciding", "new", NOW - 1 * second, None, 0, state="deciding", picture=portrait(52))


def show_cameras(shop: Shop) -> None:
    """Puts a fresh picture with boxes before the first two cameras."""
    (visits,) = shop.db.execute("SELECT visit_number FROM visits WHERE id = 'now-mai'").fetchone()
    labels = (("deciding", "", 0), ("returning", "Mai Lê", visits), ("new", "", 1))
    also_at = {"Mai Lê": shop.stores["p11"]}
    boxes = []
    for (seed, x, y, wide), (verdict, name, number) in zip(FACES, labels, strict=True):
        high = wide * 16 / 9 * 1.25
        kind = {"returning": "back"}.get(verdict, verdict)
        label = box_label(verdict, name, number, also_at.get(name, []))
        boxes.append(FaceBox(f"s{seed}", x - wide / 2, y - high / 2, wide, high, label, kind))
    shop.live.show("front", ms(NOW), entrance(list(FACES)), tuple(boxes))
    shop.live.show("side", ms(NOW), entrance([]), ())
