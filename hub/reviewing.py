"""Somebody answers a question of `hub.review`: the same, or different. Both are remembered."""

from __future__ import annotations

from datetime import datetime

from hub import audit, identities, identity_changes, review
from hub.database import Tx
from hub.identities import persons_of
from hub.vault import Vault

SAME, DIFFERENT = "same", "different"


def answer_same(tx: Tx, vault: Vault, review_id: str, by: str, now: datetime) -> None:
    """Raises NotFound, NotAllowed."""
    identities.hold(tx)
    question = review.get_open(tx, review_id).question
    review.note_decision(tx, review_id, SAME, by, now)
    if question.person_id is not None:
        identity_changes.link(tx, vault, question.person_id, question.identity_id, by, "reviewed: the same", now)
    else:
        assert question.other_identity_id is not None
        identity_changes.merge(tx, vault, question.identity_id, question.other_identity_id, by, "reviewed: the same", now)


def answer_different(tx: Tx, vault: Vault, review_id: str, by: str, now: datetime) -> None:
    """The persons on either side are called apart, so that neither the machine links them nor the question comes back in another form.
    Raises NotFound."""
    identities.hold(tx)
    question = review.get_open(tx, review_id).question
    review.note_decision(tx, review_id, DIFFERENT, by, now)
    some = [question.person_id] if question.person_id else persons_of(tx, question.other_identity_id or "")
    others = [one for one in persons_of(tx, question.identity_id) if one not in some]
    identities.keep_apart(tx, some, others, by, now)
    identity_changes.tell_apart(tx, vault, some, others, now)
    audit.note(tx, by, "called different", review_id, now)
