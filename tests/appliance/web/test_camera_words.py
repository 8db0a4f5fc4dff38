"""What a camera's process says is found again and said in the reader's language, whoever it is about; what is unknown stays as it is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.camera import rtsp
from appliance.camera.address import BadAddress, parsed
from appliance.camera.messages import CameraSettings
from appliance.camera.sources import SourceTrouble, opened
from appliance.web import camera_words
from ui import words


def in_vietnamese(english: str) -> str:
    with words.speaking("vi"):
        return camera_words.said(english)


@contextmanager
def a_port_that_nobody_listens_at() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_camera_that_refuses_is_said_in_vietnamese_with_its_address() -> None:
    with a_port_that_nobody_listens_at() as port:
        english = rtsp.described(parsed(f"rtsp://127.0.0.1:{port}/stream")).words
    assert "refuses" in english
    assert in_vietnamese(english).startswith(f"có 127.0.0.1 nhưng cổng {port} bị từ chối")


@pytest.mark.parametrize(
    ("kind", "source"), [("file", "nowhere: or here.mp4"), ("file", "no-film.mp4"), ("folder", "nowhere"), ("usb", "77")]
)
def test_what_cannot_be_opened_is_said_in_vietnamese(tmp_path: Path, kind: str, source: str) -> None:
    (tmp_path / "no-film.mp4").write_text("no film")
    place = source if kind == "usb" else str(tmp_path / source)
    with pytest.raises(SourceTrouble) as trouble:
        opened(CameraSettings("door", "Door", kind, place), lambda: 0)
    said = in_vietnamese(str(trouble.value))
    assert said != str(trouble.value) and place in said


@pytest.mark.parametrize("address", ["http://192.168.1.5/", "rtsp://", "rtsp://a@b/c@d"])
def test_a_wrong_address_is_said_in_vietnamese(address: str) -> None:
    with pytest.raises(BadAddress) as wrong:
        parsed(address)
    assert in_vietnamese(str(wrong.value)) != str(wrong.value)


def test_every_sentence_is_found_again_whatever_is_put_into_it() -> None:
    for pattern, sentence in camera_words.PATTERNS:
        english = sentence % {name: f"<{name}: 50%>" for name in pattern.groupindex}
        assert camera_words.said(english) == english
        assert in_vietnamese(english) != english and all(f"<{name}: 50%>" in in_vietnamese(english) for name in pattern.groupindex)


def test_what_is_not_known_stays_as_it_is() -> None:
    assert in_vietnamese("something new, 100 %") == "something new, 100 %" and in_vietnamese("") == ""
