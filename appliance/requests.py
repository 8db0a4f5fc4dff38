"""What somebody at the terminal may have done with people, by the appliance that runs or, while none does, by the command itself."""

from __future__ import annotations

from appliance import audit, forgetting, merging
from appliance.database import Store
from appliance.errors import PersonError
from appliance.privacy import register

ERASE, OPT_OUT, MERGE = "erase", "opt_out", "merge"
KINDS = frozenset({ERASE, OPT_OUT, MERGE})


def carry_out(store: Store, kind: str, person_ids: list[str], gap_ms: int, now_ms: int) -> tuple[str, list[str]]:
    """What was done, in words, and the gallery's persons that are other now. Raises PersonError, StoreError."""
    for person_id in person_ids:
        if store.db.execute("SELECT 1 FROM persons WHERE id = ?", [person_id]).fetchone() is None:
            raise PersonError("That person is not here any more.")
    with store.transaction():
        if kind == MERGE:
            keep, taken = person_ids
            keys = merging.merge(store, keep, taken, gap_ms, now_ms)
            audit.note(store, "merge", keep, now_ms, taken)
            return "Merged. It can be seen in the visit log at once.", keys
        (person_id,) = person_ids
        number = register.number_of(store, person_id)
        request = 0
        gone = (forgetting.erase if kind == ERASE else forgetting.opt_out)(store, person_id, now_ms)
        if gone.persons:
            audit.note(store, kind, person_id, now_ms)
            request = register.fulfil(store, kind, person_id, number, gone, audit.THIS_COMPUTER, now_ms)
        if kind == ERASE:
            return f"Erased: {_count(gone)}. Their visits stay counted and are nobody's. It is request {request}.", gone.keys
        return f"Opted out: {_count(gone)} went. From now on nothing of them is stored but that somebody came.", gone.keys


def _count(gone: forgetting.Forgotten) -> str:
    def of(number: int, what: str) -> str:
        return f"{number} {what}{'s'[: number != 1]}"

    return f"{of(gone.templates, 'template')} and {of(gone.snapshots, 'picture')}"
