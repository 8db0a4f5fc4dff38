"""A tenant's secret rotation: vectors are turned by it before they leave the process.

The same for all vectors of a tenant and a size, so cosines among them stay what they are; without the tenant's key a vector of the
index cannot be compared with another tenant's, nor with a face from outside. It hides a vector, it does not seal it: who holds many
turned vectors together with their plain ones can work the rotation out. The index holds no plain ones.

The matrix: numbers from a normal distribution, drawn from the key, made orthogonal by QR with the signs of R's diagonal taken out. That
is uniform over all rotations and reflections (Mezzadri, How to generate random matrices from the classical compact groups, 2007). The
numbers come from ChaCha20 and the Box-Muller transform, not from numpy's generator, whose numbers may change with its version.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.index import Floats

LABEL = b"regulars/v1/index rotation"
SEED_BYTES = 32
SIZE_MAX = 2_048
CACHED_MAX = 64
"""Matrices kept: one of 512 numbers is 1 MB and takes 60 ms to make."""

KeyOf = Callable[[str], bytes]
"""A tenant's secret by the tenant's id: 32 bytes that never change, or the index must be rebuilt."""


class Rotations:
    """May be used from any thread."""

    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self._lock = threading.Lock()
        self._cached: dict[tuple[str, int], Floats] = {}

    def turned(self, tenant_id: str, vectors: Floats) -> Floats:
        """(N, D) unit vectors, turned; cosines among them are kept to 1e-6."""
        return vectors @ self._matrix(tenant_id, vectors.shape[1])

    def _matrix(self, tenant_id: str, size: int) -> Floats:
        with self._lock:
            place = (tenant_id, size)
            if place not in self._cached:
                while len(self._cached) >= CACHED_MAX:
                    del self._cached[next(iter(self._cached))]
                self._cached[place] = matrix(self._key_of(tenant_id), size)
            return self._cached[place]


def matrix(key: bytes, size: int) -> Floats:
    """(size, size) orthogonal; the same for the same key and size."""
    if not 0 < size <= SIZE_MAX:
        raise ValueError(f"a vector has 1 to {SIZE_MAX} numbers, not {size}")
    if len(key) < SEED_BYTES:
        raise ValueError(f"a tenant's key has at least {SEED_BYTES} bytes, not {len(key)}")
    seed = HKDF(algorithm=SHA256(), length=SEED_BYTES, salt=None, info=LABEL + size.to_bytes(4, "big")).derive(key)
    # In double precision: a float32 QR would leave cosines off by more than 1e-6.
    q, r = np.linalg.qr(_normal(seed, size * size).reshape(size, size))
    return np.ascontiguousarray(q * np.sign(np.diag(r)), np.float32)


def _normal(seed: bytes, count: int) -> npt.NDArray[np.float64]:
    """(count,) numbers of the normal distribution, drawn from 32 bytes. The nonce is zero because the seed makes this one stream alone."""
    pairs = (count + 1) // 2
    stream = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor().update(bytes(16 * pairs))
    # The upper 53 bits, so that each number is exact; in (0, 1], so that its logarithm is finite.
    uniform = ((np.frombuffer(stream, "<u8") >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53
    radius, angle = np.sqrt(-2.0 * np.log(uniform[:pairs])), 2.0 * np.pi * uniform[pairs:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
