"""Signing in: what a password must be like, how guessing is slowed, when a session ends, and that names cannot be found out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cheap import CHEAP
from ui import passwords, sessions
from ui.attempts import FORGET_MS, FREE_BY_ADDRESS, FREE_BY_NAME, KEPT_MAX, WAIT_MS_MAX, Attempts
from ui.sign_in import Account, Refused, Session, SignedIn, begin_session, recognised, sign_in

NOW = 1_764_000_000_000
WORDS = "seven quiet lamps"
HOME, AWAY = "192.0.2.7", "198.51.100.9"


class Kept:
    """Storage in memory, with Alice."""

    def __init__(self) -> None:
        self.accounts = {"alice": Account("a1", "alice", "admin", "t1", passwords.hashed(WORDS, CHEAP))}
        self.sessions: dict[bytes, tuple[str, int, int]] = {}

    def account(self, name: str) -> Account | None:
        return self.accounts.get(name)

    def keep_password(self, account_id: str, password_hash: str) -> None:
        self.accounts = {
            name: replace(known, password_hash=password_hash) if known.id == account_id else known for name, known in self.accounts.items()
        }

    def keep_session(self, id_hash: bytes, account_id: str, now_ms: int, ends_ms: int, agent: str) -> None:
        self.sessions[id_hash] = (account_id, now_ms, now_ms)

    def session(self, id_hash: bytes) -> Session | None:
        account_id, made_ms, used_ms = self.sessions.get(id_hash, ("", 0, 0))
        return next((Session(known, made_ms, used_ms) for known in self.accounts.values() if known.id == account_id), None)

    def touch(self, id_hash: bytes, now_ms: int) -> None:
        account_id, made_ms, _ = self.sessions[id_hash]
        self.sessions[id_hash] = (account_id, made_ms, now_ms)

    def end_session(self, id_hash: bytes) -> None:
        self.sessions.pop(id_hash, None)


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


def begin(kept: Kept, name: str = "alice", password: str = WORDS, attempts: Attempts | None = None) -> SignedIn:
    return sign_in(kept, attempts or Attempts(), name, password, HOME, "a browser", NOW, CHEAP)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 12"),
        ("eleven char", "at least 12"),
        ("x" * 257, "at most 256"),
        ("aaaaaaaaaaaaaaa", "repeats"),
        ("abababababab", "repeats"),
        ("alice-alice-1", "Without the name"),
        ("twelve chars", None),
        (WORDS, None),
        ("mật khẩu rất dài", None),
    ],
)
def test_a_new_password_is_refused_in_words(password: str, said: str | None) -> None:
    refused = passwords.refusal(password, "alice")
    assert refused is None if said is None else refused and said in refused


def test_a_password_agrees_however_the_keyboard_writes_it_and_no_other_does() -> None:
    kept = passwords.hashed("mật khẩu rất dài")
    assert kept.startswith("$argon2id$") and "mật" not in kept
    assert passwords.agrees(kept, "ma\u0323\u0302t kha\u0302\u0309u ra\u0302\u0301t da\u0300i")
    assert not passwords.agrees(kept, "mật khẩu rất dà")
    assert not passwords.agrees(kept, "m" * 100_000)
    assert not passwords.agrees("rubbish", "mật khẩu rất dài")
    assert not passwords.agrees(None, "nobody has this password")
    assert kept != passwords.hashed("mật khẩu rất dài"), "each has a salt of its own"


def test_a_session_begins_with_the_right_password_and_only_a_hash_is_kept(kept: Kept) -> None:
    begun = begin(kept)
    assert begun.account.id == "a1"
    assert begun.token.encode() not in b"".join(kept.sessions)
    assert recognised(kept, begun.token, NOW + 1) == begun.account
    assert begin(kept).token != begun.token, "each session has a token of its own"


def test_a_wrong_name_and_a_wrong_password_are_told_alike(kept: Kept) -> None:
    said = set()
    for name, password in (("alice", "seven quiet lamp"), ("nobody", WORDS), ("", ""), ("alice", ""), ("a" * 500, WORDS)):
        with pytest.raises(Refused) as refused:
            begin(kept, name, password)
        said.add(str(refused.value))
    assert len(said) == 1


def test_a_password_that_was_kept_at_another_cost_is_hashed_anew_when_it_is_heard(kept: Kept) -> None:
    weak = passwords.hashed(WORDS, CHEAP)
    kept.keep_password("a1", weak)
    begin(kept)
    assert kept.accounts["alice"].password_hash == weak
    for _twice in range(2):
        sign_in(kept, Attempts(), "alice", WORDS, HOME, "a browser", NOW)
    assert kept.accounts["alice"].password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "at what RFC 9106 asks for"
    begin(kept)
    assert kept.accounts["alice"].password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")


@pytest.mark.parametrize(
    ("used_after", "asked_after", "holds"),
    [
        (0, sessions.IDLE_MS_MAX - 1, True),
        (0, sessions.IDLE_MS_MAX, False),
        (sessions.WHOLE_MS_MAX - 2, sessions.WHOLE_MS_MAX - 1, True),
        (sessions.WHOLE_MS_MAX - 2, sessions.WHOLE_MS_MAX, False),
        (0, -sessions.TOUCH_MS - 1, False),
    ],
)
def test_a_session_ends_idle_and_at_last(used_after: int, asked_after: int, holds: bool) -> None:
    assert sessions.is_over(NOW, NOW + used_after, NOW + asked_after) is not holds


def test_use_keeps_a_session_and_the_end_takes_it_away(kept: Kept) -> None:
    token = begin_session(kept, kept.accounts["alice"], "", NOW).token
    half = sessions.IDLE_MS_MAX // 2 + 1
    for step in range(1, 5):
        assert recognised(kept, token, NOW + step * half)
    assert recognised(kept, token, NOW + 4 * half + sessions.IDLE_MS_MAX) is None
    assert sessions.token_hash(token) not in kept.sessions
    assert recognised(kept, token, NOW + 1) is None
    assert recognised(kept, None, NOW) is None


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_lines() -> None:
    token = sessions.new_token()
    name = sessions.cookie_name("regulars-hub", True)
    assert name == "__Host-regulars-hub"
    secure = sessions.cookie(name, token, True)
    for part in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/"):
        assert part in secure.split("; ")
    assert "Domain" not in secure
    assert "Secure" not in sessions.cookie("regulars-hub", token, False)
    assert sessions.token_in(f"other=1; {name}={token}", name) == token
    for header in ("", "rubbish", f"{name}=short", f"{name}={token}{token}", f"x{name}={token}", "a" * 10_000 + f"; {name}={token}"):
        assert sessions.token_in(header, name) is None


def test_guessing_is_slowed_twice_as_long_each_time_and_never_beyond_a_minute() -> None:
    attempts, now = Attempts(), NOW
    waits = []
    for _ in range(FREE_BY_NAME + 10):
        wait = attempts.begin("alice", HOME, now)
        if wait:
            now += wait
            assert attempts.begin("alice", HOME, now) == 0
        waits.append(wait)
    assert waits[: FREE_BY_NAME] == [0] * FREE_BY_NAME
    assert waits[FREE_BY_NAME : FREE_BY_NAME + 4] == [1_000, 2_000, 4_000, 8_000]
    assert max(waits) == WAIT_MS_MAX


def test_a_guesser_elsewhere_does_not_slow_the_owner_of_the_name() -> None:
    attempts = Attempts()
    for _ in range(50):
        attempts.begin("alice", AWAY, NOW)
    assert attempts.begin("alice", AWAY, NOW) > 0
    assert attempts.begin("alice", HOME, NOW) == 0


def test_many_names_from_one_address_are_slowed_too() -> None:
    attempts = Attempts()
    waits = [attempts.begin(f"name{number}", AWAY, NOW) for number in range(FREE_BY_ADDRESS + 1)]
    assert waits[:-1] == [0] * FREE_BY_ADDRESS and waits[-1] > 0
    assert attempts.begin("x", "2001:db8::1", NOW) == 0
    for number in range(FREE_BY_ADDRESS):
        attempts.begin(f"name{number}", f"2001:db8::{number:x}", NOW)
    assert attempts.begin("other", "2001:db8::ffff", NOW) > 0, "a /64 is one guesser's"


def test_the_right_password_and_half_an_hour_both_forget() -> None:
    attempts = Attempts()
    for _ in range(FREE_BY_NAME):
        attempts.begin("alice", HOME, NOW)
    attempts.right("alice", HOME)
    assert attempts.begin("alice", HOME, NOW) == 0
    for _ in range(60):
        attempts.begin("bob", HOME, NOW)
    assert attempts.begin("bob", HOME, NOW + FORGET_MS) == 0


def test_a_flood_of_names_is_bounded() -> None:
    attempts = Attempts()
    for number in range(KEPT_MAX + 50):
        attempts.begin("x", f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", NOW)
    assert len(attempts._failures) <= KEPT_MAX


def test_while_somebody_waits_even_the_right_password_is_not_looked_at(kept: Kept) -> None:
    attempts = Attempts()
    for _ in range(FREE_BY_NAME):
        attempts.begin("alice", HOME, NOW)
    with pytest.raises(Refused) as refused:
        begin(kept, attempts=attempts)
    assert refused.value.wait_s == 1 and "1 second" in str(refused.value)
