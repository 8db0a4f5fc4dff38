"""A batch of records becomes rows, in the caller's transaction. What cannot be taken is set aside and holds up nothing.

Values are judged before (`sync.judging`); should the database refuse one all the same, the batch is stored in halves until the one
record is found that it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import psycopg

from hub import admission, audit, erasure, known_rows, opt_outs, receipts, stored_rows, taking_up
from hub.admission import Admitted
from hub.batch import Batch, Told, gathered, persons_named
from hub.database import Tx
from hub.erasure import Asked
from hub.receipts import Counts
from hub.set_aside import Aside
from hub.stored_rows import Sender
from hub.vault import Vault
from sync import facts
from sync.facts import Erase, OptOut
from sync.judging import SetAside, judged
from sync.records import PersonGone, PersonRecord, Record, TemplateRecord, ToldBack

JUMP_MS_MIN = 60_000
"""A clock that was set right by seconds is no news."""


class MustBeAlone(Exception):
    """Somebody is to be forgotten: apply it again in a transaction that began with `erasure.shut_out_ingest`."""


def read(payloads: Sequence[bytes], first: int, now_ms: int) -> tuple[list[Told[Record]], list[Aside]]:
    """The records of a batch whose first has this number, and those that are none."""
    told: list[Told[Record]] = []
    asides: list[Aside] = []
    for sequence, payload in enumerate(payloads, first):
        found = judged(payload, now_ms)
        if isinstance(found, SetAside):
            asides.append(Aside(sequence, found.kind, found.reason, payload))
        elif found is not None:
            told.append(Told(sequence, found, payload))
    return told, asides


def may_forget(told: Sequence[Told[Record]]) -> bool:
    """Whether somebody is likely to be forgotten, so that it is as well to begin alone."""
    return any(_asks_to_forget(one.record) for one in told)


def _asks_to_forget(record: Record) -> bool:
    match record:
        case PersonGone(erased=erased):
            return erased
        case PersonRecord(role=role):
            return role == admission.OPTED_OUT
        case _:
            return isinstance(record, ToldBack)


def apply(tx: Tx, vault: Vault, sender: Sender, told: Sequence[Told[Record]], now: datetime, *, alone: bool) -> list[Aside]:
    """Those that were set aside. Raises MustBeAlone, unless `alone`."""
    parts = list(_parts(told))
    asides: list[Aside] = []
    for index, part in enumerate(parts):
        behind = [one for later in parts[index + 1 :] for one in later]
        asides += _apply_or_halve(tx, vault, sender, [*_told_later(part, behind), *part], now, alone)
    return asides


def _told_later(part: Sequence[Told[Record]], behind: Sequence[Told[Record]]) -> Iterable[Told[Record]]:
    """Persons of the part's templates as they are told further behind: a store leaves out what a later record of the batch replaces, so the
    first word of a person may stand behind their template."""
    if not behind:
        return
    missing = {one.record.person_id for one in part if isinstance(one.record, TemplateRecord)}
    missing -= {one.record.id for one in part if isinstance(one.record, PersonRecord)}
    for one in behind:
        if isinstance(one.record, PersonRecord) and one.record.id in missing and one.record.role != admission.OPTED_OUT:
            missing.discard(one.record.id)
            yield one


def _parts(told: Sequence[Told[Record]]) -> Iterable[Sequence[Told[Record]]]:
    """A batch is cut behind a record by which somebody is to be forgotten, and before one that names a person who went, so that it makes no
    difference which records happened to travel together."""
    begin = 0
    gone: set[str] = set()
    for index, one in enumerate(told):
        if gone and not gone.isdisjoint(persons_named(one.record)):
            yield told[begin:index]
            begin, gone = index, set()
        if isinstance(one.record, PersonGone):
            gone.add(one.record.id)
        if _asks_to_forget(one.record):
            yield told[begin : index + 1]
            begin, gone = index + 1, set()
    if begin < len(told):
        yield told[begin:]


def _apply_or_halve(tx: Tx, vault: Vault, sender: Sender, told: Sequence[Told[Record]], now: datetime, alone: bool) -> list[Aside]:
    try:
        with tx.transaction():
            return _apply(tx, vault, sender, told, now, alone)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(told) == 1:
            return [admission.aside(told[0], f"the database does not take it ({type(error).__name__})")]
    middle = len(told) // 2
    return [one for half in (told[:middle], told[middle:]) for one in _apply_or_halve(tx, vault, sender, half, now, alone)]


def _apply(tx: Tx, vault: Vault, sender: Sender, told: Sequence[Told[Record]], now: datetime, alone: bool) -> list[Aside]:
    batch = gathered(told)
    found = admission.admitted(batch, known_rows.look_up(tx, vault, batch), sender.owners)
    if (found.forgets or batch.told_back) and not alone:
        raise MustBeAlone
    stored_rows.remove(tx, sender, batch, found, now)
    asides = found.asides + stored_rows.store(tx, vault, sender, batch, found, now)
    asides += _receive(tx, sender, batch, now)
    _forget(tx, vault, sender, found, now)
    _forget_again(tx, vault, sender, batch, now)
    return asides


def _receive(tx: Tx, sender: Sender, batch: Batch, now: datetime) -> list[Aside]:
    asides = []
    for one in batch.receipts:
        counts = Counts(one.record.persons, one.record.templates, one.record.snapshots)
        if not receipts.done(tx, one.record.erasure_id, sender.appliance_id, counts, now):
            asides.append(admission.aside(one, "names an erasure that is not known here"))
    for jump in batch.jumps:
        if abs(jump.record.by_ms) >= JUMP_MS_MIN:
            audit.note(tx, sender.name, f"clock jumped by {jump.record.by_ms / 1000:.0f} s", sender.appliance_id, now)
    return asides


def _forget(tx: Tx, vault: Vault, sender: Sender, found: Admitted, now: datetime) -> None:
    mine = sender.appliance_id
    asked, again = Asked(sender.name, "asked at the store"), Asked(sender.name, "told to be somebody who was forgotten")
    # First who belongs to an opt-out, then who wants more than that: an opt-out that has ended takes nobody in.
    for erasure_id, person_ids in found.also.items():
        erasure.forget_also(tx, vault, erasure_id, person_ids, again, now, appliance_id=mine)
    for identity_id, templates in found.offers.items():
        opt_outs.offer(tx, vault, identity_id, templates, now)
    if found.erase:
        erasure.erase_persons(tx, vault, found.erase, asked, now, appliance_id=mine)
    if found.opt_out:
        erasure.opt_out_persons(tx, vault, found.opt_out, asked, now, appliance_id=mine)


def _forget_again(tx: Tx, vault: Vault, sender: Sender, batch: Batch, now: datetime) -> None:
    asked = Asked(sender.name, "told back by a store after this database was put back to an earlier day")
    for one in batch.told_back:
        fact = facts.decoded(one.record.payload)
        assert isinstance(fact, Erase | OptOut), "nothing else is judged good"
        taking_up.take_up(tx, vault, fact, asked, now)
