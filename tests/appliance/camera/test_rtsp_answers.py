"""What the check of an RTSP address says of servers that misbehave: real sockets that answer with given bytes."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.camera.address import Address, parsed
from appliance.camera.rtsp import ANSWER_BYTES_MAX, ANSWER_S_MAX, CONNECT_S_MAX, Cause, described, sign_in_proof

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0"


@contextmanager
def server(*answers: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """One connection; each request gets the next answer. None: says nothing. b"": hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        wire, _ = listening.accept()
        with wire:
            wire.settimeout(10)
            for answer in answers:
                asked.append(wire.recv(65536))
                if answer is None:
                    wire.recv(1)  # Until the other side gives up.
                    return
                wire.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield listening.getsockname()[1], asked
    thread.join(5)


@pytest.mark.parametrize(
    ("answers", "cause", "words"),
    [
        ((OK,), None, ""),
        ((b"RTSP/1.0 404 Not Found\r\n\r\n",), Cause.NOT_FOUND, "path"),
        ((b"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",), Cause.SIGN_IN, "wants a user name and a password"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Cause.NOT_RTSP, "not as an RTSP camera"),
        ((b"\x00\xff\x13garbage",), Cause.NOT_RTSP, "not as an RTSP camera"),
        ((b"RTSP/1.0 many\r\n\r\n",), Cause.NOT_RTSP, "not as an RTSP camera"),
        ((b"RTSP/1.0 " + b"x" * ANSWER_BYTES_MAX * 2,), Cause.NOT_RTSP, "not as an RTSP camera"),
        ((b"RTSP/1.0 503 Busy\r\n\r\n",), Cause.OTHER, "503"),
        ((b"",), Cause.MUTE, "closed the connection"),
    ],
)
def test_each_answer_is_named_in_words(answers: tuple[bytes, ...], cause: Cause | None, words: str) -> None:
    with server(*answers) as (port, _):
        finding = described(parsed(f"rtsp://127.0.0.1:{port}/live"))
    assert finding.cause is cause
    assert words in finding.words


def test_a_port_that_accepts_and_says_nothing_costs_a_few_seconds() -> None:
    with server(None) as (port, _):
        began_s = time.monotonic()
        finding = described(parsed(f"rtsp://127.0.0.1:{port}/live"))
    assert finding.cause is Cause.MUTE and "says nothing" in finding.words
    assert time.monotonic() - began_s < CONNECT_S_MAX + ANSWER_S_MAX + 1


def test_a_server_that_drips_bytes_cannot_stretch_the_limit() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        wire, _ = listening.accept()
        with wire:
            for byte in b"RTSP/1.0 200 " + b"O" * 1000:
                if stop.wait(0.2):
                    return
                try:
                    wire.sendall(bytes([byte]))
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    began_s = time.monotonic()
    finding = described(parsed(f"rtsp://127.0.0.1:{listening.getsockname()[1]}/live"))
    took_s = time.monotonic() - began_s
    stop.set()
    thread.join(5)
    listening.close()
    assert finding.cause is Cause.MUTE and took_s < ANSWER_S_MAX + 1


def test_a_refused_port_and_an_unknown_host_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    assert described(parsed(f"rtsp://127.0.0.1:{port}/live")).cause is Cause.REFUSED
    assert described(parsed("rtsp://no-such-camera.invalid/live")).cause is Cause.UNKNOWN_HOST


def test_a_wrong_password_is_tried_once_only_and_never_repeated_in_words() -> None:
    refused = b"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n"
    with server(refused, refused, OK) as (port, asked):
        finding = described(parsed(f"rtsp://admin:s3cret@127.0.0.1:{port}/live"))
    assert finding.cause is Cause.SIGN_IN and "wrong" in finding.words and "s3cret" not in finding.words
    assert sum(b"Authorization:" in one for one in asked) == 1
    assert b"s3cret" not in b"".join(asked)


def address() -> Address:
    return parsed("rtsp://Mufasa:Circle of Life@camera:554/x")


def test_a_digest_proof_is_what_rfc_7616_says() -> None:
    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    challenge = 'Digest realm="shop", nonce="n1", qop="auth,auth-int", algorithm=SHA-256, opaque="o"'
    proof = sign_in_proof([("www-authenticate", challenge)], address(), cnonce="c1")
    secret, wanted = digest("Mufasa:shop:Circle of Life"), digest("DESCRIBE:rtsp://camera:554/x")
    assert f'response="{digest(f"{secret}:n1:00000001:c1:auth:{wanted}")}"' in proof
    assert 'opaque="o"' in proof and "qop=auth" in proof


def test_the_strongest_offered_way_of_signing_in_is_taken() -> None:
    basic, digest = ("www-authenticate", 'Basic realm="x"'), ("www-authenticate", 'Digest realm="x", nonce="y"')
    unknown = ("www-authenticate", 'Digest realm="x", nonce="y", algorithm=SHA-512')
    assert sign_in_proof([basic, digest], address()).startswith("Digest ")
    assert sign_in_proof([unknown, basic], address()).startswith("Basic ")
    assert sign_in_proof([unknown], address()) == ""
