"""What the page may have done with people: each is one transaction on the reception's thread, with its audit row, and the gallery follows.

Everything raises PersonError or StoreError with words for the page, LookupError for who is not there, TimeoutError when the reception
does not come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from appliance import audit, details, forgetting, meanwhile, merge_history, merging, splitting
from appliance.database import Store
from appliance.details import Entry
from appliance.forgetting import Forgotten
from appliance.privacy import register
from appliance.recognition import Recognition
from appliance.splitting import Split

OnReception = Callable[[Callable[[], None]], None]
"""Has something done where recognition and gallery are, and waits."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`changed`: told after each change, for pages that are open elsewhere."""

    store: Store
    recognition: Recognition
    on_reception: OnReception
    now: Callable[[], int]
    changed: Callable[[], None] = lambda: None
    who: str = audit.THIS_COMPUTER
    """In whose name."""

    def by(self, who: str) -> Desk:
        return replace(self, who=who)

    def _note(self, what: str, subject_id: str, other_id: str = "") -> None:
        audit.note(self.store, what, subject_id, self.now(), other_id, who=self.who)

    def save(self, person_id: str, entry: Entry, settled: Callable[[Entry, Entry], Entry] = meanwhile.as_asked) -> None:
        """What was entered about a person. Nothing of the gallery changes, but a merge may be under way. `settled`: of what stands and
        what was entered what is to stand."""

        def do() -> None:
            stands = details.entry_of(self.store, person_id)
            wanted = settled(stands, entry)
            named = stands.name != wanted.name
            details.rename(self.store, person_id, wanted.name, self.now())
            details.put(self.store, person_id, wanted.details, self.now())
            self._note("name" if named else "edit", person_id)

        self._done(do)

    def merge(self, keep_id: str, taken_id: str, *, although_apart: bool = False) -> None:
        def do() -> Iterable[str]:
            gap_ms = self.recognition.gap_ms
            keys = merging.merge(self.store, keep_id, taken_id, gap_ms, self.now(), although_apart=although_apart)
            self._note("merge", keep_id, taken_id)
            return keys

        self._done(do)

    def undo_merge(self, person_id: str, merge_id: str) -> str:
        """The id of who comes back."""
        back: list[str] = []

        def do() -> Iterable[str]:
            new_id, keys = merge_history.undo(self.store, merge_id, self.now())
            self._note("undo_merge", person_id, new_id)
            back.append(new_id)
            return keys

        self._done(do)
        return back[-1]

    def split(self, visit_id: str, *, new_person: bool, of: str | None = None) -> Split:
        """`of`: whose the visit was when somebody was asked."""
        found: list[Split] = []

        def do() -> Iterable[str]:
            seen = self.recognition
            done = splitting.split(self.store, visit_id, seen.gallery.model, seen.look_of, self.now(), new_person=new_person, of=of)
            self._note("split", done.person_id, visit_id)
            found.append(done)
            return done.keys

        self._done(do, lambda: self.recognition.part(found[-1].sightings))
        return found[-1]

    def opt_out(self, person_id: str) -> Forgotten:
        return self._forgotten("opt_out", person_id, forgetting.opt_out)

    def erase(self, person_id: str) -> Forgotten:
        return self._forgotten("erase", person_id, forgetting.erase)

    def _forgotten(self, what: str, person_id: str, forget: Callable[[Store, str, int], Forgotten]) -> Forgotten:
        gone: list[Forgotten] = []

        def do() -> Iterable[str]:
            number = register.number_of(self.store, person_id)
            done = forget(self.store, person_id, self.now())
            if done.persons:
                self._note(what, person_id)
                register.fulfil(self.store, what, person_id, number, done, self.who, self.now())
            gone.append(done)
            return done.keys

        self._done(do)
        return gone[-1]

    def _done(self, do: Callable[[], Iterable[str] | None], after: Callable[[], None] = lambda: None) -> None:
        def carry_out() -> None:
            with self.store.transaction():
                keys = do()
            if keys:
                self.recognition.renew(keys)
            after()

        self.on_reception(carry_out)
        self.changed()
