"""How long pictures, templates and the audit log are kept: what was entered on the page (table `settings`), else what the settings file
says.

A time that the file or the environment sets, other than the usual one, holds: whoever wrote it there does not look at the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance import audit
from appliance.config import Retention
from appliance.database import Store
from appliance.errors import PersonError
from appliance.meanwhile import as_asked
from ui.words import gettext as _

USUAL = Retention()
BOUNDS = {"snapshot_days": (1, 365), "person_days": (1, 3_650), "audit_days": (90, 3_650)}
"""As appliance/config.py allows. Who did what is asked months later: nobody makes it vanish within a quarter."""
KEY = "retention."


@dataclass(frozen=True, slots=True)
class Days:
    """`fixed`: those that the settings file decides."""

    snapshot_days: int
    person_days: int
    audit_days: int = USUAL.audit_days
    fixed: frozenset[str] = frozenset()


def of(store: Store, configured: Retention) -> Days:
    entered = dict(store.db.execute("SELECT key, value FROM settings WHERE key LIKE 'retention.%'").fetchall())
    fixed = frozenset(name for name in BOUNDS if getattr(configured, name) != getattr(USUAL, name))
    days = {
        name: getattr(configured, name) if name in fixed else int(entered.get(KEY + name, getattr(configured, name))) for name in BOUNDS
    }
    return Days(**days, fixed=fixed)


def as_form(days: Days) -> dict[str, str]:
    return {name: str(getattr(days, name)) for name in BOUNDS}


def judged(typed: Mapping[str, str], now: Days) -> Days:
    """Of what somebody typed; what they did not stays as it is, and so does what the file decides. Raises PersonError with what is
    allowed."""
    found: dict[str, int] = {}
    for name, (least, most) in BOUNDS.items():
        if name in now.fixed or name not in typed:
            found[name] = getattr(now, name)
            continue
        written = typed[name].strip()
        days = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0
        if not least <= days <= most:
            said = _("A number of days from %(least)s to %(most)s is needed; “%(typed)s” is none.")
            raise PersonError(said % {"least": least, "most": most, "typed": typed[name][:20]})
        found[name] = days
    return Days(**found, fixed=now.fixed)


def save(
    store: Store, days: Days, configured: Retention, who: str, now_ms: int, settled: Callable[[Days, Days], Days] = as_asked
) -> None:
    """What the file decides stays as it is. `settled`: of what stands and what is wanted what is to stand."""
    with store.transaction() as db:
        stands = of(store, configured)
        wanted = settled(stands, days)
        for name in BOUNDS:
            if name not in stands.fixed:
                db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [KEY + name, str(getattr(wanted, name))])
        audit.note(store, "retention", "", now_ms, who=who)
