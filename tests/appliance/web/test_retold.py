"""What was said in English where nobody reads is found again and said in the reader's language, whatever it is about; what is unknown stays
as it is, and none of our own sentences is unknown."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from appliance import page_settings
from appliance.camera import rtsp
from appliance.camera.address import BadAddress, parsed
from appliance.camera.messages import CameraSettings
from appliance.camera.sources import SourceTrouble, opened
from appliance.config import SETTINGS
from appliance.web import retold
from appliance.web.words import box_label
from models.manifest import BUILT_IN, read_manifest
from tests.appliance.web.sentences import sentences
from ui import settings, words

CHECKOUT = Path(__file__).parents[3]
AT = "Headquarters at hub.example"
SPEAKERS = {
    "appliance/camera/address.py": ("{}",),
    "appliance/camera/life.py": ("{}",),
    "appliance/camera/probe.py": ("{}",),
    "appliance/camera/rtsp.py": ("{}",),
    "appliance/camera/sources.py": ("{}",),
    "appliance/camera/supervisor.py": ("{}",),
    "appliance/jobs.py": ("{}", "{} Why."),
    "appliance/running.py": ("{}", "{} Why."),
    "appliance/reception.py": ("{}",),
    "appliance/starting_anew.py": ("{}",),
    "appliance/alerts/telling.py": ("{}",),
    "appliance/backup.py": ("{}",),
    "appliance/certificates.py": ("{}",),
    "appliance/clearing.py": ("{}",),
    "appliance/database.py": ("{}",),
    "appliance/files.py": ("{}",),
    "appliance/forgotten_list.py": ("{}",),
    "appliance/lock.py": ("{}",),
    "appliance/ready_pack.py": ("{}",),
    "appliance/snapshots.py": ("{}",),
    "appliance/sql_errors.py": ("{}",),
    "appliance/stored_templates.py": ("{}",),
    "appliance/line/agent.py": ("{}",),
    "appliance/line/carrying.py": ("{}", AT + ": {}."),
    "appliance/line/clock.py": ("{}",),
    "appliance/line/link.py": ("{}",),
    "appliance/line/room.py": ("{}",),
    "models/acceptance.py": ("{}",),
    "models/manifest.py": ("{}",),
    "models/pack.py": ("{}",),
    "models/session.py": ("{}",),
    "models/weights.py": ("{}",),
    "sync/at_rest.py": ("{}",),
    "sync/compressing.py": ("{}",),
    "sync/envelope.py": ("{}",),
    "sync/keys.py": ("{}",),
    "sync/pushing.py": ("{}",),
    "sync/refusals.py": ("{}",),
    "sync/sealed_stream.py": ("{}",),
    "sync/sealing.py": ("{}",),
    "sync/signing.py": ("{}",),
    "ui/server.py": ("{}",),
}
"""Who says in English what a page shows later, and how a page quotes it."""
ELSEWHERE = re.compile(
    r"regulars run|older version than this command|accepted by its own name|^\S+ cannot be written: 7$|did not start at|Tried at once"
    r"|not an RTSP address|Regulars of this store|missing or empty|Regulars: marks|by the chain|^.?regulars models pull"
    r"|one request at a time|packet length too|record layer failure|name or service|Object contains unknown|at unknown place"
)
"""Said in a terminal or a log alone, or heard from others."""


def in_vietnamese(english: str) -> str:
    with words.speaking("vi"):
        return retold.said(english)


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


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_no_sentence_that_a_page_shows_later_is_missing_from_the_lists(speaker: str) -> None:
    missing = []
    for sentence in sentences(CHECKOUT / speaker):
        quoted = [frame.format(sentence) for frame in SPEAKERS[speaker]]
        if not ELSEWHERE.search(sentence) and not any(pattern.fullmatch(one) for pattern, _ in retold.patterns() for one in quoted):
            missing.append(sentence)
    assert not missing, "put these into a list of appliance/web/retold.py, or do not say them in English"


def test_a_sentence_that_is_new_is_found_to_be_missing(tmp_path: Path) -> None:
    lines = ("def f(x):", '    "What it does."', '    log.info("a line of log")', '    raise CameraError(f"the {x} has no lens")')
    (tmp_path / "new.py").write_text("\n".join(lines))
    assert list(sentences(tmp_path / "new.py")) == ["the 7 has no lens"]


def test_every_sentence_is_found_again_whatever_is_put_into_it() -> None:
    for pattern, sentence in retold.patterns():
        put_in = {name: "1,204" if name in retold.NUMBERS else f"<{name}: 50%>" for name in pattern.groupindex}
        english = sentence % put_in
        assert retold.said(english) == english
        assert in_vietnamese(english) != english and all(text in in_vietnamese(english) for text in put_in.values()), sentence


def test_what_is_put_into_a_sentence_is_said_again_too_but_no_name() -> None:
    why = "/b cannot be written: Permission denied. Check who owns the folder and whether the disk is read-only."
    said = in_vietnamese(f"The nightly backup could not be made. {why}")
    assert said.startswith("Chưa tạo được bản sao lưu hằng đêm. Không ghi được /b: không có quyền truy cập.")
    assert "Happy days" in in_vietnamese("Happy days gave no answer within 9 s: it hangs. Restart the camera.")
    assert in_vietnamese("Welcome back, Visitor 12 – 5th visit") == "Mừng Khách số 12 trở lại – lượt ghé thứ 5"


def test_a_sentence_that_quotes_another_is_taken_for_itself_and_not_for_the_quoted_one() -> None:
    said = [sentence % dict.fromkeys(pattern.groupindex, "7") for pattern, sentence in retold.patterns()]
    for outer, sentence in retold.patterns():
        if "%(why)s" in sentence and not sentence.startswith("%"):
            for quoted in said:
                english = sentence % {**dict.fromkeys(outer.groupindex, "7"), "why": quoted}
                found = next(text for pattern, text in retold.patterns() if pattern.fullmatch(english))
                assert found == sentence, (found, english)


def test_the_labels_over_faces_are_said_in_vietnamese() -> None:
    for verdict, number, stores in product(("new", "returning"), (0, 1, 2, 3, 4, 11, 22), ((), ("Chợ Lớn",), ("A", "B", "C"))):
        english = box_label(verdict, "Bob", number, stores)
        with words.speaking("vi"):
            expected = box_label(verdict, "Bob", number, stores)
        assert in_vietnamese(english) == expected


def test_the_terms_and_the_summary_of_every_pack_are_said_in_vietnamese() -> None:
    for pack in read_manifest(BUILT_IN).packs:
        assert not pack.terms or in_vietnamese(pack.terms) != pack.terms
    for spec in read_manifest(BUILT_IN).files:
        assert not spec.modified or in_vietnamese(spec.modified) != spec.modified


def test_what_a_setting_of_the_page_may_be_is_said_in_vietnamese() -> None:
    assert tuple(settings.keys(SETTINGS)[key] for key in page_settings.KEYS) == page_settings.ALLOWED


def test_what_is_not_known_stays_as_it_is() -> None:
    assert in_vietnamese("something new, 100 %") == "something new, 100 %" and in_vietnamese("") == ""
    assert in_vietnamese("x" * 3_000) == "x" * 3_000
