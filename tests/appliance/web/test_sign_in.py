"""Getting in, staying in, being sent out: the first start, passwords, one-time codes, sessions; and what each leaves in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import one_time_codes
from tests.appliance.web.shop import Shop, busy_shop
from tests.appliance.web.signing import OURS, PASSWORD, SAME, add_users, sign_in, with_door
from ui import sessions

CODE = "ABCD-EFGH-JKMN"
Client = TestClient[Litestar]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def first(shop: Shop) -> Iterator[Client]:
    with TestClient(with_door(shop, CODE), base_url=OURS) as client:
        yield client


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    add_users(shop)
    with TestClient(with_door(shop), base_url=OURS) as client:
        yield client


def post(client: Client, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data=data or {"x": ""}, headers=SAME, follow_redirects=False)
    return answer.status_code, answer.text + answer.headers.get("location", "")


def audited(shop: Shop) -> list[tuple[str, str]]:
    return [tuple(row) for row in shop.store.db.execute("SELECT who, what FROM audit ORDER BY id").fetchall()]


def test_the_first_start_leads_to_the_owners_account_and_the_code_makes_it(first: Client, shop: Shop) -> None:
    assert first.get("/", follow_redirects=True).url.path == "/first-start"
    words = {"name": "Alice", "password": PASSWORD, "again": PASSWORD}
    assert post(first, "/first-start", code="wrong", **words)[0] == 401
    assert post(first, "/first-start", code=CODE, name="Alice", password="short", again="short")[0] == 400
    assert post(first, "/first-start", code=CODE, name="Alice", password=PASSWORD, again="other")[0] == 400
    assert post(first, "/first-start", code=CODE.lower().replace("-", " "), **words) == (303, "/")
    assert first.get("/").status_code == 200
    assert post(first, "/first-start", code=CODE, **words) == (303, "/sign-in"), "there is one first owner"
    assert audited(shop) == [("somebody", "sign_in_failed"), ("Alice", "user_added"), ("Alice", "sign_in")]


def test_without_a_code_nobody_becomes_the_owner(shop: Shop) -> None:
    with TestClient(with_door(shop), base_url=OURS) as client:
        for code in ("", "-", CODE):
            assert post(client, "/first-start", code=code, name="Mallory", password=PASSWORD, again=PASSWORD)[0] == 401


def test_guessing_the_first_code_is_slowed(first: Client) -> None:
    tried = [post(first, "/first-start", code=f"wrong {number}", name="M", password=PASSWORD, again=PASSWORD)[0] for number in range(8)]
    assert tried[0] == 401 and tried[-1] == 429


def test_whoever_signs_in_lands_where_they_wanted_to_go_and_nowhere_else(client: Client) -> None:
    answer = client.get("/people", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?to=/people"
    for to, lands in (("/people", "/people"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")):
        client.cookies.clear()
        data = {"name": "alice", "password": PASSWORD, "to": to}
        answer = client.post("/sign-in", data=data, headers=SAME, follow_redirects=False)
        assert answer.headers["location"] == lands
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


def test_a_wrong_password_and_a_wrong_name_are_answered_alike_and_slowed_but_nobody_is_locked_out(client: Client, shop: Shop) -> None:
    said = {post(client, "/sign-in", name=name, password="wrong")[1].replace(name, "") for name in ("alice", "nobody")}
    assert len(said) == 1
    tried = [sign_in(client, "alice", "wrong") for _ in range(6)]
    assert tried[-1] == 429 and sign_in(client, "alice") == 429
    shop.clock_ms += 61_000
    assert sign_in(client, "alice") == 303, "a minute later the right password opens it, whatever was guessed"


def test_a_failed_try_is_in_the_audit_log_with_whose_account_and_from_where_but_not_what_was_typed(client: Client, shop: Shop) -> None:
    secret = "my password in the wrong box"
    assert [sign_in(client, name, "wrong") for name in ("alice", secret)] == [401, 401]
    assert [sign_in(client, "dana", "wrong") for _ in range(7)][-1] == 429
    rows = shop.store.db.execute("SELECT who, subject_id, other_id FROM audit WHERE what = 'sign_in_failed' ORDER BY id").fetchall()
    dana = ("somebody", "user-2", "testclient")
    assert rows == [("somebody", "user-0", "testclient"), ("somebody", "", "testclient"), *[dana] * 5], "slowed ones are not looked at"
    assert sign_in(client, "alice") == 303
    assert post(client, "/account/password", password="wrong", new=PASSWORD, again=PASSWORD)[0] == 400
    page = client.get("/audit?who=somebody").text
    assert page.count("alice, from testclient") == 2 and "no account there is, from testclient" in page
    assert secret not in page and secret not in "\n".join(shop.store.db.conn.iterdump())


def test_a_session_ends_when_idle_at_last_and_by_signing_out(client: Client, shop: Shop) -> None:
    assert sign_in(client, "alice") == 303
    for _hour in range(12):
        shop.clock_ms += sessions.IDLE_MS_MAX - 60_000
        assert client.get("/account", follow_redirects=False).status_code == 200
    shop.clock_ms += 13 * 60_000
    assert client.get("/account", follow_redirects=False).status_code == 303, "twelve hours are over, however much it was used"
    assert sign_in(client, "alice") == 303
    shop.clock_ms += sessions.IDLE_MS_MAX
    assert client.get("/account", follow_redirects=False).status_code == 303
    assert sign_in(client, "alice") == 303
    kept = dict(client.cookies)
    assert post(client, "/sign-out") == (303, "/sign-in")
    client.cookies.update(kept)
    assert client.get("/account", follow_redirects=False).status_code == 303, "the token is worth nothing any more"


def test_one_time_codes_are_turned_on_asked_for_and_turned_off(client: Client, shop: Shop) -> None:
    assert sign_in(client, "alice") == 303
    page = client.get("/account/codes").text
    found = re.search(r'name="secret" value="(\w+)"', page)
    assert found and 'src="data:image/svg+xml' in page
    secret, totp = found[1], pyotp.TOTP(found[1])
    now_s = shop.clock_ms // 1000
    assert post(client, "/account/codes", secret=secret, code=totp.at(now_s), password="wrong")[0] == 400
    _status, words = post(client, "/account/codes", secret=secret, code=totp.at(now_s), password=PASSWORD)
    recovery = re.findall(r"<code>(\w{5}-\w{5})</code>", words)
    assert len(recovery) == 10 and "/account" in words
    assert sign_in(client, "alice") == 200, "the password alone opens nothing"
    assert client.get("/account", follow_redirects=False).status_code == 303

    def owed() -> str:
        shown = client.post("/sign-in", data={"name": "alice", "password": PASSWORD}, headers=SAME).text
        return re.search(r'name="owed" value="([^"]+)"', shown)[1]  # type: ignore[index]

    token = owed()
    assert post(client, "/sign-in/code", owed=token, code="123")[0] == 401
    shop.clock_ms += 60_000
    assert post(client, "/sign-in/code", owed=token, code=totp.at(shop.clock_ms // 1000), to="/people") == (303, "/people")
    assert post(client, "/sign-in/code", owed=token, code=recovery[0])[0] == 401, "a form is good for one sign-in"
    assert post(client, "/sign-in/code", owed=owed(), code=recovery[0])[0] == 303
    late = owed()
    shop.clock_ms += 5 * 60_000
    assert post(client, "/sign-in/code", owed=late, code=recovery[1])[0] == 401
    assert post(client, "/account/codes/off", password=PASSWORD)[0] == 303
    assert not one_time_codes.asked_of(shop.store, "user-0")
    assert sign_in(client, "alice") == 303
    assert {"codes_on", "codes_off"} <= {what for _who, what in audited(shop)}


def test_codes_are_not_guessed_by_going_on(client: Client, shop: Shop) -> None:
    secret = one_time_codes.new_secret()
    one_time_codes.turn_on(shop.store, "user-0", secret, pyotp.TOTP(secret).at(shop.clock_ms // 1000), shop.clock_ms)
    shown = client.post("/sign-in", data={"name": "alice", "password": PASSWORD}, headers=SAME).text
    token = re.search(r'name="owed" value="([^"]+)"', shown)[1]  # type: ignore[index]
    tried = [post(client, "/sign-in/code", owed=token, code="12")[0] for _ in range(7)]
    assert set(tried) <= {401, 429}
    assert 'name="owed"' not in post(client, "/sign-in/code", owed=token, code="12")[1], "the password is asked for again"


def test_a_password_is_changed_by_whoever_knows_it_and_other_browsers_are_signed_out(client: Client, shop: Shop) -> None:
    assert sign_in(client, "dana") == 303
    elsewhere = dict(client.cookies)
    assert sign_in(client, "dana") == 303
    new = {"new": "a yellow submarine", "again": "a yellow submarine"}
    assert "not your password" in post(client, "/account/password", password="wrong", **new)[1]
    assert post(client, "/account/password", password=PASSWORD, new="short", again="short")[0] == 400
    assert post(client, "/account/password", password=PASSWORD, **new) == (303, "/account?said=password")
    assert client.get("/account", follow_redirects=False).status_code == 200
    client.cookies.update(elsewhere)
    assert client.get("/account", follow_redirects=False).status_code == 303
    assert sign_in(client, "dana") == 401 and sign_in(client, "dana", "a yellow submarine") == 303


def test_ones_sessions_are_listed_and_ended_and_nobody_elses(client: Client, shop: Shop) -> None:
    assert sign_in(client, "dana") == 303
    danas = dict(client.cookies)
    assert sign_in(client, "alice") == 303
    (danas_hash,) = shop.store.db.execute("SELECT id_hash FROM sessions WHERE user_id = 'user-2'").fetchone()
    assert post(client, f"/account/sessions/{danas_hash.hex()}/end")[0] == 303
    assert post(client, "/account/sessions/end-others")[0] == 303
    assert post(client, "/account/sessions/zz/end")[0] == 404
    client.cookies.update(danas)
    assert client.get("/account", follow_redirects=False).status_code == 200


def test_an_owner_adds_changes_and_removes_users_and_they_feel_it_at_once(client: Client, shop: Shop) -> None:
    assert sign_in(client, "alice") == 303
    assert post(client, "/users", name="Bob", password=PASSWORD, role="viewer")[0] == 303
    assert post(client, "/users", name="bob", password=PASSWORD, role="viewer")[0] == 400
    assert post(client, "/users", name="Eve", password=PASSWORD, role="god")[0] == 404
    (bob,) = shop.store.db.execute("SELECT id FROM users WHERE name = 'Bob'").fetchone()
    owners = dict(client.cookies)
    assert sign_in(client, "bob") == 303
    bobs = dict(client.cookies)
    assert client.get("/people").status_code == 403
    client.cookies.update(owners)
    assert post(client, f"/users/{bob}/role", role="manager")[0] == 303
    client.cookies.update(bobs)
    assert client.get("/people").status_code == 200
    client.cookies.update(owners)
    assert post(client, f"/users/{bob}/password", password="short")[0] == 400
    assert post(client, f"/users/{bob}/remove")[0] == 303
    assert post(client, "/users/user-0/remove")[0] == 409, "the only owner stays"
    client.cookies.update(bobs)
    assert client.get("/", follow_redirects=False).status_code == 303
    told = audited(shop)
    assert [what for who, what in told if who == "alice"] == ["sign_in", "user_added", "user_changed", "user_removed"]


def test_the_log_says_who_looked_changed_and_exported_and_is_filtered(client: Client, shop: Shop) -> None:
    assert sign_in(client, "bob manager") == 303
    for _twice in range(2):
        client.get("/people/bob")
    client.get("/visits/v-bob")
    client.get("/visits.csv")
    assert post(client, "/people/p1204/edit", name="Erin")[0] == 303
    assert [what for _who, what in audited(shop)] == ["sign_in", "see", "see", "export", "name"], "who looks twice has looked once"
    page = client.get("/audit").text
    assert "looked at" in page and "Erin" in page and "saved what is stored" in page
    only = client.get("/audit?what=export").text.partition("<tbody>")[2]
    assert only.count("<tr>") == 1 and "Erin" not in only
    assert "Nothing like that" in client.get("/audit?who=somebody").text
    with shop.store.transaction() as db:
        db.execute("INSERT INTO audit (at_ms, who, what, subject_id) VALUES (0, 'x', 'alert_rule', 'watchlist')")
    assert "gone by now" not in client.get("/audit?who=x").text, "a rule is nobody, and not gone"
    assert client.get("/audit?before=-1").status_code == 400
    for number in range(60):
        with shop.store.transaction() as db:
            db.execute("INSERT INTO audit (at_ms, who, what, subject_id) VALUES (?, 'x', 'edit', 'bob')", [number])
    page = client.get("/audit").text
    older = re.search(r'href="(/audit\?before=\d+)"', page)
    assert page.count("<tr>") == 51 and older
    assert client.get(older[1]).text.count("<tr>") == 17
