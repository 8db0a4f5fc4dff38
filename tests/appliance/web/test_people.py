"""The pages about people: found, shown, changed, merged, split, forgotten; without a script, over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import details, persons
from appliance.alerts import rules
from appliance.database_file import path_in
from appliance.details import Details, Words
from appliance.loyalty import Weights, level
from appliance.web.app import create_app
from appliance.web.calendar import WEEKS, calendar
from appliance.web.people_search import folded, search
from tests.appliance.visitors import BOB, DORA, MODEL, face, like
from tests.appliance.web.shop import NOW, Shop, busy_shop, ms
from tests.appliance.web.test_pages import OURS, words

Client = TestClient[Litestar]
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = busy_shop(tmp_path)
    made.person("mai", 11, name="Mai Lê", visits=2)
    for index in range(2):
        made.visit(f"v-mai-{index}", "returning", NOW - timedelta(days=1 + index), "mai", index + 1, nearest="mai", similarity=0.6)
    with made.store.transaction():
        for person, who in (("bob", BOB), ("mai", DORA)):
            visit = {"bob": "v-bob", "mai": "v-mai-0"}[person]
            persons.learn(made.store, person, "customer", MODEL, face(who), 0.7, "visit", visit, ms(NOW))
            persons.learn(made.store, person, "customer", MODEL, like(who, 0.8), 0.6, "visit", None, ms(NOW))
    made.deps.desk.recognition.load()
    return made


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        yield client


def sent(client: Client, address: str, **form: str) -> str:
    """Where it leads."""
    answer = client.post(address, data=form, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def edit(client: Client, **form: str) -> str:
    return sent(client, "/people/bob/edit", **{"name": "Bob", **form})


def test_who_puts_somebody_on_the_watchlist_is_told_that_nobody_is_alerted_while_the_rule_is_off(client: Client, shop: Shop) -> None:
    said = "the rule for {} is off"
    assert said.format("VIP, Watchlist") in shown(client, "/people/bob/edit")
    for kind in (rules.VIP, rules.WATCHLIST):
        rules.save(shop.store, replace(rules.USUAL[kind], enabled=True), 1)
        assert (said.format("Watchlist") in shown(client, "/people/bob/edit")) == (kind == rules.VIP)


def test_what_is_entered_is_shown_searched_and_audited(client: Client, shop: Shop) -> None:
    where = edit(client, phone="+84 24 3825", email="Bob@Example.com", notes="likes tea\nand cake", vip="yes", birth_date="1990-05-21")
    page = shown(client, where)
    assert "Saved." in page and "+84 24 3825" in page and "1990-05-21" in page and "likes tea" in page and "VIP" in page
    for asked in ("0084 24-3825", "bob@example.com", "bo", "2", "Visitor 2"):
        assert "Bob" in shown(client, f"/people?q={asked.replace('+', '%2B')}"), asked
    audit = shop.db.execute("SELECT who, what, subject_id FROM audit ORDER BY id").fetchall()
    assert audit == [("Alice", "edit", "bob"), ("Alice", "see", "bob")]
    assert "Bob" in shown(client, "/people?show=vip") and "Nobody is on this list yet" in shown(client, "/people?show=watchlist")


def test_a_form_with_a_mistake_is_given_back_as_it_was_with_words_beside_the_field(client: Client, shop: Shop) -> None:
    answer = client.post("/people/bob/edit", data={"name": "Robert", "email": "no", "notes": "<b>tea</b>"}, headers=SAME)
    assert answer.status_code == 400
    assert 'value="Robert"' in answer.text and "That is no e-mail address" in answer.text and "&lt;b&gt;tea" in answer.text
    assert 'aria-describedby="email-fault"' in answer.text
    assert shop.db.execute("SELECT count(*) FROM details").fetchone() == (0,)


def test_people_are_found_by_any_part_of_a_name_whatever_the_accents(client: Client) -> None:
    for asked in ("Mai", "le", "mai le", "LÊ"):
        page = shown(client, f"/people?q={asked}")
        assert "Mai Lê" in page and "Bob" not in page
    assert "Nobody like that" in shown(client, "/people?q=zoe")
    assert folded("Dũng Đỗ") == "dung do"


def test_lists_and_orders_are_what_they_say(client: Client) -> None:
    assert "Alice" in shown(client, "/people?show=staff") and "Bob" not in shown(client, "/people?show=staff")
    named, unnamed = shown(client, "/people?show=named"), shown(client, "/people?show=unnamed")
    assert "Bob" in named and "Visitor 92" not in named and "Visitor 92" in unnamed and "Bob" not in unnamed
    by_visits = shown(client, "/people?show=customer&sort=visits")
    assert by_visits.index("Bob") < by_visits.index("Mai Lê")
    for wrong in ("show=robots", "sort=magic", "page=0"):
        assert client.get(f"/people?{wrong}").status_code == 400


def test_a_person_is_shown_with_visits_calendar_templates_and_what_the_chain_knows(client: Client, shop: Shop) -> None:
    shop.stores["bob"] = ["Riverside"]
    page = client.get("/people/bob").text
    text = words(page)
    assert "Also comes to Riverside." in text and "2 templates" in text and "this visit" in text
    assert 'href="/visits/v-bob"' in page and "2 visits, on 2 days" in text
    assert client.get("/people/charlie").status_code == client.get("/people/nobody").status_code == 404


def test_two_are_merged_and_taken_apart_again(client: Client, shop: Shop) -> None:
    edit(client, notes="tea")
    assert "Mai Lê" in shown(client, "/people/bob/merge?q=mai")
    asks = shown(client, "/people/bob/merge/mai")
    assert "Are these one person?" in asks and "Bob stays" in asks and "can be undone" in asks
    where = sent(client, "/people/bob/merge/mai")
    page = client.get(where).text
    assert "Merged with Mai Lê" in words(page)
    undo = next(part for part in page.split('"') if part.endswith("/undo"))
    assert "What was seen or learned after the merge stays with Bob" in shown(client, undo)
    assert "Undone." in shown(client, sent(client, undo))
    again = shop.db.execute("SELECT id FROM persons WHERE number = 11").fetchone()[0]
    assert "Mai Lê" in shown(client, f"/people/{again}") and client.get(undo).status_code == 404
    assert "called these two different" in shown(client, f"/people/bob/merge/{again}")
    refused = client.post(f"/people/bob/merge/{again}", data={"although_apart": "no"}, headers=SAME)
    assert refused.status_code == 409 and "were called different" in refused.text
    sent(client, f"/people/bob/merge/{again}", although_apart="yes")
    done = [row[0] for row in shop.db.execute("SELECT what FROM audit WHERE what <> 'see' ORDER BY id")]
    assert done == ["edit", "merge", "undo_merge", "merge"]


def test_who_cannot_be_merged_is_told_so_before_the_button(client: Client) -> None:
    assert "they cannot be one person" in shown(client, "/people/bob/merge/alice")
    answer = client.post("/people/bob/merge/alice", data={"although_apart": "no"}, headers=SAME)
    assert answer.status_code == 409 and "they cannot be one person" in answer.text
    assert client.post("/people/bob/merge/nobody", data={"although_apart": "no"}, headers=SAME).status_code == 404


def test_a_visit_goes_to_a_new_person_or_to_nobody(client: Client, shop: Shop) -> None:
    assert "Was this not Bob?" in shown(client, "/visits/v-bob/not-this-person")
    where = sent(client, "/visits/v-bob/not-this-person", to="new")
    assert "the new person" in shown(client, where) and "/people/bob" not in where
    assert shop.db.execute("SELECT person_id FROM visits WHERE id = 'v-bob'").fetchone()[0] in where
    assert sent(client, "/visits/v-bob-old/not-this-person", to="nobody") == "/people/bob?said=counted"
    assert shop.db.execute("SELECT person_id, verdict FROM visits WHERE id = 'v-bob-old'").fetchone() == (None, "unsure")
    assert client.get("/visits/v-bob-old/not-this-person").status_code == 404
    shop.deps.desk.recognition.check()


def test_a_page_that_is_old_takes_a_visit_from_nobody_but_whom_it_asked_about(client: Client, shop: Shop) -> None:
    assert '<input type="hidden" name="of" value="bob">' in client.get("/visits/v-bob/not-this-person").text
    new = sent(client, "/visits/v-bob/not-this-person", to="new", of="bob")
    answer = client.post("/visits/v-bob/not-this-person", data={"to": "new", "of": "bob"}, headers=SAME)
    assert answer.status_code == 409 and "Somebody gave that visit to another person meanwhile" in words(answer.text)
    assert shop.db.execute("SELECT person_id FROM visits WHERE id = 'v-bob'").fetchone()[0] in new
    in_vietnamese = {**SAME, "accept-language": "vi"}
    answer = client.post("/visits/v-bob/not-this-person", data={"to": "new", "of": "bob"}, headers=in_vietnamese)
    assert "Somebody" not in words(answer.text), "what the reception refuses is said in the reader's language"


def test_the_address_of_who_was_merged_leads_to_whom_they_are_now(client: Client) -> None:
    sent(client, "/people/bob/merge/mai")
    answer = client.get("/people/mai", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/people/bob")


def test_who_opts_out_is_not_shown_any_more(client: Client, shop: Shop) -> None:
    assert "Opt out Bob?" in shown(client, "/people/bob/opt-out")
    assert "Opted out." in shown(client, sent(client, "/people/bob/opt-out"))
    assert client.get("/people/bob").status_code == 404 and "Bob" not in shown(client, "/people?q=bob").replace("“bob”", "")
    assert shop.db.execute("SELECT role FROM persons WHERE id = 'bob'").fetchone() == ("opted_out",)
    shop.deps.desk.recognition.check()


def test_of_who_is_erased_from_the_page_nothing_is_left_in_the_database_file(client: Client, shop: Shop) -> None:
    edit(client, name="Bob Tran", phone="0123456789", email="bob@example.com", notes="allergic to nuts")
    sent(client, "/people/bob/merge/mai")
    sent(client, "/visits/v-mai-1/not-this-person", to="nobody")
    sent(client, "/visits/v-mai-0/not-this-person", to="nobody")
    of_bob: list[bytes] = []
    for statement in (
        "SELECT name_sealed FROM persons WHERE id = 'bob'",
        "SELECT words_sealed FROM details WHERE person_id = 'bob'",
        "SELECT phone_key FROM details WHERE person_id = 'bob'",
        "SELECT email_key FROM details WHERE person_id = 'bob'",
        "SELECT embedding_sealed FROM templates WHERE person_id = 'bob'",
        "SELECT embedding_sealed FROM rejected_looks WHERE person_id = 'bob'",
        "SELECT before_sealed FROM merges WHERE holder_id = 'bob'",
    ):
        found = [row[0] for row in shop.db.execute(statement)]
        assert found, statement
        of_bob += found
    asks = shown(client, "/people/bob/erase")
    assert "Erase Bob Tran?" in asks and "cannot be undone" in asks and "templates go as well" in asks
    assert "Erased." in shown(client, sent(client, "/people/bob/erase"))
    assert client.get("/people/bob").status_code == 404
    assert sent(client, "/people/bob/erase") == "/privacy/requests/1?said=erased"
    shop.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = b"".join(path.read_bytes() for path in path_in(shop.folder).parent.glob(f"{path_in(shop.folder).name}*"))
    for secret in [*of_bob, b"Bob Tran", b"0123456789", b"bob@example.com", b"allergic", face(BOB).astype("<f4").tobytes()]:
        assert secret not in content
    assert shop.db.execute("SELECT count(*) FROM audit WHERE what = 'erase'").fetchone() == (1,)
    shop.deps.desk.recognition.check()


def test_a_search_opens_names_in_the_order_they_were_seen_and_no_more_than_it_may(shop: Shop) -> None:
    assert search(shop.deps.query(), shop.store, shop.deps.names, "b") == ["bob"]
    assert search(shop.deps.query(), shop.store, shop.deps.names, "  ") == []
    with shop.store.transaction():
        details.put(shop.store, "mai", Details(words=Words(phone="12345")), 0)
    assert search(shop.deps.query(), shop.store, shop.deps.names, "12345") == ["mai"]


@pytest.mark.parametrize(
    ("recent", "half_year", "said"), [(0, 0, "away"), (0, 1, "occasional"), (2, 4, "regular"), (2, 3, "occasional"), (7, 8, "loyal")]
)
def test_loyalty_is_points_for_visits_the_newer_the_more(recent: int, half_year: int, said: str) -> None:
    assert level(recent, half_year, Weights()) == said


def test_a_calendar_ends_today_and_counts_days_and_visits() -> None:
    today = NOW.date()
    found = calendar([today, today, today - timedelta(days=40)], today)
    assert (found.visits, found.days) == (3, 2)
    last = found.squares[-1]
    assert (last.day, last.depth, last.column) == (today, 2, WEEKS - 1)


def test_visits_are_filtered_by_day_camera_kind_and_person(client: Client) -> None:
    today = shown(client, "/visits?kind=back")
    assert "Bob" in today and "Visitor 1\u202f204" not in today and "1 visit like that" in today
    assert "No visit like that" in shown(client, "/visits?camera=back")
    by_bob = shown(client, "/visits?person=bob&sort=oldest")
    assert "Visits by Bob" in by_bob and "2 visits" in by_bob
    assert "somebody who is gone" in shown(client, "/visits?person=charlie")
    for wrong in ("kind=robots", "sort=magic"):
        assert client.get(f"/visits?{wrong}").status_code == 400


def test_visits_are_saved_as_csv_that_no_spreadsheet_takes_for_a_formula(client: Client) -> None:
    edit(client, name="=HYPERLINK(evil)")
    answer = client.get("/visits.csv?kind=back")
    assert answer.headers["content-type"].startswith("text/csv") and "attachment" in answer.headers["content-disposition"]
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert lines[0] == "visit,first_seen,last_seen,kind,who,words,cameras" and len(lines) == 2
    assert "'=HYPERLINK(evil)" in lines[1] and "2026-11-22T14:31:00+07:00" in lines[1]
    vietnamese = client.get("/visits.csv?kind=back", headers={"accept-language": "vi"}).text
    assert "2026-11-22T14:31:00+07:00" in vietnamese and vietnamese != answer.text
