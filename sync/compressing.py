"""Compressing: zstd (RFC 8878), one frame that says at its head how large it becomes. That is believed only up to a limit.

Compressing comes before sealing, because what is sealed does not compress. Lengths tell a listener no more than the header does, which
says how many records there are.
"""

from __future__ import annotations

import zstandard

from sync.errors import Malformed, TooLarge

LEVEL = 9
"""Of 1 to 19. Beyond, twice the time brings less than a percent of a batch."""
WINDOW_BYTES_MAX = 8 << 20
"""A frame may ask its reader to keep this much; more than any body has, and zstd's own recommendation."""


def compressed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=True).compress(data)


def expanded(data: bytes, size_max: int) -> bytes:
    """Raises TooLarge before anything is allocated, Malformed for what is no single whole frame."""
    try:
        said = zstandard.frame_content_size(data)
    except zstandard.ZstdError:
        raise Malformed("what was sealed is no compressed body") from None
    if said < 0:
        raise Malformed("a compressed body does not say how large it becomes")
    if said > size_max:
        raise TooLarge(f"a body becomes {said} bytes; at most {size_max} are allowed")
    try:
        body = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).decompress(
            data, max_output_size=max(said, 1), allow_extra_data=False
        )
    except (zstandard.ZstdError, ValueError):
        raise Malformed("a compressed body is damaged or cut short") from None
    if len(body) != said:
        raise Malformed(f"a compressed body says {said} bytes and becomes {len(body)}")
    return body
