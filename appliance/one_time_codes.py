"""One-time codes besides the password: six digits from an app on a telephone (TOTP, RFC 6238), and ten recovery codes for when it is lost.

A code holds for its half minute and the one before and after it, and each once: whoever looks over a shoulder cannot use it again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import pyotp
import segno

from appliance import audit
from appliance.audit import THIS_COMPUTER
from appliance.database import Store
from appliance.errors import AccountError
from ui.words import gettext as _

STEP_MS = 30_000
STEPS_AROUND = 1
"""A telephone's clock is a few seconds off, and typing takes time."""
RECOVERY_CODES = 10
RECOVERY_CHARACTERS = 10
"""Fifty bits: guessing is slowed besides."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011")
SECRET = re.compile(r"[A-Z2-7]{32}")
ISSUER = "Regulars"


def new_secret() -> str:
    return pyotp.random_base32()


def address(secret: str, name: str, site_name: str) -> str:
    """What the app reads out of the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name} ({site_name})", issuer_name=ISSUER)


def picture(words: str) -> str:
    """A QR code as a data address for an image: black on white with its margin, whatever colours the page has."""
    return segno.make(words, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")


def step_of(secret: str, code: str, used_step: int, now_ms: int) -> int | None:
    """The half minute whose code it is, if that is near and later than `used_step`."""
    digits = re.sub(r"\s", "", code)
    now_step, totp = now_ms // STEP_MS, pyotp.TOTP(secret)
    for step in range(now_step - STEPS_AROUND, now_step + STEPS_AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode("utf-8", "surrogatepass")) and step > used_step:
            return step
    return None


def turn_on(store: Store, user_id: str, secret: str, code: str, now_ms: int, *, who: str = THIS_COMPUTER) -> list[str]:
    """The recovery codes, which are shown this once. `code`: shows that the telephone has the secret. Raises AccountError."""
    step = step_of(secret, code, 0, now_ms) if SECRET.fullmatch(secret) else None
    if step is None:
        raise AccountError(_("That is not the code that the app shows now. Type the newest one; the telephone's clock must be right."))
    sealed = store.vault.seal(secret.encode(), table="users", column="code", row=user_id)
    with store.transaction() as db:
        if not db.execute("UPDATE users SET code_sealed = ?, code_step = ? WHERE id = ?", [sealed, step, user_id]).rowcount:
            raise AccountError(_("This account is not there any more."))
        audit.note(store, "codes_on", user_id, now_ms, who=who)
        return _new_recovery_codes(store, user_id)


def turn_off(store: Store, user_id: str, now_ms: int, *, who: str = THIS_COMPUTER) -> None:
    """Twice is harmless."""
    with store.transaction() as db:
        db.execute("UPDATE users SET code_sealed = NULL, code_step = 0 WHERE id = ?", [user_id])
        db.execute("DELETE FROM recovery_codes WHERE user_id = ?", [user_id])
        audit.note(store, "codes_off", user_id, now_ms, who=who)


def asked_of(store: Store, user_id: str) -> bool:
    row = store.db.execute("SELECT code_sealed IS NOT NULL FROM users WHERE id = ?", [user_id]).fetchone()
    return bool(row and row[0])


def passes(store: Store, user_id: str, code: str, now_ms: int) -> bool:
    """Whether the code is one of the app's or a recovery code; it holds no second time."""
    code_hash = _recovery_hash(user_id, code)
    with store.transaction() as db:
        row = db.execute("SELECT code_sealed, code_step FROM users WHERE id = ?", [user_id]).fetchone()
        if row is None or row[0] is None:
            return False
        secret = store.vault.unseal(row[0], table="users", column="code", row=user_id).decode()
        if (step := step_of(secret, code, row[1], now_ms)) is not None:
            db.execute("UPDATE users SET code_step = ? WHERE id = ?", [step, user_id])
            return True
        found = db.execute("DELETE FROM recovery_codes WHERE user_id = ? AND code_hash = ?", [user_id, code_hash])
        return bool(found.rowcount)


def recovery_left(store: Store, user_id: str) -> int:
    return int(store.db.execute("SELECT count(*) FROM recovery_codes WHERE user_id = ?", [user_id]).fetchone()[0])


def _new_recovery_codes(store: Store, user_id: str) -> list[str]:
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_CHARACTERS)) for _ in range(RECOVERY_CODES)]
    store.db.execute("DELETE FROM recovery_codes WHERE user_id = ?", [user_id])
    for code in codes:
        store.db.execute("INSERT INTO recovery_codes VALUES (?, ?)", [user_id, _recovery_hash(user_id, code)])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _recovery_hash(user_id: str, code: str) -> bytes:
    """(32,) A code is random, so that one plain hash is enough; however it is typed."""
    plain = re.sub(r"[\s-]", "", code).upper().translate(MISREAD)
    return hashlib.sha256(f"regulars/v1/recovery:{user_id}:{plain}".encode("utf-8", "surrogatepass")).digest()
