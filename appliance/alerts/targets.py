"""Where alerts may go: the table `alert_targets`. What it takes to reach a place is a credential: sealed as soon as it is entered, and
shown again only as far as is needed to tell one place from another.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import uuid_utils

from appliance.database import Store
from appliance.errors import AlertError
from ui.words import gettext as _

NAME_MAX, ADDRESS_MAX = 40, 1000
TARGETS_MAX = 20
"""A chain has a handful; each alert may go to all of them."""
EMAIL = re.compile(r"[^\s@<>,;\"\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
SLACK = re.compile(r"https://hooks\.slack\.com/services/([A-Z0-9]+)/([A-Z0-9]+)/([A-Za-z0-9]+)")
TELEGRAM = re.compile(r"\d{5,}:[A-Za-z0-9_-]{20,}")
CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}")
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Email(msgspec.Struct, frozen=True, kw_only=True, tag="email"):
    """`security`: starttls, tls or none."""

    to: str
    sender: str
    server: str
    port: int
    security: str
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        name, _at, domain = self.to.partition("@")
        return f"{name[:1]}…@{domain}"


class Webhook(msgspec.Struct, frozen=True, kw_only=True, tag="webhook"):
    url: str

    @property
    def shown(self) -> str:
        """Without path and query: they often are the password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}/…"


class Slack(msgspec.Struct, frozen=True, kw_only=True, tag="slack"):
    url: str

    @property
    def shown(self) -> str:
        return f"hooks.slack.com/…{self.url[-3:]}"


class Telegram(msgspec.Struct, frozen=True, kw_only=True, tag="telegram"):
    token: str
    chat: str

    @property
    def shown(self) -> str:
        return f"…{self.chat[-3:]}"


Address = Email | Webhook | Slack | Telegram
KINDS = ("email", "webhook", "slack", "telegram")


@dataclass(frozen=True, slots=True)
class Target:
    """As it may be shown. `with_names`: messages to it may say who came."""

    id: str
    name: str
    kind: str
    shown: str
    with_names: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A form that was filled in. `wrong`: field to what is wrong with it, in words; `address` is None while there is any."""

    kind: str
    name: str
    with_names: bool
    address: Address | None
    wrong: dict[str, str]


def list_targets(connection: sqlite3.Connection) -> list[Target]:
    rows = connection.execute("SELECT id, name, kind, address_shown, with_names FROM alert_targets ORDER BY created_ms, id").fetchall()
    return [Target(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


def add(store: Store, entry: Entry, now_ms: int) -> str:
    """Its id. In the caller's transaction, or one of its own. Raises AlertError."""
    assert entry.address is not None
    there = list_targets(store.db.conn)
    if any(one.name.casefold() == entry.name.casefold() for one in there):
        raise AlertError(_("There is a place of that name already. Choose another name, or remove that one first."))
    if len(there) >= TARGETS_MAX:
        raise AlertError(_("There are %(n)s places already; remove one first.") % {"n": TARGETS_MAX})
    target_id = str(uuid_utils.uuid7())
    sealed = store.vault.seal(msgspec.json.encode(entry.address), table="alert_targets", column="address", row=target_id)
    with store.writing() as db:
        row = [target_id, entry.name, entry.kind, sealed, entry.address.shown, entry.with_names, now_ms]
        db.execute("INSERT INTO alert_targets VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return target_id


def remove(store: Store, target_id: str) -> None:
    """Nothing is sent there any more, what waits included. Harmless when it is gone."""
    with store.writing() as db:
        db.execute("DELETE FROM alert_targets WHERE id = ?", [target_id])


def address_of(store: Store, target_id: str) -> Address | None:
    """None: it was removed. Raises CannotOpen."""
    row = store.db.execute("SELECT address_sealed FROM alert_targets WHERE id = ?", [target_id]).fetchone()
    if row is None:
        return None
    opened = store.vault.unseal(row[0], table="alert_targets", column="address", row=target_id)
    found: Address = msgspec.json.decode(opened, type=Address)
    return found


def judged(written: Mapping[str, str]) -> Entry:
    kind, name = written.get("kind", ""), " ".join(written.get("name", "").split())
    wrong: dict[str, str] = {}
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        wrong["name"] = _("Give the place a name of 1 to %(n)s characters, such as Office.") % {"n": NAME_MAX}
    given = {field: value.strip() for field, value in written.items()}
    if any(len(value) > ADDRESS_MAX for value in given.values()):
        raise AlertError(_("That is longer than any address."))
    if kind not in KINDS:
        raise AlertError(_("There is no such way to send."))
    address = {"email": _email, "webhook": _webhook, "slack": _slack, "telegram": _telegram}[kind](given, wrong)
    return Entry(kind, name, written.get("with_names") == "yes", None if wrong else address, wrong)


def _email(given: Mapping[str, str], wrong: dict[str, str]) -> Address:
    to, server, security = given.get("to", ""), given.get("server", ""), given.get("security", "starttls")
    sender = given.get("sender", "") or to
    if not EMAIL.fullmatch(to):
        wrong["to"] = _("That is no e-mail address. One looks like mai@example.com.")
    if not EMAIL.fullmatch(sender):
        wrong["sender"] = _("That is no e-mail address. Leave it empty to send from the same address.")
    host, _colon, port = server.partition(":")
    security = security if security in PORTS else "starttls"
    if not HOST.fullmatch(host) or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)):
        wrong["server"] = _("Name the mail server, as in smtp.example.com or smtp.example.com:587.")
        port = ""
    user, password = given.get("user", ""), given.get("password", "")
    if bool(user) != bool(password):
        wrong["user"] = _("Give both, user and password, or neither.")
    elif user and security == "none":
        wrong["user"] = _("A password is not sent in the clear: choose a secured connection.")
    return Email(to=to, sender=sender, server=host, port=int(port or PORTS[security]), security=security, user=user, password=password)


def _webhook(given: Mapping[str, str], wrong: dict[str, str]) -> Address:
    url = given.get("url", "")
    try:
        parts = urlsplit(url)
        # `port` is read for the error that it raises.
        good = parts.scheme in ("http", "https") and bool(HOST.fullmatch(parts.hostname or "")) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or not url.isascii() or re.search(r"\s", url):
        wrong["url"] = _("That is no web address. One looks like https://example.com/hook.")
    return Webhook(url=url)


def _slack(given: Mapping[str, str], wrong: dict[str, str]) -> Address:
    if not SLACK.fullmatch(given.get("slack_url", "")):
        wrong["slack_url"] = _("Slack gives the address under Incoming Webhooks: https://hooks.slack.com/services/T…/B…/…")
    return Slack(url=given.get("slack_url", ""))


def _telegram(given: Mapping[str, str], wrong: dict[str, str]) -> Address:
    if not TELEGRAM.fullmatch(given.get("token", "")):
        wrong["token"] = _("The token that @BotFather gives looks like 123456789:AbC….")
    if not CHAT.fullmatch(given.get("chat", "")):
        wrong["chat"] = _("Give the chat's number, such as -1001234567890, or the channel's @name.")
    return Telegram(token=given.get("token", ""), chat=given.get("chat", ""))
