"""Pictures of visits: in a folder and in a bucket alike, sealed, shown by links that the hub signs, and gone when they must be."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from hub import bucket_rule, erasure, forgetting, receipts, snapshots, tenants
from hub.errors import CannotOpen, ConfigError, NotFound
from hub.moments import from_ms
from hub.snapshot_store import Bucket, SnapshotsAway, SnapshotStore, in_bucket, in_folder, new_key, parse_bucket
from sync import envelope
from sync.messages import Refusal, Snapshot, Taken
from sync.refusals import is_refusal, read_refusal
from tests.hub.chain import NOW, Chain
from tests.hub.exact_index import ExactIndex
from tests.hub.lines import Line, World, make_world
from tests.hub.telling import ADMIN, NOW_MS, new_id, person, visit

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    if request.param == "folder":
        return in_folder(tmp_path / "snapshots")
    return in_bucket(bucket(request.getfixturevalue("s3"), new_id()))


def bucket(s3: str, name: str) -> Bucket:
    httpx.put(f"{s3}/{name}").raise_for_status()
    return parse_bucket(f"s3://{name}/pictures", endpoint=s3, region="us-east-1", access_key_id="id", secret_access_key="secret")


@pytest.fixture
def world(chain: Chain) -> World:
    world = make_world(chain)
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tenants.set_switches(tx, chain.ours.tenant_id, snapshots=True)
    return world


def send(world: World, store: SnapshotStore, line: Line, visit_id: str, jpeg: bytes = JPEG, taken_ms: int = NOW_MS) -> Taken | Refusal:
    message = envelope.sealed_message(
        Snapshot(visit_id=visit_id, taken_ms=taken_ms, jpeg=jpeg, sent_ms=NOW_MS),
        tenant=line.tenant_id,
        appliance=line.appliance_id,
        line=line.line,
        first=1,
        last=0,
        made_ms=NOW_MS,
        answers=b"",
        to=line.hub,
        own=line.own,
    )
    body = snapshots.take(world.deps, store, message, world.now)
    if is_refusal(body):
        return read_refusal(body, answers=envelope.digest(message), senders=[line.hub.sign])
    return envelope.opened_message(
        envelope.read_header(body),
        Taken,
        tenant=line.tenant_id,
        appliance=line.appliance_id,
        answers=envelope.digest(message),
        own=[line.own],
        senders=[line.hub.sign],
    )


def key_of(world: World, visit_id: str) -> str | None:
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        row = tx.execute("SELECT snapshot FROM visits WHERE id = %s", [visit_id]).fetchone()
    assert row is not None
    return row[0] if row[0] is None else str(row[0])


def every_key(store: SnapshotStore) -> list[str]:
    return [one["path"] for page in obstore.list(store.objects) for one in page]


def test_a_picture_is_kept_sealed_and_seen_by_a_signed_link(world: World, store: SnapshotStore) -> None:
    seen = visit()
    world.a.tells(seen)
    assert send(world, store, world.a, seen.id) == Taken(visit_id=seen.id, wanted=True, now_ms=NOW_MS)
    (key,) = every_key(store)
    assert key_of(world, seen.id) == key
    assert JPEG[:64] not in bytes(obstore.get(store.objects, key).bytes())
    link = snapshots.signed_link(world.deps.database, world.a.tenant_id, seen.id, NOW)
    assert snapshots.follow(world.deps.database, store, link, lambda tenant: tenant == world.a.tenant_id, NOW) == JPEG


def test_a_link_holds_for_minutes_for_one_visit_and_for_those_who_may_see_it(world: World, store: SnapshotStore) -> None:
    seen, other = visit(), visit()
    world.a.tells(seen, other)
    send(world, store, world.a, seen.id)
    database = world.deps.database
    link = snapshots.signed_link(database, world.a.tenant_id, seen.id, NOW)
    said, _, mark = link.rpartition(".")
    bad = [
        "", "x", link + "0", link[:-1], f"{said.replace(seen.id, other.id)}.{mark}", f"{said}9.{mark}", said, f"..{mark}", "é.é.é.é",
    ]  # fmt: skip
    for one in bad:
        with pytest.raises(NotFound):
            snapshots.follow(database, store, one, lambda _tenant: True, NOW)
    with pytest.raises(NotFound):
        snapshots.follow(database, store, link, lambda tenant: tenant == world.danas.tenant_id, NOW)
    with pytest.raises(NotFound):
        snapshots.follow(database, store, link, lambda _tenant: True, NOW + snapshots.LINK_FOR + timedelta(seconds=1))
    foreign = snapshots.signed_link(database, world.danas.tenant_id, seen.id, NOW)
    with pytest.raises(NotFound):
        snapshots.follow(database, store, foreign, lambda _tenant: True, NOW)


def test_the_same_picture_again_is_kept_once_and_a_better_one_takes_its_place(world: World, store: SnapshotStore) -> None:
    seen = visit()
    world.a.tells(seen)
    send(world, store, world.a, seen.id)
    first = key_of(world, seen.id)
    send(world, store, world.a, seen.id)
    assert every_key(store) == [first]
    send(world, store, world.a, seen.id, JPEG + b"better", NOW_MS + 1000)
    assert len(every_key(store)) == 2
    assert snapshots.delete_doomed(world.deps.database, store, world.a.tenant_id, NOW) == 1
    assert every_key(store) == [key_of(world, seen.id)]


def test_pictures_that_are_not_wanted_are_not_kept(world: World, store: SnapshotStore) -> None:
    seen, danas = visit(), visit()
    world.a.tells(seen)
    world.danas.tells(danas)
    answer = send(world, store, world.danas, danas.id)
    assert isinstance(answer, Taken) and not answer.wanted
    for line, visit_id, jpeg in (
        (world.a, seen.id, b"GIF89a"),
        (world.a, new_id(), JPEG),
        (world.b, seen.id, JPEG),
        (world.a, "../x", JPEG),
    ):
        assert isinstance(send(world, store, line, visit_id, jpeg), Taken)
    assert every_key(store) == []


def test_no_stranger_sends_pictures(world: World, store: SnapshotStore) -> None:
    seen = visit()
    world.a.tells(seen)
    stranger = replace(world.b, appliance_id=world.a.appliance_id)
    assert isinstance(send(world, store, stranger, seen.id), Refusal)
    for rubbish in (b"", b"\x93", world.a.message([])):
        assert is_refusal(snapshots.take(world.deps, store, rubbish, NOW))
    assert every_key(store) == []


def test_after_its_days_a_picture_is_gone_and_the_visit_no_longer_names_it(world: World, store: SnapshotStore) -> None:
    old, fresh = visit(), visit()
    world.a.tells(old, fresh)
    days = timedelta(days=31)
    send(world, store, world.a, old.id, taken_ms=NOW_MS - int(days.total_seconds() * 1000))
    send(world, store, world.a, fresh.id)
    assert snapshots.expire(world.deps.database, store, world.a.tenant_id, NOW) == 1
    assert key_of(world, old.id) is None
    assert every_key(store) == [key_of(world, fresh.id)]


def test_an_upload_that_broke_off_and_a_picture_nobody_names_are_deleted(world: World, store: SnapshotStore) -> None:
    seen = visit()
    world.a.tells(seen)
    send(world, store, world.a, seen.id)
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        vault = world.deps.database.vault(tx, world.a.tenant_id)
        broken = new_key(world.a.tenant_id, NOW)
        tx.execute(
            "INSERT INTO doomed_snapshots (tenant_id, key, doomed_at) VALUES (%s, %s, %s)",
            [world.a.tenant_id, broken, NOW + snapshots.UPLOAD_MAX],
        )
    store.put(vault, broken, JPEG)
    unnamed = new_key(world.a.tenant_id, NOW - timedelta(days=40))
    store.put(vault, unnamed, JPEG)
    danas = new_key(world.danas.tenant_id, NOW - timedelta(days=40))
    store.put(vault, danas, JPEG)
    assert snapshots.delete_doomed(world.deps.database, store, world.a.tenant_id, NOW) == 0
    snapshots.expire(world.deps.database, store, world.a.tenant_id, NOW + timedelta(hours=2))
    assert sorted(every_key(store)) == sorted([str(key_of(world, seen.id)), danas])


def test_somebody_forgotten_is_in_no_picture_and_in_no_index_and_that_is_proven(world: World, store: SnapshotStore) -> None:
    bob = new_id()
    seen = visit(bob)
    world.a.tells(person(bob), seen)
    send(world, store, world.a, seen.id)
    index = ExactIndex()
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        (erasure_id,) = erasure.erase_persons(tx, world.deps.database.vault(tx, world.a.tenant_id), [bob], ADMIN, NOW)
    link = snapshots.signed_link(world.deps.database, world.a.tenant_id, seen.id, NOW)
    with pytest.raises(NotFound):
        snapshots.follow(world.deps.database, store, link, lambda _tenant: True, NOW)
    index.away = True
    assert not forgetting.work_off(world.deps.database, index, store, world.a.tenant_id, NOW)
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        assert "index" in [one.place for one in receipts.outstanding(tx)]
    index.away = False
    assert forgetting.work_off(world.deps.database, index, store, world.a.tenant_id, NOW)
    assert every_key(store) == []
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        done = {one.place: one.counts for one in receipts.of_erasure(tx, erasure_id) if one.done_at}
    assert done["snapshots"].snapshots == 1
    assert {"postgres", "index", "snapshots"} == done.keys()
    # A store that has not heard of it sends the picture again.
    assert isinstance(send(world, store, world.a, seen.id, taken_ms=NOW_MS + 5), Taken)
    assert every_key(store) == []


def test_a_picture_moved_to_another_place_does_not_open(world: World, store: SnapshotStore) -> None:
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        vault = world.deps.database.vault(tx, world.a.tenant_id)
    one, other = new_key(world.a.tenant_id, NOW), new_key(world.a.tenant_id, NOW)
    store.put(vault, one, JPEG)
    obstore.put(store.objects, other, bytes(obstore.get(store.objects, one).bytes()))
    assert store.get(vault, one) == JPEG
    with pytest.raises(CannotOpen):
        store.get(vault, other)
    assert store.get(vault, new_key(world.a.tenant_id, NOW)) is None


def test_a_bucket_that_is_away_delays_pictures_and_loses_none(world: World) -> None:
    seen = visit()
    world.a.tells(seen)
    away = in_bucket(parse_bucket("s3://b", endpoint="http://127.0.0.1:9", region="us-east-1", access_key_id="i", secret_access_key="s"))
    options = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1", "access_key_id": "i", "secret_access_key": "s"}
    patient = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
    fast = replace(away, objects=S3Store("b", client_options={"allow_http": True}, retry_config=patient, **options))  # type: ignore[arg-type]
    answer = send(world, fast, world.a, seen.id)
    assert isinstance(answer, Refusal) and answer.code == "busy" and answer.retry_s
    with pytest.raises(SnapshotsAway):
        fast.ping()


def test_the_bucket_gets_our_rule_and_keeps_its_others(s3: str) -> None:
    made = bucket(s3, new_id())
    rule = (
        "<Rule><ID>theirs</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>"
    )
    theirs = f'<LifecycleConfiguration xmlns="{bucket_rule.SPACE}">{rule}</LifecycleConfiguration>'
    httpx.put(f"{s3}/{made.name}?lifecycle", content=theirs).raise_for_status()
    for days in (32, 62):
        assert bucket_rule.set_rule(made, days, NOW)
    told = httpx.get(f"{s3}/{made.name}?lifecycle").text
    assert told.count("<Rule>") == 2
    assert "theirs" in told and "<Days>62</Days>" in told and "<Days>32</Days>" not in told
    assert "<Prefix>pictures/</Prefix>" in told


def test_our_signature_is_the_one_that_amazon_computes() -> None:
    # The example "GET Object" of AWS's own page on Signature Version 4 for S3.
    headers = {
        "host": "examplebucket.s3.amazonaws.com",
        "range": "bytes=0-9",
        "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date": "20130524T000000Z",
    }
    at = from_ms(1_369_353_600_000)
    keys = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    made = bucket_rule.signature("GET", "/test.txt", "", headers, *keys, "us-east-1", at)
    assert made.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


@pytest.mark.parametrize("url", ["", "s3://", "http://bucket", "s3://b?x=1", "s3://user@b", "bucket"])
def test_a_bucket_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(ConfigError, match="s3://"):
        parse_bucket(url)
