"""Sends one message to one place, within a time limit, and says honestly what came of it. Of apprise only four plain plugins are used, each
with the address that somebody entered: no look-ups, no redirects, nothing stored, nothing logged.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from appliance.alerts.targets import SLACK, Address, Email, Slack, Telegram, Webhook
from appliance.errors import AlertError
from ui.words import gettext as _

CONNECT_S, ANSWER_S = 5.0, 10.0
SEND_S_MAX = 25.0
"""In all, however slowly the other side drips its answer."""
STUCK_MAX = 4
"""Sends that were given up and still hang: more are not begun, or each try would leave a thread behind."""
LINES_MAX, LINE_MAX = 50, 2_000
"""Heard of one send: enough for a reason."""
SERVER_SAID = re.compile(r"error=(\d{3})")
TALKATIVE = ("apprise", "urllib3.connectionpool")
"""Loggers that name the address."""


@dataclass(slots=True)
class Sender:
    """One at a time, for the sending thread."""

    plugin: Callable[[Address], Any] | None = None
    """What makes the plugin of an address; None: the real one."""
    _stuck: list[threading.Thread] = field(default_factory=list)

    def send(self, address: Address, title: str, body: str) -> None:
        """Raises AlertError with why it did not arrive, without a credential."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= STUCK_MAX:
            raise AlertError(_("Earlier messages still hang. It is tried again later."))
        outcome: list[str] = []
        make = self.plugin or plugin_of
        thread = threading.Thread(target=lambda: outcome.append(_tried(make, address, title, body)), name="alert", daemon=True)
        thread.start()
        thread.join(SEND_S_MAX)
        if thread.is_alive():
            self._stuck.append(thread)
            raise AlertError(_("There was no answer within %(n)s seconds.") % {"n": round(SEND_S_MAX)})
        if outcome[0]:
            raise AlertError(outcome[0])


def plugin_of(address: Address) -> Any:
    """An apprise plugin. Imported here: it takes a quarter of a second, and most stores send nothing."""
    from apprise import AppriseAsset, PersistentStoreMode

    asset = AppriseAsset(
        app_id="Regulars", app_desc="Regulars", app_url="", async_mode=False, storage_mode=PersistentStoreMode.MEMORY, http_redirects=False
    )
    limits = {"asset": asset, "cto": CONNECT_S, "rto": ANSWER_S, "redirect": False, "verify": True}
    match address:
        case Email():
            from apprise.plugins.email import NotifyEmail

            return _made(
                NotifyEmail,
                **limits,
                host=address.sender.partition("@")[2],
                smtp_host=address.server,
                port=address.port,
                secure_mode={"starttls": "starttls", "tls": "ssl", "none": "insecure"}[address.security],
                from_addr=f"Regulars <{address.sender}>",
                targets=address.to,
                user=_quoted(address.user) or None,
                password=_quoted(address.password) or None,
                format="text",
            )
        case Webhook():
            from apprise.plugins.custom_json import NotifyJSON

            parts = urlsplit(address.url)
            made = _made(
                NotifyJSON,
                **limits,
                secure=parts.scheme == "https",
                host=parts.hostname,
                port=parts.port,
                user=parts.username,
                password=parts.password,
                params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            )
            # As it was written: apprise takes escapes out.
            made.fullpath = parts.path or "/"
            return made
        case Slack():
            from apprise.plugins.slack import NotifySlack

            found = SLACK.fullmatch(address.url)
            assert found is not None
            return _made(
                NotifySlack, **limits, token_a=found[1], token_b=found[2], token_c=found[3], include_image=False, include_footer=False
            )
        case Telegram():
            from apprise.plugins.telegram import NotifyTelegram

            return _made(NotifyTelegram, **limits, bot_token=address.token, targets=address.chat, detect_owner=False, format="text")


def _made(kind: Any, **options: Any) -> Any:
    """apprise's plugins have no types."""
    return kind(**options)


def _tried(make: Callable[[Address], Any], address: Address, title: str, body: str) -> str:
    """Empty: it arrived. Else why not."""
    said = _Heard()
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    loggers[0].setLevel(logging.DEBUG)
    for logger in loggers:
        logger.addFilter(said)
    try:
        if make(address).notify(title=title, body=body):
            return ""
        return _reason("\n".join(said.lines), address)
    except Exception as error:
        # A foreign error's words may quote the address.
        return _("It could not be sent (%(kind)s).") % {"kind": type(error).__name__}
    finally:
        for logger in loggers:
            logger.removeFilter(said)


class _Heard(logging.Filter):
    """What a plugin says while it sends, on this thread. It goes no further, into no log: only what is recognised in it is said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if len(self.lines) < LINES_MAX:
            self.lines.append(record.getMessage()[:LINE_MAX])
        return False


KNOWN = (
    (r"Name or service not known|nodename nor servname|Temporary failure in name|getaddrinfo|NameResolution",
     _("Its name is not known: is it spelt rightly, and is there a line?")),
    (r"Connection refused", _("It refused the connection: is the port right?")),
    (r"timed out|Timeout", _("It did not answer in time.")),
    (r"CERTIFICATE_VERIFY|certificate", _("Its certificate is not to be trusted.")),
    (r"WRONG_VERSION_NUMBER|SSLError|SSL", _("No secured connection could be made: is the kind of connection right?")),
    (r"\b535\b|authentication|Authentication", _("It did not accept user and password.")),
    (r"Network is unreachable|No route to host", _("There is no line to it.")),
    (r"refused|\b55\d\b", _("It refused the message or the receiver.")),
)  # fmt: skip
STATUS = {
    "400": _("It did not understand the message (400)."),
    "401": _("It did not accept the token or the password (401)."),
    "403": _("It did not allow it (403)."),
    "404": _("There is no such address there (404)."),
    "429": _("It had too many messages (429)."),
}


def _reason(heard: str, address: Address) -> str:
    if isinstance(address, Email):
        heard = heard.replace(address.to, "").replace(address.sender, "")
    elif found := SERVER_SAID.search(heard):
        if "300" <= found[1] < "400":
            return _("It sent us on to another address (%(code)s), which is not followed: enter that one.") % {"code": found[1]}
        return _(STATUS.get(found[1], "")) or _("It answered with the error %(code)s.") % {"code": found[1]}
    for pattern, words in KNOWN:
        if re.search(pattern, heard):
            return _(words)
    return _("It did not take the message, and did not say why.")


def _quoted(text: str) -> str:
    """apprise unquotes what it is given."""
    return quote(text, safe="")
