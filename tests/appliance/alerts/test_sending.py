"""Messages through the real plugins to servers of our own, and what is said when they do not arrive."""

from __future__ import annotations

import logging
import socket
from email import message_from_string, policy

import pytest

from appliance.alerts import sending
from appliance.alerts.sending import Sender, plugin_of
from appliance.alerts.targets import Address, Email, Slack, Telegram, Webhook, judged
from appliance.errors import AlertError
from tests.appliance.alerts.receivers import mail_server, web_hook

TOKEN = "123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678"


def why(address: Address) -> str:
    with pytest.raises(AlertError) as caught:
        Sender().send(address, "A title", "A body.")
    return str(caught.value)


def mail(port: int) -> Email:
    return Email(to="mai@example.com", sender="shop@example.com", server="127.0.0.1", port=port, security="none")


def test_a_web_hook_gets_title_and_words_at_exactly_the_address_that_was_entered() -> None:
    with web_hook() as hook:
        Sender().send(
            Webhook(url=f"http://127.0.0.1:{hook.port}/a%20b/Token?key=s%2Fx&empty="), "Bến Thành: a VIP", "She came in today 14:27."
        )
    assert hook.paths == ["/a%20b/Token?key=s%2Fx&empty="]
    assert (hook.came[0]["title"], hook.came[0]["message"]) == ("Bến Thành: a VIP", "She came in today 14:27.")


def test_a_letter_arrives_with_its_words_in_any_language() -> None:
    with mail_server() as post:
        Sender().send(mail(post.port), "Bến Thành: một VIP", "Bà Mai đã đến lúc 14:27.")
    letter = message_from_string(post.letters[0], policy=policy.default)
    assert letter["subject"] == "Bến Thành: một VIP" and letter.get_content().strip() == "Bà Mai đã đến lúc 14:27."
    assert "mai@example.com" in post.receivers[0]


@pytest.mark.parametrize(("status", "said"), [(404, "no such address"), (403, "did not allow"), (500, "error 500")])
def test_what_a_web_hook_answers_is_said_in_words(status: int, said: str) -> None:
    with web_hook() as hook:
        hook.answers = [status]
        assert said in why(Webhook(url=f"http://127.0.0.1:{hook.port}/secret-path"))


def test_a_web_hook_that_sends_us_elsewhere_is_not_followed() -> None:
    with web_hook() as hook:
        hook.answers = [302]
        assert "not followed" in why(Webhook(url=f"http://127.0.0.1:{hook.port}/x"))
        assert hook.paths == ["/x"]


def test_nobody_listening_is_said_to_refuse_the_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "refused the connection" in why(Webhook(url=f"http://127.0.0.1:{port}/secret-path"))
    assert "refused the connection" in why(mail(port))


def test_a_receiver_whom_the_mail_server_does_not_know_is_a_refusal() -> None:
    with mail_server() as post:
        post.refuses = True
        assert why(mail(post.port)) == "It refused the message or the receiver."


def test_nothing_of_an_address_reaches_the_log_or_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with web_hook() as hook, caplog.at_level(logging.DEBUG):
        hook.answers = [500]
        said = why(Webhook(url=f"http://127.0.0.1:{hook.port}/services/s3cretpath?key=s3cretkey"))
    assert "s3cret" not in said + caplog.text


def test_slack_and_telegram_are_asked_at_their_own_address_and_nowhere_else() -> None:
    slack = plugin_of(Slack(url="https://hooks.slack.com/services/T0AAA/B0BBB/abcDEF123"))
    assert (slack.token_a, slack.token_b, slack.token_c) == ("T0AAA", "B0BBB", "abcDEF123") and not slack.redirects
    telegram = plugin_of(Telegram(token=TOKEN, chat="-1001234567890"))
    assert len(telegram.targets) == 1 and not telegram.detect_owner and not telegram.redirects


def test_slack_and_telegram_say_what_they_were_told_to_say() -> None:
    with web_hook() as hook:

        def here(address: Address) -> object:
            plugin = plugin_of(address)
            plugin.webhook_url = plugin.notify_url = f"http://127.0.0.1:{hook.port}/"
            return plugin

        Sender(here).send(Telegram(token=TOKEN, chat="-1001234567890"), "A title", "A body.")
    assert "A body." in hook.came[0]["text"] and hook.paths == [f"/{TOKEN}/sendMessage"]


def test_a_place_that_never_answers_is_given_up_and_does_not_pile_up_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SEND_S_MAX", 0.05)
    import threading

    with web_hook() as hook:
        hook.hangs = threading.Event()
        sender = Sender()
        address = Webhook(url=f"http://127.0.0.1:{hook.port}/x")
        for _ in range(sending.STUCK_MAX):
            with pytest.raises(AlertError, match="no answer within"):
                sender.send(address, "t", "b")
        with pytest.raises(AlertError, match="still hang"):
            sender.send(address, "t", "b")


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"kind": "webhook", "url": "ftp://example.com/x"}, "url"),
        ({"kind": "webhook", "url": "https://exa mple.com/x"}, "url"),
        ({"kind": "webhook", "url": "https://example.com:99999/x"}, "url"),
        ({"kind": "email", "to": "nobody", "server": "smtp.example.com"}, "to"),
        ({"kind": "email", "to": "a@example.com\r\nBcc: b@example.com", "server": "smtp.example.com"}, "to"),
        ({"kind": "email", "to": "a@example.com", "server": "smtp.example.com:none"}, "server"),
        ({"kind": "email", "to": "a@example.com", "server": "smtp.example.com", "user": "a"}, "user"),
        ({"kind": "email", "to": "a@example.com", "server": "s", "user": "a", "password": "b", "security": "none"}, "user"),
        ({"kind": "slack", "slack_url": "https://hooks.slack.com.example.com/services/T/B/x"}, "slack_url"),
        ({"kind": "telegram", "token": "x", "chat": "1"}, "token"),
        ({"kind": "telegram", "token": TOKEN, "chat": "me"}, "chat"),
    ],
)
def test_what_cannot_be_an_address_is_refused_at_its_field(written: dict[str, str], field: str) -> None:
    entry = judged({"name": "Office", **written})
    assert field in entry.wrong and entry.address is None


def test_an_address_is_shown_without_what_opens_it() -> None:
    written = {"name": "Office", "kind": "webhook", "url": "https://user:pw@example.com/services/s3cret?key=s3cret"}
    address = judged(written).address
    assert address is not None and address.shown == "https://example.com/…"
    assert "mai" not in mail(25).shown and "1234567" not in Telegram(token=TOKEN, chat="-1001234567890").shown
