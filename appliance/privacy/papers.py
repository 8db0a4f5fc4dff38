"""Papers of A4 to print: the sign for the door and a request's receipt, set by typst out of `papers/*.typ`.

What stands on one is passed as values, never put into the source: a name with a bracket in it is a name. Only typst's own typefaces are
used, so a paper looks the same everywhere; they have all letters of Vietnamese.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "papers"
SIGN, RECEIPT = "sign.typ", "receipt.typ"
LANGUAGES = ("en", "vi")


def pdf(paper: str, values: Mapping[str, object]) -> bytes:
    """Takes some 30 ms, 0.3 s the first time."""
    # Loading it takes a tenth of a second and 30 MB, for what is printed once a year.
    import typst

    made = typst.compile(str(FOLDER / paper), sys_inputs={"values": json.dumps(values)}, ignore_system_fonts=True)
    assert isinstance(made, bytes)
    return made
