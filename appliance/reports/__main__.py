"""The process that draws: `python -m appliance.reports`, one order on standard input, the answer on standard output (see `making`)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.reports.making import Order

NICENESS = 19
PAPER = Path(__file__).parent / "report.typ"
SNIPPET = "window.vegaEmbed = vegaEmbed;"
SCALE = 2.0
"""Pixels of a PNG to one of the drawing: sharp on a slide."""


def main() -> None:
    os.nice(NICENESS)  # Before the libraries start their threads.
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    out = sys.stdout.buffer

    def told(done: int, of: int) -> None:
        out.write(b"step %d %d\n" % (done, of))
        out.flush()

    content = made(order, told)
    out.write(b"bytes %d\n" % len(content) + content)
    out.flush()


def made(order: Order, told: Callable[[int, int], None]) -> bytes:
    import vl_convert

    if order.kind == "script":
        return vl_convert.javascript_bundle(SNIPPET).encode()
    steps = len(order.specs) + 1
    thousands, decimal = order.marks
    as_here = {"decimal": decimal, "thousands": thousands, "grouping": [3], "currency": ["", ""]}
    if order.kind == "png":
        told(0, steps)
        png: bytes = vl_convert.vegalite_to_png(order.specs[0], scale=SCALE, format_locale=as_here, allowed_base_urls=[])
        return png
    drawn = []
    for number, spec in enumerate(order.specs):
        told(number, steps)
        drawn.append(vl_convert.vegalite_to_svg(spec, format_locale=as_here, allowed_base_urls=[]))
    told(len(drawn), steps)
    return typeset({**order.paper, "drawings": drawn})


def typeset(said: dict[str, object]) -> bytes:
    """The report as PDF. Only fonts that come with typst: the same paper on every computer."""
    import typst

    pdf = typst.compile(PAPER.read_bytes(), format="pdf", ignore_system_fonts=True, sys_inputs={"said": json.dumps(said)})
    assert isinstance(pdf, bytes)
    return pdf


if __name__ == "__main__":
    main()
