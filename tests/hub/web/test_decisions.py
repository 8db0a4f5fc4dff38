"""The API about who is who: what somebody decides holds, is kept with its reason, can be undone, and reaches the stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import uuid_utils
from litestar import Litestar
from litestar.testing import TestClient

from tests.hub.chain import NOW
from tests.hub.web.office import OURS, Office


class Program:
    """A program of ours with a token that may change things."""

    def __init__(self, office: Office, client: TestClient[Litestar]) -> None:
        self.office, self._client = office, client
        self._below = f"/api/v1/tenants/{office.chain.ours.tenant_id}"
        self._headers = {"authorization": f"Bearer {office.tokens['ours admin']}"}

    def ask(self, method: str, path: str, status: int = 200, **body: object) -> Any:
        given = {"json": body} if method != "GET" else {}
        answer = self._client.request(method, self._below + path, headers=self._headers, **given)  # type: ignore[arg-type]
        assert answer.status_code == status, answer.text
        return answer.json()

    def persons_of(self, identity_id: str) -> set[str]:
        return {person["id"] for person in self.ask("GET", f"/identities/{identity_id}")["persons"]}


@pytest.fixture
def program(office: Office) -> Iterator[Program]:
    with TestClient(office.app, base_url=OURS) as client:
        yield Program(office, client)


def facts_told(office: Office) -> int:
    with office.database.tenant(office.chain.ours.tenant_id) as tx:
        (told,) = tx.execute("SELECT fact_sequence FROM tenants WHERE tenant_id = %s", (office.chain.ours.tenant_id,)).fetchone() or (0,)
    return int(told)


def test_a_person_is_parted_and_linked_again(program: Program) -> None:
    chain = program.office.chain
    bob, at_a, at_b = chain.people["Bob"], chain.persons["Bob", "Hang Bai"], chain.persons["Bob", "Tay Ho"]
    before = facts_told(program.office)
    own = program.ask("POST", f"/persons/{at_b}/unlink", reason="another man")["identity_id"]
    assert own != bob and program.persons_of(own) == {at_b} and program.persons_of(bob) == {at_a}
    assert facts_told(program.office) > before, "the stores are told"
    assert program.ask("POST", f"/persons/{at_b}/link", identity_id=bob, reason="no, him")["identity_id"] == bob
    assert program.persons_of(bob) == {at_a, at_b}
    events = program.ask("GET", f"/identities/{bob}/events")
    assert events[0]["made_by"] == "token till admin" and events[0]["reason"] == "no, him"
    program.ask("POST", f"/persons/{chain.persons['Alice', 'Hang Bai']}/unlink", 400)


def test_two_identities_are_merged_and_it_is_undone(program: Program) -> None:
    chain = program.office.chain
    bob, alice = chain.people["Bob"], chain.people["Alice"]
    event = program.ask("POST", f"/identities/{bob}/merge", taken_id=alice, reason="twins?")["event_id"]
    assert len(program.persons_of(bob)) == 3
    assert program.ask("GET", f"/identities/{alice}")["merged_into"] == bob
    program.ask("POST", f"/identities/{bob}/merge", 400, taken_id=alice)
    program.ask("POST", f"/events/{event}/undo")
    assert len(program.persons_of(bob)) == 2 and len(program.persons_of(alice)) == 1
    program.ask("POST", f"/events/{event}/undo", 400)


def test_what_is_known_of_somebody_is_changed_bit_by_bit(program: Program) -> None:
    bob = program.office.chain.people["Bob"]
    program.ask("PATCH", f"/identities/{bob}", vip=True)
    program.ask("PATCH", f"/identities/{bob}", name="Robert Trần", watchlist=True)
    found = program.ask("GET", f"/identities/{bob}")
    assert (found["name"], found["vip"], found["watchlist"], found["role"]) == ("Robert Trần", True, True, "customer")
    program.ask("PATCH", f"/identities/{bob}", name="", vip=False, role="staff")
    found = program.ask("GET", f"/identities/{bob}")
    assert (found["name"], found["vip"], found["watchlist"], found["role"]) == ("", False, True, "staff")
    for wrong in ({"role": "opted_out"}, {"name": "x" * 81}, {"vip": "yes"}, {"name": 7}):
        program.ask("PATCH", f"/identities/{bob}", 400, **wrong)


@pytest.mark.parametrize("decision", ["same", "different"])
def test_a_case_is_answered_once(program: Program, decision: str) -> None:
    chain, case = program.office.chain, str(uuid_utils.uuid7())
    person, bob = chain.persons["Alice", "Hang Bai"], chain.people["Bob"]
    with program.office.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("UPDATE persons SET role = 'customer' WHERE id = %s", (person,))
        tx.execute(
            """INSERT INTO review (tenant_id, id, kind, person_id, identity_id, similarity, bar, made_at)
                VALUES (%s, %s, 'link', %s, %s, .4, .5, %s)""",
            (chain.ours.tenant_id, case, person, bob, NOW),
        )
    assert [found["id"] for found in program.ask("GET", "/review")["items"]] == [case]
    program.ask("POST", f"/review/{case}", 400, decision="perhaps")
    program.ask("POST", f"/review/{case}", decision=decision)
    assert program.ask("GET", "/review")["total"] == 0
    assert (person in program.persons_of(bob)) is (decision == "same")
    program.ask("POST", f"/review/{case}", 404, decision=decision)


def test_who_opts_out_and_in_again_begins_anew(program: Program) -> None:
    bob = program.office.chain.people["Bob"]
    program.ask("POST", f"/identities/{bob}/opt-out", 202, reason="at the counter")
    program.ask("GET", f"/identities/{bob}", 404)
    program.ask("POST", f"/identities/{bob}/opt-in")
    program.ask("POST", f"/identities/{bob}/opt-in", 404)
    (request,) = program.ask("GET", "/erasures")["items"]
    assert request["kind"] == "opt_out" and request["ended_ms"] is not None


def test_ids_of_nobody_and_of_danas_are_not_there(program: Program) -> None:
    chain = program.office.chain
    bob, at_a, danas = chain.people["Bob"], chain.persons["Bob", "Hang Bai"], chain.people["Dana's customer"]
    for other in (danas, str(uuid_utils.uuid7()), "rubbish"):
        program.ask("POST", f"/identities/{bob}/merge", 404, taken_id=other)
        program.ask("POST", f"/persons/{at_a}/link", 404, identity_id=other)
    for path in (f"/identities/{danas}/erase", f"/identities/{danas}/merge", f"/events/{danas}/undo", f"/review/{danas}"):
        program.ask("POST", path, 404, taken_id=bob, decision="same")
    assert len(program.persons_of(bob)) == 2
