"""A net that takes bytes gives what it gave to numbers; one that cannot be given the steps is fed numbers as before."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.embed import Embedder
from models.intake import Intake, taking_bytes
from models.manifest import EmbedderSpec, Normalisation, manifest
from models.normalisation import normalised
from models.session import open_session
from models.weights import BUNDLED, find
from models.yunet import YuNet
from tests.models.packs import group_photo, weights
from tests.shared import shared

PICTURES = np.random.default_rng(1).integers(0, 256, (3, 32, 64, 3), np.uint8)


def unchanged(folder: Path, kind: int = TensorProto.FLOAT, channels: int = 3) -> Path:
    """A net that gives back what it is given."""
    shape = ["n", channels, "h", "w"]
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Identity", ["in"], ["out"])], "unchanged", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), folder / "unchanged.onnx")
    return folder / "unchanged.onnx"


@pytest.mark.parametrize("scheme", get_args(Normalisation))
def test_bytes_become_the_schemes_numbers_wherever_it_is_done(scheme: Normalisation, tmp_path: Path) -> None:
    session = open_session(unchanged(tmp_path), scheme=scheme)
    intake = Intake(session, scheme)
    assert intake.takes_bytes == (scheme != "per_image_standardisation")
    (numbers,) = session.run(None, intake.fed(list(PICTURES)))
    assert np.abs(numbers - normalised(PICTURES, scheme)).max() < 1e-5


@pytest.mark.parametrize("name", ["starter", "open", "accurate"])
def test_every_packs_nets_take_bytes_and_answer_as_they_do_to_numbers(name: str, tmp_path: Path) -> None:
    if name != "starter" and shared() is None:
        pytest.skip("no shared data: set REGULARS_SHARED, or put the folder 'shared' beside the checkout")
    here, known = weights(tmp_path), manifest()
    pack = known.pack(name)
    for spec in (known.detector(pack), known.embedder(pack)):
        path = find(here, spec)
        side = spec.input_side if isinstance(spec, EmbedderSpec) else 320
        pictures = group_photo()[None, 100 : 100 + side, 400 : 400 + side]
        bytes_in, numbers_in = (open_session(path, scheme=scheme) for scheme in (spec.normalisation, None))
        took = [Intake(session, spec.normalisation) for session in (bytes_in, numbers_in)]
        assert [intake.takes_bytes for intake in took] == [True, False] and took[0].shape == took[1].shape
        asked = [output.name for output in numbers_in.get_outputs()]
        answers = [session.run(asked, intake.fed(pictures)) for session, intake in zip((bytes_in, numbers_in), took, strict=True)]
        assert all(np.abs(a - b).max() < 1e-4 for a, b in zip(*answers, strict=True)), spec.name


def test_detector_and_embedder_work_alike_on_a_net_that_takes_numbers(tmp_path: Path) -> None:
    known, photo = manifest(), group_photo()
    detector, embedder = BUNDLED / "starter_detector.onnx", BUNDLED / "starter_embedder.onnx"
    spec = known.embedder(known.pack("starter"))
    found = [YuNet(open_session(detector, scheme=scheme), "starter").detect(photo, 640) for scheme in ("bgr_0_255", None)]
    assert len(found[0]) == len(found[1]) > 0
    assert np.allclose(found[0].boxes, found[1].boxes, atol=1e-2) and np.allclose(found[0].points, found[1].points, atol=1e-2)
    crops = [photo[:112, :112], photo[100:212, 100:212]]
    vectors = [Embedder(open_session(embedder, scheme=scheme), spec).embed(crops) for scheme in ("bgr_0_255", None)]
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-4


def test_another_kind_of_input_is_left_alone(tmp_path: Path) -> None:
    assert taking_bytes(unchanged(tmp_path, kind=TensorProto.FLOAT16), "rgb_0_255") is None
    assert taking_bytes(unchanged(tmp_path, channels=1), "rgb_0_255") is None


def test_what_is_no_model_is_left_to_the_session_to_say(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"rubbish" * 100)
    assert taking_bytes(rubbish, "bgr_0_255") is None


def test_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = unchanged(tmp_path)
    before = path.read_bytes()
    assert taking_bytes(path, "rgb_imagenet") not in (None, before)
    assert path.read_bytes() == before
