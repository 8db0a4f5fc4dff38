"""How pictures enter a net: the net itself turns bytes into its numbers where its graph can be given the first steps, else numpy does.

The file stays as it is: the steps are put before the graph when it is loaded. They are those of models/normalisation.py, in its order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.faces import Pictures
from models.manifest import Normalisation
from models.normalisation import STEPS, normalised

MODEL_BYTES_MAX = 64 << 20
"""A larger file is left alone: loading would hold it three times, and its net takes so long that the steps are nothing."""
OPERATORS: dict[np.ufunc, str] = {np.subtract: "Sub", np.divide: "Div", np.multiply: "Mul", np.add: "Add"}
BYTES = "tensor(uint8)"


class Intake:
    """A session's one input. `shape` is (N, H, W) as the net has it: what it leaves open is no number."""

    def __init__(self, session: ort.InferenceSession, scheme: Normalisation) -> None:
        given = session.get_inputs()[0]
        self._name = given.name
        self._scheme = scheme
        self.takes_bytes = given.type == BYTES
        n, *rest = given.shape
        self.shape = (n, *(rest[:2] if self.takes_bytes else rest[1:]))

    def fed(self, pictures: Pictures) -> dict[str, npt.NDArray[Any]]:
        """What the session is to be run on, for N pictures (H, W, 3) BGR 0..255 of one size, N > 0."""
        if not self.takes_bytes:
            return {self._name: normalised(pictures, self._scheme)}
        if isinstance(pictures, np.ndarray):
            return {self._name: pictures}
        return {self._name: pictures[0][None] if len(pictures) == 1 else np.stack(pictures)}


def taking_bytes(path: Path, scheme: Normalisation) -> bytes | None:
    """The model with an input of (N, H, W, 3) BGR 0..255 uint8 instead of (N, 3, H, W) float32 in the scheme's order and range.

    None where that cannot be: a file that is none or too large, a scheme that needs more than arithmetic, another kind of input.
    """
    if scheme == "per_image_standardisation" or path.stat().st_size > MODEL_BYTES_MAX:
        return None
    # Late: only a process that runs nets needs it.
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception:  # The protobuf library's own; what is no model is for the session to say.
        return None
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in constants]
    if len(inputs) != 1 or any(tensor.data_location == TensorProto.EXTERNAL for tensor in graph.initializer):
        return None
    (old,) = inputs
    kind = old.type.tensor_type
    n, *rest = [size.dim_value or size.dim_param or None for size in kind.shape.dim] or [None]
    if kind.elem_type != TensorProto.FLOAT or len(rest) != 3 or rest[0] != 3 or not _speaks_onnx(model):
        return None

    steps: list[onnx.NodeProto] = []
    at = f"{old.name}/bytes"
    new = helper.make_tensor_value_info(at, TensorProto.UINT8, [n, *rest[1:], 3])

    def step(operator: str, constant: npt.NDArray[Any] | None = None, **how: Any) -> None:
        nonlocal at
        made, operands = f"{old.name}/{len(steps)}", [at]
        if constant is not None:
            operands.append(f"{made}/by")
            steps.append(helper.make_node("Constant", [], operands[1:], value=numpy_helper.from_array(constant)))
        steps.append(helper.make_node(operator, operands, [made], **how))
        at = made

    step("Transpose", perm=[0, 3, 1, 2])
    if scheme != "bgr_0_255":
        step("Gather", np.array([2, 1, 0], np.int64), axis=1)
    step("Cast", to=TensorProto.FLOAT)
    for by, number in STEPS.get(scheme, ()):
        step(OPERATORS[by], np.asarray(number, np.float32))
    steps[-1].output[0] = old.name

    place = list(graph.input).index(old)
    graph.input.remove(old)
    graph.input.insert(place, new)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*steps, *nodes])
    return bytes(model.SerializeToString())


def _speaks_onnx(model: Any) -> bool:
    return any(spoken.domain in ("", "ai.onnx") for spoken in model.opset_import)
