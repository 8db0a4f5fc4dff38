"""Drawn stand-ins for face crops and a camera's picture: the screenshots are committed, so no real person may be on them."""

from __future__ import annotations

import random

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
SIDE = 160
SCALE = 3
"""Drawn larger and shrunk: OpenCV's shapes have hard edges."""
SKINS = ((176, 203, 236), (150, 182, 222), (128, 163, 206), (105, 141, 188), (84, 118, 164), (62, 92, 138), (48, 72, 110))
HAIRS = ((28, 28, 34), (36, 44, 58), (48, 66, 96), (70, 104, 150), (120, 128, 136), (32, 34, 42))
SHIRTS = ((150, 128, 84), (92, 110, 78), (70, 86, 152), (134, 104, 118), (84, 84, 84), (176, 158, 122), (60, 120, 170))
WALLS = ((206, 214, 216), (196, 206, 214), (212, 210, 204), (190, 202, 204))


def shade(colour: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    b, g, r = (min(255, max(0, round(part * by))) for part in colour)
    return b, g, r


def portrait(seed: int, side: int = SIDE) -> bytes:
    """A drawn head and shoulders as JPEG; the same seed is the same face."""
    big = draw(seed, side * SCALE)
    small = cv2.resize(big, (side, side), interpolation=cv2.INTER_AREA)
    return jpeg(np.asarray(small, np.uint8))


def draw(seed: int, side: int) -> Picture:
    chance = random.Random(seed)
    skin, hair, shirt, wall = (chance.choice(choices) for choices in (SKINS, HAIRS, SHIRTS, WALLS))
    ramp = np.linspace(1.06, 0.86, side)[:, None, None]
    picture: Picture = np.clip(np.full((side, side, 3), wall, np.float32) * ramp, 0, 255).astype(np.uint8)
    unit = side / 100
    middle = 50 + chance.uniform(-2.5, 2.5)
    wide, high = chance.uniform(19, 23), chance.uniform(26, 30)
    long_hair, beard, glasses = chance.random() < 0.45, chance.random() < 0.22, chance.random() < 0.25

    def oval(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int], start: float = 0, end: float = 360) -> None:
        place, size = (round(x * unit), round(y * unit)), (round(rx * unit), round(ry * unit))
        cv2.ellipse(picture, place, size, 0, start, end, colour, -1, cv2.LINE_AA)

    def arc(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int], start: float, end: float, thick: float) -> None:
        place, size = (round(x * unit), round(y * unit)), (round(rx * unit), round(ry * unit))
        cv2.ellipse(picture, place, size, 0, start, end, colour, max(1, round(thick * unit)), cv2.LINE_AA)

    if long_hair:
        oval(middle, 52, wide + 7, 36, hair)
    oval(middle, 108, 42, 26, shirt)
    oval(middle, 82, 9.5, 14, shade(skin, 0.84))
    oval(middle, 48, wide + 2.5, high + 1, hair)
    for ear in (-1, 1):
        oval(middle + ear * wide, 51, 3.4, 5.5, shade(skin, 0.9))
    oval(middle, 51, wide, high, skin)
    oval(middle + wide * 0.35, 55, wide * 0.6, high * 0.72, shade(skin, 1.035))
    if beard:
        oval(middle, 64, wide * 0.86, 15, shade(hair, 0.95), 0, 180)
    fringe = chance.choice((0.30, 0.38, 0.46))
    oval(middle, 51 - high * (1 - fringe / 2) + 3, wide + 1.5, high * fringe, hair)
    for eye in (-1, 1):
        x = middle + eye * wide * 0.44
        oval(x, 50, 3.4, 2.1, (238, 240, 242))
        oval(x, 50, 1.7, 1.9, (40, 46, 56))
        arc(x, 46, 5, 2.4, shade(hair, 0.9), 200, 340, 1.2)
        if glasses:
            arc(x, 50, 6.4, 5.4, (44, 44, 48), 0, 360, 0.9)
    arc(middle, 56, 2.8, 3.6, shade(skin, 0.78), 20, 160, 1.2)
    arc(middle, 63.5, 6.2, chance.uniform(2.2, 4.2), (86, 88, 158), 20, 160, 1.5)
    return picture


def entrance(faces: list[tuple[int, float, float, float]], width: int = 960, height: int = 540) -> bytes:
    """A drawn shop entrance as JPEG with people in it: (seed, x, y, width) of each face as fractions of the picture."""
    picture: Picture = np.zeros((height, width, 3), np.uint8)
    picture[:] = np.linspace((188, 192, 190), (122, 128, 130), height)[:, None, :].astype(np.uint8)
    floor = round(height * 0.66)
    picture[floor:] = np.linspace((116, 128, 138), (150, 160, 168), height - floor)[:, None, :].astype(np.uint8)
    door = (round(width * 0.36), round(height * 0.1), round(width * 0.64), floor)
    cv2.rectangle(picture, door[:2], door[2:], (224, 226, 218), -1)
    for post in (door[0], (door[0] + door[2]) // 2, door[2]):
        cv2.line(picture, (post, door[1]), (post, floor), (82, 88, 90), 7, cv2.LINE_AA)
    cv2.line(picture, door[:2], (door[2], door[1]), (82, 88, 90), 7)
    for side in (0.06, 0.74):
        left, right = round(width * side), round(width * (side + 0.2))
        for shelf in range(4):
            y = round(height * (0.22 + shelf * 0.12))
            for index in range(9):
                colour = SHIRTS[(index * 3 + shelf * 5 + int(side * 10)) % len(SHIRTS)]
                x = left + index * (right - left) // 9
                cv2.rectangle(picture, (x, y - 34 + (index * 7) % 11), (x + 15, y), shade(colour, 1.12), -1)
            cv2.line(picture, (left, y), (right, y), (96, 104, 112), 5)
    for seed, across, down, wide in faces:
        stand(picture, seed, round(across * width), round(down * height), round(wide * width))
    return jpeg(np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), np.uint8), 78)


def stand(picture: Picture, seed: int, x: int, y: int, wide: int) -> None:
    """Puts a drawn head with shoulders and body in; x, y: middle of the face; `wide`: its width. The head takes 42 % of a portrait."""
    side = round(wide / 0.42)
    person = cv2.resize(draw(seed, side * 2), (side, side), interpolation=cv2.INTER_AREA)
    wall = person[2, 2].astype(int)
    top, left = y - side // 2, x - side // 2
    shirt = person[side - 3, side // 2].tolist()
    cv2.rectangle(picture, (x - round(side * 0.4), top + side - 3), (x + round(side * 0.4), picture.shape[0]), shirt, -1)
    ramp = np.linspace(1.06, 0.86, side)[:, None, None] * wall / 1.06
    away = (np.abs(person.astype(int) - ramp).sum(axis=2) < 16).astype(np.uint8)
    away = cv2.morphologyEx(away, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    for row in range(side):
        for column in range(side):
            down, across = top + row, left + column
            if not away[row, column] and 0 <= down < picture.shape[0] and 0 <= across < picture.shape[1]:
                picture[down, across] = person[row, column]


def jpeg(picture: Picture, quality: int = 88) -> bytes:
    written, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert written
    return content.tobytes()
