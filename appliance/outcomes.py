"""What became of a sighting, and where it stands until it is closed: values that recognition keeps and others read."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.identity import Decision
from models.faces import Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a sighting. `visit_id` None: nothing is stored (opted out). `logged`: first entered in the log by this telling."""

    sighting_id: str
    visit_id: str | None
    person_id: str | None
    verdict: str
    decision: Decision
    settled: bool
    logged: bool
    log_latency_ms: int
    visit_number: int = 0
    named: tuple[str, ...] = ()
    """Earlier visits, until now nobody's, that are this person's by the view that was learned."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sighting stands, as committed; a telling that fails leaves it as it was. `minted`: its person was made from it;
    `picture`: name of the snapshot that it gave its visit; `outcome`: of its last telling, None before the first."""

    camera_id: str
    ended_ms: int
    person_id: str | None = None
    minted: bool = False
    closed: bool = False
    look: Floats | None = None
    picture: str | None = None
    outcome: Outcome | None = None
    written_ms: int = 0
    """Until when the log has it."""

    @property
    def settled(self) -> bool:
        return self.minted or self.closed or (self.outcome is not None and self.outcome.settled)
