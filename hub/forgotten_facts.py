"""What was told to the stores of somebody forgotten and need not be told any more, or must be told otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from hub import facts
from hub.batch import persons_named
from hub.database import Tx
from hub.facts import Telling
from hub.vault import Vault
from sync.facts import GivenBack, Guest, GuestGone
from sync.records import VisitRecord, decoded, encoded


def take_back(tx: Tx, vault: Vault, person_ids: Sequence[str], reason: str) -> None:
    """What names these persons. A visit on its way back to its store is given back without the person, for this `reason`."""
    facts.withdraw(tx, ["person_known", "person_unknown"], person_ids)
    tx.execute(
        """DELETE FROM facts WHERE kind = 'apart'
            AND (split_part(subject, '/', 1) = ANY(%(ids)s) OR split_part(subject, '/', 2) = ANY(%(ids)s))""",
        {"ids": list(person_ids)},
    )
    _take_back_given(tx, vault, set(person_ids), reason)


def _take_back_given(tx: Tx, vault: Vault, person_ids: set[str], reason: str) -> None:
    """Each is opened: what is given back may be older than our rows, and name a person that the rows no longer do."""
    facts.drop_taken(tx)
    gone = []
    for sequence, sealed in tx.execute("SELECT sequence, payload_sealed FROM facts WHERE kind = 'given_back'").fetchall():
        fact = facts.opened(vault, sequence, sealed)
        assert isinstance(fact, GivenBack)
        record = decoded(fact.payload)
        if person_ids.isdisjoint(persons_named(record)):
            continue
        if isinstance(record, VisitRecord):
            blank = replace(record, person_id="", reason=reason, similarity=None, bar=None)
            facts.rewrite(tx, vault, sequence, GivenBack(payload=encoded(blank)))
        else:
            gone.append(sequence)
    tx.execute("DELETE FROM facts WHERE sequence = ANY(%s)", [gone])


def lend_no_more(tx: Tx, vault: Vault, forgotten: Sequence[str], left: Sequence[str], template_ids: Sequence[str], now: datetime) -> None:
    """`forgotten`: identities that the stores are told to forget. `left`: others with no person any more, which the stores give back.
    Of those that still have some, these templates are taken out of what is told, and the next pass lends others in their place."""
    facts.withdraw(tx, ["guest", "guest_gone"], forgotten)
    tx.execute("DELETE FROM lent_guests WHERE identity_id = ANY(%s::uuid[])", [list(forgotten)])
    lent = tx.execute("DELETE FROM lent_guests WHERE identity_id = ANY(%s::uuid[]) RETURNING appliance_id, identity_id", [list(left)])
    gone = [Telling(GuestGone(identity_id=identity), appliance, identity) for appliance, identity in sorted(lent.fetchall())]
    if gone:
        facts.tell_many(tx, vault, gone, now)
    others = tx.execute(
        "UPDATE lent_guests SET template_ids = '{}', digest = '' WHERE template_ids && %s::uuid[] RETURNING identity_id",
        [list(template_ids)],
    )
    went = set(template_ids)
    for one in facts.held(tx, vault, "guest", sorted({row[0] for row in others.fetchall()})):
        if isinstance(one.fact, Guest):
            kept = [template for template in one.fact.templates if template.id not in went]
            facts.rewrite(tx, vault, one.sequence, replace(one.fact, templates=kept))
