"""What the page may have done with staff, and what it asks about faces: on the reception's thread, each change with its audit row in one
transaction, and the gallery follows.

Everything that changes raises PersonError or StoreError with words for the page, LookupError for who is not there, TimeoutError when the
reception does not come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from appliance import audit, resemblance, staffing
from appliance.database import Store
from appliance.enrolment import Photo
from appliance.meanwhile import as_asked
from appliance.people_desk import Desk
from appliance.resemblance import SHOWN_ROLES, Alike
from models.faces import Floats

STRANGER_FAR = 0.05
"""Two photos that resemble one another less than one pair of strangers in twenty does are of two people."""


@dataclass(frozen=True, slots=True)
class StaffDesk:
    desk: Desk

    def enrol(self, name: str, title: str, photos: Sequence[Photo]) -> str:
        """The new person's id."""
        made: list[str] = []

        def do() -> Iterable[str]:
            person_id = staffing.enrol(self._store, self._model, name, title, photos, self._now())
            self._note("enrol", person_id)
            made.append(person_id)
            return [person_id]

        self._done(do)
        return made[-1]

    def add_photos(self, person_id: str, photos: Sequence[Photo]) -> None:
        self._noted("add_photos", person_id, lambda: staffing.add_photos(self._store, self._model, person_id, photos, self._now()))

    def employ(self, person_id: str, title: str) -> None:
        self._noted("employ", person_id, lambda: staffing.employ(self._store, person_id, title, self._now()))

    def dismiss(self, person_id: str) -> None:
        self._noted("dismiss", person_id, lambda: staffing.dismiss(self._store, person_id, self._now()))

    def entitle(self, person_id: str, title: str, settled: Callable[[str, str], str] = as_asked) -> None:
        """`settled`: of what stands and what is wanted what is to stand."""

        def do() -> list[str]:
            staffing.must_be_staff(self._store, person_id)
            stands = staffing.title_now(self._store, person_id)
            staffing.entitle(self._store, person_id, settled(stands, " ".join(title.split())), self._now())
            return []

        self._noted("edit", person_id, do)

    def take(self, person_id: str, customer_ids: Sequence[str]) -> None:
        """Customers who are this member of staff."""

        def do() -> list[str]:
            gap_ms = self.desk.recognition.gap_ms
            for customer_id in customer_ids:
                self._note("merge", person_id, customer_id)
            return staffing.take(self._store, person_id, customer_ids, gap_ms, self._now())

        self._done(do)

    def none_of(self, person_id: str, customer_ids: Sequence[str]) -> None:
        """Somebody looked at customers who resemble this member of staff, and none of them is: they stay apart. Who is gone, is."""

        def do() -> list[str]:
            for customer_id in staffing.none_of(self._store, person_id, customer_ids, self._now()):
                self._note("told_apart", person_id, customer_id)
            return []

        self._done(do)

    def test(self, person_ids: Iterable[str]) -> None:
        """How well each is told from everybody else; one at a time, so that visitors need not wait for all of them."""
        for person_id in person_ids:
            self._done(lambda person_id=person_id: self._tested(person_id))  # type: ignore[misc]

    def alike(self, views: Sequence[Floats], *, without: str = "", customers_only: bool = False) -> list[Alike]:
        """People who look like these faces; who was called different from `without` is left out."""
        found: list[Alike] = []

        def do() -> None:
            seen = self.desk.recognition
            out = {without, *self._apart_from(without)} if without else set()
            roles = SHOWN_ROLES[:1] if customers_only else SHOWN_ROLES
            found.extend(resemblance.alike(seen.gallery, views, seen.thresholds(), without=out, roles=roles))

        self.desk.on_reception(do)
        return found

    def alike_to(self, person_id: str) -> list[Alike]:
        """Customers who may be this member of staff."""
        views: list[Floats] = []
        self.desk.on_reception(lambda: views.extend(t.embedding for t in self.desk.recognition.gallery.of(person_id)))
        return self.alike(views, without=person_id, customers_only=True) if views else []

    @property
    def stranger(self) -> float:
        """The cosine below which two photos are of two people."""
        return self.desk.recognition.bars.bar_at(STRANGER_FAR)

    @property
    def size(self) -> int:
        """Numbers in an embedding of the gallery's model."""
        return self.desk.recognition.gallery.size

    def _tested(self, person_id: str) -> list[str]:
        seen = self.desk.recognition
        if seen.gallery.role_of(person_id) == "staff":
            staffing.tested(self._store, person_id, resemblance.test_of(seen.gallery, person_id, seen.thresholds(), self._now()))
        return []

    def _apart_from(self, person_id: str) -> list[str]:
        rows = self._store.db.execute("SELECT person_a, person_b FROM apart WHERE person_a = ?1 OR person_b = ?1", [person_id]).fetchall()
        return [b if a == person_id else a for a, b in rows]

    def searched(self, nearest_id: str) -> None:
        """Somebody searched by photo: that tells who somebody is, so it is noted. `nearest_id`: whom it found first, empty for nobody."""

        def do() -> list[str]:
            self._note("search_by_photo", nearest_id)
            return []

        self._done(do)

    def _note(self, what: str, subject_id: str, other_id: str = "") -> None:
        audit.note(self._store, what, subject_id, self._now(), other_id, who=self.desk.who)

    def _noted(self, what: str, person_id: str, do: Callable[[], list[str]]) -> None:
        def noted() -> list[str]:
            keys = do()
            self._note(what, person_id)
            return keys

        self._done(noted)

    def _done(self, do: Callable[[], Iterable[str]]) -> None:
        def carry_out() -> None:
            with self._store.transaction():
                keys = list(do())
            if keys:
                self.desk.recognition.renew(keys)

        self.desk.on_reception(carry_out)
        self.desk.changed()

    @property
    def _store(self) -> Store:
        return self.desk.store

    @property
    def _model(self) -> str:
        return self.desk.recognition.gallery.model

    def _now(self) -> int:
        return self.desk.now()
