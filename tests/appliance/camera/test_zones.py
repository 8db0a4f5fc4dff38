"""Zones that are ignored: what may be drawn, and which faces they cover."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.camera.zones import CORNERS_MAX, ZONES_MAX, BadZones, from_json, from_words, judged, outside, to_json
from models.faces import Faces, no_faces

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    return Faces(np.array(boxes, np.float32), np.ones(len(boxes), np.float32), np.zeros((len(boxes), 5, 2), np.float32))


def test_a_face_goes_by_where_its_middle_is() -> None:
    """400 wide: the first has its middle at 190, the second at 210 though it reaches into the zone, the third is far away."""
    found = outside([LEFT], faces((150, 10, 230, 90), (170, 10, 250, 90), (350, 10, 390, 50)), 200, 400)
    assert found.boxes[:, 0].tolist() == [170, 350]


def test_the_same_zone_covers_the_same_place_at_any_resolution() -> None:
    for width in (320, 1920):
        box = (width * 0.4, 10, width * 0.5, 60)
        assert len(outside([LEFT], faces(box), 400, width)) == 0


def test_a_dent_in_a_zone_is_not_part_of_it() -> None:
    dented = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))
    assert len(outside([dented], faces((40, 60, 60, 80)), 100, 100)) == 1
    assert len(outside([dented], faces((5, 5, 25, 25)), 100, 100)) == 0


def test_without_zones_or_faces_there_is_nothing_to_do() -> None:
    some = faces((1, 1, 9, 9))
    assert outside([], some, 10, 10) is some
    assert len(outside([LEFT], no_faces(), 10, 10)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "no zones"),
        ('{"a": 1}', "no zones"),
        ("[[[0, 0], [1, 0]]]", "2 corners"),
        ("[[[0, 0], [1, 0], [1, 2]]]", "outside the picture"),
        ("[[[0, 0], [1, 0], [1]]]", "outside the picture"),
        ("[[[0, 0], [0.1, 0.1], [0.2, 0.2]]]", "too small"),
        (str([[[0, 0], [1, 0], [1, 1]]] * (ZONES_MAX + 1)), "too many"),
        (str([[[0, 0], [1, 0]] * CORNERS_MAX]), "corners"),
        ("[" * 9000, "too many corners"),
        ("[" * 500, "no zones"),
    ],
)
def test_what_is_no_zone_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(BadZones, match=said):
        from_json(text)


def test_a_zone_comes_back_as_it_was_written() -> None:
    zones = judged([[(0.1, 0.2), (0.4, 0.2), (0.4, 0.61234567)]])
    assert from_json(to_json(zones)) == zones == (((0.1, 0.2), (0.4, 0.2), (0.4, 0.6123)),)
    assert from_json("") == () and to_json(()) == ""
    assert from_words("0.1,0.2 0.4,0.2 0.4,0.6") == ((0.1, 0.2), (0.4, 0.2), (0.4, 0.6))
    with pytest.raises(BadZones, match="is no zone"):
        from_words("a,b")


@settings(max_examples=60)
@given(st.text())
def test_any_text_is_zones_or_refused(text: str) -> None:
    with contextlib.suppress(BadZones):
        from_json(text)
