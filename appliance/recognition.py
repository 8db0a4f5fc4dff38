"""From a sighting to the visit log: the one place where the gallery, the decision and the log meet. Owned by the main process alone.

A sighting may be told many times (opened, improved, closed) and even twice: each telling replaces the one before. What is said on the
first is provisional: nobody is minted and nothing is learned before the last, unless somebody stays before the camera for long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance import (
    calibration,
    called_different,
    persons,
    portraits,
    rejected_looks,
    review,
    second_look,
    seen_beside,
    stored_templates,
    visits,
)
from appliance.database import Store
from appliance.gallery import GUEST_KEY, UNSURE_KEY, Candidate, Gallery, Template
from appliance.identity import Decision, Evidence, Policy, Thresholds, Verdict, decide, thresholds
from appliance.line import guests
from appliance.outcomes import Outcome, Standing
from appliance.portraits import Portrait
from appliance.sightings import Phase, Sighting, agreement, mean_embedding
from appliance.stored_templates import UNSURE_LOOKS_MAX, put_right, unsure
from models.bars import Bars
from models.faces import Floats

HERE_MS = 4000
"""Who left a camera's view this recently may be the face that now appears in it: a track that broke."""
EARLY_SHOTS = 8
EARLY_MS = 1500
"""Somebody who stays before the camera is a person after this much, without waiting for them to leave."""
WRITE_EVERY_MS = 5000
"""While somebody stands before a camera, how long the visit's end in the log may lag behind."""
SIGHTINGS_REMEMBERED = 500
"""Sightings whose person is known without asking the database: far more than are under way at any time."""
NEAR_OPTED_OUT_FAR = 0.02
"""While somebody resembles an opted-out person this much, no picture of them is kept, whatever is decided."""


@dataclass(slots=True)
class Recognition:
    """`failed` is told of a snapshot that could not be kept: the visit counts all the same."""

    store: Store
    gallery: Gallery
    bars: Bars
    policy: Policy
    gap_ms: int
    zone: ZoneInfo
    failed: portraits.Failed = lambda _error: None
    strictness: float = 1.0
    """By how much this site's bars must be stricter (`appliance/calibration.py`)."""
    _standing: OrderedDict[str, Standing] = field(default_factory=OrderedDict)
    _opted_out_seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _guests: dict[str, str] = field(default_factory=dict)
    """Key of a guest to the person of this store that they are."""
    _bars_for: tuple[tuple[float, ...], Thresholds] | None = None
    _rejected: rejected_looks.Rejected = field(default_factory=dict)

    def load(self) -> None:
        """Fills the gallery from the database."""
        self.gallery.add(stored_templates.all_of(self.store, self.gallery.model))
        self._guests = guests.known_as(self.store)
        self._rejected = rejected_looks.all_of(self.store, self.gallery.model)
        self.strictness = calibration.stored(self.store.db.conn, self.gallery.model)

    def check(self) -> None:
        """Raises GalleryError when the gallery is not what the database says, and puts it right. To be called where `receive` is."""
        put_right(self.gallery, stored_templates.all_of(self.store, self.gallery.model))

    def thresholds(self) -> Thresholds:
        """For the gallery as it is; worked out anew when the number of people in it changes, or how strict the site must be."""
        g = self.gallery
        people, staff, opted_out = g.persons("customer", "staff", "unsure", "guest"), g.persons("staff"), g.persons("opted_out")
        now = (people, staff, opted_out, self.strictness)
        if self._bars_for is None or self._bars_for[0] != now:
            policy = replace(self.policy, false_match=self.policy.false_match / self.strictness)
            self._bars_for = now, thresholds(self.bars, policy, persons=people, staff=staff, opted_out=opted_out)
        return self._bars_for[1]

    def be_strict(self, times: float) -> None:
        """Bars for a chance of a false match that many times smaller. To be called where `receive` is."""
        self.strictness = times

    def receive(self, sighting: Sighting, now_ms: int) -> Outcome:
        """Decides, and writes what follows in one transaction. A sighting that is closed stays as it is, however often it is told.

        Raises StoreErrors; then nothing is written and it may be told again. ValueError for a sighting of another model or without a
        usable embedding.
        """
        look = self._look(sighting)
        standing = self._standing.get(sighting.id) or self._recalled(sighting)
        if standing.closed and standing.outcome:
            return replace(standing.outcome, logged=False)
        decision = self._decide(sighting, standing, look)
        latency = standing.outcome.log_latency_ms if standing.outcome else max(0, now_ms - sighting.first_shot_ms)
        if self._adds_nothing(sighting, standing, decision):
            told = standing
        elif decision.verdict is Verdict.OPTED_OUT:
            told = self._opted_out(sighting, standing, decision, latency, now_ms)
        else:
            told = self._log(sighting, standing, decision, look, latency, now_ms)
        self._standing[sighting.id] = replace(told, look=look, ended_ms=sighting.ended_ms)
        self._standing.move_to_end(sighting.id)
        while len(self._standing) > SIGHTINGS_REMEMBERED:
            self._standing.popitem(last=False)
        assert told.outcome is not None
        return replace(told.outcome, logged=False) if told is standing else told.outcome

    def _adds_nothing(self, sighting: Sighting, standing: Standing, decision: Decision) -> bool:
        """An improvement that changes nobody's mind: the log need not be written for it more than now and then."""
        before = standing.outcome
        return (
            before is not None
            and sighting.phase is Phase.IMPROVED
            and (
                (decision.verdict, decision.person_id) == (before.decision.verdict, before.decision.person_id)
                or (standing.minted and decision.verdict is Verdict.KNOWN)
            )
            and not (_stays(sighting) and _makes_a_person(decision))
            and sighting.ended_ms - standing.written_ms < WRITE_EVERY_MS
        )

    def standing_of(self, sighting_id: str) -> Outcome | None:
        """What became of a sighting so far, for who draws its box. From any thread."""
        standing = self._standing.get(sighting_id)
        return standing.outcome if standing else None

    def forget_persons(self, person_ids: list[str]) -> None:
        """Their templates, or they themselves, are gone from the database: let go of them."""
        for person_id in person_ids:
            self.gallery.remove_person(person_id)
        gone = set(person_ids)
        for sighting_id, standing in self._standing.items():
            if standing.person_id in gone:
                self._standing[sighting_id] = replace(standing, person_id=None, minted=False)

    def look_of(self, sighting_id: str) -> Floats | None:
        """(D,) what a sighting looked like, while that is remembered. To be called where `receive` is."""
        standing = self._standing.get(sighting_id)
        return standing.look if standing else None

    def part(self, sighting_ids: Iterable[str]) -> None:
        """These sightings are not whom they were taken for. To be called where `receive` is."""
        for sighting_id in sighting_ids:
            if standing := self._standing.get(sighting_id):
                self._standing[sighting_id] = replace(standing, person_id=None, minted=False)

    def renew(self, keys: Iterable[str]) -> None:
        """The database says something else of these persons, guests and unnamed visits now. To be called where `receive` is."""
        wanted = sorted(set(keys))
        self.forget_persons(wanted)
        for key in wanted:
            self.gallery.add(stored_templates.of(self.store, self.gallery.model, key))
        self._guests = guests.known_as(self.store)
        self._rejected = rejected_looks.all_of(self.store, self.gallery.model)

    def renew_guests(self) -> None:
        """The chain's people are others, all at once. To be called where `receive` is."""
        held = self.gallery.with_role("guest", "staff", "opted_out")
        self.renew({t.person_id for t in held if t.person_id.startswith(GUEST_KEY)})

    def _look(self, sighting: Sighting) -> Floats:
        """What the search is made with."""
        if sighting.model != self.gallery.model:
            raise ValueError(f"sighting {sighting.id} was embedded by {sighting.model!r}; the gallery holds {self.gallery.model!r}")
        bytes_each = 4 * self.gallery.size
        if not sighting.shots or any(len(s.embedding) != bytes_each for s in sighting.shots):
            raise ValueError(f"sighting {sighting.id} has no shots, or some that are not of {self.gallery.size} numbers")
        look = mean_embedding(sighting)
        if not abs(float(look @ look) - 1) < 1e-2:
            raise ValueError(f"sighting {sighting.id} has shots that are no unit vectors")
        return look

    def _decide(self, sighting: Sighting, standing: Standing, look: Floats) -> Decision:
        bars, candidates = self.thresholds(), self.gallery.search(look)
        if any(c.person_id.startswith(GUEST_KEY) for c in candidates):
            candidates = guests.as_persons(candidates, self._guests)
        if standing.minted and standing.person_id:
            return self._still(standing, candidates, bars)
        beside = [self._standing[i] for i in sighting.seen_with if i in self._standing]
        others = seen_beside.taken(beside, self.gallery, look) | rejected_looks.ruled_out(self._rejected, candidates, look, bars.match)
        others |= called_different.ruled_out(self.store, candidates, bars.match)
        apart = called_different.pairs(self.store, candidates, bars.match)
        here = {
            s.person_id: float(s.look @ look)
            for i, s in self._standing.items()
            if 0 <= sighting.began_ms - s.ended_ms <= HERE_MS
            and s.person_id
            and s.look is not None
            and i != sighting.id
            and s.camera_id == sighting.camera_id
            and i not in sighting.seen_with
        }
        evidence = Evidence(sighting.shot_count, sighting.last_shot_ms - sighting.first_shot_ms, agreement(sighting), here, others, apart)
        return decide(candidates, evidence, bars, self.policy)

    def _still(self, standing: Standing, candidates: Sequence[Candidate], bars: Thresholds) -> Decision:
        """Of somebody who was made a person while they were before the camera: they stay it, unless they turn out to have opted out."""
        opted_out = [c for c in candidates if c.role == "opted_out"]
        decision = decide(opted_out, Evidence(0, 0), bars, self.policy)
        if decision.verdict is Verdict.OPTED_OUT:
            return decision
        before = standing.outcome.decision if standing.outcome else None
        if before and before.verdict is Verdict.KNOWN:
            return replace(before, learn=True)
        return Decision(Verdict.KNOWN, standing.person_id, "customer", None, None, bars.mint, "made a new person", learn=True)

    def _log(self, sighting: Sighting, standing: Standing, decision: Decision, look: Floats, latency: int, now_ms: int) -> Standing:
        closed = sighting.phase is Phase.CLOSED
        final = closed or (_makes_a_person(decision) and _stays(sighting))
        discreet = self._near_opted_out(look)
        change = Change(standing.minted, Portrait(standing.picture))
        with self.store.transaction() as db:
            person_id = self._person(sighting, decision, look, change, final and not discreet, now_ms)
            decision = guests.as_person(decision, person_id)
            kept_for_review = closed and person_id is None and not discreet
            before = visits.place_of(self.store, sighting.id)
            shown = portraits.shown(self.store, before.visit_id) if before else None
            visit_id = visits.put(
                self.store,
                sighting,
                decision,
                person_id,
                settled=final or change.minted,
                gap_ms=self.gap_ms,
                logged_after_ms=latency,
                embedding=look if kept_for_review else None,
                now_ms=now_ms,
            )
            if kept_for_review:
                self._ask(visit_id, decision, now_ms)
            if before and before.visit_id != visit_id:
                portraits.leave(self.store, before.visit_id, shown, change.portrait)
            if discreet:
                portraits.hide(self.store, visit_id, change.portrait)
            elif person_id or closed:
                portraits.show(self.store, visit_id, sighting, change.portrait, final, self.failed, now_ms)
            for template in change.added:
                # Whose view it is from is known only now: the visit may have become another.
                db.execute("UPDATE templates SET visit_id = ? WHERE id = ? AND visit_id IS NULL", [visit_id, template.id])
            verdict, number = db.execute("SELECT verdict, visit_number FROM visits WHERE id = ?", [visit_id]).fetchone()
        self._follow(change)
        if kept_for_review:
            self._keep_for_agreement(visit_id, look)
        named = self._second_look(person_id, now_ms) if person_id and change.added else ()
        outcome = Outcome(sighting.id, visit_id, person_id, verdict, decision, final, standing.outcome is None, latency, number, named)
        ended_ms = sighting.ended_ms
        return Standing(sighting.camera_id, ended_ms, person_id, change.minted, closed, look, change.portrait.name, outcome, ended_ms)

    def _second_look(self, person_id: str, now_ms: int) -> tuple[str, ...]:
        bars = self.thresholds()
        return second_look.again(self.store, self.gallery, person_id, bars, self.policy, self._rejected, self.gap_ms, now_ms)

    def _ask(self, visit_id: str, decision: Decision, now_ms: int) -> None:
        """Somebody may know what the machine does not: it resembles a person of this store, only not enough to say so."""
        bars, near_id, similarity = self.thresholds(), decision.nearest_id, decision.similarity
        if near_id and similarity is not None and similarity >= bars.mint and self.gallery.role_of(near_id) in ("customer", "staff"):
            review.ask(self.store, review.VISIT, visit_id, near_id, similarity, bars.mint, bars.match, now_ms)

    def _follow(self, change: Change) -> None:
        """The gallery holds only what is committed, and so do the snapshots."""
        self.gallery.remove(change.gone)
        self.gallery.add(change.added)
        self._guests.update(change.met)
        for key in change.keys_gone:
            self.gallery.remove_person(key)
        portraits.clear(self.store, change.portrait, self.failed)

    def _keep_for_agreement(self, visit_id: str, look: Floats) -> None:
        self.gallery.add([unsure(visit_id, self.gallery.model, look)])
        while self.gallery.persons("unsure") > UNSURE_LOOKS_MAX and (oldest := self.gallery.oldest("unsure")):
            self.gallery.remove_person(oldest)

    def _person(self, sighting: Sighting, decision: Decision, look: Floats, change: Change, final: bool, now_ms: int) -> str | None:
        """Who it is as far as may be said now; makes and teaches persons when the decision is final."""
        person_id, role = decision.person_id, "staff" if decision.role == "staff" else "customer"
        if final and person_id and guests.recognised(decision):
            key, person_id = person_id, guests.met(self.store, person_id, now_ms)
            if person_id is None:
                return None
            change.minted, change.met[key] = True, person_id
        elif final and decision.verdict in (Verdict.NEW, Verdict.AGREED):
            person_id = persons.create(self.store, "customer", now_ms)
            change.minted = True
            if decision.verdict is Verdict.AGREED and decision.person_id:
                self._agree(decision.person_id, person_id, change, now_ms)
        elif decision.verdict is not Verdict.KNOWN or guests.recognised(decision):
            return None
        if person_id and final and (change.minted or decision.learn):
            quality = max(s.quality for s in sighting.shots)
            change.learned(persons.learn(self.store, person_id, role, sighting.model, look, quality, "visit", None, now_ms))
        return person_id

    def _agree(self, key: str, person_id: str, change: Change, now_ms: int) -> None:
        """An earlier visit that nobody was named for was this new person's first."""
        visit_id = key.removeprefix(UNSURE_KEY)
        change.keys_gone.append(key)
        if not visits.is_unnamed(self.store, visit_id):
            # Erased, or named by hand, since it was put aside.
            return
        look = self.gallery.of(key)[0]
        named = visits.name_visit(self.store, visit_id, person_id, self.gap_ms, now_ms)
        called_different.keep_apart(self.store, visit_id, person_id, now_ms)
        change.learned(persons.learn(self.store, person_id, "customer", look.model, look.embedding, 0.5, "visit", named, now_ms))

    def _opted_out(self, sighting: Sighting, standing: Standing, decision: Decision, latency: int, now_ms: int) -> Standing:
        """Nothing is stored but the count, once a visit; what an earlier, provisional telling left is taken out again."""
        person_id, closed = decision.person_id or "", sighting.phase is Phase.CLOSED
        span = (sighting.began_ms, sighting.ended_ms)
        earlier = self._opted_out_seen.get(person_id)
        again = earlier is not None and span[0] - earlier[1] <= self.gap_ms and earlier[0] - span[1] <= self.gap_ms
        counts = closed and not again
        place = visits.place_of(self.store, sighting.id)
        change = Change(portrait=Portrait(standing.picture))
        mistaken = standing.person_id if standing.minted else None
        if place or counts:
            with self.store.transaction():
                if place:
                    shown = portraits.shown(self.store, place.visit_id)
                    visits.forget_sighting(self.store, sighting.id, now_ms)
                    portraits.leave(self.store, place.visit_id, shown, change.portrait)
                if mistaken:
                    portraits.hide_all(self.store, mistaken, change.portrait)
                    visits.unname(self.store, mistaken, now_ms)
                    persons.remove(self.store, mistaken, now_ms)
                if counts:
                    day = datetime.fromtimestamp(sighting.began_ms / 1000, UTC).astimezone(self.zone).date().isoformat()
                    visits.count_opted_out(self.store, day, now_ms)
        self._follow(change)
        if mistaken:
            self.forget_persons([mistaken])
        if closed:
            self._opted_out_seen[person_id] = (min(earlier[0], span[0]), max(earlier[1], span[1])) if earlier and again else span
        outcome = Outcome(sighting.id, None, person_id, "opted_out", decision, closed, counts, latency)
        return Standing(sighting.camera_id, sighting.ended_ms, person_id, closed=closed, outcome=outcome)

    def _near_opted_out(self, look: Floats) -> bool:
        """While somebody resembles an opted-out person, nothing of their face is kept, whatever is decided."""
        return self.gallery.likeness("opted_out", look) >= self.bars.bar_at(NEAR_OPTED_OUT_FAR)

    def _recalled(self, sighting: Sighting) -> Standing:
        """A sighting told before the last start."""
        fresh = Standing(sighting.camera_id, sighting.ended_ms)
        place = visits.place_of(self.store, sighting.id)
        if place is None:
            return fresh
        decision = visits.decision_of(self.store, sighting.id)
        outcome = Outcome(
            sighting.id, place.visit_id, place.person_id, place.verdict, decision, place.settled, False, place.logged_after_ms
        )
        return replace(fresh, person_id=place.person_id, closed=place.settled, outcome=outcome)


@dataclass(slots=True)
class Change:
    """What a transaction did that the gallery and the snapshots' folder must follow once it is committed."""

    minted: bool = False
    portrait: Portrait = field(default_factory=lambda: Portrait(None))
    added: list[Template] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    keys_gone: list[str] = field(default_factory=list)
    met: dict[str, str] = field(default_factory=dict)
    """Guest's key to the person that was made of them."""

    def learned(self, what: tuple[Template | None, list[str]]) -> None:
        template, gone = what
        # What was learned a moment ago may have to make room already: it was never in the gallery, and is not to get there.
        self.added = [before for before in self.added if before.id not in gone] + ([template] if template else [])
        self.gone += gone


def _makes_a_person(decision: Decision) -> bool:
    return decision.verdict is Verdict.NEW or guests.recognised(decision)


def _stays(sighting: Sighting) -> bool:
    """Before the camera for so long that a person may be made of them before they leave."""
    return sighting.shot_count >= EARLY_SHOTS and sighting.last_shot_ms - sighting.first_shot_ms >= EARLY_MS
