"""The last step of resolving a batch: decides who each person is and writes all that follows in one transaction.

Everything is read again behind the locks: a person that changed since the index was asked is left in the queue. Persons are taken one after
the other, each as if those before it were settled, so that two of one batch find one another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub import families, identities, identity_changes, index_upkeep, known, looks, review
from hub.database import Database, Tx
from hub.deciding import SLACK, Decision, HubBars, Verdict, bars_for
from hub.families import Family
from hub.identities import MACHINE, Placing
from hub.index import Floats, Near
from hub.looks import Leftover, Stored
from hub.model_bars import BarsOf
from hub.opted_out_likeness import OptedOutLooks
from hub.review import Question, duplicate_question, link_question
from hub.vault import Vault
from hub.weighing import Person, certain, must_leave, weigh

CANDIDATES_MAX = 8
"""Identities that a person is weighed against, the nearest ones: were it the ninth, eight strangers would have to be nearer."""
AWAY = "the index is away"


@dataclass(frozen=True, slots=True)
class Work:
    """`due`: persons, some of whom may be gone. `templates`: all of theirs."""

    due: list[str]
    templates: list[Stored]
    leftovers: list[Leftover]
    opted_out: OptedOutLooks


@dataclass(slots=True)
class Settled:
    """`unusable`: persons none of whose templates can be compared. `forget`: persons like somebody who opted out, by erasure."""

    linked: int = 0
    new: int = 0
    questions: int = 0
    unusable: list[str] = field(default_factory=list)
    forget: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class Written:
    """What is to be written. `joins`: (identity that stays, one that goes into it, its only person's placing)."""

    made: list[str] = field(default_factory=list)
    placings: list[Placing] = field(default_factory=list)
    joins: list[tuple[str, str, Placing]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


def settle(
    database: Database, tenant_id: str, bars_of: BarsOf, work: Work, near: Mapping[str, Mapping[str, Sequence[Near]]], now: datetime
) -> Settled:
    with database.tenant(tenant_id) as tx:
        vault = database.vault(tx, tenant_id)
        identities.hold(tx)
        # In the order in which ingest writes: persons, then the queue.
        tx.execute("SELECT id FROM persons WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE", [work.due])
        rows = tx.execute("SELECT person_id FROM resolve_queue WHERE person_id = ANY(%s::uuid[]) ORDER BY 1 FOR UPDATE", [work.due])
        queued = [row[0] for row in rows]
        here, as_read = _persons(tx, queued, work, bars_of), _as_read(tx, work, queued)
        gone = [one for one in queued if one not in here]
        settled, written = Settled(), Written()
        persons = [one for one in here.values() if one.id in as_read]
        _decide(tx, vault, persons, near, bars_of, work.opted_out, settled, written)
        _write(tx, vault, written, settled, now)
        written.touched.update(_clear_gone(tx, gone))
        usable = index_upkeep.usable(work.templates, bars_of)
        looks.note_indexed(tx, [one.id for templates in usable.values() for one in templates if one.person_id in as_read])
        looks.drop_leftovers(tx, [one.id for one in work.leftovers])
        waiting = {*settled.unusable, *(person for those in settled.forget.values() for person in those)}
        done = [*gone, *(one.id for one in persons if one.id not in waiting)]
        tx.execute("DELETE FROM resolve_queue WHERE person_id = ANY(%s::uuid[])", [sorted(done)])
        # The index answers again: whoever waited for it need not wait longer.
        tx.execute("UPDATE resolve_queue SET not_before = %s, trouble = '' WHERE trouble = %s", [now, AWAY])
        known.tell(tx, vault, sorted(written.touched), now)
        return settled


def _decide(
    tx: Tx,
    vault: Vault,
    persons: Sequence[Person],
    near: Mapping[str, Mapping[str, Sequence[Near]]],
    bars_of: BarsOf,
    opted_out: OptedOutLooks,
    settled: Settled,
    written: Written,
) -> None:
    count = identities.about_how_many(tx)
    models = {model for one in persons for model in one.embeddings}
    bars = _bars(models, count, bars_of)
    guests = identities.today(tx, [one.guest_of for one in persons if one.guest_of])
    owners = looks.persons_and_identities(tx, _near_enough(near, bars))
    chosen = {one.id: _candidates(near.get(one.id, {}), owners) for one in persons}
    wanted = [identity for those in chosen.values() for _, identity in those if identity]
    wanted += [*guests.values(), *(one.identity_id for one in persons if one.identity_id)]
    around = families.load(tx, vault, wanted, {model: known_model.size for model in bars if (known_model := bars_of(model))})
    links = _links(tx, [other for one in persons for other in one.apart])
    identity_of = {one.id: one.identity_id for one in persons}
    forgotten: set[str] = set()
    for one in persons:
        if one.id in forgotten:
            continue
        if erasure_id := opted_out.like(one.embeddings, bars_of):
            # Whoever they were linked with is they.
            family = around.get(one.identity_id or "")
            those = list(dict.fromkeys([one.id, *(family.members if family is not None else ())]))
            settled.forget[erasure_id] += [other for other in those if other not in forgotten]
            forgotten.update(those)
            continue
        person = replace(one, guest_of=guests.get(one.guest_of or ""))
        own = around.get(person.identity_id or "")
        if own is not None and len(own.members) > 1 and must_leave(person, own, links):
            own.leave(person.id)
            written.touched.add(own.identity_id)
            own = None
        ids = [*(identity_of.get(other, identity) for other, identity in chosen[person.id]), person.guest_of]
        others = [around[i] for i in dict.fromkeys(ids) if i and i in around and around[i].members and around[i] is not own]
        # Those made in this batch are among whom the next ones are compared with.
        decision = weigh(person, others, _bars(models, count + len(written.made), bars_of))
        if decision is None and person.has_templates:
            settled.unusable.append(person.id)
        identity_of[person.id] = _follow(person, own, decision, around, settled, written)


def _follow(
    person: Person, own: Family | None, decision: Decision | None, around: dict[str, Family], settled: Settled, written: Written
) -> str:
    """What a decision comes to; the person's identity from now on."""
    target = decision.identity_id if decision is not None else None
    others = len(own.members) - 1 if own is not None else 0
    if decision is not None and target is not None and not others:
        by = "guest" if decision.verdict is Verdict.GUEST else MACHINE
        placing = Placing(person.id, target, by, decision.similarity, decision.bar, decision.reason, person.identity_id)
        if own is None:
            written.placings.append(placing)
        else:
            # Alone in an identity of its own, which may have a name by now: all that is known of it goes along.
            written.joins.append((target, own.identity_id, placing))
            own.leave(person.id)
        home = around[target]
        settled.linked += 1
    elif own is not None:
        home = own
        if decision is not None and target is not None and decision.similarity is not None:
            written.questions.append(duplicate_question(own.identity_id, target, decision.similarity, decision.bar))
    else:
        home = around.setdefault(new_id := identities.new_id(), Family(new_id))
        similarity, bar = (decision.similarity, decision.bar) if decision is not None else (None, None)
        reason = decision.reason if decision is not None else "nothing to compare with"
        written.made.append(home.identity_id)
        written.placings.append(Placing(person.id, home.identity_id, MACHINE, similarity, bar, reason, person.identity_id))
        settled.new += 1
    home.take(person.id, person.appliance_id, person.embeddings)
    written.touched.add(home.identity_id)
    for doubt in decision.doubts if decision is not None else ():
        if len(home.members) == 1:
            written.questions.append(link_question(person.id, doubt.identity_id, doubt.similarity, doubt.bar))
        elif certain(doubt):
            written.questions.append(duplicate_question(home.identity_id, doubt.identity_id, doubt.similarity, doubt.bar))
    return home.identity_id


def _write(tx: Tx, vault: Vault, written: Written, settled: Settled, now: datetime) -> None:
    if written.made:
        identities.add(tx, written.made, now)
    identities.place(tx, written.placings, MACHINE, now)
    for target, own, placing in written.joins:
        identity_changes.join(tx, vault, target, own, MACHINE, placing.reason, now)
        identities.note_why(tx, placing)
    review.ask(tx, written.questions, now)
    settled.questions = len(written.questions)


def _persons(tx: Tx, person_ids: Sequence[str], work: Work, bars_of: BarsOf) -> dict[str, Person]:
    """Those that are here and have not opted out."""
    embeddings: dict[str, dict[str, list[Floats]]] = defaultdict(lambda: defaultdict(list))
    for model, templates in index_upkeep.usable(work.templates, bars_of).items():
        for one in templates:
            embeddings[one.person_id][model].append(one.embedding)
    having = {one.person_id for one in work.templates}
    apart = families.apart_from(tx, person_ids)
    rows = tx.execute(
        """SELECT id, appliance_id, identity_id, linked_by, linked_at, guest_of FROM persons
            WHERE id = ANY(%s::uuid[]) AND role <> 'opted_out' ORDER BY id""",
        [list(person_ids)],
    )
    return {
        person_id: Person(
            person_id,
            appliance_id,
            identity_id,
            linked_by,
            linked_at,
            guest_of,
            embeddings[person_id],
            person_id in having,
            apart.get(person_id, set()),
        )
        for person_id, appliance_id, identity_id, linked_by, linked_at, guest_of in rows
    }


def _as_read(tx: Tx, work: Work, person_ids: Sequence[str]) -> set[str]:
    """Persons whose templates are what the index was asked with."""
    unchanged = looks.unchanged(tx, work.templates)
    read: dict[str, set[str]] = defaultdict(set)
    for one in work.templates:
        read[one.person_id].add(one.id)
    now: dict[str, set[str]] = defaultdict(set)
    for template_id, person_id in tx.execute("SELECT id, person_id FROM templates WHERE person_id = ANY(%s::uuid[])", [list(person_ids)]):
        now[person_id].add(template_id)
    return {one for one in person_ids if now[one] == read[one] and read[one] <= unchanged}


def _clear_gone(tx: Tx, gone: Sequence[str]) -> list[str]:
    """Identities that lost a person: whoever is left is told of anew, and one that nobody is left of goes."""
    if not gone:
        return []
    rows = tx.execute("SELECT DISTINCT identity_id FROM identity_events WHERE person_id = ANY(%s::uuid[])", [list(gone)]).fetchall()
    were = [row[0] for row in rows if row[0]]
    today = [*identities.today(tx, were).values()]
    identities.sweep(tx, [*were, *today])
    return today


def _bars(models: Collection[str], identities_count: int, bars_of: BarsOf) -> dict[str, HubBars]:
    return {model: bars_for(found.bars, identities_count) for model in models if (found := bars_of(model))}


def _near_enough(near: Mapping[str, Mapping[str, Sequence[Near]]], bars: Mapping[str, HubBars]) -> set[str]:
    return {
        one.template_id
        for by_model in near.values()
        for model, hits in by_model.items()
        if model in bars
        for one in hits
        if one.similarity >= bars[model].review / SLACK
    }


def _candidates(by_model: Mapping[str, Sequence[Near]], owners: Mapping[str, tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """(person, identity) of the nearest templates, one for each identity; a person of this batch may have none yet."""
    hits = sorted((one for hits in by_model.values() for one in hits if one.template_id in owners), key=lambda one: -one.similarity)
    found: dict[str, tuple[str, str | None]] = {}
    for one in hits:
        person_id, identity_id = owners[one.template_id]
        found.setdefault(identity_id or person_id, (person_id, identity_id))
    return list(found.values())[:CANDIDATES_MAX]


def _links(tx: Tx, person_ids: Sequence[str]) -> dict[str, tuple[str, datetime | None]]:
    rows = tx.execute("SELECT id, linked_by, linked_at FROM persons WHERE id = ANY(%s::uuid[])", [list(person_ids)])
    return {person_id: (by, at) for person_id, by, at in rows}
