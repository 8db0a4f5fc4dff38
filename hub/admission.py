"""Which of a batch's records are stored, and what they ask for beside. Pure: what the hub knows of their ids is looked up before.

Ids have one owner: what names another appliance's is set aside. What names somebody forgotten is not stored: their persons and templates
are passed over, their visits lose who it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.batch import Batch, Told
from hub.forgotten_rows import FORGOTTEN, Tombstone
from hub.opt_outs import KIND as OPT_OUT
from hub.set_aside import Aside
from sync.facts import LentTemplate
from sync.records import ApartRecord, PersonGone, PersonRecord, Record, TemplateRecord, VisitRecord, kind_of

OPTED_OUT = "opted_out"
FOREIGN = "belongs to another appliance"
UNTOLD = "names a person that this appliance has not told of"


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """`has_templates`: asked of those alone who opted out."""

    appliance_id: str
    role: str
    name: str = ""
    guest_of: str | None = None
    identity_id: str | None = None
    has_templates: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub has of the ids that a batch names. `templates`: the person each is of. `identities`: of guests, those that are here;
    `forgotten_identities`: those that were forgotten, and by which request."""

    persons: Mapping[str, KnownPerson] = field(default_factory=dict)
    tombstones: Mapping[str, Tombstone] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    identities: frozenset[str] = frozenset()
    forgotten_identities: Mapping[str, Tombstone] = field(default_factory=dict)


@dataclass(slots=True)
class Admitted:
    """`heirs`: persons that went, and who took their visits ("": nobody). `queue`: persons whose identity is to be looked for. The last
    four ask for somebody to be forgotten: persons to erase, to opt out, to add to an erasure (id -> persons), and templates that belong to
    an opt-out (identity -> templates)."""

    persons: list[PersonRecord] = field(default_factory=list)
    templates: list[TemplateRecord] = field(default_factory=list)
    visits: list[Told[VisitRecord]] = field(default_factory=list)
    apart: list[ApartRecord] = field(default_factory=list)
    heirs: dict[str, str] = field(default_factory=dict)
    templates_gone: list[str] = field(default_factory=list)
    queue: set[str] = field(default_factory=set)
    asides: list[Aside] = field(default_factory=list)
    erase: list[str] = field(default_factory=list)
    opt_out: list[str] = field(default_factory=list)
    also: dict[str, list[str]] = field(default_factory=dict)
    offers: dict[str, list[LentTemplate]] = field(default_factory=dict)

    @property
    def forgets(self) -> bool:
        return bool(self.erase or self.opt_out or self.also)


def admitted(batch: Batch, known: Known, owners: Collection[str]) -> Admitted:
    """`owners`: appliances whose ids the sender may tell of."""
    found = Admitted()

    def foreign(person_id: str) -> bool:
        person = known.persons.get(person_id)
        return person is not None and person.appliance_id not in owners

    stones = dict(known.tombstones)
    for one in batch.persons.values():
        _admit_person(found, one, known, stones, foreign(one.record.id))
    for gone in batch.persons_gone.values():
        _admit_gone(found, gone, stones, foreign(gone.record.id), foreign(gone.record.merged_into))
    found.heirs = {person_id: _last_heir(found.heirs, person_id) for person_id in found.heirs}
    here = {person.id for person in found.persons} | {i for i in known.persons if i not in found.heirs}
    for template in batch.templates.values():
        own = foreign(template.record.person_id) or foreign(known.templates.get(template.record.id, ""))
        _admit_template(found, template, stones, own, template.record.person_id in here)
        # Under another person than before, as after a merge at the store: both are looked at anew.
        found.queue.update({template.record.person_id, known.templates.get(template.record.id, template.record.person_id)} - stones.keys())
    for template_id, gone_template in batch.templates_gone.items():
        owner = known.templates.get(template_id)
        if owner is not None and foreign(owner):
            found.asides.append(aside(gone_template, FOREIGN))
        elif owner is not None:
            found.templates_gone.append(template_id)
            found.queue.add(owner)
    for visit in batch.visits.values():
        _admit_visit(found, visit, stones, foreign(visit.record.person_id))
    for apart in batch.apart.values():
        pair = (apart.record.person_a, apart.record.person_b)
        if any(map(foreign, pair)):
            found.asides.append(aside(apart, FOREIGN))
        elif not any(person in stones for person in pair):
            found.apart.append(apart.record)
            found.queue.update(person for person in pair if person in here)
    found.opt_out = list(_newly_opted_out(found, known))
    return found


def _admit_person(found: Admitted, one: Told[PersonRecord], known: Known, stones: dict[str, Tombstone], foreign: bool) -> None:
    person = one.record
    if foreign:
        found.asides.append(aside(one, FOREIGN))
        return
    if person.id in stones:
        return
    guest = known.forgotten_identities.get(person.guest_of)
    if guest is not None:
        # First recognised by what was lent of somebody who was forgotten before the store heard of it.
        found.also.setdefault(guest.erasure_id, []).append(person.id)
        stones[person.id] = guest
        return
    before = known.persons.get(person.id)
    guest_of = person.guest_of if person.guest_of in known.identities else ""
    # Of somebody who opted out no name is kept.
    kept = replace(person, guest_of=guest_of, name="" if person.role == OPTED_OUT else person.name)
    found.persons.append(kept)
    if before is None or (before.role, before.name, before.guest_of or "") != (kept.role, kept.name, guest_of):
        found.queue.add(person.id)


def _admit_gone(found: Admitted, gone: Told[PersonGone], stones: dict[str, Tombstone], foreign: bool, heir_foreign: bool) -> None:
    person_id, heir = gone.record.id, gone.record.merged_into
    if foreign or heir_foreign:
        found.asides.append(aside(gone, FOREIGN))
        return
    stone = stones.get(person_id)
    if stone is not None:
        if heir and heir not in stones and stone.in_force:
            # Somebody forgotten was merged into another before the store heard of it: that other is they.
            found.also.setdefault(stone.erasure_id, []).append(heir)
            stones[heir] = stone
        if gone.record.erased and stone.kind == OPT_OUT and stone.in_force:
            found.erase.append(person_id)
        return
    if gone.record.erased:
        found.erase.append(person_id)
        found.persons[:] = [person for person in found.persons if person.id != person_id]
        return
    found.heirs[person_id] = "" if heir in stones else heir
    found.queue.add(person_id)


def _admit_template(found: Admitted, one: Told[TemplateRecord], stones: Mapping[str, Tombstone], foreign: bool, here: bool) -> None:
    template = one.record
    stone = stones.get(template.person_id)
    if foreign:
        found.asides.append(aside(one, FOREIGN))
    elif stone is not None:
        if stone.kind == OPT_OUT and stone.in_force:
            lent = LentTemplate(id=template.id, model=template.model, embedding=template.embedding)
            found.offers.setdefault(stone.identity_id, []).append(lent)
    elif here:
        found.templates.append(template)
    else:
        found.asides.append(aside(one, UNTOLD))


def _last_heir(heirs: Mapping[str, str], person_id: str) -> str:
    """Who took a person's place in the end: an heir may have been merged as well."""
    seen = {person_id}
    while (heir := heirs.get(person_id, "")) and heir not in seen:
        seen.add(heir)
        person_id = heir
    return "" if person_id in heirs else person_id


def _admit_visit(found: Admitted, one: Told[VisitRecord], stones: Mapping[str, Tombstone], foreign: bool) -> None:
    visit = one.record
    if foreign:
        found.asides.append(aside(one, FOREIGN))
    elif visit.person_id in stones or visit.person_id in found.erase:
        blank = replace(visit, person_id="", reason=FORGOTTEN, similarity=None, bar=None)
        found.visits.append(Told(one.sequence, blank, one.payload))
    elif visit.person_id in found.heirs:
        found.visits.append(Told(one.sequence, replace(visit, person_id=found.heirs[visit.person_id]), one.payload))
    else:
        found.visits.append(one)


def _newly_opted_out(found: Admitted, known: Known) -> Iterable[str]:
    """Somebody of whom nothing is known by which to know them again is waited with: their templates are still on the way."""
    roles = {i: person.role for i, person in known.persons.items()} | {person.id: person.role for person in found.persons}
    told = {template.person_id for template in found.templates}
    for person_id in dict.fromkeys([*(person.id for person in found.persons), *told]):
        before = known.persons.get(person_id)
        if roles[person_id] == OPTED_OUT and (person_id in told or (before is not None and (before.has_templates or before.identity_id))):
            yield person_id


def aside(one: Told[Record], reason: str) -> Aside:
    return Aside(one.sequence, kind_of(one.record), reason, one.payload)
