"""The page in the shop's network: its certificate is trusted by whoever trusts the store's root and nobody else; HTTP leads to HTTPS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509

from appliance import certificates, users
from appliance.config import Web, load
from appliance.database import Store
from appliance.doorway import OpenPage, follow, made_door, open_page, own_names, renew
from appliance.errors import CertificateError, ConfigError
from appliance.notices import open_notices
from appliance.web.app import create_app
from appliance.web.door import Door
from tests.appliance.stages import free_port
from tests.appliance.web.shop import Shop, busy_shop
from tests.cheap import CHEAP
from ui.redirect import name_in

NOW = datetime.now(UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY_MS = 86_400_000
GOOD = "a green bicycle"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def web() -> Web:
    return Web(host="0.0.0.0", port=free_port(), redirect_port=free_port(), names="shop.lan")


@pytest.fixture
def door(shop: Shop, web: Web) -> Door:
    users.add(shop.store, "Alice", "owner", GOOD, NOW_MS)
    return made_door(shop.store, web, NOW_MS)


@pytest.fixture
def opened(shop: Shop, web: Web, door: Door) -> Iterator[OpenPage]:
    page = open_page(create_app(replace(shop.deps, door=door)), web, [web.port], shop.live.close, door)
    yield page
    page.stop()


def trusting(store: Store) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=(store.folder / "certificate" / "root.pem").read_text())


def test_it_is_not_opened_to_the_network_before_there_is_an_owner(shop: Shop, web: Web) -> None:
    with pytest.raises(ConfigError, match="nobody can sign in yet"):
        made_door(shop.store, web, NOW_MS)
    users.add(shop.store, "Bob", "manager", GOOD, NOW_MS, cost=CHEAP)
    with pytest.raises(ConfigError, match="owner"):
        made_door(shop.store, web, NOW_MS)


def test_whoever_trusts_the_root_gets_the_page_over_tls_and_others_are_warned(opened: OpenPage, shop: Shop, web: Web) -> None:
    for name in ("localhost", "127.0.0.1"):
        with httpx.Client(verify=trusting(shop.store), base_url=f"https://{name}:{web.port}") as client:
            answer = client.post("/sign-in", data={"name": "alice", "password": GOOD}, headers={"sec-fetch-site": "same-origin"})
            assert answer.status_code == 303
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-regulars=") and "Secure" in cookie
            assert "Bob" in client.get("/").text
            assert client.get("/certificate").content == (shop.store.folder / "certificate" / "root.pem").read_bytes()
            shown = client.get("/users").text
            assert f"https://shop.lan:{web.port}" in shown and "SHA-256" in shown
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://localhost:{web.port}/sign-in")
    assert opened.address == f"https://shop.lan:{web.port}"


def test_only_its_own_names_are_answered(opened: OpenPage, shop: Shop, web: Web) -> None:
    with httpx.Client(verify=trusting(shop.store), base_url=f"https://127.0.0.1:{web.port}") as client:
        assert client.get("/sign-in", headers={"host": f"shop.lan:{web.port}"}).status_code == 200
        for host in ("evil.example", f"evil.example:{web.port}", "shop.lan", f"shop.lan.evil.example:{web.port}"):
            assert client.get("/sign-in", headers={"host": host}).status_code == 421
        foreign = {"host": f"shop.lan:{web.port}", "origin": f"http://shop.lan:{web.port}"}
        assert client.post("/sign-in", data={"name": "alice", "password": GOOD}, headers=foreign).status_code == 403


def test_plain_http_leads_to_https_and_takes_nothing(opened: OpenPage, web: Web) -> None:
    second = f"http://127.0.0.1:{web.redirect_port}"
    answer = httpx.get(f"{second}/people?q=bob", headers={"host": "shop.lan"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://shop.lan:{web.port}/people?q=bob")
    assert httpx.get(second, headers={"host": "evil.example"}).status_code == 421
    assert httpx.post(f"{second}/sign-in", data={"password": GOOD}).status_code == 403
    assert [name_in(host) for host in ("A.lan:80", "[::1]:8478", "", "a")] == ["a.lan", "[::1]", "", "a"]


def test_the_certificate_stays_until_names_change_or_it_is_half_over_and_the_root_stays_longer(shop: Shop) -> None:
    def made(names: list[str], now: datetime = NOW) -> tuple[bytes, str]:
        found = certificates.of_our_own(shop.folder, shop.store.vault, names, now)
        assert found.key.stat().st_mode & 0o077 == 0
        return found.chain.read_bytes(), found.fingerprint

    first, root = made(["shop.lan", "192.168.1.5"])
    assert made(["192.168.1.5", "shop.lan"], NOW + timedelta(days=90)) == (first, root)
    renewed, same_root = made(["shop.lan", "192.168.1.5"], NOW + timedelta(days=250))
    assert renewed != first and same_root == root
    moved, same_root = made(["shop.lan", "192.168.1.9"])
    assert moved != renewed and same_root == root
    _other, other_root = made(["shop.example.com"])
    assert other_root != root, "the root must not speak for names it was not made for"
    (shop.folder / "certificate" / "page.pem").write_text("rubbish")
    assert made(["shop.example.com"])[1] == other_root


def test_a_certificate_that_is_half_over_is_renewed_while_the_page_is_open(opened: OpenPage, shop: Shop, web: Web, door: Door) -> None:
    def shown() -> x509.Certificate:
        return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", web.port)).encode())

    first = shown()
    renew(shop.store, web, door, opened, NOW_MS + 90 * DAY_MS)
    assert shown() == first, "there is time"
    renew(shop.store, web, door, opened, NOW_MS + 250 * DAY_MS)
    second = shown()
    assert second != first and second.not_valid_after_utc - first.not_valid_after_utc > timedelta(days=200)
    assert door.certificate and door.certificate.ends == second.not_valid_after_utc
    assert not open_notices(shop.store)


def test_the_page_follows_this_computer_to_another_address(opened: OpenPage, shop: Shop, web: Web, door: Door) -> None:
    moved = msgspec.structs.replace(web, names="moved.lan")
    before = door.certificate
    follow(shop.store, web, door, opened, NOW_MS)
    assert door.certificate is before, "nothing has changed"
    follow(shop.store, moved, door, opened, NOW_MS)
    names = x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", web.port)).encode())
    assert "moved.lan" in names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    with httpx.Client(verify=trusting(shop.store), base_url=f"https://127.0.0.1:{web.port}") as client:
        assert client.get("/sign-in", headers={"host": f"moved.lan:{web.port}"}).status_code == 200
        assert client.get("/sign-in", headers={"host": f"shop.lan:{web.port}"}).status_code == 421
    led = httpx.get(f"http://127.0.0.1:{web.redirect_port}/live", headers={"host": f"moved.lan:{web.redirect_port}"})
    assert led.headers["location"] == f"https://moved.lan:{web.port}/live"
    assert door.addresses[0] == f"https://moved.lan:{web.port}"


def test_the_shops_own_certificate_is_taken_when_it_is_replaced_and_said_when_it_is_not(shop: Shop, web: Web, tmp_path: Path) -> None:
    users.add(shop.store, "Alice", "owner", GOOD, NOW_MS)
    chain, key = tmp_path / "shop.pem", tmp_path / "shop.key"

    def bring(now: datetime) -> None:
        ours = certificates.of_our_own(shop.folder, shop.store.vault, ["shop.lan"], now)
        chain.write_bytes(ours.chain.read_bytes())
        key.write_bytes(ours.key.read_bytes())

    bring(NOW)
    brought = msgspec.structs.replace(web, certificate_file=chain, key_file=key)
    door = made_door(shop.store, brought, NOW_MS)
    page = open_page(create_app(replace(shop.deps, door=door)), brought, [web.port], shop.live.close, door)
    try:
        for days, words in ((300, []), (380, ["ends on"]), (400, ["ended on"])):
            renew(shop.store, brought, door, page, NOW_MS + days * DAY_MS)
            assert [word in notice.words for notice, word in zip(open_notices(shop.store), words, strict=True)] == [True] * len(words)
        bring(NOW + timedelta(days=399))
        renew(shop.store, brought, door, page, NOW_MS + 400 * DAY_MS)
        assert not open_notices(shop.store)
        served = x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", web.port)).encode())
        assert served == x509.load_pem_x509_certificate(chain.read_bytes())
        key.write_text("rubbish")
        with pytest.raises(CertificateError):
            renew(shop.store, brought, door, page, NOW_MS + 401 * DAY_MS)
        assert x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", web.port)).encode()) == served
    finally:
        page.stop()


def test_the_root_may_not_speak_for_the_rest_of_the_world_and_its_key_is_sealed(shop: Shop) -> None:
    certificates.of_our_own(shop.folder, shop.store.vault, ["shop.lan"], NOW)
    root = x509.load_pem_x509_certificate((shop.folder / "certificate" / "root.pem").read_bytes())
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical and constraints.value.permitted_subtrees
    assert not certificates._may_speak_for(root, "bank.example") and not certificates._may_speak_for(root, "8.8.8.8")
    assert b"PRIVATE" not in (shop.folder / "certificate" / "root.key.sealed").read_bytes()


def test_a_certificate_of_the_shops_own_takes_its_place(shop: Shop, tmp_path: Path, web: Web) -> None:
    users.add(shop.store, "Alice", "owner", GOOD, NOW_MS, cost=CHEAP)
    ours = certificates.of_our_own(shop.folder, shop.store.vault, ["shop.lan"], NOW)
    chain, key, other = tmp_path / "a.pem", tmp_path / "a.key", tmp_path / "b.key"
    chain.write_bytes(ours.chain.read_bytes())
    key.write_bytes(ours.key.read_bytes())
    certificates.of_our_own(shop.folder, shop.store.vault, ["other.lan"], NOW)
    other.write_bytes(ours.key.read_bytes())
    door = made_door(shop.store, Web(host="0.0.0.0", certificate_file=chain, key_file=key), NOW_MS)
    assert door.certificate and door.certificate.root == b"" and door.certificate.chain == chain
    for wrong in (tmp_path / "none", chain, other):
        with pytest.raises(CertificateError):
            certificates.of_the_shop(chain, wrong)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REGULARS_WEB__HOST": "shop"}, "an address of this computer"),
        ({"REGULARS_WEB__CERTIFICATE_FILE": "/a.pem"}, "belong together"),
    ],
)
def test_settings_that_cannot_work_are_said_at_the_start(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(None, settings)


def test_its_own_names_are_names(web: Web) -> None:
    found = own_names(Web(host="0.0.0.0", names="Shop.lan not_a_name bad..name"))
    assert found[0] == "shop.lan" and "127.0.0.1" in found and not {"not_a_name", "bad..name", "0.0.0.0"} & set(found)
