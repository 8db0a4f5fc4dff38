"""Made-up pictures with faces whose place is known: what the detector learns from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.faces import Floats
from models.training.preparation import PHOTO_PX

SCENE_PX = 320
STRIDES = (8, 16, 32)
SIZES = ((0.0, 42.0), (28.0, 104.0), (72.0, 1e9))
"""Which face sizes in pixels each stride learns."""
OVERLAP_MAX = 0.12

Array = npt.NDArray[Any]
Face = tuple[Floats, Floats]
"""Box x1 y1 x2 y2 and points (5, 2) in the scene."""


class Scenes:
    def __init__(self, data: Mapping[str, Array], rng: np.random.Generator) -> None:
        alone = data["alone"]
        self.photo, self.box, self.points, self.rng = data["photo"][alone], data["box"][alone], data["points"][alone], rng

    def sample(self) -> tuple[Floats, list[Face]]:
        """A scene (SCENE_PX, SCENE_PX, 3) float BGR 0..255 and its faces."""
        rng, faces = self.rng, list[Face]()
        out = self._background()
        for _ in range(int(rng.choice([0, 1, 2, 3, 5], p=[0.08, 0.3, 0.27, 0.2, 0.15]))):
            out = self._with_face(out, faces)
        if rng.random() < 0.3:
            out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
        if rng.random() < 0.15:
            out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        noisy = out.astype(np.float32) * rng.uniform(0.6, 1.25) + rng.normal(size=out.shape) * rng.uniform(0, 8)
        return np.asarray(np.clip(noisy, 0, 255), np.float32), faces

    def _with_face(self, out: Array, faces: list[Face]) -> Array:
        """The picture with one more face, added to `faces`, unless it would cover an earlier one."""
        rng = self.rng
        i = int(rng.integers(len(self.photo)))
        box, width = self.box[i], math.exp(rng.uniform(math.log(11), math.log(170)))
        scale, middle = width / (box[2] - box[0]), np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), rng.normal() * 9, scale)
        mirrored = rng.random() < 0.5
        if mirrored:
            matrix = matrix @ np.array([[-1, 0, PHOTO_PX - 1], [0, 1, 0], [0, 0, 1]])
        inside = width < SCENE_PX * 0.8
        at = np.array([rng.uniform(s * width, SCENE_PX - s * width) for s in (0.35, 0.4)]) if inside else np.full(2, SCENE_PX / 2)
        matrix[:, 2] += at - matrix @ np.array([*middle, 1])
        points = np.c_[self.points[i], np.ones(5)] @ matrix.T
        if mirrored:
            points = points[[1, 0, 2, 4, 3]]
        height = (box[3] - box[1]) * scale
        placed = np.array([at[0] - width / 2, at[1] - height / 2, at[0] + width / 2, at[1] + height / 2])
        if any(shared_area(placed, other) > OVERLAP_MAX for other, _ in faces):
            return out
        cover = cv2.warpAffine(self._mask(box, middle), matrix, (SCENE_PX, SCENE_PX))[..., None]
        lit = self.photo[i].astype(np.float32) * rng.uniform(0.6, 1.3) + rng.uniform(-20, 20)
        face = cv2.warpAffine(lit, matrix, (SCENE_PX, SCENE_PX), flags=cv2.INTER_AREA)
        for other, _ in faces:  # Never over an earlier face.
            x1, y1, x2, y2 = np.clip(other, 0, SCENE_PX).astype(int)
            cover[y1:y2, x1:x2] = 0
        faces.append((placed, points))
        return np.asarray(np.clip(out * (1 - cover) + face * cover, 0, 255), np.uint8)

    def _mask(self, box: Floats, middle: Array) -> Array:
        """Which part of the photo is pasted: an oval about the face, or nearly all of it."""
        rng, mask = self.rng, np.zeros((PHOTO_PX, PHOTO_PX), np.float32)
        if rng.random() < 0.5:
            axes = (int((box[2] - box[0]) * rng.uniform(0.62, 0.9)), int((box[3] - box[1]) * rng.uniform(0.62, 0.9)))
            cv2.ellipse(mask, (int(middle[0]), int(middle[1])), axes, 0, 0, 360, 1.0, -1)
            return np.asarray(cv2.GaussianBlur(mask, (0, 0), 2))
        mask[2:-2, 2:-2] = 1
        return mask

    def _background(self) -> Array:
        rng, kind = self.rng, self.rng.random()
        if kind < 0.55:
            out = self._faceless_photo()
        else:
            if kind > 0.7:
                coarse = rng.integers(0, 255, (*rng.integers(2, 9, 2), 3), dtype=np.uint8)
            else:
                coarse = rng.integers(40, 215, (2, 2, 3)).astype(np.uint8)
            out = cv2.resize(coarse, (SCENE_PX, SCENE_PX), interpolation=cv2.INTER_CUBIC if kind < 0.8 else cv2.INTER_NEAREST)
        for _ in range(int(rng.integers(0, 14))):
            self._clutter(out)
        return out

    def _faceless_photo(self) -> Array:
        """A photo with its face covered by a piece of another, enlarged."""
        rng = self.rng
        i, j = rng.integers(len(self.photo), size=2)
        image = self.photo[i].copy()
        x1, y1, x2, y2 = np.clip(self.box[i] + [-8, -12, 8, 8], 0, PHOTO_PX).astype(int)
        patch = self.photo[j][:36, :50] if rng.random() < 0.5 else self.photo[j][110:]
        image[y1:y2, x1:x2] = cv2.resize(patch, (int(x2 - x1), int(y2 - y1)))
        scale = rng.uniform(2.2, 5)
        big = cv2.resize(image, None, fx=scale, fy=scale)
        y, x = (int(rng.integers(0, n - SCENE_PX + 1)) for n in big.shape[:2])
        return np.asarray(big[y : y + SCENE_PX, x : x + SCENE_PX]).copy()

    def _clutter(self, out: Array) -> None:
        rng = self.rng
        x, y, width, height = (int(v) for v in (*rng.integers(0, SCENE_PX, 2), *rng.integers(6, 130, 2)))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        match int(rng.integers(4)):
            case 0:
                cv2.rectangle(out, (x, y), (x + width, y + height), colour, -1)
            case 1:
                cv2.ellipse(out, (x, y), (width // 2, height // 2), float(rng.uniform(0, 180)), 0, 360, colour, -1)
            case 2:
                cv2.line(out, (x, y), (x + width, y - height), colour, int(rng.integers(1, 8)))
            case _:
                letter = "ABCD8@"[int(rng.integers(6))]
                cv2.putText(out, letter, (x, y), cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.5, 4)), colour, int(rng.integers(1, 8)))


def shared_area(a: Floats, b: Floats) -> float:
    """Of two boxes, over the smaller one."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return float(max(0, width) * max(0, height) / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])))


def targets(faces: list[Face]) -> tuple[Floats, Floats]:
    """(C,) per cell of all strides: 1 face, 0 none, -1 don't care; (C, 14) what box and points should be."""
    score, value = [], []
    for stride, (low, high) in zip(STRIDES, SIZES, strict=True):
        n = SCENE_PX // stride
        wanted, numbers, middle = np.zeros((n, n), np.float32), np.zeros((n, n, 14), np.float32), (np.arange(n) + 0.5) * stride
        for box, points in faces:
            w, h, x, y = box[2] - box[0], box[3] - box[1], (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            size, dx, dy = math.sqrt(w * h), np.abs(middle - x)[None, :], np.abs(middle - y)[:, None]
            wanted[(dx < 0.32 * w + 0.6 * stride) & (dy < 0.32 * h + 0.6 * stride) & (wanted == 0)] = -1
            if low <= size < high:
                reach = max(0.62 * stride, 0.13 * size)
                rows, columns = np.where((dx < reach) & (dy < reach))
                wanted[rows, columns] = 1
                numbers[rows, columns, 0], numbers[rows, columns, 1] = x / stride - columns, y / stride - rows
                numbers[rows, columns, 2], numbers[rows, columns, 3] = math.log(w / stride), math.log(h / stride)
                numbers[rows, columns, 4:] = (points[None] / stride - np.stack([columns, rows], 1)[:, None]).reshape(len(columns), 10)
        score.append(wanted.reshape(-1))
        value.append(numbers.reshape(-1, 14))
    return np.concatenate(score), np.concatenate(value)
