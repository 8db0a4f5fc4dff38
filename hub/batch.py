"""What a run of records comes to: of each id the last telling. Pure.

An appliance tells everything in order, so only the end of each story counts. A person that went takes along the templates told before; no
record behind that names them (`hub.applying` cuts a batch there).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sync.records import (
    ApartRecord,
    CameraGone,
    CameraRecord,
    ClockJumped,
    OptedOutCount,
    PersonGone,
    PersonRecord,
    ReceiptRecord,
    Record,
    TemplateGone,
    TemplateRecord,
    ToldBack,
    VisitGone,
    VisitRecord,
)

R = TypeVar("R", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Told(Generic[R]):
    """One record of a batch, read, with its number and its bytes."""

    sequence: int
    record: R
    payload: bytes


@dataclass(slots=True)
class Batch:
    """Each by its id. Templates, visits and cameras that are in `…_gone` as well went and came back."""

    persons: dict[str, Told[PersonRecord]] = field(default_factory=dict)
    persons_gone: dict[str, Told[PersonGone]] = field(default_factory=dict)
    templates: dict[str, Told[TemplateRecord]] = field(default_factory=dict)
    templates_gone: dict[str, Told[TemplateGone]] = field(default_factory=dict)
    visits: dict[str, Told[VisitRecord]] = field(default_factory=dict)
    visits_gone: dict[str, Told[VisitGone]] = field(default_factory=dict)
    cameras: dict[str, Told[CameraRecord]] = field(default_factory=dict)
    cameras_gone: dict[str, Told[CameraGone]] = field(default_factory=dict)
    counts: dict[str, Told[OptedOutCount]] = field(default_factory=dict)
    apart: dict[tuple[str, str], Told[ApartRecord]] = field(default_factory=dict)
    receipts: list[Told[ReceiptRecord]] = field(default_factory=list)
    told_back: list[Told[ToldBack]] = field(default_factory=list)
    jumps: list[Told[ClockJumped]] = field(default_factory=list)

    @property
    def person_ids(self) -> list[str]:
        """Of everybody who is named in it, in whatever way."""
        groups = (self.persons, self.persons_gone, self.templates, self.templates_gone, self.visits, self.apart)
        return sorted({i for group in groups for one in group.values() for i in persons_named(one.record)} - {""})


def gathered(told: Iterable[Told[Record]]) -> Batch:
    batch = Batch()
    for one in told:
        match one.record:
            case VisitRecord(id=i):
                batch.visits[i] = Told(one.sequence, one.record, one.payload)
            case TemplateRecord(id=i):
                batch.templates[i] = Told(one.sequence, one.record, one.payload)
            case PersonRecord(id=i):
                batch.persons[i] = Told(one.sequence, one.record, one.payload)
            case PersonGone():
                _person_went(batch, Told(one.sequence, one.record, one.payload))
            case TemplateGone(id=i):
                batch.templates.pop(i, None)
                batch.templates_gone[i] = Told(one.sequence, one.record, one.payload)
            case VisitGone(id=i):
                batch.visits.pop(i, None)
                batch.visits_gone[i] = Told(one.sequence, one.record, one.payload)
            case CameraRecord(id=i):
                batch.cameras[i] = Told(one.sequence, one.record, one.payload)
            case CameraGone(id=i):
                batch.cameras.pop(i, None)
                batch.cameras_gone[i] = Told(one.sequence, one.record, one.payload)
            case OptedOutCount(day=day):
                batch.counts[day] = Told(one.sequence, one.record, one.payload)
            case ApartRecord(person_a=a, person_b=b):
                batch.apart[a, b] = Told(one.sequence, one.record, one.payload)
            case ReceiptRecord():
                batch.receipts.append(Told(one.sequence, one.record, one.payload))
            case ToldBack():
                batch.told_back.append(Told(one.sequence, one.record, one.payload))
            case ClockJumped():
                batch.jumps.append(Told(one.sequence, one.record, one.payload))
    return batch


def _person_went(batch: Batch, gone: Told[PersonGone]) -> None:
    person_id = gone.record.id
    batch.persons.pop(person_id, None)
    batch.persons_gone[person_id] = gone
    for template_id in [i for i, one in batch.templates.items() if one.record.person_id == person_id]:
        del batch.templates[template_id]


def persons_named(record: Record) -> tuple[str, ...]:
    match record:
        case PersonRecord(id=i):
            return (i,)
        case VisitRecord(person_id=i) | TemplateRecord(person_id=i) | TemplateGone(person_id=i):
            return (i,)
        case PersonGone(id=i, merged_into=heir):
            return (i, heir)
        case ApartRecord(person_a=a, person_b=b):
            return (a, b)
        case _:
            return ()
