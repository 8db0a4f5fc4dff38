"""A batch's payloads as bytes."""

from __future__ import annotations

import msgspec

from sync.errors import Malformed


def packed(payloads: list[bytes]) -> bytes:
    return msgspec.msgpack.encode(payloads)


def unpacked(data: bytes) -> list[bytes]:
    """Raises Malformed, TooLarge."""
    try:
        return msgspec.msgpack.decode(data, type=list[bytes]) if data else []
    except msgspec.MsgspecError:
        raise Malformed("what came is no batch") from None
