"""What a command works on: the settings, and the data folder they name, opened to read or to change.

A command may run beside the appliance: it reads on a connection that cannot write, and changes as the appliance's guest, which
never checkpoints.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.database import Store


def settings(context: click.Context) -> Config:
    """The settings of `regulars --config FILE`, else the usual ones, with what was chosen on the page. Raises ConfigError."""
    return settings_said(context)[0]


def settings_said(context: click.Context) -> tuple[Config, frozenset[str]]:
    """And those that the page cannot change, because the file or the environment says them. Raises ConfigError."""
    from appliance import page_settings
    from appliance.config import load_said

    config, said = load_said(context.find_root().obj, os.environ)
    return page_settings.applied(config, said, page_settings.peek(config.data.folder)), said


def nothing_yet(config: Config) -> bool:
    """Whether no store was ever begun in the data folder: an empty answer and no error. A database that is gone, where there was one,
    is not that, and neither is a folder that cannot be opened."""
    from appliance.data_key import VAULT_FILE
    from appliance.database_file import path_in

    folder = config.data.folder
    try:
        if any(place.is_file() for place in (folder, *folder.parents)):
            return False
        return not path_in(folder).exists() and not (folder / VAULT_FILE).exists()
    except OSError:
        return False


@contextmanager
def to_read(config: Config) -> Iterator[Store]:
    """Raises DatabaseError when there is nothing yet."""
    from appliance.database import read_store

    store = read_store(config.data.folder)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def to_change(config: Config) -> Iterator[Store]:
    from appliance import backup, honouring
    from appliance.database import open_store

    store = open_store(config.data.folder, now_ms(), checkpoint=False, backups=config.backup.folder)
    try:
        if store.owner:
            honouring.honour(store, config.backup.folder or store.folder / backup.FOLDER, now_ms())
        yield store
    finally:
        store.close()


def now_ms() -> int:
    """A command is the edge where the clock is read; what it calls gets the time as a parameter."""
    return time.time_ns() // 1_000_000
