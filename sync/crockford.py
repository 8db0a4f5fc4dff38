"""Bits as signs that people read out and type: Crockford's base 32. No I, L, O, U, so nothing is mistaken for anything or spells anything.

Typed back in any case, with or without dashes and spaces, O for 0 and I or L for 1 (https://www.crockford.com/base32.html).
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 5
GROUP = 4
"""Signs in a group: as many as people keep in mind between two looks."""

_VALUE = {sign: value for value, sign in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}


def grouped(bits: int, signs: int) -> str:
    """The lowest `signs` × 5 bits of a number, in groups with dashes between."""
    text = "".join(ALPHABET[bits >> (BITS * place) & 31] for place in reversed(range(signs)))
    return "-".join(text[start : start + GROUP] for start in range(0, signs, GROUP))


def typed(text: str, signs: int) -> str | None:
    """What somebody typed, in groups as `grouped` writes it; None where it is not `signs` signs of the alphabet."""
    kept = [sign for sign in text.upper() if sign not in "- "]
    if not text.isascii() or len(kept) != signs or any(sign not in _VALUE for sign in kept):
        return None
    bits = 0
    for sign in kept:
        bits = bits << BITS | _VALUE[sign]
    return grouped(bits, signs)
