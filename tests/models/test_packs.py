"""Each model's output on a known picture is pinned: a wrong channel order, scale or crop would change it, and nothing else would tell."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.acceptance import accept
from models.crops import embedder_crop
from models.errors import ManifestError, NotAccepted, WeightsError
from models.faces import Faces
from models.manifest import EmbedderSpec
from models.pack import Pack, load_pack
from models.weights import BUNDLED, Weights
from tests.models.packs import NOW, group_photo, lfw_photo, pack, weights
from tests.models.test_manifest import FACENET

PEOPLE_X = [109, 320, 520, 793, 957, 1179]
"""Where the middles of the six faces of the group photo are, from left to right."""
PINNED = {
    "starter": [-0.039, 0.055, 0.020, -0.050, 0.158, -0.024, 0.126, 0.065],
    "open": [-0.047, 0.041, -0.062, -0.142, 0.080, -0.112, 0.079, 0.096],
    "accurate": [0.018, 0.022, 0.047, -0.018, 0.024, -0.010, -0.013, -0.029],
}
"""The first eight numbers of the embedding of the leftmost face."""


def people(with_pack: Pack) -> Faces:
    found = with_pack.detector.detect(group_photo(), 640)
    return found.take(np.argsort(found.boxes[:, 0]))


@pytest.mark.parametrize("name", ["starter", "open", "accurate"])
def test_every_detector_finds_the_six_people_of_the_group_photo_and_nobody_else(name: str, tmp_path: Path) -> None:
    found = people(pack(name, tmp_path))
    middles = (found.boxes[:, 0] + found.boxes[:, 2]) / 2
    assert len(found) == len(PEOPLE_X)
    assert np.abs(middles - PEOPLE_X).max() < 12
    eyes_apart = found.points[:, 1, 0] - found.points[:, 0, 0]
    assert (eyes_apart > 0.2 * (found.boxes[:, 2] - found.boxes[:, 0])).all()


@pytest.mark.parametrize("name", ["starter", "open", "accurate"])
def test_every_embedder_gives_the_pinned_vector(name: str, tmp_path: Path) -> None:
    loaded, picture = pack(name, tmp_path), group_photo()
    found = people(loaded)
    crops = np.stack([embedder_crop(picture, b, p, loaded.embedder_spec) for b, p in zip(found.boxes, found.points, strict=True)])
    vectors = loaded.embedder.embed(crops)
    assert vectors.shape == (6, loaded.embedder.size) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0, :8], PINNED[name], atol=0.01), vectors[0, :8].round(4).tolist()


def test_age_gender_and_liveness_of_a_known_photo(tmp_path: Path) -> None:
    loaded, picture = pack("open", tmp_path), lfw_photo()
    face = loaded.detector.detect(picture, 224).boxes[:1]
    age_gender, liveness = loaded.attributes(), loaded.liveness()
    assert age_gender is not None and liveness is not None
    attributes = age_gender.of_faces(picture, face)
    assert attributes.age[0] == pytest.approx(42.5, abs=1.5) and attributes.male[0] == pytest.approx(0.99, abs=0.02)
    assert liveness.real(picture, face)[0] > 0.99


def test_no_faces_have_no_attributes(tmp_path: Path) -> None:
    loaded, picture = pack("open", tmp_path), np.zeros((50, 50, 3), np.uint8)
    age_gender, liveness, nobody = loaded.attributes(), loaded.liveness(), np.zeros((0, 4), np.float32)
    assert age_gender is not None and liveness is not None
    assert age_gender.of_faces(picture, nobody).age.shape == (0,)
    assert liveness.real(picture, nobody).shape == (0,)


def test_a_face_larger_than_a_tiny_picture_has_a_liveness_too(tmp_path: Path) -> None:
    liveness = pack("open", tmp_path).liveness()
    assert liveness is not None
    real = liveness.real(np.zeros((1, 1, 3), np.uint8), np.array([[-5, -5, 9, 9]], np.float32))
    assert 0 <= real[0] <= 1


def test_the_starter_pack_has_neither_attributes_nor_liveness(tmp_path: Path) -> None:
    loaded = pack("starter", tmp_path)
    assert loaded.attributes() is None and loaded.liveness() is None


def test_a_non_commercial_pack_is_not_loaded_before_its_terms_are_accepted_by_name(tmp_path: Path) -> None:
    here = weights(tmp_path)
    accurate = here.manifest().pack("accurate")
    with pytest.raises(NotAccepted, match=r"'accurate' needs its terms accepted: .*regulars models pull accurate --accept accurate"):
        load_pack("accurate", here)
    with pytest.raises(NotAccepted, match=r"accepted by its own name"):
        accept(here, accurate, "yes", NOW)
    accept(here, accurate, "accurate", NOW)
    with pytest.raises(NotAccepted, match=r"'buffalo_l' needs"):
        load_pack("buffalo_l", here)
    (tmp_path / "accepted.json").write_text("rubbish")
    with pytest.raises(NotAccepted, match=r"accepted.json cannot be understood"):
        load_pack("accurate", here)


def test_a_pack_whose_files_are_missing_says_which_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"yunet_n_dynamic.onnx is not here: run `regulars models pull`"):
        load_pack("open", Weights(tmp_path))


def facenet(folder: Path, side: int = 160, size: int = 512) -> None:
    """A net of FaceNet's shape: it averages the picture to 8 x 8 and projects that, so that its output depends on every pixel."""
    rng = np.random.default_rng(1)
    matrix = numpy_helper.from_array(rng.normal(size=(192, size)).astype(np.float32), "matrix")
    pool = side // 8
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["input"], ["pooled"], kernel_shape=[pool, pool], strides=[pool, pool]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["output"]),
        ],
        "facenet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", size])],
        [matrix],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "facenet.onnx")


def facenet_entry(folder: Path) -> str:
    content = (folder / "facenet.onnx").read_bytes()
    entry = FACENET.format(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    return entry + '[[packs]]\nname = "mine"\nsummary = "FaceNet"\ndetector = "starter_detector"\nembedder = "facenet"\n'


def test_a_facenet_style_model_is_added_by_a_manifest_entry_alone(tmp_path: Path) -> None:
    facenet(tmp_path)
    (tmp_path / "models.toml").write_text(facenet_entry(tmp_path))
    loaded, picture = load_pack("mine", Weights(tmp_path, (BUNDLED,))), group_photo()
    found = people(loaded)
    crop = embedder_crop(picture, found.boxes[0], found.points[0], loaded.embedder_spec)
    vectors = loaded.embedder.embed(np.stack([crop, np.clip(crop * 0.5 + 60, 0, 255).astype(np.uint8)]))
    assert crop.shape == (160, 160, 3) and vectors.shape == (2, 512) and loaded.embedder.model == "facenet"
    # Standardised per picture, so that light and contrast do not matter.
    assert float(vectors[0] @ vectors[1]) > 0.999
    with pytest.raises(ManifestError, match=r"has no bars for 'facenet' on the points of 'starter_detector': measure them with"):
        _ = loaded.bars


def test_an_embedder_of_another_size_than_its_entry_says_is_refused(tmp_path: Path) -> None:
    facenet(tmp_path, size=128)
    (tmp_path / "models.toml").write_text(facenet_entry(tmp_path))
    with pytest.raises(WeightsError, match=r"facenet.onnx gives 128 numbers an embedding, the manifest says 512"):
        load_pack("mine", Weights(tmp_path, (BUNDLED,)))


def buffalo(folder: Path) -> str:
    """Small nets of buffalo_l's shapes, and a manifest for them: det_10g's nine outputs without a batch dimension, w600k_r50's 512 numbers.

    The detector sees a face of 64 x 64 pixels wherever an 8 x 8 cell of the picture is white.
    """
    nodes, outputs, constants = [], [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    for kind, numbers in (("score", 1), ("box", 4), ("points", 10)):
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            nodes.append(helper.make_node("AveragePool", ["input.1"], [f"{name}_a"], kernel_shape=[stride] * 2, strides=[stride] * 2))
            weight, bias = np.zeros((2 * numbers, 3, 1, 1)), np.zeros(2 * numbers)
            if kind == "score" and stride == 8:
                weight[0, 1] = 1.0  # The first anchor alone: its score is what the cell is whiter than grey.
            if kind == "box":
                bias[:] = 32 / stride
            if kind == "points":
                eyes_nose_mouth = np.array([[-12, -10], [12, -10], [0, 0], [-10, 14], [10, 14]]) / stride
                bias[:] = np.tile(eyes_nose_mouth.reshape(-1), 2)
            conv = [f"{name}_a", constant(f"{name}_w", weight), constant(f"{name}_b", bias)]
            nodes.append(helper.make_node("Conv", conv, [f"{name}_c"]))
            nodes.append(helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[2, 3, 0, 1]))
            constants.append(numpy_helper.from_array(np.array([-1, numbers], np.int64), f"{name}_s"))
            nodes.append(helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"n{stride}", numbers]))
    net_input = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, "?", "?"])
    graph = helper.make_graph(nodes, "det", [net_input], outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "det.onnx")
    facenet(folder, side=112)
    (folder / "facenet.onnx").rename(folder / "rec.onnx")
    built_in = Weights(folder).manifest()
    entries = []
    for spec, file in ((built_in.file("det_10g"), "det.onnx"), (built_in.file("w600k_r50"), "rec.onnx")):
        content = (folder / file).read_bytes()
        common = f'name = "small_{spec.name}"\nfile = "{file}"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n'
        common += 'licence = "MIT"\ncommercial_use = true\norigin = "a test"\n'
        if isinstance(spec, EmbedderSpec):
            own = f'input_side = {spec.input_side}\noutput_size = {spec.output_size}\nalignment = "{spec.alignment}"\n'
            entries.append(f'[[files]]\ntask = "embedding"\n{common}{own}normalisation = "{spec.normalisation}"\n')
        else:
            entries.append(f'[[files]]\ntask = "detection"\n{common}decoding = "scrfd"\nnormalisation = "rgb_minus_127.5_over_128"\n')
    packed = '[[packs]]\nname = "small"\nsummary = ""\ndetector = "small_det_10g"\nembedder = "small_w600k_r50"\n'
    return "".join(entries) + packed


def test_models_of_the_shape_of_buffalo_l_are_loaded_and_decoded(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(buffalo(tmp_path))
    loaded = load_pack("small", Weights(tmp_path))
    picture = np.zeros((320, 640, 3), np.uint8)
    picture[160:168, 400:408] = 255  # The cell of stride 8 in row 20, column 50.
    found = loaded.detector.detect(picture, 640)
    assert len(found) == 1
    assert np.allclose(found.boxes[0], [400 - 32, 160 - 32, 400 + 32, 160 + 32])
    assert np.allclose(found.points[0, 0], [388, 150]) and np.allclose(found.points[0, 4], [410, 174])
    # The same picture twice as large, looked at in the same size, has the face in its own pixels.
    twice = loaded.detector.detect(np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1), 640)
    assert np.allclose(twice.boxes[0], found.boxes[0] * 2, atol=2)
    crop = embedder_crop(picture, found.boxes[0], found.points[0], loaded.embedder_spec)
    assert loaded.embedder.embed(crop[None]).shape == (1, 512)


def test_the_real_buffalo_l_names_its_archive_and_needs_its_terms(tmp_path: Path) -> None:
    here = Weights(tmp_path)
    known = here.manifest().pack("buffalo_l")
    accept(here, known, "buffalo_l", NOW)
    with pytest.raises(WeightsError, match=r"det_10g.onnx is not here: run `regulars models pull`"):
        load_pack("buffalo_l", here)
