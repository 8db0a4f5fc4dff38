"""Python's search for circular garbage, made to fit a process that runs for weeks: told once, after everything is loaded.

Left alone it looks through every object that was ever loaded again and again, and stops the process for some 30 ms each time: two frames'
work. What is loaded at the start stays until the end, and most of what comes later goes without it as soon as nobody has it.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000
"""As many more than at the last search make the next one: a page of the store's makes some thousands and lets them go again."""
YOUNG_ROUNDS, OLD_ROUNDS = 20, 50
"""Searches of the newest until those that stayed are looked at again, and such rounds until all are."""


def loaded() -> None:
    """Everything that is there now is never searched again. May be called twice."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
