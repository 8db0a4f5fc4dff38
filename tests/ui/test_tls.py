"""The page's server with TLS of its own, and behind a proxy whose word it takes or does not take."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from litestar import Litestar, Request, get

from ui.guard import Place, guarded
from ui.server import CannotServe, Outside, serve


@get("/who", sync_to_thread=False)
def who(request: Request) -> str:  # type: ignore[type-arg]
    return f"{request.client.host if request.client else ''} {request.scope['scheme']}"


def certificate(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paths[1].write_bytes(key.private_bytes(*private))
    return paths


def app(place: Place) -> Litestar:
    made = Litestar([who], openapi_config=None)
    made.asgi_handler = guarded(made.asgi_handler, place)
    return made


def test_a_page_speaks_tls_with_the_certificate_it_was_given(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    running = serve(app(Place()), "127.0.0.1", 0, outside=Outside(cert, key))
    try:
        assert running.address.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(verify=trusting) as client:
            assert client.get(f"https://localhost:{running.port}/who").text == "127.0.0.1 https"
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"https://localhost:{running.port}/who")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{running.port}/who")
    finally:
        running.stop()


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    cert, key = certificate(tmp_path)
    if content is None:
        cert.unlink()
    else:
        cert.write_bytes(content)
    with pytest.raises(CannotServe, match=r"certificate .*cert\.pem cannot be used"):
        serve(app(Place()), "127.0.0.1", 0, outside=Outside(cert, key))


@pytest.mark.parametrize(
    ("proxies", "said"), [((), "127.0.0.1 http"), (("127.0.0.1",), "203.0.113.9 https"), (("10.0.0.0/8",), "127.0.0.1 http")]
)
def test_only_a_named_proxy_is_believed_who_is_asking(proxies: tuple[str, ...], said: str) -> None:
    running = serve(app(Place("https://hub.example.com")), "127.0.0.1", 0, outside=Outside(proxies=proxies))
    try:
        forwarded = {"host": "hub.example.com", "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
        answer = httpx.get(f"{running.address}/who", headers=forwarded)
        assert answer.text == said
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    finally:
        running.stop()
