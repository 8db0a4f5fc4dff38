"""What a command works on: the settings, and the headquarters they name, opened as holder or as guest of the hub that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub.config import Config
    from hub.headquarters import Headquarters


def settings(context: click.Context) -> Config:
    """The settings of `regulars-hub --config FILE`, else the usual ones. Raises ConfigError."""
    from hub.config import load

    return load(context.find_root().obj, os.environ)


@contextmanager
def opened(context: click.Context, *, may_make: bool = False) -> Iterator[Headquarters]:
    """`may_make`: whether a hub is begun where there is none. Raises HubError."""
    from hub.headquarters import open_headquarters
    from hub.moments import now

    with open_headquarters(settings(context), now(), may_make=may_make) as found:
        yield found
