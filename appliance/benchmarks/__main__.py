"""One measurement in a process of its own: `python -m appliance.benchmarks ORDER`, the order as JSON; the answer is one line of output."""

from __future__ import annotations

import os
import sys

import msgspec

from appliance.benchmarks.measurements import REPLY, Order, measured
from appliance.camera.child import QUIET_AND_SMALL
from ui.command_table import is_a_sentence


def main() -> None:
    os.environ.update(QUIET_AND_SMALL)  # As a camera's process has it, before any library reads them.
    try:
        values = measured(msgspec.json.decode(sys.argv[1], type=Order))
    except Exception as error:
        if not is_a_sentence(error):
            raise
        print(error, file=sys.stderr)
        sys.exit(1)
    print(REPLY + msgspec.json.encode(values).decode(), flush=True)


if __name__ == "__main__":
    main()
