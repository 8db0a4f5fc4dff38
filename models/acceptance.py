"""Packs whose terms somebody accepted by name, kept as a file in the models folder. Terms that change are to be accepted again."""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.errors import NotAccepted, WeightsError
from models.manifest import PackSpec
from models.weights import Weights, write_whole

ACCEPTED_NAME = "accepted.json"


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    terms: str
    accepted: datetime


def accept(weights: Weights, pack: PackSpec, named: str, now: datetime) -> None:
    """Keep that the pack's terms were accepted. `named`: the name that the user gave, which must be the pack's."""
    if named != pack.name:
        raise NotAccepted(f"the terms of {pack.name!r} are accepted by its own name: --accept {pack.name}, not {named!r}")
    if is_accepted(weights, pack):
        return
    try:
        weights.own.mkdir(parents=True, exist_ok=True)
        write_whole(weights.own / ACCEPTED_NAME, msgspec.json.encode({**_accepted(weights), pack.name: Acceptance(pack.terms, now)}))
    except OSError as error:
        raise WeightsError(f"{weights.own / ACCEPTED_NAME} cannot be written: {error.strerror}") from error


def is_accepted(weights: Weights, pack: PackSpec) -> bool:
    if not pack.terms:
        return True
    acceptance = _accepted(weights).get(pack.name)
    return acceptance is not None and acceptance.terms == pack.terms


def require_accepted(weights: Weights, pack: PackSpec) -> None:
    if not is_accepted(weights, pack):
        raise NotAccepted(
            f"the pack {pack.name!r} needs its terms accepted: {pack.terms} "
            f"To accept: regulars models pull {pack.name} --accept {pack.name}"
        )


def _accepted(weights: Weights) -> dict[str, Acceptance]:
    path = weights.own / ACCEPTED_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Acceptance])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotAccepted(f"{path} cannot be understood ({error}): remove it and accept again") from error
