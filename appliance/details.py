"""What somebody entered about a person: the table `details`, and the name in `persons`. All words are sealed; a phone number or an e-mail
address is found again by a keyed hash alone. What is written by hand is judged here, with words for who wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

import msgspec

from appliance import persons
from appliance.database import Store
from ui.words import gettext as _

NAME_MAX, NOTES_MAX, EMAIL_MAX = 80, 2_000, 254
PHONE_DIGITS = (5, 15)
"""E.164 has at most 15; inner lines have few."""
EARLIEST_BIRTH = date(1900, 1, 1)
GENDERS = ("", "female", "male", "other")
PHONE = re.compile(r"\+?[\d ()./-]+")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows: one left open in a name would turn the rest of a line. Names in Arabic need none."""
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


class Words(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed together. `birth_date`: YYYY-MM-DD. Empty: not known."""

    gender: str = ""
    birth_date: str = ""
    phone: str = ""
    email: str = ""
    notes: str = ""


class Details(msgspec.Struct, frozen=True, kw_only=True):
    words: Words = Words()
    vip: bool = False
    watchlist: bool = False


NONE = Details()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was filled in. `wrong`: field to what is wrong with it, in words; nothing is to be saved while there is any."""

    name: str
    details: Details
    wrong: dict[str, str]


def of(store: Store, person_id: str) -> Details:
    """`NONE` where nothing was entered."""
    row = store.db.execute("SELECT words_sealed, vip, watchlist FROM details WHERE person_id = ?", [person_id]).fetchone()
    if row is None:
        return NONE
    plain = store.vault.unseal(row[0], table="details", column="words", row=person_id)
    return Details(words=msgspec.msgpack.decode(plain, type=Words), vip=bool(row[1]), watchlist=bool(row[2]))


def put(store: Store, person_id: str, details: Details, now_ms: int) -> None:
    """In the caller's transaction. Nothing entered is no row."""
    if details == NONE:
        store.db.execute("DELETE FROM details WHERE person_id = ?", [person_id])
        return
    words, vault = details.words, store.vault
    sealed = vault.seal(msgspec.msgpack.encode(words), table="details", column="words", row=person_id)
    store.db.execute(
        "INSERT OR REPLACE INTO details VALUES (?, ?, ?, ?, ?, ?, ?)",
        [person_id, sealed, phone_key(store, words.phone), email_key(store, words.email), details.vip, details.watchlist, now_ms],
    )


def name_of(store: Store, person_id: str) -> str:
    """The name this store gave; empty for who has only a number. Raises LookupError."""
    row = store.db.execute("SELECT name_sealed FROM persons WHERE id = ?", [person_id]).fetchone()
    if row is None:
        raise LookupError(f"there is no person {person_id}")
    return store.vault.unseal(row[0], table="persons", column="name", row=person_id).decode() if row[0] else ""


def rename(store: Store, person_id: str, name: str, now_ms: int) -> None:
    """In the caller's transaction, with the record of it where the name is another."""
    if name == name_of(store, person_id):
        return
    sealed = store.vault.seal(name.encode(), table="persons", column="name", row=person_id) if name else None
    store.db.execute("UPDATE persons SET name_sealed = ? WHERE id = ?", [sealed, person_id])
    persons.tell(store, person_id, now_ms)


def entry_of(store: Store, person_id: str) -> Entry:
    """What stands of a person, as a form has it. Raises LookupError."""
    return Entry(name=name_of(store, person_id), details=of(store, person_id), wrong={})


def as_form(entry: Entry) -> dict[str, str]:
    """The fields of the form, as `judged` reads them."""
    flags = {flag: "yes" if getattr(entry.details, flag) else "" for flag in ("vip", "watchlist")}
    return {"name": entry.name, **msgspec.structs.asdict(entry.details.words), **flags}


def from_form(fields: Mapping[str, str]) -> Entry:
    """Fields that were judged or stored before."""
    words = Words(**{name: fields[name] for name in Words.__struct_fields__})
    marked = {flag: fields[flag] == "yes" for flag in ("vip", "watchlist")}
    return Entry(name=fields["name"], details=Details(words=words, **marked), wrong={})


def together(keep: Details, taken: Details) -> Details:
    """Of two who are one: what stands with who stays, and from the other what is missing there."""
    filled = {f: getattr(keep.words, f) or getattr(taken.words, f) for f in Words.__struct_fields__}
    return Details(words=Words(**filled), vip=keep.vip or taken.vip, watchlist=keep.watchlist or taken.watchlist)


def apart_again(now: Details, keep: Details, taken: Details) -> Details:
    """What stays with who was kept when the two are taken apart: what came from the other goes, unless it was changed since."""
    both = together(keep, taken)

    def own(field: str) -> str:
        stands: str = getattr(now.words, field)
        before: str = getattr(keep.words, field)
        return before if stands == getattr(both.words, field) else stands

    words = Words(**{f: own(f) for f in Words.__struct_fields__})
    return Details(
        words=words,
        vip=keep.vip if now.vip == both.vip else now.vip,
        watchlist=keep.watchlist if now.watchlist == both.watchlist else now.watchlist,
    )


def phone_key(store: Store, written: str) -> bytes | None:
    """However it is spaced. None for nothing written."""
    digits = re.sub(r"\D", "", written)
    if not digits:
        return None
    plus = written.strip().startswith(("+", "00"))
    return store.vault.lookup(("+" if plus else "") + (digits.lstrip("0") if plus else digits), purpose="phone")


def email_key(store: Store, written: str) -> bytes | None:
    return store.vault.lookup(written.strip().casefold(), purpose="email") if written.strip() else None


def judged(written: Mapping[str, str], today: date) -> Entry:
    """A form's fields as they came: what is meant, and what is wrong with it."""
    name, wrong = _line(written.get("name", "")), {}
    given = {field: _line(written.get(field, "")) for field in ("gender", "birth_date", "phone", "email")}
    notes = written.get("notes", "").replace("\r\n", "\n").strip()
    if len(name) > NAME_MAX:
        wrong["name"] = _("A name has at most %(n)s characters; this has %(has)s.") % {"n": NAME_MAX, "has": len(name)}
    if given["gender"] not in GENDERS:
        wrong["gender"] = _("Choose one of the list, or leave it open.")
    if given["birth_date"] and (said := _birth(given["birth_date"], today)):
        wrong["birth_date"] = said
    if given["phone"] and not _is_phone(given["phone"]):
        wrong["phone"] = _("A phone number is %(least)s to %(most)s digits, with spaces, brackets, dashes or a + if you like.") % {
            "least": PHONE_DIGITS[0],
            "most": PHONE_DIGITS[1],
        }
    if given["email"] and not (EMAIL.fullmatch(given["email"]) and len(given["email"]) <= EMAIL_MAX):
        wrong["email"] = _("That is no e-mail address. One looks like mai@example.com.")
    if len(notes) > NOTES_MAX or any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in notes):
        wrong["notes"] = _("Notes have at most %(n)s characters; these have %(has)s.") % {"n": NOTES_MAX, "has": len(notes)}
    marked = {flag: written.get(flag, "") == "yes" for flag in ("vip", "watchlist")}
    return Entry(name=name, details=Details(words=Words(**given, notes=notes), **marked), wrong=wrong)


def _line(written: str) -> str:
    """One line of text: as it was meant, without what cannot be seen or turns the words around it."""
    seen = (c if unicodedata.category(c) != "Cc" else " " for c in unicodedata.normalize("NFC", written) if c not in TURNING)
    return " ".join("".join(seen).split())


def _birth(written: str, today: date) -> str:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return _("A date of birth is written like 1990-05-21.")
    if not EARLIEST_BIRTH <= day <= today:
        return _("A date of birth lies between 1900 and today.")
    return ""


def _is_phone(written: str) -> bool:
    digits = sum(c.isdigit() for c in written)
    return bool(PHONE.fullmatch(written)) and written.isascii() and PHONE_DIGITS[0] <= digits <= PHONE_DIGITS[1]
