"""What was told or lent of somebody forgotten: taken back where it stands, or told otherwise."""

from __future__ import annotations

from hub import erasure, facts
from sync.facts import GivenBack, Guest, GuestGone, LentTemplate
from sync.records import decoded, encoded
from tests.hub.chain import NOW, Chain, add_identity
from tests.hub.telling import ADMIN, MODEL, Store, every_fact, new_id, person, stores, template, visit


def lend(chain: Chain, store: Store, identity_id: str, lent: list[LentTemplate]) -> None:
    """As the pass of guests does it."""
    with chain.database.tenant(store.tenant_id) as tx:
        tx.execute(
            "INSERT INTO lent_guests (tenant_id, appliance_id, identity_id, template_ids, digest, told_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [store.tenant_id, store.appliance_id, identity_id, [one.id for one in lent], b"digest", NOW],
        )
        guest = Guest(identity_id=identity_id, role="customer", templates=lent)
        vault = chain.database.vault(tx, store.tenant_id)
        facts.tell(tx, vault, guest, appliance_id=store.appliance_id, subject=identity_id, now=NOW)


def test_what_was_lent_of_somebody_who_turned_out_to_be_forgotten_is_lent_no_more(chain: Chain) -> None:
    a, b, _ = stores(chain)
    alone, together = new_id(), new_id()
    looks = [template(alone, 1), template(together, 2)]
    a.tells(person(alone), person(together), *looks)
    with chain.database.tenant(a.tenant_id) as tx:
        only = add_identity(chain.database, tx, chain.ours, "Eve", "customer", 70)
        for person_id, identity_id in ((alone, only), (together, chain.people["Alice"])):
            tx.execute("UPDATE persons SET identity_id = %s WHERE id = %s", [identity_id, person_id])
    for identity_id, look in zip((only, chain.people["Alice"]), looks, strict=True):
        lend(chain, b, identity_id, [LentTemplate(id=look.id, model=MODEL, embedding=look.embedding)])
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        bob = erasure.erase(tx, vault, chain.people["Bob"], ADMIN, NOW)
        erasure.forget_also(tx, vault, bob, [alone, together], ADMIN, NOW)
        told = every_fact(tx, a, b.appliance_id)
    assert GuestGone(identity_id=only) in told
    assert [one.templates for one in told if isinstance(one, Guest)] == [[]]
    assert a.rows("SELECT identity_id, template_ids, digest FROM lent_guests") == [(chain.people["Alice"], [], b"")]
    assert a.rows("SELECT id FROM identities WHERE id = ANY(%s::uuid[])", [only, chain.people["Alice"]]) == [(chain.people["Alice"],)]


def test_what_is_on_its_way_back_to_a_store_names_nobody_forgotten_even_if_the_rows_no_longer_do(chain: Chain) -> None:
    a, _, _ = stores(chain)
    bob = chain.persons["Bob", chain.site_a.name]
    seen, look = visit(bob), template(bob)
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        given = {f"visit/{seen.id}": seen, f"template/{look.id}": look}
        facts.tell_many(
            tx, vault, [facts.Telling(GivenBack(payload=encoded(one)), a.appliance_id, name) for name, one in given.items()], NOW
        )
        erasure.erase(tx, vault, chain.people["Bob"], ADMIN, NOW)
        told = every_fact(tx, a, a.appliance_id)
    (left,) = [decoded(one.payload) for one in told if isinstance(one, GivenBack)]
    assert (left.id, left.person_id) == (seen.id, "")
