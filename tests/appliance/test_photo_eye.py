"""The process that looks at photos: real weights, a real face, and what happens when it dies or cannot load its nets."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.enrolment import look_at
from appliance.errors import EyeError
from appliance.photo_eye import Eye
from tests.models.packs import group_photo, pack


@pytest.fixture
def eye(tmp_path: Path) -> Iterator[Eye]:
    made = Eye("starter", [str(tmp_path)])
    yield made
    made.close()


def test_a_photo_is_seen_as_it_would_be_here_and_a_dead_process_is_started_again(eye: Eye, tmp_path: Path) -> None:
    here, photo = pack("starter", tmp_path / "models"), group_photo()
    seen, face = eye.look(photo)
    expected = look_at(photo, here.detector, here.embedder)
    assert seen.embedding is not None and expected.embedding is not None
    assert np.allclose(seen.embedding, expected.embedding, atol=1e-5) and seen.faces == expected.faces >= 6
    assert face.startswith(b"\xff\xd8")
    assert eye._process is not None
    os.kill(eye._process.pid, signal.SIGKILL)
    eye._process.wait(5)
    again, _ = eye.look(np.ascontiguousarray(photo[:, ::-1]), largest=True)
    assert again.embedding is not None


def test_a_photo_without_a_face_says_so_and_is_shown_whole(eye: Eye) -> None:
    seen, face = eye.look(np.full((64, 90, 3), 128, np.uint8))
    assert (seen.embedding, seen.flaw, seen.faces) == (None, "no face found", 0) and face.startswith(b"\xff\xd8")


def test_nets_that_are_not_there_are_said_in_words(tmp_path: Path) -> None:
    eye = Eye("no such pack", [str(tmp_path)])
    with pytest.raises(EyeError, match="could not be looked at: ManifestError"):
        eye.look(np.zeros((64, 64, 3), np.uint8))
    eye.close()
