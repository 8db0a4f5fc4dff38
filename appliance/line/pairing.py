"""How this store comes to know its headquarters: with a code that a person carries from there to here. See `sync.pairing`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import msgspec

from appliance.errors import LineError
from appliance.line.carrying import PAIR, Carrier
from sync import envelope, keys, pairing
from sync.errors import SyncError
from sync.keys import OwnKeys
from sync.messages import PairAnswer, PairRequest
from sync.pairing import Target

TRIES = 3
"""The same request again gets the same answer, which may have been lost; a fourth time says nothing new."""
BETWEEN_S = 2.0


def pair(
    carrier: Carrier,
    target: Target,
    *,
    name: str,
    time_zone: str,
    version: str,
    now_ms: int,
    wait: Callable[[float], None] = time.sleep,
    work: int = pairing.SCRYPT_N,
) -> tuple[PairAnswer, OwnKeys]:
    """What headquarters says to whom it paired with, and the keys made for it. Raises LineError in words."""
    own = keys.make()
    request = PairRequest(
        code_id=target.code.code_id,
        keys=own.public,
        name=name[: pairing.NAME_MAX],
        time_zone=time_zone,
        version=version,
        sent_ms=now_ms,
        nonce=os.urandom(pairing.NONCE_BYTES),
    )
    key = pairing.proof_key(target.code, work)
    message = pairing.request_message(request, key)
    for again in range(TRIES, 0, -1):
        try:
            answer = carrier.carry(PAIR, message)
            break
        except LineError:
            if again == 1:
                raise
            wait(BETWEEN_S)
    try:
        return pairing.read_answer(answer, envelope.digest(message), key), own
    except (SyncError, msgspec.MsgspecError) as error:
        words = str(error)
        raise LineError(f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}") from None
