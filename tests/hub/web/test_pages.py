"""The hub's pages: getting in, what is shown to whom, what is asked before it is done; nothing inline, nothing from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import uuid_utils
from litestar import Litestar
from litestar.testing import TestClient

from hub import moments, snapshot_store, tenants, tokens, users
from hub.database import Database
from hub.web.app import create_app
from tests.cheap import CHEAP
from tests.hub.chain import NOW, Chain
from tests.hub.web.office import CODE, OURS, WORDS, Office, web_deps
from ui import sessions
from ui.guard import Place

SAME = {"sec-fetch-site": "same-origin"}
Client = TestClient[Litestar]


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    with TestClient(office.app, base_url=OURS) as client:
        yield client


def sign_in(client: Client, name: str, password: str = WORDS, **more: str) -> tuple[int, str]:
    answer = client.post("/sign-in", data={"name": name, "password": password, **more}, headers=SAME, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", "") or answer.text


def tenant_page(office: Office, path: str = "") -> str:
    return f"/t/{office.chain.ours.tenant_id}{path}"


def first_account(client: Client, **changed: str) -> tuple[int, str]:
    data = {"code": CODE, "name": "alice", "password": WORDS, "again": WORDS} | changed
    answer = client.post("/first-start", data=data, headers=SAME, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", "") or answer.text


def test_the_first_account_is_made_with_the_code_of_the_terminal_and_once(database: Database) -> None:
    with TestClient(create_app(web_deps(database, lambda: NOW, CODE)), base_url=OURS) as client:
        assert client.get("/", follow_redirects=False).headers["location"] == "/sign-in?to=/"
        assert "Welcome to headquarters" in client.get("/").text
        for changed, said in (
            ({"code": "AAAA-AAAA-AAAA"}, "That is not the code"),
            ({"again": WORDS + "x"}, "not the same"),
            ({"password": "short", "again": "short"}, "at least 12"),
            ({"name": ""}, "A name has"),
        ):
            status, words = first_account(client, **changed)
            assert status in (400, 401) and said in words
            assert WORDS not in words
        assert first_account(client, code=CODE.lower().replace("-", " ")) == (303, "/")
        assert "No tenant yet" in client.get("/").text
        client.cookies.clear()
        assert first_account(client, name="mallory") == (303, "/sign-in")
        assert client.get("/first-start", follow_redirects=False).headers["location"] == "/sign-in"
    with database.anyone() as tx:
        assert [(one.name, one.role) for one in users.every(tx)] == [("alice", "system_admin")]


def test_without_a_code_no_first_account_is_made(database: Database) -> None:
    with TestClient(create_app(web_deps(database, lambda: NOW, "")), base_url=OURS) as client:
        assert first_account(client, code="")[0] == 401


def test_guessing_the_code_is_slowed(database: Database) -> None:
    with TestClient(create_app(web_deps(database, lambda: NOW, CODE)), base_url=OURS) as client:
        answers = [first_account(client, code="AAAA-AAAA-AAAA")[0] for _ in range(7)]
        assert answers[:5] == [401] * 5 and answers[5:] == [429] * 2


def test_signing_in_leads_where_one_wanted_to_go_and_never_elsewhere(office: Office, client: Client) -> None:
    wanted = tenant_page(office, "/people")
    assert client.get(wanted, follow_redirects=False).headers["location"] == f"/sign-in?to={wanted}"
    assert f'value="{wanted}"' in client.get(wanted).text
    assert sign_in(client, "Alice", to=wanted) == (303, wanted)
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""):
        assert sign_in(client, "alice", to=elsewhere) == (303, "/")


def test_a_wrong_password_says_so_and_a_seventh_waits(office: Office, client: Client) -> None:
    for _ in range(5):
        status, words = sign_in(client, "alice", "wrong password")
        assert status == 401 and "do not belong together" in words and "wrong password" not in words
    status, words = sign_in(client, "alice")
    assert status == 429 and "The next is looked at in 1 second." in words
    office.clock[0] = NOW + timedelta(seconds=1)
    assert sign_in(client, "alice") == (303, "/")


def test_the_session_ends_when_one_signs_out_when_it_is_idle_and_with_a_new_password(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    stolen = dict(client.cookies)
    assert client.get(tenant_page(office)).status_code == 200
    assert client.post("/sign-out", headers=SAME, follow_redirects=False).headers["location"] == "/sign-in"
    client.cookies.update(stolen)
    assert client.get(tenant_page(office), follow_redirects=False).status_code == 303
    client.cookies.clear()
    sign_in(client, "alice")
    office.clock[0] = NOW + timedelta(milliseconds=sessions.IDLE_MS_MAX)
    assert client.get(tenant_page(office), follow_redirects=False).status_code == 303
    client.cookies.clear()
    sign_in(client, "alice")
    with office.database.anyone() as tx:
        assert users.set_password(tx, users.named(tx, "alice"), "another quiet lamp", CHEAP) == 1
    assert client.get(tenant_page(office), follow_redirects=False).status_code == 303
    assert sign_in(client, "alice")[0] == 401
    assert sign_in(client, "alice", "another quiet lamp")[0] == 303


def test_signing_in_gives_a_new_session_and_ends_the_one_before(office: Office, client: Client) -> None:
    planted = "A" * sessions.TOKEN_CHARACTERS
    data = {"name": "alice", "password": WORDS}
    client.post("/sign-in", data=data, headers={**SAME, "cookie": f"regulars-hub={planted}"}, follow_redirects=False)
    first = client.cookies["regulars-hub"]
    assert first != planted
    sign_in(client, "alice")
    with office.database.anyone() as tx:
        assert tx.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
        (kept,) = tx.execute("SELECT id_hash FROM sessions").fetchone() or (b"",)
    assert kept == sessions.token_hash(client.cookies["regulars-hub"]) and first.encode() not in kept


def test_behind_https_the_cookie_is_for_this_host_and_https_alone(chain: Chain) -> None:
    with chain.database.anyone() as tx:
        users.add(tx, "alice", "tenant_admin", chain.ours.tenant_id, WORDS, NOW, cost=CHEAP)
    deps = web_deps(chain.database, lambda: NOW, place=Place("https://hub.example.com"))
    with TestClient(create_app(deps), base_url=OURS) as client:
        own = {"host": "hub.example.com"} | SAME
        answer = client.post("/sign-in", data={"name": "alice", "password": WORDS}, headers=own, follow_redirects=False)
        assert re.match(r"__Host-regulars-hub=\S+; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$", answer.headers["set-cookie"])
        assert answer.headers["strict-transport-security"]
        assert client.get("/sign-in", headers={"host": "other.example.com"}).status_code == 421
        origin = {"host": "hub.example.com", "origin": "https://hub.example.com"}
        assert client.post("/sign-out", headers=origin, follow_redirects=False).status_code == 303
        assert client.post("/sign-out", headers=origin | {"origin": "http://hub.example.com"}).status_code == 403


def test_a_tenants_admin_is_led_to_their_tenant_and_a_system_admin_chooses(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    answer = client.get("/")
    assert str(answer.url).endswith(tenant_page(office)) and "Dana" not in answer.text
    sign_in(client, "root")
    answer = client.get("/").text
    assert "Phin Coffee" in answer and "Dana&#39;s Books" in answer
    assert client.get(f"/t/{office.chain.danas.tenant_id}").status_code == 200


def test_who_came_to_both_stores_is_listed_by_name_and_staff_and_opted_out_people_are_told_apart(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    for path in ("", "/people"):
        words = " ".join(re.sub(r"<[^>]+>", " ", client.get(tenant_page(office, path)).text).split())
        assert "Bob came to Hang Bai (1 visit) and Tay Ho (1 visit)" in words
        assert "Charlie" not in words and "Person 3" not in words


def test_visits_count_by_the_sites_own_day_without_staff(office: Office, client: Client) -> None:
    chain = office.chain
    midnight = NOW.replace(hour=17) - timedelta(days=1)  # in Hanoi
    for verdict, at in (("new", midnight - timedelta(seconds=1)), ("new", midnight), ("returning", NOW), ("unsure", NOW), ("staff", NOW)):
        with chain.database.tenant(chain.ours.tenant_id) as tx:
            tx.execute(
                """INSERT INTO visits (tenant_id, id, month, appliance_id, site_id, verdict, settled, first_seen_at, last_seen_at,
                       visit_number, cameras, model, reason)
                   VALUES (%s, gen_random_uuid(), '2026-11-01', %s, %s, %s, true, %s, %s, 1, '{}', 'm', '')""",
                (chain.ours.tenant_id, chain.appliance_a, chain.site_a.id, verdict, at, at),
            )
    sign_in(client, "alice")
    text = client.get(tenant_page(office)).text
    assert re.search(r'data-figure="visits">3<', text)
    found = client.get(f"/api/v1/tenants/{chain.ours.tenant_id}/sites").json()
    assert [(site["name"], site["visits_today"], site["new_today"], site["unsure_today"]) for site in found] == [
        ("Hang Bai", 3, 1, 1),
        ("Tay Ho", 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("ago_s", "status", "skew_ms", "mood", "said"),
    [
        (None, {}, None, "warn", "not heard from yet"),
        (5, {}, 100, "good", "in touch"),
        (300, {}, 0, "warn", "heard from 5 minutes ago"),
        (7_200, {"waiting": 12}, 0, "bad", "the store works on and sends everything when the line is back"),
        (5, {}, -14_000, "good", "its clock is 14 seconds behind"),
        (5, {}, 90_000, "warn", "its clock is 2 minutes ahead"),
        (5, {"waiting": 1_204, "oldest_ms": 1_764_000_000_000}, 0, "good", "1\u202f204 records wait there"),
        (5, {"trouble": "The disk is full."}, 0, "warn", "The disk is full."),
        (5, {"waiting": "many", "oldest_ms": {}, "cameras": 7, "trouble": ["x"], "version": None}, 0, "good", "in touch"),
        (5, [], 0, "good", "in touch"),
    ],
)
def test_an_appliances_state_is_said_in_words(
    office: Office, client: Client, ago_s: int | None, status: object, skew_ms: int | None, mood: str, said: str
) -> None:
    chain = office.chain
    heard = NOW - timedelta(seconds=ago_s) if ago_s is not None else None
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute(
            "UPDATE appliances SET last_contact_at = %s, status = %s, clock_skew_ms = %s WHERE id = %s",
            (heard, json.dumps(status), skew_ms, chain.appliance_a),
        )
    sign_in(client, "alice")
    assert said in client.get(tenant_page(office)).text
    assert said.casefold() in client.get(tenant_page(office, f"/appliances/{chain.appliance_a}")).text.casefold()
    assert client.get(f"/api/v1/tenants/{chain.ours.tenant_id}/appliances/{chain.appliance_a}").json()["mood"] == mood


def test_a_token_is_shown_once_opens_the_api_and_nothing_when_it_is_revoked(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    answer = client.post(tenant_page(office, "/tokens"), data={"name": "report", "scope": "read"}, headers=SAME)
    token = re.search(r"rgl_[\w-]{43}", answer.text)
    assert token and answer.status_code == 200
    assert token[0] not in client.get(tenant_page(office, "/tokens")).text
    sites = f"/api/v1/tenants/{office.chain.ours.tenant_id}/sites"
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {token[0]}"}
    assert client.get(sites, headers=bearer).status_code == 200
    with office.database.tenant(office.chain.ours.tenant_id) as tx:
        made = next(one for one in tokens.every(tx) if one.name == "report")
    sign_in(client, "alice")
    client.post(tenant_page(office, f"/tokens/{made.id}/revoke"), headers=SAME)
    client.cookies.clear()
    assert client.get(sites, headers=bearer).status_code == 401


@pytest.mark.parametrize(("name", "scope"), [("", "read"), ("x" * 81, "read"), ("till read", "read"), ("x", "owner")])
def test_a_token_that_cannot_be_is_refused_in_words(office: Office, client: Client, name: str, scope: str) -> None:
    sign_in(client, "alice")
    answer = client.post(tenant_page(office, "/tokens"), data={"name": name, "scope": scope}, headers=SAME)
    assert answer.status_code == 400 and 'role="alert"' in answer.text


def test_a_token_makes_no_tokens(office: Office, client: Client) -> None:
    bearer = {"authorization": f"Bearer {office.tokens['ours admin']}"}
    assert client.post(tenant_page(office, "/tokens"), data={"name": "x"}, headers=bearer).status_code == 403


def test_every_page_is_plain_and_from_here_alone(office: Office, client: Client) -> None:
    chain = office.chain
    pages = ["/sign-in", *(tenant_page(office, path) for path in ("", "/people", "/forgotten", "/tokens", "/nowhere"))]
    pages += [tenant_page(office, f"/appliances/{chain.appliance_a}{more}") for more in ("", "/revoke")]
    sign_in(client, "root")
    for path in [*pages, "/", "/api/v1/docs"]:
        answer = client.get(path)
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", answer.text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text), path
        assert not re.search(r"""(?:src|href|action)=["'](?!/|#)""", answer.text), path
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.headers["x-request-id"]) == 12


def test_the_api_describes_itself_whole_and_from_here(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    page = client.get("/api/v1/docs").text
    assert len(schema["paths"]) >= 8
    for path in schema["paths"]:
        assert path.startswith("/api/v1/"), "a page is no part of the API"
        assert path.replace("{", "{").split("/")[-1] in page
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert operation.get("description"), f"{method} {path} does not say what it does"


def test_the_api_says_what_is_wrong_as_json(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    ours = f"/api/v1/tenants/{office.chain.ours.tenant_id}"
    nobody = office.chain.site_a.id
    for path, status in (("/identities?page=0", 400), ("/identities?page=x", 400), ("/nothing", 404), (f"/identities/{nobody}", 404)):
        answer = client.get(ours + path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
        assert answer.json()["words"]
    bob = f"{ours}/identities/{office.chain.people['Bob']}"
    for path, body, said in (
        (f"{bob}/erase", b"{", "cannot be read"),
        (f"{bob}/merge", b"{}", "required field `taken_id`"),
        (f"{bob}/merge", b'{"taken_id": 3}', "taken_id: Expected `str`"),
    ):
        answer = client.post(path, content=body, headers={**SAME, "content-type": "application/json"})
        assert answer.status_code == 400 and said in answer.json()["words"], answer.text


def test_somebody_is_erased_through_the_api_and_the_page_shows_where_it_is_outstanding(office: Office, client: Client) -> None:
    sign_in(client, "alice")
    ours = f"/api/v1/tenants/{office.chain.ours.tenant_id}"
    bob = office.chain.people["Bob"]
    assert client.get(f"{ours}/identities?several=true").json()["items"][0]["name"] == "Bob"
    answer = client.post(f"{ours}/identities/{bob}/erase", json={"reason": "asked at the counter"}, headers=SAME)
    assert answer.status_code == 202, answer.text
    assert client.get(f"{ours}/identities/{bob}").status_code == 404
    (request,) = client.get(f"{ours}/erasures").json()["items"]
    assert request["id"] == answer.json()["request_id"] and request["outstanding"] == 4 and request["asked_by"] == "alice"
    text = client.get(tenant_page(office, "/forgotten")).text
    assert "outstanding at 4 places" in text and "asked at the counter" in text and "Bob" not in text
    assert "1 request to be forgotten is not carried out everywhere yet" in client.get(tenant_page(office)).text
    assert client.post(f"{ours}/identities/{bob}/erase", json={}, headers=SAME).status_code == 404


def test_a_face_is_shown_where_the_tenant_keeps_pictures_and_to_nobody_else(office: Office, client: Client) -> None:
    chain = office.chain
    jpeg, key, visit = b"\xff\xd8\xff picture \xff\xd9", snapshot_store.new_key(chain.ours.tenant_id, NOW), str(uuid_utils.uuid7())
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute(
            """INSERT INTO visits (tenant_id, id, month, appliance_id, site_id, person_id, verdict, settled, first_seen_at, last_seen_at,
                   visit_number, cameras, model, reason, snapshot, snapshot_taken_at)
               VALUES (%s, %s, '2026-11-01', %s, %s, %s, 'returning', true, %s, %s, 2, '{}', 'm', '', %s, %s)""",
            (chain.ours.tenant_id, visit, chain.appliance_a, chain.site_a.id, chain.persons["Bob", "Hang Bai"], NOW, NOW, key, NOW),
        )
        office.store.put(chain.database.vault(tx, chain.ours.tenant_id), key, jpeg)
    office.clock[0] = moments.now()  # by which the line's own routes go
    sign_in(client, "alice")
    assert "/snapshots/" not in client.get(tenant_page(office)).text
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tenants.set_switches(tx, chain.ours.tenant_id, snapshots=True)
    link = re.search(r'src="(/snapshots/[^"]+)"', client.get(tenant_page(office)).text)
    assert link and "Bob" not in link[1]
    assert client.get(link[1]).content == jpeg
    sign_in(client, "dana")
    assert client.get(link[1]).status_code == 404
    client.cookies.clear()
    assert client.get(link[1], follow_redirects=False).status_code == 303
    sign_in(client, "alice")


def test_a_disk_that_is_nearly_full_is_said_with_how_many_people_wait(client: Client, office: Office) -> None:
    ours = office.chain.ours.tenant_id
    with office.database.tenant(ours) as tx:
        tx.execute("INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before) VALUES (%s, %s, %s, %s)",
                   (ours, office.chain.persons["Bob", "Tay Ho"], NOW, NOW))  # fmt: skip
    sign_in(client, "alice")
    assert "nearly full" not in client.get(tenant_page(office)).text
    office.free_bytes[0] = 12_000_000
    said = client.get(tenant_page(office)).text
    assert "disk is nearly full: 12 MB are left." in said.replace("&#39;", "'") and "1 person waits to be recognised." in said
    sign_in(client, "root")
    assert "12 MB are left" in client.get("/").text
