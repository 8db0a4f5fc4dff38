"""The built-in manifest holds together; a user's own is read strictly and says what is wrong in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ManifestError
from models.manifest import manifest
from models.weights import BUNDLED, fault_of
from tests.shared import shared

FACENET = """
[[files]]
task = "embedding"
name = "facenet"
file = "facenet.onnx"
sha256 = "{sha256}"
bytes = {bytes}
licence = "MIT"
commercial_use = true
origin = "made by a test"
input_side = 160
output_size = 512
normalisation = "per_image_standardisation"
alignment = "box_margin"
margin = 0.25
"""
EXAMPLE = FACENET.format(sha256="0" * 64, bytes=10)
PACK = """
[[packs]]
name = "mine"
summary = "FaceNet on YuNet"
detector = "yunet_n"
embedder = "facenet"
"""


def own(folder: Path, text: str) -> Path:
    (folder / "models.toml").write_text(text)
    return folder


def test_every_built_in_pack_has_bars_and_the_default_ones_allow_commercial_use() -> None:
    known = manifest()
    assert [pack.name for pack in known.packs] == ["starter", "open", "accurate", "buffalo_l"]
    for pack in known.packs:
        assert known.bars_of(pack) is not None, pack.name
    assert all(spec.commercial_use for spec in known.files_of(known.pack("open")))
    assert known.pack("accurate").terms and known.pack("buffalo_l").terms


def test_the_bundled_weights_are_those_of_the_manifest() -> None:
    for spec in manifest().files:
        if spec.bundled:
            assert fault_of(BUNDLED / spec.file, spec) == ""


def test_the_shared_weights_are_those_of_the_manifest() -> None:
    folder = shared()
    if folder is None:
        pytest.skip("no shared data: set REGULARS_SHARED, or put the folder 'shared' beside the checkout")
    for spec in manifest().files:
        if not spec.bundled and not spec.archive:
            assert fault_of(folder / "models" / spec.file, spec) == ""


def test_every_address_is_pinned_to_a_commit_or_a_release() -> None:
    for spec in manifest().files:
        if spec.address:
            pinned = any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in spec.address.split("/"))
            assert pinned or "/releases/download/v" in spec.address, spec.address
        else:
            assert spec.modified or spec.bundled, spec.name


def test_a_user_adds_a_model_and_a_pack(tmp_path: Path) -> None:
    known = manifest(own(tmp_path, EXAMPLE + PACK))
    spec = known.embedder(known.pack("mine"))
    assert (spec.input_side, spec.output_size, spec.alignment) == (160, 512, "box_margin")
    assert known.bars_of(known.pack("mine")) is None


def test_a_users_own_bars_come_before_the_built_in_ones(tmp_path: Path) -> None:
    bars = '[[bars]]\ndetector = "yunet_n"\nembedder = "arcface_mobilefacenet"\nfar = [[1e-2, 0.1], [1e-3, 0.2]]\nmeasured = "here"\n'
    known = manifest(own(tmp_path, bars))
    found = known.bars_of(known.pack("open"))
    assert found is not None and found.bar_at(1e-3) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXAMPLE + "colour = 1\n", r"models.toml: unknown field `colour` in files\[0\]"),
        (EXAMPLE.replace('licence = "MIT"\n', ""), r"missing required field `licence` in files\[0\]"),
        (EXAMPLE.replace("per_image_standardisation", "rgb_div_255"), r"Invalid enum value 'rgb_div_255' in files\[0\].normalisation"),
        (EXAMPLE.replace("facenet.onnx", "../../etc/passwd"), r"files\[0\].file"),
        (EXAMPLE.replace('"embedding"', '"magic"'), "magic"),
        (EXAMPLE.replace("bytes = 10", 'bytes = "ten"'), r"files\[0\].bytes"),
        (EXAMPLE.replace('name = "facenet"', 'name = "yunet_n"'), "the model 'yunet_n' is there already"),
        (
            EXAMPLE.replace('origin = "made by a test"', 'origin = ""\nmodified = "x"\naddress = "https://a.example/b"'),
            "modified file has no",
        ),
        (EXAMPLE + PACK.replace('"facenet"', '"nothing"'), "no model 'nothing'"),
        (EXAMPLE + PACK.replace('"facenet"', '"yunet_n"'), "for another task: detection"),
        (EXAMPLE.replace("commercial_use = true", "commercial_use = false") + PACK, "is not for commercial use: say so in `terms`"),
        ('[[bars]]\ndetector = "a"\nembedder = "b"\nfar = [[1e-3, 0.5], [1e-4, 0.4]]\nmeasured = ""\n', "must be above"),
        ("this is no TOML", "not TOML"),
        ("\x00\xff", "not TOML"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words) as caught:
        manifest(own(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_an_unknown_pack_is_named_and_the_known_ones_listed() -> None:
    with pytest.raises(ManifestError, match=r"there is no pack 'opne': the packs are starter, open, accurate, buffalo_l"):
        manifest().pack("opne")
