"""Accounts: names, roles, the last owner, sessions, one-time codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from appliance import audit, one_time_codes, users
from appliance.database import Store
from appliance.errors import AccountError
from appliance.forgetting import Forgotten
from appliance.privacy import register
from appliance.users import SESSIONS_MAX, UserStorage
from tests.appliance.stores import a_store
from tests.cheap import CHEAP
from ui import passwords, sessions

NOW_MS = 1_800_000_000_000
GOOD = "a green bicycle"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = a_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def alice(store: Store) -> users.User:
    return users.add(store, "Alice", "owner", GOOD, NOW_MS, first=True, cost=CHEAP)


def begin(store: Store, user: users.User, name: str, now_ms: int = NOW_MS) -> bytes:
    id_hash = sessions.token_hash(name)
    UserStorage(store).keep_session(id_hash, user.id, now_ms, now_ms + sessions.WHOLE_MS_MAX, name)
    return id_hash


def test_the_first_account_is_made_once(store: Store, alice: users.User) -> None:
    assert not users.no_owner_yet(store)
    with pytest.raises(AccountError, match="already"):
        users.add(store, "Mallory", "owner", GOOD, NOW_MS, first=True, cost=CHEAP)


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("", GOOD, "1 to 80"),
        ("x" * 81, GOOD, "1 to 80"),
        ("B\nob", GOOD, "1 to 80"),
        ("ALICE", GOOD, "of that name already"),
        ("Bob", "too short", "at least 12"),
        ("Bob", "aaaaaaaaaaaaaaa", "repeats"),
    ],
)
def test_a_name_or_a_password_that_does_not_do_is_refused_in_words(
    store: Store, alice: users.User, name: str, password: str, words: str
) -> None:
    with pytest.raises(AccountError, match=words):
        users.add(store, name, "viewer", password, NOW_MS)
    assert [user.name for user in users.every(store)] == ["Alice"]


def test_the_only_owner_stays_one(store: Store, alice: users.User) -> None:
    with pytest.raises(AccountError, match="only owner"):
        users.remove(store, alice.id, NOW_MS)
    with pytest.raises(AccountError, match="only owner"):
        users.set_role(store, alice.id, "viewer", NOW_MS)
    bob = users.add(store, "Bob", "viewer", GOOD, NOW_MS, cost=CHEAP)
    users.set_role(store, bob.id, "owner", NOW_MS)
    users.remove(store, alice.id, NOW_MS)
    assert [user.name for user in users.every(store)] == ["Bob"]


def test_a_new_password_signs_out_everywhere_but_here(store: Store, alice: users.User) -> None:
    here, there = begin(store, alice, "here"), begin(store, alice, "there")
    assert users.set_password(store, alice, "another bicycle", NOW_MS, but=here, cost=CHEAP) == 1
    storage = UserStorage(store)
    assert storage.session(here) and not storage.session(there)
    account = storage.account("alice")
    assert account and passwords.agrees(account.password_hash, "another bicycle") and not passwords.agrees(account.password_hash, GOOD)


def test_sessions_that_are_over_are_swept_and_nobody_has_too_many(store: Store, alice: users.User) -> None:
    begin(store, alice, "old", NOW_MS - sessions.IDLE_MS_MAX)
    for number in range(SESSIONS_MAX + 3):
        begin(store, alice, f"s{number}", NOW_MS + number)
    assert len(users.sessions_of(store, alice.id, NOW_MS + 100)) == SESSIONS_MAX
    assert store.db.execute("SELECT count(*) FROM sessions").fetchone()[0] == SESSIONS_MAX


def test_a_removed_user_has_no_session_and_no_code_left(store: Store, alice: users.User) -> None:
    bob = users.add(store, "Bob", "viewer", GOOD, NOW_MS, cost=CHEAP)
    secret = one_time_codes.new_secret()
    one_time_codes.turn_on(store, bob.id, secret, pyotp.TOTP(secret).at(NOW_MS // 1000), NOW_MS)
    begin(store, bob, "b")
    users.remove(store, bob.id, NOW_MS)
    for table in ("sessions", "recovery_codes"):
        assert store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_a_code_holds_once_and_around_its_half_minute(store: Store, alice: users.User) -> None:
    secret = one_time_codes.new_secret()
    totp = pyotp.TOTP(secret)
    with pytest.raises(AccountError):
        one_time_codes.turn_on(store, alice.id, secret, "000000" if totp.at(NOW_MS // 1000) != "000000" else "1", NOW_MS)
    one_time_codes.turn_on(store, alice.id, secret, totp.at(NOW_MS // 1000), NOW_MS)
    assert users.one(store, alice.id).coded
    later = NOW_MS + 90_000
    assert not one_time_codes.passes(store, alice.id, totp.at(NOW_MS // 1000), NOW_MS), "the one that turned it on is used up"
    assert not one_time_codes.passes(store, alice.id, totp.at((later - 60_000) // 1000), later)
    assert one_time_codes.passes(store, alice.id, totp.at((later - 30_000) // 1000), later)
    assert one_time_codes.passes(store, alice.id, " " + totp.at(later // 1000), later)
    assert not one_time_codes.passes(store, alice.id, totp.at(later // 1000), later), "each once"
    assert secret.encode() not in (store.folder / "regulars.db").read_bytes()


def test_a_recovery_code_holds_once_however_it_is_typed(store: Store, alice: users.User) -> None:
    secret = one_time_codes.new_secret()
    codes = one_time_codes.turn_on(store, alice.id, secret, pyotp.TOTP(secret).at(NOW_MS // 1000), NOW_MS)
    assert len(set(codes)) == 10
    assert one_time_codes.passes(store, alice.id, codes[3].lower().replace("-", " "), NOW_MS)
    assert not one_time_codes.passes(store, alice.id, codes[3], NOW_MS)
    assert one_time_codes.recovery_left(store, alice.id) == 9
    for rubbish in ("", "0" * 6, "\ud800", "٣٤٥٦٧٨", "x" * 100):
        assert not one_time_codes.passes(store, alice.id, rubbish, NOW_MS)
    one_time_codes.turn_off(store, alice.id, NOW_MS)
    assert not one_time_codes.passes(store, alice.id, codes[4], NOW_MS) and not users.one(store, alice.id).coded


def test_no_account_is_called_what_the_audit_log_calls_those_without_one(store: Store) -> None:
    for name in (audit.SOMEBODY, " This Computer "):
        with pytest.raises(AccountError, match="Choose another"):
            users.add(store, name, "viewer", GOOD, NOW_MS)


def test_of_tries_that_failed_the_newest_are_kept_and_everything_else(store: Store, alice: users.User) -> None:
    row = "INSERT INTO audit (at_ms, who, what, subject_id, other_id) VALUES (?, '', ?, '', '')"
    with store.transaction() as db:
        db.conn.executemany(row, [(at, audit.SIGN_IN_FAILED) for at in range(audit.FAILED_KEPT_MAX + 5)])
    audit.failed(store, alice.id, "192.168.1.7", NOW_MS)
    kept = store.db.execute("SELECT count(*), min(at_ms) FROM audit WHERE what = ?", [audit.SIGN_IN_FAILED]).fetchone()
    assert kept == (audit.FAILED_KEPT_MAX, 6)
    assert store.db.execute("SELECT count(*) FROM audit WHERE what = 'user_added'").fetchone() == (1,)


def test_what_is_old_leaves_the_audit_log_and_the_register_of_requests_stays(store: Store) -> None:
    day_ms = audit.DAY_MS
    with store.transaction() as db:
        rows = [(NOW_MS - age * day_ms, "bob") for age in (800, 731, 729, 0)]
        rows += [(NOW_MS - 900 * day_ms, "late")] * (audit.DROPPED_A_TURN + 1)
        db.conn.executemany("INSERT INTO audit (at_ms, who, what, subject_id) VALUES (?, '', 'see', ?)", rows)
        register.fulfil(store, "erase", "bob", 2, Forgotten(), "Alice", NOW_MS - 900 * day_ms)
    assert audit.drop_old(store, NOW_MS, 730, lambda: True) == 0, "told to stop"
    assert audit.drop_old(store, NOW_MS, 730) == audit.DROPPED_A_TURN + 3 and audit.drop_old(store, NOW_MS, 730) == 0
    assert [e.at_ms for e in audit.entries(store, audit.Asked(about="bob"), 9)] == [NOW_MS, NOW_MS - 729 * day_ms]
    assert [r.kind for r in register.listed(store.db.conn)] == ["erase"]
