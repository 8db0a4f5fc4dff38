"""The search for circular garbage after everything was loaded. In a process of its own: it is told for good."""

import subprocess
import sys

WATCHED = """
import gc, time
from appliance import garbage

loaded = [[number] for number in range(300_000)]
whole = []
gc.callbacks.append(lambda phase, told: whole.append(time.perf_counter()) if told["generation"] == 2 else None)

def search_s():
    whole.clear()
    gc.collect()
    return whole[1] - whole[0]

before = min(search_s() for _ in range(3))
garbage.loaded()
after = min(search_s() for _ in range(3))
round_ = []
round_.append(round_)
del round_
assert gc.collect() >= 1, "what comes later is still searched"
print(before / after)
"""


def test_what_was_loaded_is_not_searched_again_and_what_comes_later_is() -> None:
    ran = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, timeout=60, check=True)
    assert float(ran.stdout) > 5
