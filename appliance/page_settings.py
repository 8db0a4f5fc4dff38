"""Settings that the page may change: they lie in the table `settings` and hold from the next start. What the settings file or the
environment says stays as it is there: whoever set up the computer has the last word, and the page says so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from appliance import database_file
from appliance.config import SETTINGS, Config
from appliance.errors import ConfigError, SettingError
from ui import settings
from ui.words import gettext as _

if TYPE_CHECKING:
    # Every command reads the settings, and the database's library takes seconds to import.
    from appliance.database import Store

PREFIX = "page:"
KEYS = ("site.name", "site.time_zone", "site.language", "models.pack", "web.host")
"""What the page may change."""
ALLOWED = (
    _("a name of 1 to 80 characters"),
    _('a time zone such as "Asia/Ho_Chi_Minh" or "Europe/Paris"'),
    _("en or vi"),
    _('the name of a pack, such as "open"; see `regulars models list`'),
    _("an address of this computer: 127.0.0.1 for itself alone, 0.0.0.0 (or ::) for the whole network, or one of its own"),
)
"""As the settings say of each of these keys, in their order, what is allowed: kept in English there, and said here."""
WAIT_S = 1.0


def stored(connection: sqlite3.Connection) -> dict[str, str]:
    """What was chosen on the page, by key."""
    rows = connection.execute("SELECT key, value FROM settings WHERE key >= ? AND key < ?", [PREFIX, PREFIX[:-1] + ";"]).fetchall()
    return {key.removeprefix(PREFIX): value for key, value in rows if key.removeprefix(PREFIX) in KEYS}


def peek(folder: Path) -> dict[str, str]:
    """What was chosen, before the database is opened for good. Nothing where there is none, or where it cannot be read: the start itself
    says what is wrong with it."""
    path = database_file.path_in(folder.absolute())
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as connection:
            return stored(connection)
    except sqlite3.Error:
        return {}


def applied(config: Config, fixed: frozenset[str], chosen: Mapping[str, str]) -> Config:
    """The settings with what was chosen, but for the `fixed` ones. A choice that is not allowed any more (a time zone that is gone) is
    passed over: a store must start."""
    for key, value in chosen.items():
        if key in fixed:
            continue
        section, name = key.split(".")
        try:
            checked = settings.checked(SETTINGS, section, name, value, "the page")
        except ConfigError:
            continue
        config = msgspec.structs.replace(config, **{section: msgspec.structs.replace(getattr(config, section), **{name: checked})})
    return config


def value_of(config: Config, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def judged(key: str, written: str) -> str:
    """What is meant. Raises SettingError with what is allowed."""
    section, name = key.split(".")
    value = " ".join(written.split())
    try:
        settings.checked(SETTINGS, section, name, value, "the page")
    except ConfigError:
        allowed = _(settings.keys(SETTINGS)[key])
        raise SettingError(_("“%(value)s” is not possible: it must be %(allowed)s.") % {"value": value[:80], "allowed": allowed}) from None
    if not value.isprintable():
        raise SettingError(_("Only characters that can be seen are possible."))
    return value


def save(store: Store, key: str, value: str) -> None:
    """In the caller's transaction, or one of its own. The value has been judged."""
    assert key in KEYS
    with store.writing() as db:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [PREFIX + key, value])
