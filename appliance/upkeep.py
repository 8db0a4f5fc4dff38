"""What the owner may have done with the store's computer from the page: settings, backups, the check of the database, a new start.

Every change has its audit row. Raises SettingError, StoreError with words for the page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import msgspec

from appliance import audit, backup, database_file, opening_hours, pack_switch, page_settings
from appliance.config import Config
from appliance.database import Store
from appliance.errors import SettingError
from appliance.long_work import GivenUp, LongWork, Step
from appliance.meanwhile import Values, as_asked
from appliance.opening_hours import Week
from appliance.pack_switch import Plan
from appliance.ready_pack import Ready, ready_pack
from appliance.starting_anew import Outside, StartingAnew
from models.errors import ModelsError
from ui.words import gettext as _

CHECK_STEPS = 200_000
"""SQLite asks after so many of its own steps whether to go on: some milliseconds."""
CHECKED, CHECK_FOUND = "checked_ms", "check_found"
"""Settings rows: the last check by hand, and what it found."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    store: Store
    config: Config
    now: Callable[[], int]
    work: LongWork
    outside: Outside
    model: str
    """The embedder that recognises now."""
    who: str = audit.THIS_COMPUTER
    """In whose name."""

    def by(self, who: str) -> Upkeep:
        return replace(self, who=who)

    def save(self, chosen: Values, settled: Callable[[Values, Values], Values] = as_asked) -> list[str]:
        """The keys that are other now. `settled`: of what stands and what is wanted what is to stand. Raises SettingError."""
        judged = {key: page_settings.judged(key, written) for key, written in chosen.items()}
        with self.store.transaction():
            before = {
                **{key: str(page_settings.value_of(self.config, key)) for key in page_settings.KEYS},
                **page_settings.stored(self.store.db.conn),
            }
            changed = {key: value for key, value in settled(before, judged).items() if value != before[key]}
            for key, value in changed.items():
                if key in self.outside.said:
                    raise SettingError(_("%(key)s is said by the settings file or the environment: change it there.") % {"key": key})
                page_settings.save(self.store, key, value)
                self._note("setting", key)
        return list(changed)

    def save_hours(self, week: Week | None, settled: Callable[[Week | None, Week | None], Week | None] = as_asked) -> None:
        """`settled`: of what stands and what is wanted what is to stand."""
        with self.store.transaction():
            opening_hours.save(self.store, settled(opening_hours.read(self.store.db.conn), week))
            self._note("setting", opening_hours.KEY)

    def start_anew(self) -> None:
        self._starts_anew().ask()

    def back_up(self) -> None:
        def do(step: Step) -> str:
            size = database_file.path_in(self.store.folder).stat().st_size
            of, steps = 2 * (size >> 20) + 2, 0

            def go_on() -> bool:
                nonlocal steps
                steps += 1
                step(min(steps, of), of)
                return False

            try:
                made = backup.make_backup(
                    self.store.folder,
                    self.store.vault,
                    self.now(),
                    into=self.config.backup.folder,
                    keep=self.config.backup.keep,
                    stopping=go_on,
                )
            except backup.Stopped:
                raise GivenUp from None
            with self.store.transaction():
                self._note("backup", made.name)
            return _("The backup %(name)s is made and was checked.") % {"name": made.name}

        self.work.begin("backup", do)

    def restore(self, name: str) -> None:
        """Asks for it; the program starts anew. Raises BackupError where there is none of that name."""
        found = backup.find(self.store.folder, name, self.config.backup.folder)
        anew = self._starts_anew()
        with self.store.transaction():
            self._note("restore", found.name)
        anew.ask(found.name)

    def pack(self, name: str) -> Ready:
        """Raises SettingError with what is missing of it."""
        try:
            return ready_pack(msgspec.structs.replace(self.config, models=msgspec.structs.replace(self.config.models, pack=name)))
        except ModelsError as error:
            raise SettingError(str(error)) from None

    def plan(self, name: str) -> Plan:
        """What becomes of the people with other models. Raises SettingError."""
        return pack_switch.plan(self.store, self.model, self.pack(name).model)

    def switch_pack(self, name: str) -> None:
        """Carries the people over, and then chooses the pack for the next start. Raises SettingError."""
        if "models.pack" in self.outside.said:
            raise SettingError(_("models.pack is said by the settings file or the environment: change it there."))
        new_model = self.pack(name).model

        def do(step: Step) -> str:
            words = pack_switch.switch(self.store, self.config, self.model, name, new_model, step, self.now())
            with self.store.transaction():
                self._note("setting", "models.pack")
            return words

        self.work.begin("pack", do)

    def check(self) -> None:
        """Reads the whole database, beside whoever writes."""

        def do(step: Step) -> str:
            found = _checked(self.store, step)
            with self.store.transaction() as db:
                for key, value in ((CHECKED, str(self.now())), (CHECK_FOUND, found)):
                    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [key, value])
            if found:
                return _("The database is damaged. Start Regulars anew: it puts the newest good backup in its place.")
            return _("The database is sound.")

        self.work.begin("check", do)

    def _starts_anew(self) -> StartingAnew:
        if self.outside.anew is None:
            raise SettingError(_("This program cannot start itself again: end it and start it by hand."))
        return self.outside.anew

    def _note(self, what: str, subject_id: str) -> None:
        audit.note(self.store, what, subject_id, self.now(), who=self.who)


def _checked(store: Store, step: Step) -> str:
    """What is wrong, in SQLite's words; empty if nothing is."""
    uri = f"{database_file.path_in(store.folder).as_uri()}?mode=ro"
    stopped: list[GivenUp] = []

    def go_on() -> int:
        try:
            step(0, 0)
        except GivenUp as given_up:
            stopped.append(given_up)
            return 1
        return 0

    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10.0)) as connection:
        connection.set_progress_handler(go_on, CHECK_STEPS)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        except sqlite3.OperationalError:
            if stopped:
                raise stopped[0] from None
            raise
        except sqlite3.DatabaseError as error:
            return str(error)
    return "" if found == ["ok"] else "; ".join(found)[:200]
