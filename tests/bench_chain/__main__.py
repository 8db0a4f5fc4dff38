"""`make bench-chain`: what the line to headquarters costs, each figure with the machine it was seen on, to build/bench_chain.json.

docs/bench.md says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from appliance.benchmarks.machine import this_machine
from sync import packing
from sync.messages import RECORDS_MAX
from sync.records import TemplateRecord, encoded
from tests.bench_chain import backlog, outbox_cost
from tests.bench_chain.ingest import measure_ingest
from tests.bench_chain.resolving import measure_resolving
from tests.sync import store_day

Measure = Callable[[Path], Mapping[str, float]]
GOALS: dict[str, Callable[[float], bool]] = {
    "ingest_visits_per_s": lambda seen: seen >= 1000,
    "backlog_30d_s": lambda seen: seen < 60,
    "wire_over_float16": lambda seen: seen <= 1.3,
    "outbox_over_plain": lambda seen: seen < 1.1,
}
KEYS = (
    "ingest_visits_per_s",
    "copy_rows_per_s",
    "backlog_30d_s",
    "wire_over_float16",
    "resolve_per_s_10k",
    "resolve_per_s_100k",
    "outbox_over_plain",
)
DIMENSIONS = 128
WIRE_VISITS = 290


def wire(_folder: Path) -> dict[str, float]:
    """Bytes of full batches of a store's ordinary day, envelope included, over its embeddings as float16."""
    from sync import envelope, keys
    from sync.messages import Push

    told = [encoded(record) for record in store_day.visits(WIRE_VISITS, DIMENSIONS)][:RECORDS_MAX]
    templates = sum(isinstance(record, TemplateRecord) for record in store_day.visits(WIRE_VISITS, DIMENSIONS)[: len(told)])
    hub, own, nobody = keys.make(), keys.make(), "01920000-0000-7000-8000-000000000000"
    message = envelope.sealed_message(
        Push(records=packing.packed(told), sent_ms=store_day.START_MS),
        tenant=nobody,
        appliance=nobody,
        line="line",
        first=1,
        last=len(told),
        made_ms=store_day.START_MS,
        answers=b"",
        to=hub.public,
        own=own,
    )
    return {"wire_over_float16": len(message) / (templates * 2 * DIMENSIONS), "bytes_a_visit": len(message) / templates}


def resolving(identities: int, key: str) -> Measure:
    def measure(folder: Path) -> dict[str, float]:
        found = measure_resolving(folder, identities=identities)
        return {key: found["resolve_per_s"], **{f"{key}_{name}": value for name, value in found.items() if name != "resolve_per_s"}}

    return measure


MEASURES: dict[str, Measure] = {
    "wire": wire,
    "outbox": outbox_cost.measure,
    "ingest": lambda folder: measure_ingest(folder),
    "backlog": backlog.measure,
    "resolve_10k": resolving(10_000, "resolve_per_s_10k"),
    "resolve_100k": resolving(100_000, "resolve_per_s_100k"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_chain", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="this one; may be given several times")
    parser.add_argument("--out", type=Path, default=Path("build/bench_chain.json"))
    chosen = parser.parse_args()
    report: dict[str, object] = json.loads(chosen.out.read_text()) if chosen.only and chosen.out.exists() else {}
    details = dict(report.get("details") or {})  # type: ignore[call-overload]
    for name in chosen.only or MEASURES:
        folder = Path(tempfile.mkdtemp(prefix="regulars-bench-"))
        # PostgreSQL may run as another user, who must be able to pass.
        folder.chmod(0o711)
        began = time.perf_counter()
        try:
            found = MEASURES[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        details[name] = {**found, "took_s": round(time.perf_counter() - began, 1), "load": round(os.getloadavg()[0], 2)}
        for key, value in found.items():
            if key in KEYS:
                report[key] = round(value, 3)
                met = GOALS[key](value) if key in GOALS else None
                print(f"{key:22} {value:12.3f}  {'' if met is None else 'met' if met else 'not met'}", flush=True)
    report = {**report, "machine": msgspec.to_builtins(this_machine()), "details": details}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
