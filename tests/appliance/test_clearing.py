"""Nothing is left of Bob after he was erased: not in any file of the data folder or among the backups, sealed or opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import backup, clearing, details, forgetting, forgotten_list, honouring, merging
from appliance.database_file import path_in
from appliance.details import Details, Words
from models.faces import Floats
from sync import outbox
from sync.records import PersonGone, decoded
from tests.appliance.stores import DAY_MS, NOON, a_store
from tests.appliance.visitors import BOB, CHARLIE, DORA, GAP_MS, Shop, a_shop, face, like, recognition

NAME, PHONE, NOTES = "Bob Trần Văn", "+84 24 3825 1234", "likes the window seat"
BOBS_JPEG = b"\xff\xd8\xff\xe0 Bob's own face, taken at the door \xff\xd9"
LATER = NOON + 9 * DAY_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


@dataclass
class Bob:
    """`plain`: what was known of him, opened; `sealed`: as it lay on the disk."""

    id: str
    plain: list[bytes]
    sealed: list[bytes]


def views(who: int, count: int) -> list[Floats]:
    return [face(who), *(like(who, 0.86, view) for view in range(1, count))]


def a_busy_shop(shop: Shop) -> Bob:
    """Bob came five times, was merged with himself once, may have come once more, and is written about; twenty others came as well."""
    looks = views(BOB, 5)
    for day, look in enumerate(looks):
        shop.see(look, NOON + day * DAY_MS, portrait=BOBS_JPEG)
        for other in range(4):
            shop.see(face(8 + other + 4 * (day % 5)), NOON + day * DAY_MS + other * 60_000)
    bob = shop.store.db.execute("SELECT person_id FROM visits ORDER BY first_seen_ms LIMIT 1").fetchone()[0]
    twin = shop.see(face(DORA), NOON + 6 * DAY_MS, portrait=BOBS_JPEG).person_id
    assert twin and twin != bob
    with shop.store.transaction():
        details.rename(shop.store, bob, NAME, NOON)
        details.put(shop.store, bob, Details(words=Words(phone=PHONE, notes=NOTES)), NOON)
    with shop.store.transaction():
        shop.recognition.renew(merging.merge(shop.store, bob, twin, GAP_MS, NOON))
    maybe = shop.unsure(BOB, 7)
    assert shop.see(maybe, NOON + 7 * DAY_MS, portrait=BOBS_JPEG).person_id is None
    plain = [NAME.encode(), PHONE.encode(), NOTES.encode(), BOBS_JPEG]
    for look in [*looks, face(DORA), maybe]:
        plain += [look.astype("<f4").tobytes(), look.astype("<f2").tobytes()]
    rows = [
        ("SELECT embedding_sealed FROM templates WHERE person_id = ?", bob),
        ("SELECT name_sealed FROM persons WHERE id = ?", bob),
        ("SELECT words_sealed FROM details WHERE person_id = ?", bob),
        ("SELECT before_sealed FROM merges WHERE holder_id = ?", bob),
        ("SELECT embedding_sealed FROM sightings WHERE nearest_person_id = ? AND embedding_sealed IS NOT NULL", bob),
    ]
    sealed = [row[0] for query, value in rows for row in shop.store.db.execute(query, [value]).fetchall()]
    names = shop.store.db.execute("SELECT snapshot FROM visits WHERE person_id = ? OR person_id IS NULL", [bob]).fetchall()
    sealed += [(shop.store.snapshots / name).read_bytes() for (name,) in names]
    assert len(sealed) >= 12
    return Bob(bob, plain, sealed)


def told_of(shop: Shop, connection: sqlite3.Connection) -> list[bytes]:
    entries = outbox.pending(connection, shop.store.vault.unseal, records_max=100_000, bytes_max=1 << 30)
    return [entry.payload for entry in entries]


def everything(shop: Shop, also: Path | None = None) -> dict[str, bytes]:
    """Every file there is, backups opened as well, and what waits for headquarters in each database opened too."""
    folder = shop.store.folder
    found = {str(p): p.read_bytes() for place in (folder, also) if place for p in place.rglob("*") if p.is_file()}
    found["outbox, opened"] = b"".join(told_of(shop, shop.store.db.conn))
    for made in backup.list_backups(folder, also):
        plain = backup.opened(folder, shop.store.vault, made)
        found[f"{made.name}, opened"] = plain.read_bytes()
        with closing(sqlite3.connect(plain)) as opened:
            found[f"{made.name}, outbox opened"] = b"".join(told_of(shop, opened))
        backup._remove(plain)
    return found


def places_of(bob: Bob, files: dict[str, bytes]) -> set[str]:
    """Where anything of Bob is. A sealed value is known by its nonce and by any longer piece of what follows."""
    needles = [*bob.plain, *(s[1:13] for s in bob.sealed)]
    needles += [s[at : at + 32] for s in bob.sealed for at in range(13, len(s) - 32, 64)]
    return {name for name, content in files.items() if any(needle in content for needle in needles)}


def erase(shop: Shop, person_id: str) -> None:
    with shop.store.transaction():
        gone = forgetting.erase(shop.store, person_id, LATER)
    shop.recognition.renew(gone.keys)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["backups in the data folder", "backups on another disk"])
def test_an_erased_person_is_in_no_file_sealed_or_opened(shop: Shop, tmp_path: Path, elsewhere: bool) -> None:
    backups = tmp_path / "other disk" if elsewhere else shop.store.folder / backup.FOLDER
    bob = a_busy_shop(shop)
    made = backup.make_backup(shop.store.folder, shop.store.vault, LATER, into=backups)
    backup.opened(shop.store.folder, shop.store.vault, made).replace(shop.store.folder / "regulars.db.replaced-20260921T141320Z")
    before = places_of(bob, everything(shop, backups))
    assert len(before) >= 8 and f"{made.name}, opened" in before and "outbox, opened" in before and any("-wal" in p for p in before)

    erase(shop, bob.id)
    done = clearing.clear(shop.store, backups, LATER + 1)
    assert done and (done.copies, done.removed) == (2, 0)
    assert places_of(bob, everything(shop, backups)) == set()
    # Nobody else lost anything.
    assert shop.count("persons") == 20 and len(backup.list_backups(shop.store.folder, backups)) == 1
    assert clearing.clear(shop.store, backups, LATER + 2) is None and not list(shop.store.folder.glob("*.part*"))
    shop.recognition.check()


def test_a_backup_made_earlier_honours_an_erasure_when_it_is_restored(shop: Shop, tmp_path: Path) -> None:
    bob = a_busy_shop(shop)
    carried_off = tmp_path / "usb"
    kept = backup.make_backup(shop.store.folder, shop.store.vault, LATER, into=carried_off)
    erase(shop, bob.id)
    folder, vault = shop.store.folder, shop.store.vault
    shop.store.close()
    # The appliance was stopped before it had cleared anything: the restore itself must keep the list.
    backup.restore(folder, vault, kept, LATER + DAY_MS)
    store = a_store(folder)
    assert store.db.execute("SELECT 1 FROM persons WHERE id = ?", [bob.id]).fetchone()
    gone = honouring.honour(store, folder / backup.FOLDER, LATER + DAY_MS)
    assert gone.persons == 1 and gone.templates >= 2
    again = Shop(store, recognition(store), told=100)
    assert clearing.clear(store, folder / backup.FOLDER, LATER + DAY_MS)
    assert places_of(bob, everything(again)) == set()
    assert honouring.honour(store, folder / backup.FOLDER, LATER + DAY_MS) == forgetting.Forgotten()
    assert again.count("persons") == 20 and again.see(face(BOB), LATER + 2 * DAY_MS).verdict == "new"
    shop.store = store


def test_a_backup_from_before_a_merge_or_a_split_honours_it_too(shop: Shop) -> None:
    """In the backup Dora is somebody of her own, and one of Bob's visits was still taken for Alice's."""
    from appliance import splitting

    bob, dora = shop.see(face(BOB)).person_id, shop.see(face(DORA)).person_id
    wrong = shop.see(like(CHARLIE, 0.99), NOON + DAY_MS)
    assert bob and dora and wrong.person_id and wrong.visit_id
    folder, vault = shop.store.folder, shop.store.vault
    kept = backup.make_backup(folder, vault, NOON)
    with shop.store.transaction():
        parted = splitting.split(shop.store, wrong.visit_id, "test", shop.recognition.look_of, NOON, new_person=True)
        merging.merge(shop.store, bob, dora, GAP_MS, NOON)
    assert parted.new_id
    for person_id in (bob, parted.new_id):
        erase(shop, person_id)
    shop.store.close()
    backup.restore(folder, vault, kept, LATER)
    shop.store = a_store(folder)
    gone = honouring.honour(shop.store, folder / backup.FOLDER, LATER)
    assert gone.persons == 2 and shop.count("templates") == 0
    pictures = shop.store.db.execute("SELECT count(*) FROM visits WHERE snapshot IS NOT NULL").fetchone()
    assert pictures == (0,) and shop.count("visits") == 3


def test_who_opted_out_is_cleared_although_a_few_templates_stay(shop: Shop) -> None:
    """What is kept is no trace: looked for it would be found for ever, and log and backups never be cleared."""
    bob = a_busy_shop(shop)
    folder = shop.store.folder
    held = "SELECT embedding_sealed FROM templates WHERE person_id = ?"
    before = {row[0] for row in shop.store.db.execute(held, [bob.id]).fetchall()}
    with shop.store.transaction():
        forgetting.opt_out(shop.store, bob.id, LATER)
    kept = {row[0] for row in shop.store.db.execute(held, [bob.id]).fetchall()}
    assert len(kept) == forgetting.OPTED_OUT_TEMPLATES < len(before)
    assert clearing.clear(shop.store, folder / backup.FOLDER, LATER) is not None
    assert clearing.wanted(shop.store) is None and not shop.store.traces
    held_still = path_in(folder).read_bytes()
    assert not [value for value in before - kept if value in held_still]


def test_who_opted_out_stays_opted_out_when_a_backup_is_restored(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    assert bob
    folder, vault = shop.store.folder, shop.store.vault
    kept = backup.make_backup(folder, vault, NOON)
    with shop.store.transaction():
        forgetting.opt_out(shop.store, bob, NOON)
    shop.store.close()
    backup.restore(folder, vault, kept, LATER)
    shop.store = a_store(folder)
    assert honouring.honour(shop.store, folder / backup.FOLDER, LATER).persons == 1
    shop.recognition = recognition(shop.store)
    assert shop.see(face(BOB), LATER).verdict == "opted_out"


def test_whom_the_chain_had_forgotten_is_not_said_to_have_asked_for_more(shop: Shop) -> None:
    """Else an opt-out would end with the first backup that is restored, and they would be stored again."""
    bob = shop.see(face(BOB)).person_id
    assert bob
    folder, vault = shop.store.folder, shop.store.vault
    kept = backup.make_backup(folder, vault, NOON)
    with shop.store.transaction():
        forgetting.erase(shop.store, bob, NOON, by_the_chain=True)
    shop.store.close()
    backup.restore(folder, vault, kept, LATER)
    shop.store = a_store(folder)
    assert honouring.honour(shop.store, folder / backup.FOLDER, LATER).persons == 1
    told = outbox.pending(shop.store.db.conn, shop.store.vault.unseal)
    assert [decoded(one.payload) for one in told if one.kind == "person_gone"] == [PersonGone(id=bob)]


def test_a_damaged_database_set_aside_goes_with_an_erasure(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    aside = shop.store.folder / "regulars.db.broken-20260921T141320Z"
    shop.store.checkpoint_whole()
    aside.write_bytes(path_in(shop.store.folder).read_bytes()[:5000] + b"rubbish" * 900)
    erase(shop, str(bob))
    done = clearing.clear(shop.store, shop.store.folder / backup.FOLDER, LATER)
    assert done and done.removed == 1 and not aside.exists()


def test_clearing_that_is_cut_short_begins_again(shop: Shop) -> None:
    bob = a_busy_shop(shop)
    folder, backups = shop.store.folder, shop.store.folder / backup.FOLDER
    for day in range(3):
        backup.make_backup(folder, shop.store.vault, LATER + day * DAY_MS)
    erase(shop, bob.id)
    asked: list[int] = []

    def stops_at_the_second() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(backup.Stopped):
        clearing.clear(shop.store, backups, LATER, stops_at_the_second)
    assert clearing.wanted(shop.store)
    shop.store.close()
    shop.store = a_store(folder)
    assert clearing.clear(shop.store, backups, LATER)
    assert places_of(bob, everything(shop)) == set()


def test_a_backup_that_is_being_made_is_waited_for(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    erase(shop, str(bob))
    part = shop.store.folder / "backup.0123abcd.part"
    part.write_bytes(b"half a database")
    now_ms = round(part.stat().st_mtime * 1000)
    backups = shop.store.folder / backup.FOLDER
    assert clearing.clear(shop.store, backups, now_ms) is None and clearing.wanted(shop.store)
    part.unlink()
    assert clearing.clear(shop.store, backups, now_ms)


def test_the_list_survives_rubbish_and_the_loss_of_either_file(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    erase(shop, str(bob))
    files = forgotten_list.places(shop.store.folder, shop.store.folder / backup.FOLDER)
    clearing.clear(shop.store, shop.store.folder / backup.FOLDER, LATER)
    marks = forgotten_list.read(files)
    assert len(marks) == 3 and forgotten_list.mark(shop.store.vault, forgotten_list.PERSON, str(bob)) in marks
    assert str(bob).encode() not in files[0].read_bytes()
    files[0].unlink()
    files[1].write_bytes(b"\xff\x00 rubbish\n" + files[1].read_bytes() + b"0123\n")
    assert forgotten_list.read(files) == marks
    forgotten_list.publish(shop.store.db.conn, files)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_waits_for_headquarters_keeps_its_numbers(shop: Shop) -> None:
    bob = a_busy_shop(shop)
    before = [e.sequence for e in outbox.pending(shop.store.db.conn, shop.store.vault.unseal, records_max=10_000, bytes_max=1 << 30)]
    erase(shop, bob.id)
    clearing.clear(shop.store, shop.store.folder / backup.FOLDER, LATER)
    after = [e.sequence for e in outbox.pending(shop.store.db.conn, shop.store.vault.unseal, records_max=10_000, bytes_max=1 << 30)]
    assert after[: len(before)] == before and after == list(range(1, len(after) + 1))


def test_a_trace_is_found_across_two_pieces_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    needle = bytes(range(24))
    path.write_bytes(bytes(clearing.CHUNK_BYTES - 7) + needle + bytes(99))
    assert clearing.holds(path, {needle}) and not clearing.holds(path, {b"\x01" * 24}) and not clearing.holds(path, set())
