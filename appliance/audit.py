"""Who changed what of whom, and when: the table `audit`. In the transaction of the change; ids alone, never a name."""

from __future__ import annotations

from appliance.database import Store

THIS_COMPUTER = "this computer"
"""A command in its terminal, or whatever else is done without anybody being signed in."""


def note(store: Store, what: str, subject_id: str, now_ms: int, other_id: str = "", who: str = THIS_COMPUTER) -> None:
    """`what`: edit, merge, undo_merge, split, opt_out or erase. `other_id`: the other person or the visit it was about."""
    row = [now_ms, who, what, subject_id, other_id]
    store.db.execute("INSERT INTO audit (at_ms, who, what, subject_id, other_id) VALUES (?, ?, ?, ?, ?)", row)
