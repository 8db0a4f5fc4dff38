"""What somebody at the terminal may have done with people, by the appliance that runs or, while none does, by the command itself."""

from __future__ import annotations

from appliance import forgetting, merging
from appliance.database import Store
from appliance.errors import PersonError

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
            return "Merged. It can be seen in the visit log at once.", merging.merge(store, keep, taken, gap_ms, now_ms)
        (person_id,) = person_ids
        if kind == ERASE:
            gone = forgetting.erase(store, person_id, now_ms)
            return f"Erased: {_count(gone)}. Their visits stay counted and are nobody's.", gone.keys
        gone = forgetting.opt_out(store, person_id, now_ms)
        return f"Opted out: {_count(gone)} went. From now on nothing of them is stored but that somebody came.", gone.keys


def _count(gone: forgetting.Forgotten) -> str:
    def of(number: int, what: str) -> str:
        return f"{number} {what}{'s'[: number != 1]}"

    return f"{of(gone.templates, 'template')} and {of(gone.snapshots, 'picture')}"
