"""Pairing at the hub's end: one code, one appliance, five attempts, ten minutes; a lost answer makes no second appliance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub import erasure, pairing, receipts
from hub.errors import DatabaseError, NotFound
from hub.hub_keys import HubKeys
from hub.rates import PAIRINGS, Rates
from sync import envelope, keys
from sync import pairing as line_pairing
from sync.errors import BadSignature
from sync.messages import PairAnswer, PairRequest
from sync.pairing import NotPaired, not_paired_message
from tests.cheap import CHEAP_WORK
from tests.hub.chain import NOW, Chain
from tests.hub.telling import ADMIN, NOW_MS, every_fact, stores

OWN = keys.make()
REFUSED = not_paired_message(NotPaired.WRONG_CODE)


class Hub:
    def __init__(self, chain: Chain) -> None:
        self.chain, self.keys, self.rates = chain, HubKeys(chain.database, NOW), Rates()
        made = pairing.make_code(chain.database, chain.ours.tenant_id, chain.site_b.id, "admin", NOW, CHEAP_WORK)
        self.shown = made.shown
        self.key = line_pairing.proof_key(line_pairing.parse_code(made.shown), CHEAP_WORK)

    def request(self, *, key: bytes | None = None, **fields: Any) -> bytes:
        said = {"code_id": self.shown[:4], "keys": OWN.public, "name": "Mac", "time_zone": "Asia/Ho_Chi_Minh", "version": "1"}
        return line_pairing.request_message(PairRequest(**{**said, "sent_ms": NOW_MS, "nonce": b"n" * 16, **fields}), key or self.key)  # type: ignore[arg-type]

    def pair(self, message: bytes, *, seconds: float = 0, came_from: str = "10.0.0.1") -> bytes:
        return pairing.pair(self.chain.database, self.keys, self.rates, message, came_from, NOW + timedelta(seconds=seconds))

    def answer(self, message: bytes, *, seconds: float = 0) -> PairAnswer:
        return line_pairing.read_answer(self.pair(message, seconds=seconds), envelope.digest(message), self.key)

    @property
    def appliances(self) -> int:
        with self.chain.database.tenant(self.chain.ours.tenant_id) as tx:
            (count,) = tx.execute("SELECT count(*) FROM appliances").fetchone() or (0,)
        return int(count)


@pytest.fixture
def hub(chain: Chain) -> Hub:
    return Hub(chain)


def test_a_code_makes_one_appliance_of_its_site(hub: Hub) -> None:
    answer = hub.answer(hub.request())
    assert (answer.tenant_id, answer.site_name) == (hub.chain.ours.tenant_id, hub.chain.site_b.name)
    assert keys.fingerprint(answer.keys) == keys.fingerprint(hub.keys.current(NOW).public)
    assert hub.appliances == 3
    other = hub.request(keys=keys.make().public)
    assert hub.pair(other) == REFUSED
    assert hub.appliances == 3


def test_the_same_request_again_gets_the_same_answer_also_later(hub: Hub) -> None:
    message = hub.request()
    assert hub.pair(message) == hub.pair(message) == hub.pair(message, seconds=3600)
    assert hub.appliances == 3


def test_a_code_is_over_after_ten_minutes(hub: Hub) -> None:
    assert hub.pair(hub.request(), seconds=601) == REFUSED
    assert hub.appliances == 2


def test_five_wrong_proofs_use_a_code_up(hub: Hub) -> None:
    for _ in range(5):
        assert hub.pair(hub.request(key=b"\x00" * 32)) == REFUSED
    assert hub.pair(hub.request()) == REFUSED
    assert hub.appliances == 2


def test_who_tries_again_and_again_is_sent_away(hub: Hub) -> None:
    for _ in range(int(PAIRINGS.burst)):
        hub.pair(hub.request(code_id="ZZZZ"))
    assert hub.pair(hub.request()) == not_paired_message(NotPaired.TOO_OFTEN)
    assert hub.pair(hub.request(), came_from="10.0.0.2") not in (REFUSED, not_paired_message(NotPaired.TOO_OFTEN))


@pytest.mark.parametrize("rubbish", [b"", b"\xc1", b"\x92\xc4\x00\xc4\x00", b"\x00" * 9000])
def test_rubbish_is_no_request(hub: Hub, rubbish: bytes) -> None:
    assert hub.pair(rubbish) == not_paired_message(NotPaired.MALFORMED)
    assert hub.pair(hub.request(keys=replace_seal(OWN.public, b"x" * 1216))) != b""
    assert hub.appliances == 2


def replace_seal(public: Any, seal: bytes) -> Any:
    return type(public)(seal=seal[:10], sign=public.sign)


def test_somebody_in_the_middle_who_puts_his_keys_in_place_is_found_out(hub: Hub) -> None:
    message = hub.request()
    with pytest.raises(BadSignature):
        line_pairing.read_answer(hub.pair(message), envelope.digest(message), b"\x01" * 32)


def test_a_code_is_for_a_site_of_the_tenant(chain: Chain) -> None:
    with pytest.raises(NotFound):
        pairing.make_code(chain.database, chain.danas.tenant_id, chain.site_a.id, "Dana", NOW)


def test_no_tenant_has_codes_without_end(hub: Hub) -> None:
    with pytest.raises(DatabaseError, match="open already"):
        for _ in range(pairing.OPEN_MAX):
            pairing.make_code(hub.chain.database, hub.chain.ours.tenant_id, hub.chain.site_b.id, "admin", NOW, CHEAP_WORK)


def test_the_secret_half_is_in_no_table(hub: Hub) -> None:
    hub.answer(hub.request())
    with hub.chain.database.tenant(hub.chain.ours.tenant_id) as tx:
        (row,) = tx.execute("SELECT * FROM pair_codes").fetchall()
    said = str(row)
    assert hub.shown not in said and hub.shown[5:] not in said and hub.key.hex() not in said and repr(hub.key) not in said


def test_an_appliance_that_is_paired_later_hears_of_the_opt_outs_and_has_to_answer(hub: Hub) -> None:
    a, _, _ = stores(hub.chain)
    with hub.chain.database.tenant(a.tenant_id) as tx:
        opt_out = erasure.opt_out(tx, hub.chain.database.vault(tx, a.tenant_id), hub.chain.people["Bob"], ADMIN, NOW)
    answer = hub.answer(hub.request())
    with hub.chain.database.tenant(a.tenant_id) as tx:
        assert opt_out in receipts.outstanding_at(tx, answer.appliance_id)
        assert opt_out in [getattr(one, "erasure_id", "") for one in every_fact(tx, a, answer.appliance_id)]


def test_a_revoked_appliance_is_not_waited_for_in_later_requests(hub: Hub) -> None:
    a, b, _ = stores(hub.chain)
    with hub.chain.database.tenant(a.tenant_id) as tx:
        vault = hub.chain.database.vault(tx, a.tenant_id)
        pairing.revoke(tx, vault, b.appliance_id, "admin", NOW)
        pairing.revoke(tx, vault, b.appliance_id, "admin", NOW)
        erasure_id = erasure.erase(tx, vault, hub.chain.people["Bob"], ADMIN, NOW)
        assert {one.place for one in receipts.of_erasure(tx, erasure_id)} == {"postgres", "index", "snapshots", a.appliance_id}
        with pytest.raises(NotFound):
            pairing.revoke(tx, vault, hub.chain.danas_appliance, "admin", NOW)
