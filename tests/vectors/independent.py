"""Makes `independent.json`: messages as an implementation would make them that has never seen ours. `python tests/vectors/independent.py`.

Nothing of `sync` is imported, no HPKE, no msgpack library, no zstd: what stands here is written from RFC 9180, RFC 8878, the msgpack
specification and draft-connolly-cfrg-xwing-kem-06, over ML-KEM-768, X25519, AES-GCM and Ed25519 as they are. Each run makes other
ciphertexts (the KEM is random); those in the file are kept, so that what opens today must open for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = Path(__file__).parent
TENANT, DANAS = "01940000-0000-7000-8000-00000000000a", "01940000-0000-7000-8000-00000000000d"
APPLIANCE, ANOTHER = "01940000-0000-7000-8000-0000000000a1", "01940000-0000-7000-8000-0000000000a2"
LINE = "01940000-0000-7000-8000-0000000000f0"
NOW_MS = 1_795_000_000_000
NOT_ANSWERED = b""


# msgpack


def packed(value: object) -> bytes:
    """What these messages need of msgpack: nil, booleans, integers, bytes, text, lists, maps."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int() if value >= 0:
            return _unsigned(value)
        case float():
            return b"\xcb" + struct.pack(">d", value)
        case bytes():
            return _sized(len(value), {0xC4: 1, 0xC5: 2, 0xC6: 4}) + value
        case str():
            encoded = value.encode()
            if len(encoded) < 32:
                return bytes([0xA0 | len(encoded)]) + encoded
            return _sized(len(encoded), {0xD9: 1, 0xDA: 2, 0xDB: 4}) + encoded
        case list():
            head = bytes([0x90 | len(value)]) if len(value) < 16 else _sized(len(value), {0xDC: 2, 0xDD: 4})
            return head + b"".join(packed(item) for item in value)
        case dict():
            assert len(value) < 16
            return bytes([0x80 | len(value)]) + b"".join(packed(key) + packed(item) for key, item in value.items())
    raise AssertionError(value)


def _unsigned(value: int) -> bytes:
    return bytes([value]) if value < 128 else _sized(value, {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8})


def _sized(size: int, heads: dict[int, int]) -> bytes:
    head, width = next((head, width) for head, width in heads.items() if size < 1 << (8 * width))
    return bytes([head]) + size.to_bytes(width, "big")


# zstd


def stored(data: bytes, said: int | None = None) -> bytes:
    """A frame of one raw block, not compressed. `said`: the size it claims to become."""
    size = len(data) if said is None else said
    frame = b"\x28\xb5\x2f\xfd" + bytes([0b1010_0000]) + size.to_bytes(4, "little")
    return frame + (1 | len(data) << 3).to_bytes(3, "little") + data


# HPKE


def xwing_keys(secret: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(secret).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def xwing_public(secret: bytes) -> bytes:
    mlkem, x25519 = xwing_keys(secret)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def encapsulated(secret: bytes) -> tuple[bytes, bytes]:
    """A shared secret and what carries it, for the owner of `secret`."""
    mlkem, x25519 = xwing_keys(secret)
    shared_m, carried_m = mlkem.public_key().encapsulate()
    once = X25519PrivateKey.generate()
    shared_x, carried_x = once.exchange(x25519.public_key()), once.public_key().public_bytes_raw()
    label = bytes.fromhex("5c2e2f2f5e5c")
    shared = hashlib.sha3_256(shared_m + shared_x + carried_x + x25519.public_key().public_bytes_raw() + label).digest()
    return shared, carried_m + carried_x


def hpke(plaintext: bytes, secret: bytes, info: bytes) -> bytes:
    """RFC 9180, base mode, one message, no additional data."""
    suite = b"HPKE" + bytes.fromhex("647a00010002")

    def extract(salt: bytes, label: bytes, said: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + said, "sha256")

    def expand(key: bytes, label: bytes, said: bytes, length: int) -> bytes:
        return hmac.digest(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + said + b"\x01", "sha256")[:length]

    shared, carried = encapsulated(secret)
    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    root = extract(shared, b"secret", b"")
    key, nonce = expand(root, b"key", context, 32), expand(root, b"base_nonce", context, 12)
    return carried + AESGCM(key).encrypt(nonce, plaintext, b"")


# Regulars


class End:
    """One end of the line, of two secrets."""

    def __init__(self, byte: int) -> None:
        self.seal, self.sign = bytes([byte]) * 32, bytes([byte + 1]) * 32
        self.stored = b"\x01" + self.seal + self.sign
        self.key = Ed25519PrivateKey.from_private_bytes(self.sign)
        self.seal_public, self.sign_public = xwing_public(self.seal), self.key.public_key().public_bytes_raw()

    def signature(self, label: bytes, *parts: bytes) -> bytes:
        digest = hashlib.sha512(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
        return self.key.sign(label + b"\x00" + digest)


HUB, STORE, STRANGER = End(0x21), End(0x31), End(0x41)


def key_id(public: bytes) -> str:
    return hashlib.sha256(b"regulars/v1/key-id\x00" + public).hexdigest()[:32]


def header(kind: str = "push", *, first: int = 1, last: int = 0, to: End = HUB, by: End = STORE, **other: object) -> bytes:
    values = {"version": 1, "tenant": TENANT, "appliance": APPLIANCE, "line": LINE, "answers": NOT_ANSWERED, **other}
    whose = [values["tenant"], values["appliance"], values["line"]]
    keys = [key_id(to.seal_public), key_id(by.sign_public)]
    return packed([values["version"], kind, *whose, first, last, *keys, NOW_MS, values["answers"]])


def message(head: bytes, frame: bytes, *, to: End = HUB, by: End = STORE, sealed_beside: bytes | None = None, cut: int = 0) -> bytes:
    ciphertext = hpke(frame, to.seal, b"regulars/v1/sealed" + (head if sealed_beside is None else sealed_beside))
    ciphertext = ciphertext[: len(ciphertext) - cut]
    return packed([head, ciphertext, by.signature(b"regulars/v1/message", head, ciphertext)])


def push(payloads: list[bytes], *more: object) -> bytes:
    """A body of a push: records as they are, no status, no keys. An empty payload is a placeholder. `more`: further fields."""
    what = bytes(1 if payload else 0 for payload in payloads)
    head = [what, [], 0, [], [payload for payload in payloads if payload], b""]
    records = packed([1, stored(packed(head)), stored(b""), stored(b""), b""]) if payloads else b""
    return packed([records, 0, 7, 200, NOW_MS, *more])


def gone(number: int) -> bytes:
    return packed({"type": "visit_gone", "id": f"01940000-0000-7000-8000-{number:012x}"})


def refusal(by: End, answers: bytes, code: str = "busy") -> bytes:
    said = packed([code, "Try again.", NOW_MS, 30, key_id(by.sign_public), answers])
    return packed([said, by.signature(b"regulars/v1/refusal", said)])


def vectors() -> list[dict[str, object]]:
    """name, message, and either what it opens to or the error that refuses it."""
    made: list[dict[str, object]] = []

    def add(name: str, said: bytes, **expected: object) -> None:
        made.append({"name": name, "message": said.hex(), **expected})

    empty = stored(push([]))
    three = stored(push([gone(1), b"", gone(3)]))
    records = [gone(1).hex(), "", gone(3).hex()]
    add("a question without records", message(header(), empty), opens={"cursor": 7, "records": []})
    add("three records, one of them replaced", message(header(first=1, last=3), three), opens={"cursor": 7, "records": records})
    request = hashlib.sha256(bytes.fromhex(str(made[-1]["message"]))).digest()
    add(
        "the next batch, before the one it follows",
        message(header(first=4, last=4), stored(push([gone(4)]))),
        opens={"records": [gone(4).hex()]},
    )
    add(
        "fields that a later version added",
        message(packed_and_more(header()), stored(push([], [], None, "later"))),
        opens={"cursor": 7, "records": []},
    )
    answer_head = header("answer", first=1, last=3, to=STORE, by=HUB, answers=request)
    answer = packed([3, False, [[8, packed({"type": "guest_gone", "identity_id": ANOTHER})]], 8, False, NOW_MS])
    add(
        "an answer with a fact",
        message(answer_head, stored(answer), to=STORE, by=HUB),
        answers=request.hex(),
        opens={"acknowledged": 3, "cursor": 8},
    )
    stale = {"answers": hashlib.sha256(b"another request").hexdigest(), "refused": "AnotherAnswer"}
    add("an answer played again", message(answer_head, stored(answer), to=STORE, by=HUB), **stale)
    good = message(header(first=1, last=3), three)
    add("cut short", good[:-1], refused="Malformed")
    add("cut to its header", good[:40], refused="Malformed")
    add("with something behind it", good + b"\x00", refused="Malformed")
    add("a sealed body cut short by its own sender", message(header(), empty, cut=1), refused="CannotOpen")
    altered = good.replace(header(first=1, last=3), header(first=1, last=4))
    add("a header altered on the way", altered, refused="BadSignature")
    add("one bit of the seal turned", good[:-100] + bytes([good[-100] ^ 1]) + good[-99:], refused="BadSignature")
    moved = message(header(first=9, last=11), three, sealed_beside=header(first=1, last=3))
    add("a sealed body beside another header, signed anew", moved, refused="CannotOpen")
    stolen = message(header(by=STRANGER), empty, by=STRANGER, sealed_beside=header())
    add("somebody else's sealed body under a signature of one's own", stolen, refused="WrongKey")
    add("the same, by a sender that is known too", stolen, refused="CannotOpen", senders="stranger")
    add("signed by another in the sender's name", message(header(), empty, by=STRANGER), refused="BadSignature")
    add("sealed to another key", message(header(to=STRANGER), empty, to=STRANGER), refused="WrongKey")
    add("sealed to another key in the receiver's name", message(header(), empty, to=STRANGER), refused="CannotOpen")
    add("of another tenant", message(header(tenant=DANAS), empty), refused="WrongTenant")
    add("of another appliance", message(header(appliance=ANOTHER), empty), refused="NotForUs")
    add("of another kind", message(header("snapshot"), empty), refused="NotForUs")
    add("of a future version", message(header(version=2), empty), refused="NewerProtocol")
    future = packed([2, {"all": "different"}])
    add("of a future version that looks different", packed([future, b"", b""]), refused="NewerProtocol")
    add("of a version before the first", message(header(version=0), empty), refused="Malformed")
    add("an id in capitals", message(header(tenant=TENANT.upper()), empty), refused="Malformed")
    add("a body that says it becomes a gigabyte", message(header(), stored(push([]), said=1 << 30)), refused="TooLarge")
    add("a body larger than it says", message(header(), stored(push([]), said=3)), refused="Malformed")
    add("a body that is no push", message(header(), stored(packed(["rubbish"]))), refused="Malformed")
    add("a batch that counts wrongly", message(header(first=1, last=2), three), refused="Malformed")
    add("a refusal", refusal(HUB, request), answers=request.hex(), opens={"code": "busy", "retry_s": 30})
    add("a refusal of another request", refusal(HUB, request), **stale)
    add("a refusal by a stranger", refusal(STRANGER, request), answers=request.hex(), refused="WrongKey")
    forged = refusal(HUB, request).replace(b"busy", b"good")
    add("a refusal altered on the way", forged, answers=request.hex(), refused="BadSignature")
    as_message = packed([header(), bytes(2_000), refusal_signature(request)])
    add("the signature of a refusal on a message", as_message, refused="BadSignature")
    return made


def packed_and_more(head: bytes) -> bytes:
    """A header with one more field at its end."""
    assert head[0] == 0x9B
    return b"\x9c" + head[1:] + packed("later")


def refusal_signature(request: bytes) -> bytes:
    return refusal(STORE, request)[-64:]


def pairing() -> dict[str, str]:
    """A pairing with the code 7K2M-QX4D-09WV, both ends from their secrets."""
    key = hashlib.scrypt(b"QX4D09WV", salt=b"regulars/v1/pair-key\x007K2M", n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    said = packed(["7K2M", [STORE.seal_public, STORE.sign_public], "Store A", "Asia/Ho_Chi_Minh", "0.1.0", NOW_MS, bytes(range(16))])
    request = packed([said, hmac.digest(key, b"regulars/v1/pair-request\x00" + said, "sha256")])
    told = packed([TENANT, "Chain", LINE, "Store A", APPLIANCE, [HUB.seal_public, HUB.sign_public], NOW_MS, bytes(16)])
    digest = hashlib.sha256(request).digest()
    answer = packed([told, hmac.digest(key, b"regulars/v1/pair-answer\x00" + digest + told, "sha256")])
    return {"code": "7K2M-QX4D-09WV", "request": request.hex(), "answer": answer.hex()}


def main() -> None:
    ends = {"hub": HUB.stored.hex(), "store": STORE.stored.hex(), "stranger": STRANGER.stored.hex()}
    publics = {name: end.seal_public.hex() + end.sign_public.hex() for name, end in (("hub", HUB), ("store", STORE))}
    written = {"tenant": TENANT, "appliance": APPLIANCE, "keys": ends, "publics": publics, "pairing": pairing(), "vectors": vectors()}
    (HERE / "independent.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
