"""What tests hand in where the product is slow on purpose. One test of each door uses the real cost."""

from ui.passwords import Cost

CHEAP = Cost(rounds=1, memory_kib=8, lanes=1)
"""Of a password."""
CHEAP_WORK = 1 << 6
"""Of a pairing code."""
