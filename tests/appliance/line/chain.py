"""What headquarters would say, for tests of the store's side: lent templates, pages of facts, a pairing."""

from __future__ import annotations

from collections.abc import Sequence

import uuid_utils

from appliance.line import applying, link
from appliance.line.applying import Applied
from models.faces import Floats
from sync import facts, keys
from sync.facts import Fact, Guest, LentTemplate
from sync.messages import PairAnswer
from sync.records import halved
from tests.appliance.stores import NOON
from tests.appliance.visitors import MODEL, Shop

HUB_KEYS = keys.make()
OTHER_STORE = "Riverside"


def an_id() -> str:
    return str(uuid_utils.uuid7())


TENANT, SITE, APPLIANCE = an_id(), an_id(), an_id()


def lent(*looks: Floats, model: str = MODEL) -> list[LentTemplate]:
    return [LentTemplate(id=an_id(), model=model, embedding=halved(look)) for look in looks]


def guest(identity_id: str, *looks: Floats, role: str = "customer", name: str = "Grace") -> Guest:
    return Guest(identity_id=identity_id, role=role, name=name, also_at=[OTHER_STORE], templates=lent(*looks))


def told(shop: Shop, *page: Fact | bytes, cursor: int = 0, now_ms: int = NOON) -> Applied:
    """A page of facts, applied as the appliance does it."""
    payloads = [(i + 1, fact if isinstance(fact, bytes) else facts.encoded(fact)) for i, fact in enumerate(page)]
    applied = applying.apply_page(shop.store, payloads, cursor or len(payloads), now_ms)
    shop.recognition.renew(applied.keys)
    shop.recognition.check()
    return applied


def pair(shop: Shop, url: str = "https://hub.test", tenant_id: str = TENANT, appliance_id: str = APPLIANCE) -> keys.OwnKeys:
    own = keys.make()
    answer = PairAnswer(
        tenant_id=tenant_id,
        tenant_name="Corner Shops",
        site_id=SITE,
        site_name="Harbour",
        appliance_id=appliance_id,
        keys=HUB_KEYS.public,
        now_ms=NOON,
        nonce=bytes(16),
    )
    link.begin(shop.store, url, answer, own, NOON)
    return own


def table(shop: Shop, query: str, *values: object) -> Sequence[tuple[object, ...]]:
    return [tuple(row) for row in shop.store.db.execute(query, list(values)).fetchall()]
