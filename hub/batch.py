"""What a batch of records comes to: of each id the last telling, in the order told. Pure.

An appliance tells everything in order, so within a batch only the end of each story counts: a person that went takes along the templates
told before, one that came back after that keeps those told since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec.structs import replace

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
    """Each by its id. What is in `…_gone` went at some time during the batch, and may have come back after."""

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
    jumps: list[Told[ClockJumped]] = field(default_factory=list)

    @property
    def person_ids(self) -> list[str]:
        """Of everybody who is named in it, in whatever way."""
        found = {*self.persons, *self.persons_gone}
        found |= {one.record.merged_into for one in self.persons_gone.values()}
        found |= {one.record.person_id for one in self.templates.values()} | {one.record.person_id for one in self.templates_gone.values()}
        found |= {one.record.person_id for one in self.visits.values()}
        found |= {one for pair in self.apart for one in pair}
        return sorted(found - {""})


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
            case ClockJumped():
                batch.jumps.append(Told(one.sequence, one.record, one.payload))
    return batch


def _person_went(batch: Batch, gone: Told[PersonGone]) -> None:
    person_id = gone.record.id
    batch.persons.pop(person_id, None)
    before = batch.persons_gone.get(person_id)
    # Asked to be forgotten once is asked for ever, whatever is told after it.
    erased = gone.record.erased or (before is not None and before.record.erased)
    batch.persons_gone[person_id] = Told(gone.sequence, replace(gone.record, erased=erased), gone.payload)
    for template_id in [i for i, one in batch.templates.items() if one.record.person_id == person_id]:
        del batch.templates[template_id]
