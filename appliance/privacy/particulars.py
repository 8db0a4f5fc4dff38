"""Who answers for the store's data, and on what ground: what the record of processing, the sign and every receipt say. The row
`privacy.particulars` of `settings`; of the business, not of visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from appliance import audit
from appliance.database import Store
from appliance.errors import PersonError
from appliance.meanwhile import as_asked
from ui.words import gettext as _

KEY = "privacy.particulars"
WORDS_MAX = 300


class Particulars(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All optional. `controller`: name and address; `contact`: how to reach them; `officer`: the data protection officer; `ground`: the
    legal basis; `authority`: where to complain."""

    controller: str = ""
    contact: str = ""
    officer: str = ""
    ground: str = ""
    authority: str = ""

    @property
    def lacking(self) -> bool:
        """Whether a sign made of these would leave visitors without somebody to turn to."""
        return not (self.controller and self.contact and self.ground)


def of(store: Store) -> Particulars:
    row = store.db.execute("SELECT value FROM settings WHERE key = ?", [KEY]).fetchone()
    return msgspec.json.decode(row[0], type=Particulars) if row else Particulars()


def judged(form: Mapping[str, str]) -> Particulars:
    """Raises PersonError for a text that is too long."""
    said = {name: " ".join(form.get(name, "").split()) for name in Particulars.__struct_fields__}
    for words in said.values():
        if len(words) > WORDS_MAX or not words.isprintable():
            raise PersonError(_("Each line takes up to %(most)s printable characters.") % {"most": WORDS_MAX})
    return Particulars(**said)


def as_form(particulars: Particulars) -> dict[str, str]:
    return msgspec.structs.asdict(particulars)


def save(
    store: Store,
    wanted: Particulars,
    who: str,
    now_ms: int,
    settled: Callable[[Particulars, Particulars], Particulars] = as_asked,
) -> None:
    """`settled`: of what stands and what is wanted what is to stand."""
    with store.transaction() as db:
        particulars = settled(of(store), wanted)
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [KEY, msgspec.json.encode(particulars).decode()])
        audit.note(store, "particulars", "", now_ms, who=who)
