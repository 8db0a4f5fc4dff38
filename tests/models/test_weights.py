"""Where weights are looked for, in which order, and what is said of those that are missing or wrong."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from models.errors import WeightsError
from models.manifest import DetectorSpec
from models.weights import BUNDLED, VERIFIED_NAME, Weights, find, look, weights_of

CONTENT = b"weights" * 100


def spec(**changes: object) -> DetectorSpec:
    fields: dict[str, object] = {
        "name": "tiny",
        "file": "tiny.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "licence": "MIT",
        "commercial_use": True,
        "origin": "a test",
        "address": "https://nowhere.example/tiny.onnx",
        "normalisation": "bgr_0_255",
        "decoding": "yunet",
    }
    return DetectorSpec(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    for name in ("own", "first", "second"):
        (tmp_path / name).mkdir()
    return Weights(tmp_path / "own", (tmp_path / "first", tmp_path / "second"))


def test_the_data_directory_comes_before_the_other_folders(weights: Weights) -> None:
    for folder in reversed(weights.folders):
        (folder / "tiny.onnx").write_bytes(CONTENT)
        assert find(weights, spec()) == folder / "tiny.onnx"


def test_a_damaged_file_does_not_hide_a_good_one_further_on(weights: Weights) -> None:
    (weights.own / "tiny.onnx").write_bytes(CONTENT[:-1])
    (weights.others[1] / "tiny.onnx").write_bytes(CONTENT)
    assert find(weights, spec()) == weights.others[1] / "tiny.onnx"


def test_a_file_cut_short_is_told_apart_from_another_file(weights: Weights) -> None:
    path = weights.own / "tiny.onnx"
    path.write_bytes(CONTENT[:10])
    with pytest.raises(WeightsError, match=r"is cut short: 10 bytes, expected 700; remove it and run `regulars models pull`"):
        find(weights, spec())
    path.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(WeightsError, match=r"is another file: sha256 "):
        find(weights, spec())


def test_a_missing_file_says_how_to_get_it(weights: Weights) -> None:
    with pytest.raises(WeightsError, match=r"tiny.onnx is not here: run `regulars models pull`, or run .* REGULARS_MODELS__PACK=starter"):
        find(weights, spec())
    assert "`regulars models pull open`" in look(weights, spec(), pack="open").words
    with pytest.raises(WeightsError, match=r"REGULARS_MODELS to a folder or an http.* because it was made smaller\), or .*__PACK=starter"):
        find(weights, spec(address=None, modified="it was made smaller"))


def test_a_file_that_changes_after_it_was_verified_is_read_again(weights: Weights) -> None:
    path = weights.own / "tiny.onnx"
    path.write_bytes(CONTENT)
    find(weights, spec())
    assert (weights.own / VERIFIED_NAME).exists()
    path.write_bytes(b"y" * len(CONTENT))
    os.utime(path, ns=(0, 0))
    assert look(weights, spec()).state == "wrong"


def test_a_broken_note_of_what_was_verified_is_not_believed(weights: Weights) -> None:
    (weights.own / VERIFIED_NAME).write_bytes(b"\x00rubbish")
    (weights.own / "tiny.onnx").write_bytes(b"z" * len(CONTENT))
    assert look(weights, spec()).state == "wrong"


def test_a_data_directory_that_does_not_exist_yet_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_bytes(CONTENT)
    assert find(Weights(tmp_path / "none", (tmp_path,)), spec()) == tmp_path / "tiny.onnx"
    assert not (tmp_path / "none").exists()


def test_the_variable_names_a_folder_or_a_mirror(tmp_path: Path) -> None:
    named = weights_of(tmp_path, {"REGULARS_MODELS": str(tmp_path)})
    assert named.folders[:2] == (tmp_path / "models", tmp_path) and named.folders[-1] == BUNDLED
    mirror = weights_of(tmp_path, {"REGULARS_MODELS": "https://hq.example/models/"})
    assert mirror.mirror == "https://hq.example/models" and mirror.folders[0] == tmp_path / "models"
    assert weights_of(tmp_path, {}, folder=tmp_path).folders[1] == tmp_path


def test_a_variable_that_names_no_folder_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"which is not a folder: correct REGULARS_MODELS"):
        weights_of(tmp_path, {"REGULARS_MODELS": str(tmp_path / "typo")})
