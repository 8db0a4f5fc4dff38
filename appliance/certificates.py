"""The certificate of the store's page in the shop's network: a root of this store's own, and under it one for the names and addresses of
this computer. The root is what other devices are told to trust.

The root may speak for names of private networks and this computer alone, and says so itself: whoever stole its key could not pretend to be
a bank. Its key is kept sealed; that of the page lies in a file that only its owner may read, because the TLS library reads files.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import CertificateError
from appliance.files import make_folder, write_whole
from appliance.vault import Vault

FOLDER = "certificate"
ROOT_FOR = timedelta(days=3650)
PAGE_FOR = timedelta(days=397)
"""Browsers take no certificate that holds longer."""
RENEWED_BEFORE = timedelta(days=180)
"""It is looked at when the program starts, and daily: a store runs for years."""
WARNED_BEFORE = timedelta(days=21)
"""One that somebody brought is not renewed here: they are told, and have as long to get another."""
CLOCKS_APART = timedelta(days=1)
PRIVATE_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
PRIVATE_NETWORKS = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10")
ALWAYS = ("localhost", "127.0.0.1", "::1")

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Certificate:
    """`chain`, `key`: PEM files for the server. `root`: PEM to download, empty for the shop's own certificate. `fingerprint`: SHA-256 of
    what is to be compared before it is trusted, that of the root or else of the certificate. `ends`: when browsers take the page's own
    no more."""

    chain: Path
    key: Path
    root: bytes
    fingerprint: str
    ends: datetime


def of_our_own(folder: Path, vault: Vault, names: Sequence[str], now: datetime) -> Certificate:
    """Made at the first call, and anew when names change or it is half over. `folder`: the data folder. Raises StoreError, VaultError."""
    place = folder / FOLDER
    make_folder(place)
    chain, key, root_file = place / "page.pem", place / "page.key", place / "root.pem"
    wanted = sorted({*ALWAYS, *names})
    root, root_key = _root(place, vault, wanted, now)
    if not _holds(chain, key, root, wanted, now):
        made, made_key = _page_certificate(root, root_key, wanted, now)
        write_whole(key, _private(made_key))
        write_whole(chain, _pem(made) + _pem(root))
    ends = x509.load_pem_x509_certificates(chain.read_bytes())[0].not_valid_after_utc
    return Certificate(chain, key, root_file.read_bytes(), fingerprint(root), ends)


def of_the_shop(chain: Path, key: Path) -> Certificate:
    """A certificate that somebody brought. Raises CertificateError."""
    try:
        found = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    except FileNotFoundError as error:
        raise CertificateError(f"There is no file {error.filename}: see web.certificate_file and web.key_file in the settings.") from None
    except (OSError, ValueError, TypeError, IndexError) as error:
        said = f"{chain} and {key} are no certificate and key in PEM that can be read without a password: {error}."
        raise CertificateError(said) from None
    public = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if loaded.public_key().public_bytes(*public) != found.public_key().public_bytes(*public):
        raise CertificateError(f"{key} is not the key of the certificate {chain}.")
    return Certificate(chain, key, b"", fingerprint(found), found.not_valid_after_utc)


def fingerprint(certificate: x509.Certificate) -> str:
    """As browsers show it: A1:B2:…"""
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def _root(place: Path, vault: Vault, names: Sequence[str], now: datetime) -> tuple[x509.Certificate, Key]:
    """The one there is if it may speak for all the names and holds for long enough; else a new one."""
    file, key_file = place / "root.pem", place / "root.key.sealed"
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
        sealed = key_file.read_bytes()
    except (FileNotFoundError, ValueError):
        found = None
    if found and found.not_valid_after_utc > now + PAGE_FOR and all(_may_speak_for(found, name) for name in names):
        key = serialization.load_pem_private_key(vault.unseal(sealed, table="certificate", column="root", row="key"), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    mark = hashlib.sha256(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Regulars of this store {mark.hexdigest()[:8]}")])
    permitted = [_general(name) for name in PRIVATE_NAMES] + [x509.IPAddress(ipaddress.ip_network(net)) for net in PRIVATE_NETWORKS]
    permitted += [_subtree(name) for name in names if name not in PRIVATE_NAMES]
    made = (
        _begun(subject, subject, key.public_key(), now, ROOT_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_whole(key_file, vault.seal(_private(key), table="certificate", column="root", row="key"))
    write_whole(file, _pem(made))
    return made, key


def _page_certificate(root: x509.Certificate, root_key: Key, names: Sequence[str], now: datetime) -> tuple[x509.Certificate, Key]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Regulars")])
    made = (
        _begun(subject, root.subject, key.public_key(), now, PAGE_FOR)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return made, key


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, long: timedelta
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC).replace(microsecond=0) - CLOCKS_APART
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + long)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _holds(chain: Path, key: Path, root: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        found.verify_directly_issued_by(root)
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # whatever is wrong with it, a new one is made
        return False
    same = {_general(name) for name in names} == set(alternative)
    return same and key.exists() and found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEWED_BEFORE


def _may_speak_for(root: x509.Certificate, name: str) -> bool:
    permitted = root.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    if (address := _address(name)) is not None:
        networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
        return any(address in net for net in networks if isinstance(net, ipaddress.IPv4Network | ipaddress.IPv6Network))
    names = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    return any(name == each or name.endswith(f".{each}") for each in names)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _subtree(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(ipaddress.ip_network(address))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
