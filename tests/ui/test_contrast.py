"""Words can be read: each colour pair of the style sheet that carries text reaches WCAG 2.2 AA (4.5 to 1) in light and in dark."""

from __future__ import annotations

import re

import pytest

from ui.assets import FOLDER

SHEET = (FOLDER / "style.css").read_text()
LIGHT, DARK = re.findall(r":root \{(.*?)\n\s*\}", SHEET, re.DOTALL)[:2]
TEXT_ON = [
    (ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent", "new", "back", "staff", "unsure", "bad") for ground in ("panel", "ground")
]
PAIRS = [*TEXT_ON, ("ink", "sunk"), ("ink-2", "sunk"), ("accent", "accent-soft"), ("accent-ink", "accent")]
ON_BOX = ["box-new", "box-back", "box-staff", "box-unsure", "box-deciding"]


def tokens(scheme: str) -> dict[str, str]:
    light = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", LIGHT))
    return light if scheme == "light" else {**light, **dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", DARK))}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(scheme: str, ink: str, ground: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("box", ON_BOX)
def test_a_name_can_be_read_on_its_box(box: str) -> None:
    assert contrast("#ffffff", tokens("light")[box]) >= 4.5
