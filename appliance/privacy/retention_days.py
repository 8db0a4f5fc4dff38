"""How long pictures and templates are kept: what was entered on the page (table `settings`), else what the settings file says.

A time that the file or the environment sets, other than the usual one, holds: whoever wrote it there does not look at the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance import audit
from appliance.config import Retention
from appliance.database import Store
from appliance.errors import PersonError
from ui.words import gettext as _

USUAL = Retention()
MOST = {"snapshot_days": 365, "person_days": 3_650}
"""As appliance/config.py allows."""
KEY = "retention."


@dataclass(frozen=True, slots=True)
class Days:
    """`fixed`: those that the settings file decides."""

    snapshot_days: int
    person_days: int
    fixed: frozenset[str] = frozenset()


def of(store: Store, configured: Retention) -> Days:
    entered = dict(store.db.execute("SELECT key, value FROM settings WHERE key LIKE 'retention.%'").fetchall())
    fixed = frozenset(name for name in MOST if getattr(configured, name) != getattr(USUAL, name))
    days = {name: getattr(configured, name) if name in fixed else int(entered.get(KEY + name, getattr(configured, name))) for name in MOST}
    return Days(days["snapshot_days"], days["person_days"], fixed)


def judged(snapshot_days: str, person_days: str) -> Days:
    """Of what somebody typed. Raises PersonError with what is allowed."""
    found: dict[str, int] = {}
    for name, typed in (("snapshot_days", snapshot_days), ("person_days", person_days)):
        days = int(typed) if typed.strip().isascii() and typed.strip().isdigit() and len(typed.strip()) < 6 else 0
        if not 1 <= days <= MOST[name]:
            said = _("A number of days from 1 to %(most)s is needed; “%(typed)s” is none.")
            raise PersonError(said % {"most": MOST[name], "typed": typed[:20]})
        found[name] = days
    return Days(found["snapshot_days"], found["person_days"])


def save(store: Store, days: Days, configured: Retention, who: str, now_ms: int) -> None:
    """What the file decides stays as it is."""
    fixed = of(store, configured).fixed
    with store.transaction() as db:
        for name in MOST:
            if name not in fixed:
                db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [KEY + name, str(getattr(days, name))])
        audit.note(store, "retention", "", now_ms, who=who)
