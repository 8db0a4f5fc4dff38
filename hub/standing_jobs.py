"""Which jobs a hub has, and how often. Each is a function of the module that owns the matter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub import audit, bucket_rule, duplicates, forgetting, guests, heartbeats, index_upkeep, partitions, review, snapshots, users
from hub.database import Database
from hub.index import Index
from hub.jobs import DAY_S, HOUR_S, MINUTE_S, Job, Stopping, for_each_tenant
from hub.metrics import Metrics
from hub.model_bars import BarsOf
from hub.snapshot_store import SnapshotStore

FORGETTING = "forgetting"
"""What was asked to be forgotten goes out of index and pictures, with proof."""


def standing_jobs(
    database: Database, index: Index, bars_of: BarsOf, store: SnapshotStore, metrics: Metrics, now: Callable[[], datetime]
) -> list[Job]:
    def of_tenants(name: str, every_s: float, first_after_s: float, work: Callable[[str], object]) -> Job:
        run = for_each_tenant(database, metrics, name, lambda tenant_id, _stopping: void(work(tenant_id)))
        return Job(name, every_s, first_after_s, run)

    def make_partitions(_stopping: Stopping) -> None:
        with database.anyone() as tx:
            partitions.make_ahead(tx, now())

    def purge_sessions(_stopping: Stopping) -> None:
        with database.anyone() as tx:
            users.purge_sessions(tx, now())

    def set_bucket_rule(_stopping: Stopping) -> None:
        if store.bucket is not None:
            bucket_rule.set_rule(store.bucket, snapshots.days_at_least(database), now())

    def notice_offline(tenant_id: str) -> None:
        with database.tenant(tenant_id) as tx:
            for appliance_id in heartbeats.notice_offline(tx, now()):
                audit.note(tx, "headquarters", "appliance went offline", appliance_id, now())

    def close_settled(tenant_id: str) -> None:
        with database.tenant(tenant_id) as tx:
            review.close_settled(tx, now())

    return [
        Job("partitions", DAY_S, 5.0, make_partitions),
        Job("sessions", HOUR_S, 120.0, purge_sessions),
        Job("bucket-rule", DAY_S, 20.0, set_bucket_rule),
        of_tenants("offline", MINUTE_S, MINUTE_S, notice_offline),
        of_tenants(FORGETTING, MINUTE_S, 10.0, lambda tenant_id: forgetting.work_off(database, index, store, tenant_id, now())),
        of_tenants("snapshots", HOUR_S, 300.0, lambda tenant_id: snapshots.expire(database, store, tenant_id, now())),
        of_tenants("tidy", DAY_S, 900.0, lambda tenant_id: forgetting.tidy(database, tenant_id, now())),
        of_tenants("duplicates", DAY_S, 3_600.0, lambda tenant_id: duplicates.find(database, index, bars_of, tenant_id, now())),
        of_tenants("guests", HOUR_S, 240.0, lambda tenant_id: guests.lend(database, tenant_id, now())),
        of_tenants("review", HOUR_S, 360.0, close_settled),
        of_tenants("index", DAY_S, 1_800.0, lambda tenant_id: index_upkeep.verify(database, index, bars_of, tenant_id, mend=True)),
    ]


def void(_answer: object) -> None:
    """For a callback whose answer nobody wants."""
