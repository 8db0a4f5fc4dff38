"""From a sighting to the visit log: the one place where the gallery, the decision and the log meet. Owned by the main process alone.

A sighting may be told many times (opened, improved, closed) and even twice: each telling replaces the one before. What is said on the
first is provisional: nobody is minted and nothing is learned before the last, unless somebody stays before the camera for long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance import persons, snapshots, visits
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.gallery import Gallery, Template
from appliance.identity import Decision, Evidence, Policy, Thresholds, Verdict, decide, thresholds
from appliance.sightings import Phase, Sighting, agreement, mean_embedding
from models.bars import Bars
from models.faces import Floats

HERE_MS = 4000
"""Who left a camera's view this recently may be the face that now appears in it: a track that broke."""
EARLY_SHOTS = 8
EARLY_MS = 1500
"""Somebody who stays before the camera is a person after this much, without waiting for them to leave."""
UNSURE_LOOKS_MAX = 500
"""Newest unnamed visits that a later one may turn out to agree with."""
SIGHTINGS_REMEMBERED = 2000
"""Sightings whose person is known without asking the database: far more than are under way at any time."""
UNSURE_KEY = "visit:"
"""Prefix of an unnamed visit's key among the gallery's persons."""
NEAR_OPTED_OUT_FAR = 0.02
"""While somebody resembles an opted-out person this much, no picture of them is kept, whatever is decided."""


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
    """Which visit of the person it is; 0: nobody's."""


@dataclass(slots=True)
class Standing:
    """Where a sighting stands. `minted`: its person was made from it."""

    camera_id: str
    ended_ms: int
    person_id: str | None = None
    minted: bool = False
    look: Floats | None = None
    log_latency_ms: int | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Recognition:
    """`failed` is told of a snapshot that could not be kept: the visit counts all the same."""

    store: Store
    gallery: Gallery
    bars: Bars
    policy: Policy
    gap_ms: int
    zone: ZoneInfo
    failed: Callable[[RegularsError], None] = lambda _error: None
    _standing: OrderedDict[str, Standing] = field(default_factory=OrderedDict)
    _opted_out_seen: dict[str, int] = field(default_factory=dict)

    def load(self) -> None:
        """Fills the gallery from the database."""
        model = self.gallery.model
        self.gallery.add(persons.all_templates(self.store, model))
        self.gallery.add(_unsure(visit_id, model, look) for visit_id, look in visits.unsure_looks(self.store, model, UNSURE_LOOKS_MAX))

    def check(self) -> None:
        """Raises ValueError when the gallery is not what the database says, and puts it right."""
        stored = {t.id: t for t in persons.all_templates(self.store, self.gallery.model)}
        held = self.gallery.ids("customer", "staff", "opted_out")
        if stored.keys() != held:
            self.gallery.remove(held - stored.keys())
            self.gallery.add(stored[i] for i in stored.keys() - held)
            missing, extra = len(stored.keys() - held), len(held - stored.keys())
            raise ValueError(f"the gallery differed from the database: {missing} templates missing, {extra} too many; it was rebuilt")

    def thresholds(self) -> Thresholds:
        g = self.gallery
        return thresholds(
            self.bars,
            self.policy,
            persons=g.persons("customer", "staff", "unsure"),
            staff=g.persons("staff"),
            opted_out=g.persons("opted_out"),
        )

    def receive(self, sighting: Sighting, now_ms: int) -> Outcome:
        """Decides, and writes what follows in one transaction. Raises StoreErrors; then nothing is written and it may be told again."""
        if sighting.model != self.gallery.model:
            raise ValueError(f"sighting {sighting.id} was embedded by {sighting.model!r}; the gallery holds {self.gallery.model!r}")
        standing = self._standing.get(sighting.id) or self._recalled(sighting)
        look = mean_embedding(sighting)
        decision = self._decide(sighting, standing, look)
        latency = standing.log_latency_ms if standing.log_latency_ms is not None else max(0, now_ms - sighting.first_shot_ms)
        if decision.verdict is Verdict.OPTED_OUT:
            outcome = self._opted_out(sighting, decision, latency, now_ms)
        else:
            outcome = self._log(sighting, standing, decision, look, latency, now_ms)
        standing.log_latency_ms, standing.person_id, standing.ended_ms = latency, outcome.person_id, sighting.ended_ms
        standing.look = look
        self._standing[sighting.id] = standing
        self._standing.move_to_end(sighting.id)
        while len(self._standing) > SIGHTINGS_REMEMBERED:
            self._standing.popitem(last=False)
        standing.outcome = outcome
        return outcome

    def standing_of(self, sighting_id: str) -> Outcome | None:
        """What became of a sighting so far, for who draws its box. From any thread."""
        standing = self._standing.get(sighting_id)
        return standing.outcome if standing else None

    def forget_persons(self, person_ids: list[str]) -> None:
        """Their templates are gone from the database: let go of them."""
        for person_id in person_ids:
            self.gallery.remove_person(person_id)

    def _decide(self, sighting: Sighting, standing: Standing, look: Floats) -> Decision:
        bars = self.thresholds()
        if standing.minted and standing.person_id:
            return Decision(Verdict.KNOWN, standing.person_id, "customer", None, None, bars.mint, "made a new person", learn=True)
        together = [self._standing[i].person_id for i in sighting.seen_with if i in self._standing]
        others = {p for p in together if p}
        here = {
            s.person_id: float(s.look @ look)
            for i, s in self._standing.items()
            if s.person_id
            and s.look is not None
            and i != sighting.id
            and s.camera_id == sighting.camera_id
            and i not in sighting.seen_with
            and 0 <= sighting.began_ms - s.ended_ms <= HERE_MS
        }
        evidence = Evidence(sighting.shot_count, sighting.last_shot_ms - sighting.first_shot_ms, agreement(sighting), here, others)
        return decide(self.gallery.search(look), evidence, bars, self.policy)

    def _log(
        self, sighting: Sighting, standing: Standing, decision: Decision, look: Floats, latency: int, now_ms: int
    ) -> Outcome:
        span_ms = sighting.last_shot_ms - sighting.first_shot_ms
        closed = sighting.phase is Phase.CLOSED
        stays = decision.verdict is Verdict.NEW and sighting.shot_count >= EARLY_SHOTS and span_ms >= EARLY_MS
        final = closed or stays
        discreet = self._near_opted_out(look)
        change = Change()
        with self.store.transaction() as db:
            person_id = self._person(sighting, standing, decision, look, change, final and not discreet, now_ms)
            kept_for_review = closed and person_id is None and not discreet
            visit_id = visits.put(
                self.store,
                sighting,
                decision,
                person_id,
                settled=final,
                gap_ms=self.gap_ms,
                logged_after_ms=latency,
                embedding=look if kept_for_review else None,
                now_ms=now_ms,
            )
            if not discreet and (person_id or closed):
                self._show(visit_id, sighting, change, now_ms)
            verdict, number = db.execute("SELECT verdict, visit_number FROM visits WHERE id = ?", [visit_id]).fetchone()
        # The gallery holds only what is committed.
        self.gallery.remove(change.gone)
        self.gallery.add(change.added)
        for key in change.keys_gone:
            self.gallery.remove_person(key)
        if kept_for_review:
            self.gallery.add([_unsure(visit_id, sighting.model, look)])
        for name in change.pictures_gone:
            snapshots.remove(self.store, name)
        return Outcome(sighting.id, visit_id, person_id, verdict, decision, final, standing.log_latency_ms is None, latency, number)

    def _person(
        self, sighting: Sighting, standing: Standing, decision: Decision, look: Floats, change: Change, final: bool, now_ms: int
    ) -> str | None:
        """Who it is as far as may be said now; makes and teaches persons when the decision is final."""
        if decision.verdict is Verdict.KNOWN:
            person_id, role = decision.person_id, decision.role or "customer"
        elif final and decision.verdict in (Verdict.NEW, Verdict.AGREED):
            person_id, role = persons.create(self.store, "customer", now_ms), "customer"
            standing.minted = True
            if decision.verdict is Verdict.AGREED and decision.person_id:
                self._agree(decision.person_id, person_id, change, now_ms)
        else:
            return None
        if person_id and final and (standing.minted or decision.learn):
            quality = max(s.quality for s in sighting.shots)
            change.learned(persons.learn(self.store, person_id, role, sighting.model, look, quality, "visit", None, now_ms))
        return person_id

    def _agree(self, key: str, person_id: str, change: Change, now_ms: int) -> None:
        """An earlier visit that nobody was named for was this new person's first."""
        look = self.gallery.of(key)[0]
        visits.name_visit(self.store, key.removeprefix(UNSURE_KEY), person_id, self.gap_ms, now_ms)
        change.learned(persons.learn(self.store, person_id, "customer", look.model, look.embedding, 0.5, "visit", None, now_ms))
        change.keys_gone.append(key)

    def _show(self, visit_id: str, sighting: Sighting, change: Change, now_ms: int) -> None:
        """Keeps the sighting's portrait as the visit's picture if it is the largest so far."""
        name, width = self.store.db.execute("SELECT snapshot, snapshot_width_px FROM visits WHERE id = ?", [visit_id]).fetchone()
        if not sighting.portrait or (name and width >= sighting.portrait_width_px):
            return
        try:
            new = snapshots.save(self.store, visit_id, sighting.portrait, now_ms)
        except RegularsError as error:
            self.failed(error)
            return
        self.store.db.execute(
            "UPDATE visits SET snapshot = ?, snapshot_width_px = ? WHERE id = ?", [new, sighting.portrait_width_px, visit_id]
        )
        if name:
            change.pictures_gone.append(name)

    def _opted_out(self, sighting: Sighting, decision: Decision, latency: int, now_ms: int) -> Outcome:
        """Nothing is stored but the count, once a visit; what an earlier, provisional telling left is taken out again."""
        person_id, closed = decision.person_id or "", sighting.phase is Phase.CLOSED
        place = visits.place_of(self.store, sighting.id)
        pictures = []
        last_ms = self._opted_out_seen.get(person_id)
        counts = closed and (last_ms is None or sighting.began_ms - last_ms > self.gap_ms)
        if place or counts:
            with self.store.transaction() as db:
                if place:
                    pictures = [n for (n,) in db.execute("SELECT snapshot FROM visits WHERE id = ?", [place.visit_id]).fetchall() if n]
                    visits.forget_sighting(self.store, sighting.id, now_ms)
                    if db.execute("SELECT 1 FROM visits WHERE id = ?", [place.visit_id]).fetchone():
                        pictures = []
                if counts:
                    day = datetime.fromtimestamp(sighting.began_ms / 1000, UTC).astimezone(self.zone).date().isoformat()
                    visits.count_opted_out(self.store, day, now_ms)
        for name in pictures:
            snapshots.remove(self.store, name)
        if closed:
            self._opted_out_seen[person_id] = sighting.ended_ms
        return Outcome(sighting.id, None, person_id, "opted_out", decision, closed, counts, latency)

    def _near_opted_out(self, look: Floats) -> bool:
        """While somebody resembles an opted-out person, nothing of their face is kept, whatever is decided."""
        bar = self.bars.bar_at(NEAR_OPTED_OUT_FAR)
        return any(float(t.embedding @ look) >= bar for t in self.gallery.with_role("opted_out"))

    def _recalled(self, sighting: Sighting) -> Standing:
        """A sighting told before the last start."""
        place = visits.place_of(self.store, sighting.id)
        return Standing(sighting.camera_id, sighting.ended_ms, place.person_id if place else None)


@dataclass(slots=True)
class Change:
    """What a transaction did that the gallery and the snapshots' folder must follow once it is committed."""

    added: list[Template] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    keys_gone: list[str] = field(default_factory=list)
    pictures_gone: list[str] = field(default_factory=list)

    def learned(self, what: tuple[Template | None, list[str]]) -> None:
        template, gone = what
        self.added += [template] if template else []
        self.gone += gone


def _unsure(visit_id: str, model: str, look: Floats) -> Template:
    return Template(f"{UNSURE_KEY}{visit_id}:look", UNSURE_KEY + visit_id, "unsure", model, look)
