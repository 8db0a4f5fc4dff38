"""The hub's half of pairing: one-time codes in `pair_codes`, and the appliances that come with one. How both prove it is `sync.pairing`'s.

A code holds for ten minutes, for one appliance and five attempts. The answer is kept, because it may be lost on the way: the same request
again gets the same answer and makes no second appliance.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, count
from zoneinfo import available_timezones

import psycopg
import uuid_utils

from hub import appliances, audit, facts, receipts, sites, switches, tenants
from hub.database import Database, Tx
from hub.errors import DatabaseError, NotFound
from hub.hub_keys import HubKeys
from hub.moments import to_ms
from hub.rates import PAIRINGS, Rates
from hub.sites import Site
from hub.vault import Vault
from sync import pairing
from sync.envelope import DIGEST_BYTES
from sync.errors import BadSignature, SyncError
from sync.messages import PairAnswer
from sync.pairing import NotPaired, ReadRequest

TABLE, COLUMN = "pair_codes", "proof_key_sealed"
OPEN_MAX = 50
"""Codes of one tenant that hold at once."""
KEPT = timedelta(days=1)
"""A code that is over is kept until nobody asks for its answer again."""
TRIES_MAX = 20
"""Two codes with the same open half: one chance in a million for each code that is kept."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeCode:
    """`shown`: for the person who carries it to the store; it is in no table."""

    shown: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A row of `pair_codes`. `answer`: digest of the request that was answered, then the answer."""

    code_id: str
    tenant_id: str
    site_id: str
    proof_key: bytes
    expires_at: datetime
    attempts: int
    appliance_id: str | None
    answer: bytes | None


def make_code(
    database: Database, tenant_id: str, site_id: str, made_by: str, now: datetime, work: int = pairing.SCRYPT_N
) -> MadeCode:
    """Raises NotFound for a site that is not the tenant's, DatabaseError when too many codes are open."""
    for _ in range(TRIES_MAX):
        code = pairing.make_code()
        proof_key = pairing.proof_key(code, work)
        expires_at = now + timedelta(seconds=pairing.CODE_S)
        with database.tenant(tenant_id) as tx:
            sites.get(tx, site_id)
            tx.execute("DELETE FROM pair_codes WHERE expires_at < %s", [now - KEPT])
            count = tx.execute("SELECT count(*) FROM pair_codes WHERE used_at IS NULL AND expires_at > %s", [now]).fetchone()
            if count and count[0] >= OPEN_MAX:
                raise DatabaseError(f"{OPEN_MAX} pairing codes are open already. Use them, or wait ten minutes.")
            sealed = database.master.seal(proof_key, table=TABLE, column=COLUMN, row=code.code_id)
            try:
                with tx.transaction():
                    tx.execute(
                        """INSERT INTO pair_codes (code_id, tenant_id, site_id, proof_key_sealed, made_by, made_at, expires_at)
                            VALUES (%s, %s, %s, %s, %s, %s, %s)""",
                        [code.code_id, tenant_id, site_id, sealed, made_by, now, expires_at],
                    )
            except psycopg.errors.UniqueViolation:
                # Of this or another tenant, which must not be told apart.
                continue
            audit.note(tx, made_by, "pairing code made", site_id, now)
        return MadeCode(code.shown, expires_at)
    raise DatabaseError("No pairing code is free. Wait ten minutes and try again.")


def pair(database: Database, keys: HubKeys, rates: Rates, message: bytes, came_from: str, now: datetime) -> bytes:
    """The answer to a request to pair, or why not. `came_from`: an address, against guessing."""
    if rates.wait_s(PAIRINGS, came_from, now):
        return pairing.not_paired_message(NotPaired.TOO_OFTEN)
    try:
        read = pairing.read_request(message)
        found = _find(database, read.request.code_id)
        if found is None or found.attempts >= pairing.ATTEMPTS_MAX or not _holds(found, read, now):
            return pairing.not_paired_message(NotPaired.WRONG_CODE)
        try:
            pairing.check_request(read, found.proof_key)
        except BadSignature:
            _count_attempt(database, found.code_id)
            return pairing.not_paired_message(NotPaired.WRONG_CODE)
        return _answer(database, keys, found, read, now)
    except SyncError:
        return pairing.not_paired_message(NotPaired.MALFORMED)
    except NotFound:
        return pairing.not_paired_message(NotPaired.WRONG_CODE)
    except DatabaseError as error:
        log.warning("pairing_failed error=%s", type(error).__name__)
        return pairing.not_paired_message(NotPaired.BUSY)


def revoke(tx: Tx, vault: Vault, appliance_id: str, who: str, now: datetime) -> None:
    """Nothing is taken from the appliance any more, and it is told nothing. Raises NotFound."""
    if appliances.get(tx, appliance_id).revoked_at is None:
        appliances.revoke(tx, appliance_id, now)
        facts.prune(tx, now)
        audit.note(tx, who, "appliance revoked", appliance_id, now)


def _find(database: Database, code_id: str) -> Found | None:
    with database.anyone() as tx:
        tx.execute("SELECT set_config('app.pair_code', %s, true)", [code_id])
        row = tx.execute(
            """SELECT code_id, tenant_id, site_id, proof_key_sealed, expires_at, attempts, appliance_id, answer FROM pair_codes
                WHERE code_id = %s""",
            [code_id],
        ).fetchone()
    if row is None:
        return None
    name, tenant_id, site_id, sealed, *rest = row
    return Found(name, tenant_id, site_id, database.master.unseal(sealed, table=TABLE, column=COLUMN, row=name), *rest)


def _holds(found: Found, read: ReadRequest, now: datetime) -> bool:
    """A code that was used holds for the request that used it alone, and that for as long as the row is kept."""
    if found.answer is not None:
        return found.answer.startswith(read.digest)
    return now < found.expires_at


def _count_attempt(database: Database, code_id: str) -> None:
    with database.anyone() as tx:
        tx.execute("SELECT set_config('app.pair_code', %s, true)", [code_id])
        tx.execute("UPDATE pair_codes SET attempts = attempts + 1 WHERE code_id = %s", [code_id])


def _answer(database: Database, keys: HubKeys, found: Found, read: ReadRequest, now: datetime) -> bytes:
    if found.answer is not None:
        return found.answer[DIGEST_BYTES:]
    request = read.request
    pair_of_ours = keys.current(now)
    with database.tenant(found.tenant_id) as tx:
        # Two at once with the same code: the second waits here, and sees that it is used.
        row = tx.execute("SELECT used_at, answer FROM pair_codes WHERE code_id = %s FOR UPDATE", [found.code_id]).fetchone()
        if row is None or row[0] is not None:
            if row is not None and row[1].startswith(read.digest):
                return bytes(row[1][DIGEST_BYTES:])
            return pairing.not_paired_message(NotPaired.WRONG_CODE)
        tenant, site = tenants.get(tx, found.tenant_id), sites.get(tx, found.site_id)
        appliance_id = str(uuid_utils.uuid7())
        tx.execute(
            """INSERT INTO appliances (tenant_id, id, site_id, name, seal_public, sign_public, keys_made_at, paired_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [tenant.tenant_id, appliance_id, site.id, _name(tx, request.name, site), request.keys.seal, request.keys.sign, now, now],
        )
        answer = pairing.answer_message(
            PairAnswer(
                tenant_id=tenant.tenant_id,
                tenant_name=tenant.name,
                site_id=site.id,
                site_name=site.name,
                appliance_id=appliance_id,
                keys=pair_of_ours.public,
                now_ms=to_ms(now),
                nonce=request.nonce,
            ),
            read.digest,
            found.proof_key,
        )
        tx.execute(
            "UPDATE pair_codes SET used_at = %s, appliance_id = %s, answer = %s WHERE code_id = %s",
            [now, appliance_id, read.digest + answer, found.code_id],
        )
        if site.time_zone == "UTC" and request.time_zone in available_timezones():
            tx.execute("UPDATE sites SET time_zone = %s WHERE id = %s", [request.time_zone, site.id])
        receipts.expect_from(tx, appliance_id)
        audit.note(tx, "store", "appliance paired", appliance_id, now)
        told = switches.settings_of(tenant)
        facts.tell(tx, database.vault(tx, tenant.tenant_id), told, appliance_id=None, subject=facts.SETTINGS, now=now)
    return answer


def _name(tx: Tx, said: str, site: Site) -> str:
    """As a page can show it: what the store calls itself, or else its site, and numbered where another is called so."""
    name = "".join(sign for sign in said if sign.isprintable()).strip()[: pairing.NAME_MAX] or site.name
    taken = {row[0] for row in tx.execute("SELECT name FROM appliances").fetchall()}
    return next(one for one in chain([name], (f"{name} {number}" for number in count(2))) if one not in taken)
