"""YuNet's last steps, put behind its graph when it is loaded: which cells say more than a limit, and what they say, in pixels. The file
stays as it is.

Nearly every cell of a picture is empty. Picking those that are not and decoding them takes the net less than handing all of them over and
doing the same in numpy: about .1 ms of a frame's 15. `models/yunet.py` has the same steps for a net that cannot be given them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.yunet import BOX, CLS, CORNERS, LEAST, LOG_SIZE_MAX, OBJ, PICTURE, PLACES, PLACES_WIDTH, POINTS, SCORE, SHAPE, STRIDE_OF


def joined(model: bytes) -> bytes:
    """A model with YuNet's outputs, with its faces' cells as outputs in their place; any other as it is."""
    # Late: only a process that runs nets needs it.
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    net = onnx.load_model_from_string(model)
    graph = net.graph
    if not {*CLS, *OBJ, *BOX, *POINTS} <= {output.name for output in graph.output} or LEAST in {given.name for given in graph.input}:
        return model

    def constant(name: str, value: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), f"faces/{name}"))
        return f"faces/{name}"

    def step(operator: str, operands: list[str], result: str, **how: Any) -> str:
        graph.node.append(helper.make_node(operator, operands, [result], **how))
        return result

    def columns(of: str, first: int, end: int, result: str) -> str:
        at = [constant(f"{result}/{part}", np.array([number], np.int64)) for part, number in (("from", first), ("to", end), ("axis", 1))]
        return step("Slice", [of, *at], result)

    cls, obj, box, points = (
        step("Concat", levels, f"faces/{part}", axis=1)
        for part, levels in (("cls", CLS), ("obj", OBJ), ("box", BOX), ("points", POINTS))
    )
    squared = step("Mul", [cls, obj], "faces/squared")
    # One row for each cell above the limit: its picture, its number, 0.
    rows = step("Transpose", [step("NonZero", [step("Greater", [squared, LEAST], "faces/above")], "faces/hits")], "faces/rows", perm=[1, 0])
    place_of = columns(rows, 0, 2, "faces/place_of")
    cell = step("Reshape", [columns(rows, 1, 2, "faces/cell_column"), constant("flat", np.array([-1], np.int64))], "faces/cell")
    step("Sqrt", [step("GatherND", [squared, rows], "faces/squared_of")], SCORE)
    step("Reshape", [columns(rows, 0, 1, "faces/picture_column"), "faces/flat"], PICTURE)
    seen = step("GatherND", [box, place_of], "faces/box_of")
    stride = step("Gather", [STRIDE_OF, cell], "faces/stride")
    points_off = step("GatherND", [points, place_of], "faces/points_off")
    offsets = step("Concat", [columns(seen, 0, 2, "faces/centre_off"), points_off], "faces/off", axis=1)
    placed = step("Mul", [step("Add", [offsets, step("Gather", [PLACES, cell], "faces/places")], "faces/in_cells"), stride], "faces/placed")
    log_size_max = constant("log_size_max", np.float32(LOG_SIZE_MAX))
    log_size = step("Min", [columns(seen, 2, 4, "faces/log_size"), log_size_max], "faces/log_size_bound")
    size = step("Mul", [step("Exp", [log_size], "faces/size_in_cells"), stride], "faces/size")
    half = step("Mul", [size, constant("half", np.float32(0.5))], "faces/half_size")
    centre = columns(placed, 0, 2, "faces/centre")
    step("Concat", [step("Sub", [centre, half], "faces/least_corner"), step("Add", [centre, half], "faces/most_corner")], CORNERS, axis=1)
    columns(placed, 2, PLACES_WIDTH, SHAPE)

    open_cells: list[str | int | None] = ["cells"]
    for name, shape in ((LEAST, [1]), (PLACES, [*open_cells, PLACES_WIDTH]), (STRIDE_OF, [*open_cells, 1])):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    del graph.output[:]
    graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (SCORE, CORNERS, SHAPE))
    graph.output.append(helper.make_tensor_value_info(PICTURE, TensorProto.INT64, None))
    return bytes(net.SerializeToString())
