"""What is left of somebody after they were forgotten, and how it goes: out of what waits for headquarters, the write-ahead log, the
database's free pages, databases that were set aside, and backups made before.

Begun by the settings row that `forgetting` leaves in its transaction; that row goes when all is done, so whatever cuts this short, it is
done again. For the owner of the data folder alone.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance import backup, database_file, forgotten_list, honouring, set_aside
from appliance.database import Store, open_copy
from appliance.errors import BackupError, DatabaseError
from appliance.files import PART, make_folder, refused, sync_folder
from appliance.forgetting import CLEARING
from sync import outbox
from sync.records import PersonRecord, TemplateGone, TemplateRecord, decoded

NUMBERS_A_TURN = 2_000
"""Records looked through between two transactions: some 10 ms."""
SMALL_BYTES = 64 << 20
"""A database up to this size is written anew in half a second: quicker than finding out whether it has to be."""
TRACES_MAX = 500
"""Each is one search through the file; of more, staff of many years, the file is written anew at once."""
CHUNK_BYTES = 8 << 20

Stopping = Callable[[], bool]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cleared:
    """`copies`: backups and databases set aside that were written anew; `removed`: damaged ones, of which nobody could say who is in
    them."""

    copies: int = 0
    removed: int = 0


def wanted(store: Store) -> str | None:
    """Since when, as the settings row has it."""
    row = store.db.execute("SELECT value FROM settings WHERE key = ?", [CLEARING]).fetchone()
    return row[0] if row else None


def clear(store: Store, backups: Path, now_ms: int, stopping: Stopping = lambda: False) -> Cleared | None:
    """None: there was nothing to clear, or it is to be called again. `backups`: the folder they are in. Raises StoreErrors; it is to be
    called again then, too."""
    since = wanted(store)
    if since is None:
        return None
    traces = set(store.traces)
    forgotten_list.publish(store.db.conn, forgotten_list.places(store.folder, backups))
    untell(store)
    _empty_pages(store, traces)
    cleared = _set_aside(store, backups, now_ms)
    found = backup.list_backups(store.folder, backups)
    for made in found:
        if stopping():
            return None
        if _backup(store, made, backups, now_ms, stopping):
            cleared = Cleared(cleared.copies + 1, cleared.removed)
    if backup.under_way(store.folder, backups, now_ms) or _names(store, backups) - {made.name for made in found}:
        # Begun before or while this went on, it may hold them.
        return None
    with store.transaction() as db:
        # Not when somebody else was forgotten meanwhile: of them the backups done first still hold something.
        done = db.execute("DELETE FROM settings WHERE key = ? AND value = ?", [CLEARING, since]).rowcount
        if done:
            db.execute(
                "UPDATE privacy_requests SET cleared_ms = ?, copies = ? WHERE state = 'done' AND kind <> 'access' AND cleared_ms IS NULL",
                [now_ms, cleared.copies],
            )
    store.traces -= traces
    log.info("event=cleared copies=%d removed=%d", cleared.copies, cleared.removed)
    return cleared


def _names(store: Store, backups: Path) -> set[str]:
    return {made.name for made in backup.list_backups(store.folder, backups)}


def untell(store: Store) -> None:
    """Views and names of people who are forgotten leave the outbox: in their place stands that they are gone."""
    span = outbox.span(store.db.conn)
    after = (span.oldest or 1) - 1
    while after < span.newest:
        found = outbox.of_kinds(store.db.conn, store.vault.unseal, ("template", "person"), after, NUMBERS_A_TURN)
        records = [(entry.sequence, said) for entry in found if (said := _instead(store, entry.payload)) is not None]
        if records:
            with store.transaction() as db:
                for sequence, said in records:
                    outbox.replace(db.conn, sequence, said, store.vault.seal)
        after += NUMBERS_A_TURN


def _instead(store: Store, payload: bytes) -> TemplateGone | PersonRecord | None:
    """What is told instead of a record, where that tells of what is gone."""
    record = decoded(payload)
    if isinstance(record, TemplateRecord) and not store.db.execute("SELECT 1 FROM templates WHERE id = ?", [record.id]).fetchone():
        return TemplateGone(id=record.id, person_id=record.person_id)
    if isinstance(record, PersonRecord) and record.name:
        row = store.db.execute("SELECT role FROM persons WHERE id = ?", [record.id]).fetchone()
        if row is None or row[0] == "opted_out":
            return PersonRecord(id=record.id, number=record.number, role=record.role)
    return None


def _empty_pages(store: Store, traces: set[bytes]) -> None:
    """SQLite overwrites what is deleted, but a page that was rearranged before keeps an older copy of its rows in its gap."""
    store.checkpoint_whole()
    path = database_file.path_in(store.folder)
    small = path.stat().st_size <= SMALL_BYTES
    # Without traces they were forgotten before this start: nobody knows any more what to look for.
    if small or not traces or len(traces) > TRACES_MAX or holds(path, traces):
        store.rewrite()
        store.checkpoint_whole()
    if holds(path, set(list(traces)[:TRACES_MAX])):
        raise DatabaseError("Something of a person who was forgotten is still in the database's file. It is looked for again.")


def holds(path: Path, traces: set[bytes]) -> bool:
    """Whether any of these is anywhere in the file."""
    if not traces:
        return False
    overlap, before = max(map(len, traces)) - 1, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            window = before + chunk
            if any(trace in window for trace in traces):
                return True
            before = window[-overlap:] if overlap else b""
    return False


def _backup(store: Store, made: backup.Backup, backups: Path, now_ms: int, stopping: Stopping) -> bool:
    """Whether it held somebody who was forgotten, and was written anew."""
    try:
        plain = backup.opened(store.folder, store.vault, made)
    except BackupError:
        # It opens for nobody, so it cannot be restored either.
        return False
    try:
        clean = _without_forgotten(store, plain, backups, now_ms)
        if clean is None:
            return False
        try:
            backup.seal_anew(store.vault, clean, made, stopping)
        finally:
            clean.unlink(missing_ok=True)
        return True
    finally:
        plain.unlink(missing_ok=True)


def _set_aside(store: Store, backups: Path, now_ms: int) -> Cleared:
    """Databases that were replaced or found damaged lie beside the present one, opened by nobody."""
    cleared = Cleared()
    for path in [aside.path for aside in set_aside.listed(store.folder)]:
        try:
            clean = _without_forgotten(store, path, backups, now_ms)
        except (DatabaseError, sqlite3.DatabaseError):
            set_aside.remove(path)
            cleared = Cleared(cleared.copies, cleared.removed + 1)
            continue
        if clean is not None:
            for ending in database_file.COMPANIONS:
                Path(f"{path}{ending}").unlink(missing_ok=True)
            clean.replace(path)
            sync_folder(store.folder)
            cleared = Cleared(cleared.copies + 1, cleared.removed)
    return cleared


def _without_forgotten(store: Store, path: Path, backups: Path, now_ms: int) -> Path | None:
    """A file like the database `path` without who was forgotten; None where nobody of them is in it. Raises DatabaseError for one
    that is damaged."""
    room = store.folder / f"clearing.{secrets.token_hex(4)}{PART}"
    clean = store.folder / f"cleared.{secrets.token_hex(4)}{PART}"
    try:
        make_folder(room)
        for ending in ("", *database_file.COMPANIONS):
            if (source := Path(f"{path}{ending}")).exists():
                shutil.copyfile(source, room / (database_file.NAME + ending))
        if found := database_file.fault(room / database_file.NAME):
            raise DatabaseError(f"{path} is damaged: {found}.")
        copy = open_copy(room, store.vault)
        with closing(copy):
            marks = forgotten_list.unknown(copy.db.conn, forgotten_list.places(store.folder, backups))
            honouring.forget_marked(copy, marks, now_ms)
            if wanted(copy) is None and not copy.traces:
                return None
            untell(copy)
            with copy.transaction() as db:
                db.execute("DELETE FROM settings WHERE key = ?", [CLEARING])
            # Into a new file, which has no free pages.
            copy.db.execute("VACUUM INTO ?", [str(clean)])
        clean.chmod(0o600)
        return clean
    except OSError as error:
        raise refused(error, room) from None
    finally:
        shutil.rmtree(room, ignore_errors=True)
