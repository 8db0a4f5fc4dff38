"""What is entered about a person: what is accepted, what is refused in which words, and that none of it lies open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from appliance import details, persons
from appliance.database import Store
from appliance.database_file import path_in
from appliance.details import Details, Words, judged
from sync import outbox
from sync.records import PersonRecord, decoded
from tests.appliance.stores import NOON, a_store

TODAY = date(2026, 11, 24)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = a_store(tmp_path / "data")
    yield made
    made.close()


def test_a_whole_form_is_taken_as_it_was_meant() -> None:
    entry = judged(
        {
            "name": "  Mai \t Lê\n",
            "gender": "female",
            "birth_date": "1990-05-21",
            "phone": "+84 (24) 3825-1234",
            "email": "mai@example.com",
            "notes": " likes\r\ntea ",
            "vip": "yes",
        },
        TODAY,
    )
    assert entry.wrong == {} and entry.name == "Mai Lê"
    assert entry.details.words.notes == "likes\ntea" and entry.details.vip and not entry.details.watchlist


def test_nothing_written_is_nothing_wrong() -> None:
    entry = judged({}, TODAY)
    assert (entry.name, entry.details, entry.wrong) == ("", details.NONE, {})


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("name", "x" * 81),
        ("gender", "robot"),
        ("birth_date", "21.5.1990"),
        ("birth_date", "2027-01-01"),
        ("birth_date", "1899-12-31"),
        ("phone", "12"),
        ("phone", "call me"),
        ("phone", "1" * 16),
        ("phone", "\u0661\u0662\u0663\u0664\u0665\u0666"),
        ("email", "mai@example"),
        ("email", "mai example.com"),
        ("email", "a@" + "b" * 260 + ".com"),
        ("notes", "x" * 2001),
        ("notes", "a\x00b"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words_by_its_field(field: str, written: str) -> None:
    assert set(judged({field: written}, TODAY).wrong) == {field}


def test_details_come_back_as_they_were_and_nothing_entered_leaves_no_row(store: Store) -> None:
    kept = Details(words=Words(phone="0123 456", notes="tea"), watchlist=True)
    with store.transaction():
        bob = persons.create(store, "customer", NOON)
        details.put(store, bob, kept, NOON)
        details.put(store, bob, kept, NOON)
    assert details.of(store, bob) == kept
    with store.transaction():
        details.put(store, bob, details.NONE, NOON)
    assert store.db.execute("SELECT count(*) FROM details").fetchone() == (0,) and details.of(store, bob) == details.NONE


def test_nothing_that_was_entered_lies_open_in_the_file(store: Store) -> None:
    with store.transaction():
        bob = persons.create(store, "customer", NOON)
        details.rename(store, bob, "Bob Tran", NOON)
        details.put(store, bob, Details(words=Words(phone="0123456789", email="bob@example.com", notes="allergic")), NOON)
    folder = store.folder
    store.close()
    content = path_in(folder).read_bytes()
    for word in (b"Bob Tran", b"0123456789", b"bob@example.com", b"allergic"):
        assert word not in content


def test_headquarters_hears_of_a_name_once(store: Store) -> None:
    with store.transaction():
        bob = persons.create(store, "customer", NOON)
    for _twice in range(2):
        with store.transaction():
            details.rename(store, bob, "Bob", NOON)
    told = [decoded(e.payload) for e in outbox.pending(store.db.conn, store.vault.unseal, after=0, records_max=99, bytes_max=1 << 20)]
    assert [r.name for r in told if isinstance(r, PersonRecord)] == ["", "Bob"]


def test_an_equal_number_or_address_is_found_however_it_is_written(store: Store) -> None:
    keys = {details.phone_key(store, written) for written in ("+84 24 3825", "0084243825", "+84-24-3825")}
    assert len(keys) == 1 and details.phone_key(store, "024 3825") == details.phone_key(store, "0243825")
    assert details.email_key(store, " Mai@Example.com") == details.email_key(store, "mai@example.com")
    assert details.phone_key(store, "") is None is details.email_key(store, " ")
