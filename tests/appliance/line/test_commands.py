"""The line's commands and what may be done with people, as somebody at the terminal meets them: with an appliance that runs and without."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance import asked, requests
from appliance.line import link
from appliance.main import cli
from sync import keys
from sync.refusals import Code
from tests.appliance.line.chain import HUB_KEYS, pair, table
from tests.appliance.line.headquarters import Headquarters
from tests.appliance.line.served import served
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, DORA, GAP_MS, Shop, a_shop, face


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    made.see(face(BOB), NOON)
    made.see(face(DORA), NOON + DAY_MS)
    yield made
    made.store.close()


def ran(shop: Shop, *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, env={"REGULARS_DATA__FOLDER": str(shop.store.folder)}, input=stdin)


def test_without_a_pairing_the_line_says_how_to_get_one(shop: Shop) -> None:
    said = ran(shop, "sync", "status").output
    assert "not paired" in said and "regulars pair CODE@URL" in said and "Waiting       " in said
    for command in ("now", "rotate-keys"):
        result = ran(shop, "sync", command)
        assert result.exit_code == 1 and "not paired" in result.output
    assert "not paired" in ran(shop, "unpair", "--yes").output


def test_the_line_is_said_in_words_and_for_scripts(shop: Shop) -> None:
    pair(shop)
    said = ran(shop, "sync", "status").output
    assert "Corner Shops, as the store Harbour, at https://hub.test" in said and keys.fingerprint(HUB_KEYS.public) in said
    told = json.loads(ran(shop, "sync", "status", "--json").output)
    assert (told["paired"], told["revoked"], told["contact_ms"]) == (True, False, None)
    assert told["fingerprint"] == keys.fingerprint(HUB_KEYS.public)
    assert told["waiting"] == shop.store.db.execute("SELECT count(*) FROM outbox").fetchone()[0]
    assert ran(shop, "sync", "rotate-keys").exit_code == 0
    assert "new ones are being taken over" in ran(shop, "sync", "status").output
    found = link.read(shop.store)
    assert found and "private" not in ran(shop, "sync", "status").output


@pytest.mark.parametrize("target", ["nonsense", "7K2M-SSSS@https://hub.test", "7K2M-SSSS-TTTT@http://hub.example.com", "7K2M-SSSS-TTTT@"])
def test_what_is_no_code_or_no_address_is_one_sentence(shop: Shop, target: str) -> None:
    result = ran(shop, "pair", target)
    assert result.exit_code == 1 and result.output.startswith("Error: ") and "SSSS" not in result.output
    assert shop.count("link") == 0


def test_a_pairing_is_not_replaced_without_asking(shop: Shop) -> None:
    pair(shop)
    result = ran(shop, "pair", "7K2M-QX4D-09WV@https://127.0.0.1:9", stdin="n\n")
    assert result.exit_code == 1 and "Corner Shops" in result.output and shop.count("link") == 1
    assert ran(shop, "unpair", stdin="n\n").exit_code == 1 and shop.count("link") == 1
    assert ran(shop, "unpair", stdin="y\n").exit_code == 0 and shop.count("link") == 0


def test_a_hub_that_nobody_answers_at_is_one_sentence(shop: Shop) -> None:
    shop.store.close()
    result = ran(shop, "pair", "7K2M-QX4D-09WV@http://127.0.0.1:9")
    assert result.exit_code == 1 and "127.0.0.1 cannot be reached" in result.output


def test_people_are_erased_opted_out_and_merged_while_no_appliance_runs(shop: Shop) -> None:
    shop.store.close()
    assert ran(shop, "people", "erase", "1", stdin="n\n").exit_code == 1
    assert ran(shop, "people", "merge", "1", "Visitor 2", "--yes").exit_code == 0
    assert [row["visit_count"] for row in json.loads(ran(shop, "people", "--json").output)] == [2]
    assert "Opted out" in ran(shop, "people", "opt-out", "visitor 1", stdin="y\n").output
    assert [row["role"] for row in json.loads(ran(shop, "people", "--json").output)] == ["opted_out"]
    assert "Erased" in ran(shop, "people", "erase", "1", "--yes").output
    assert "Nobody yet." in ran(shop, "people").output
    result = ran(shop, "people", "erase", "Bob", "--yes")
    assert result.exit_code == 1 and "nobody of that number or name" in result.output


def test_a_running_appliance_does_it_and_its_gallery_follows(shop: Shop) -> None:
    stop = threading.Event()

    def carry_out(kind: str, subjects: list[str]) -> str:
        words, keys = requests.carry_out(shop.store, kind, subjects, GAP_MS, NOON)
        shop.recognition.renew(keys)
        return words

    def appliance() -> None:
        while not stop.wait(0.05):
            (now_ms,) = shop.store.db.execute("SELECT coalesce(max(made_ms), 0) FROM asked").fetchone()
            asked.answer_all(shop.store, carry_out, now_ms)

    runs = threading.Thread(target=appliance)
    runs.start()
    try:
        assert "Erased" in ran(shop, "people", "erase", "1", "--yes").output
        assert [row[0] for row in table(shop, "SELECT number FROM persons")] == [2]
        shop.recognition.check()
        failed = ran(shop, "people", "merge", "2", "2", "--yes")
        assert failed.exit_code == 1 and "cannot be merged with themselves" in failed.output
    finally:
        stop.set()
        runs.join()


def test_what_nobody_came_to_in_time_is_not_done_later(shop: Shop) -> None:
    number = asked.ask(shop.store, requests.ERASE, ["x"], NOON)
    assert asked.answer_to(shop.store, number, wait_s=0.0) is None
    did: list[str] = []
    assert asked.answer_all(shop.store, lambda kind, _subjects: did.append(kind) or "", NOON + asked.STALE_MS + 1) == 1
    answer = asked.answer_to(shop.store, number, wait_s=0.0)
    assert did == [] and answer and answer.failed
    assert asked.answer_all(shop.store, lambda _kind, _subjects: "", NOON) == 0


def test_an_answer_that_fails_is_words_and_holds_up_no_other(shop: Shop) -> None:
    def do(kind: str, _subjects: list[str]) -> str:
        if kind == "a":
            raise TimeoutError("the reception did not come to it")
        return "done"

    numbers = [asked.ask(shop.store, kind, [], NOON) for kind in ("a", "b")]
    asked.answer_all(shop.store, do, NOON)
    answers = [asked.answer_to(shop.store, number, wait_s=0.0) for number in numbers]
    assert [(a.failed, a.words) for a in answers if a] == [
        (True, "It could not be done: the reception did not come to it."),
        (False, "done"),
    ]


def test_the_list_shows_the_chains_name_where_the_store_has_none(shop: Shop) -> None:
    from sync.facts import PersonKnown
    from tests.appliance.line.chain import an_id, told

    (bob,) = table(shop, "SELECT id FROM persons WHERE number = 1")[0]
    told(shop, PersonKnown(person_id=str(bob), identity_id=an_id(), name="Bob Tran"))
    assert "Bob Tran" in ran(shop, "people").output
    assert ran(shop, "people", "erase", "bob tran", stdin="n\n").output.startswith("Erase Bob Tran?")


def test_a_revoked_store_asks_once_more_when_somebody_wants_it_now(shop: Shop) -> None:
    hub = Headquarters(refuses=Code.REVOKED)
    own = pair(shop)
    hub.own, hub.appliance = HUB_KEYS, own.public
    with served(hub) as url:
        with shop.store.transaction() as db:
            db.execute("UPDATE link SET hub_url = ?", [url])
        shop.store.close()
        for _ in range(2):
            result = ran(shop, "sync", "now", "--seconds", "10")
            assert result.exit_code == 1 and "has revoked this store's computer" in result.output
        assert "revoked: this store works by itself" in ran(shop, "sync", "status").output
        hub.refuses = None
        result = ran(shop, "sync", "now", "--seconds", "10")
        assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Headquarters has everything.")
    assert len(hub.persons()) == 2
