"""Photos that somebody sends: good ones come out upright and bounded, everything else is a sentence."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from appliance.errors import UploadError
from appliance.web.uploads import KEPT_SIDE_PX, PHOTO_BYTES_MAX, read_picture


def encoded(width: int, height: int, kind: str = "JPEG", colour: tuple[int, int, int] = (200, 40, 10), **more: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, kind, **more)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_comes_out_in_blue_green_red(kind: str) -> None:
    picture = read_picture(encoded(64, 48, kind))
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture[20, 20].astype(int) - [10, 40, 200]).max() < 8


def test_a_photo_is_turned_as_the_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_picture(encoded(64, 48, exif=exif)).shape == (64, 48, 3)


def test_a_large_photo_is_kept_at_a_bounded_size() -> None:
    assert max(read_picture(encoded(6000, 3000)).shape) == KEPT_SIDE_PX


def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_unpacked() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(UploadError):
        read_picture(bomb)


def test_too_many_bytes_and_too_few_pixels_are_refused_in_words() -> None:
    with pytest.raises(UploadError, match="at most 12"):
        read_picture(bytes(PHOTO_BYTES_MAX + 1))
    with pytest.raises(UploadError, match="only 8 × 8 pixels"):
        read_picture(encoded(8, 8))
    with pytest.raises(UploadError, match="empty"):
        read_picture(b"")
    with pytest.raises(UploadError, match="JPEG, PNG or WebP"):
        read_picture(encoded(64, 64, "GIF"))


def test_rubbish_is_a_sentence_and_nothing_else() -> None:
    """Every other error would be a page that failed."""
    chance = random.Random(4)
    whole = [encoded(64, 48, kind) for kind in ("JPEG", "PNG", "WEBP")]
    for number in range(300):
        found = bytearray(whole[number % 3])
        for _each in range(chance.randint(1, 12)):
            found[chance.randrange(len(found))] = chance.randrange(256)
        try:
            picture = read_picture(bytes(found[: chance.randint(1, len(found))] if number % 2 else found))
        except UploadError:
            continue
        assert picture.ndim == 3
