"""Messages over a real port: what a line does to them, in words, and within a time that is bounded."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.errors import LineError
from appliance.line.carrying import PAIR, Carrier
from sync import keys, pairing
from sync.messages import PairRequest
from tests.appliance.line.headquarters import Headquarters
from tests.appliance.line.served import served
from tests.appliance.stores import NOON


def a_message(hub: Headquarters) -> bytes:
    request = PairRequest(
        code_id=hub.code.code_id, keys=keys.make().public, name="n", time_zone="UTC", version="1", sent_ms=NOON, nonce=bytes(16)
    )
    return pairing.request_message(request, pairing.proof_key(hub.code))


def carried(url: str, hub: Headquarters, ca_file: Path | None = None, flight_s: float = 10.0) -> bytes:
    carrier = Carrier(url, ca_file=ca_file, flight_s=flight_s)
    try:
        return carrier.carry(PAIR, a_message(hub))
    finally:
        carrier.close()


def test_a_message_goes_there_and_its_answer_comes_back() -> None:
    hub = Headquarters()
    with served(hub) as url:
        assert len(carried(url, hub)) > 100 and hub.asked == [PAIR]


def test_an_answer_that_comes_in_drops_is_given_up_in_time() -> None:
    hub = Headquarters()
    with served(hub, drops_s=0.05) as url:
        began = time.monotonic()
        with pytest.raises(LineError, match="does not answer in time"):
            carried(url, hub, flight_s=0.6)
        assert time.monotonic() - began < 3


def test_a_line_that_breaks_or_that_nobody_is_at_is_words() -> None:
    hub = Headquarters()
    with served(hub, cut=True) as url, pytest.raises(LineError, match="broke off in the middle"):
        carried(url, hub)
    with pytest.raises(LineError, match=r"127\.0\.0\.1 cannot be reached"):
        carried(url, hub)
    with pytest.raises(LineError, match=r"cannot be found|cannot be reached"):
        carried("https://there-is-no-such-name.invalid", hub)


def test_a_headquarters_without_tls_is_not_called_one_with_a_bad_certificate() -> None:
    hub = Headquarters()
    with served(hub) as url, pytest.raises(LineError, match="speaks no TLS there, only plain http: write http://"):
        carried(url.replace("http://", "https://"), hub)


def certified(folder: Path, name: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A server's context under an authority of its own, and that authority's file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a hub")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return context, certificate


def test_a_certificate_is_trusted_only_if_somebody_known_made_it_for_this_name(tmp_path: Path) -> None:
    hub = Headquarters()
    right, authority = certified(tmp_path)
    with served(hub, tls=right) as url:
        with pytest.raises(LineError, match="cannot be trusted"):
            carried(url, hub)
        assert carried(url, hub, ca_file=authority)
    wrong, other = certified(tmp_path, "127.0.0.2")
    with served(hub, tls=wrong) as url, pytest.raises(LineError, match="cannot be trusted"):
        carried(url, hub, ca_file=other)


def test_a_file_that_holds_no_certificates_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    for name in ("none.pem", "missing.pem"):
        with pytest.raises(LineError, match=r"headquarters.ca_file: .*pem holds no certificates"):
            Carrier("https://hub.test", ca_file=tmp_path / name)
