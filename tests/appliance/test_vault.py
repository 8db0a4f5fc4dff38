"""Sealing at rest: what opens, what must not, and where the key comes from."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.data_key import Keychain, KeyFile
from appliance.errors import CannotOpen, KeyUnavailable, VaultError
from appliance.vault import Vault

KEY = bytes(range(32))
PLACE = {"table": "persons", "column": "name_sealed", "row": "0193"}
# Made once with another implementation of the laws in appliance/vault.py and sync/at_rest.py (HKDF by hand with hmac, AES-GCM from
# OpenSSL's EVP).
VECTOR = "016465666768696a6b6c6d6e6ff0441bb1a924e08136215b3bb2b419622488ca"
SECURITY = """#!/bin/sh
# Stands in for macOS's security: keeps one item in a file, notes every argument it was started with.
here="$(dirname "$0")"
echo "$@" >> "$here/arguments"
[ -e "$here/locked" ] && exit 51
[ -e "$here/asks" ] && sleep 30
case "$1" in
-i) read -r line; echo "${line##* }" > "$here/item" ;;
find-generic-password) [ -e "$here/item" ] || exit 44; cat "$here/item" ;;
esac
"""


def test_what_was_sealed_opens_in_its_place() -> None:
    vault = Vault(KEY)
    sealed = vault.seal("Bình".encode(), **PLACE)
    assert "Bình".encode() not in sealed
    assert vault.unseal(sealed, **PLACE) == "Bình".encode()
    assert vault.seal(b"", **PLACE) != vault.seal(b"", **PLACE)


def test_a_value_sealed_long_ago_still_opens() -> None:
    assert Vault(KEY).unseal(bytes.fromhex(VECTOR), **PLACE) == b"Bob"


@pytest.mark.parametrize(
    "moved", [{"row": "0194"}, {"column": "phone_sealed"}, {"table": "visits"}, {"table": "person", "column": "sname_sealed"}]
)
def test_a_value_moved_to_another_place_does_not_open(moved: dict[str, str]) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(b"Bob", **PLACE)
    with pytest.raises(CannotOpen, match="moved from another row") as caught:
        vault.unseal(sealed, **{**PLACE, **moved})
    assert "Bob" not in str(caught.value)


def test_every_changed_bit_and_every_cut_is_noticed() -> None:
    vault = Vault(KEY)
    sealed = vault.seal(b"Bob", **PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(CannotOpen, match=r"persons\.name_sealed of row 0193"):
            vault.unseal(bytes(changed), **PLACE)
        with pytest.raises(CannotOpen):
            vault.unseal(sealed[:at], **PLACE)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(CannotOpen):
        Vault(bytes(32)).unseal(Vault(KEY).seal(b"Bob", **PLACE), **PLACE)
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")


def test_a_lookup_is_the_same_for_the_same_value_purpose_and_key_alone() -> None:
    vault = Vault(KEY)
    assert vault.lookup("+84901234567", purpose="phone") == Vault(KEY).lookup("+84901234567", purpose="phone")
    others = {
        vault.lookup("+84901234567", purpose="email"),
        vault.lookup("+84901234568", purpose="phone"),
        Vault(bytes(32)).lookup("+84901234567", purpose="phone"),
    }
    assert len(others | {vault.lookup("+84901234567", purpose="phone")}) == 4


def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path, KeyFile(tmp_path)).seal(b"Bob", **PLACE)
    assert stat.S_IMODE((tmp_path / "data.key").stat().st_mode) == 0o600
    assert Vault.open(tmp_path, KeyFile(tmp_path)).unseal(sealed, **PLACE) == b"Bob"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.key", "vault.json"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Vault.open(tmp_path, KeyFile(tmp_path))
    (tmp_path / "data.key").chmod(0o640)
    with pytest.raises(KeyUnavailable, match=r"mode 0640.*chmod 600"):
        Vault.open(tmp_path, KeyFile(tmp_path))


def test_a_start_cut_off_after_the_key_was_made_keeps_that_key(tmp_path: Path) -> None:
    Vault.open(tmp_path, KeyFile(tmp_path))
    key = (tmp_path / "data.key").read_text()
    (tmp_path / "vault.json").unlink()
    Vault.open(tmp_path, KeyFile(tmp_path))
    assert (tmp_path / "data.key").read_text() == key


@pytest.mark.parametrize("spoil", ["gone", "another", "rubbish", "note", "both"])
def test_a_lost_or_wrong_key_is_said_and_never_replaced(tmp_path: Path, spoil: str) -> None:
    Vault.open(tmp_path, KeyFile(tmp_path))
    key = tmp_path / "data.key"
    if spoil == "gone":
        key.unlink()
    elif spoil == "both":
        key.unlink()
        (tmp_path / "vault.json").unlink()
        (tmp_path / "regulars.db").write_bytes(b"SQLite format 3")
    elif spoil == "another":
        key.write_text("00" * 32)
    elif spoil == "rubbish":
        key.write_text("hello")
    else:
        (tmp_path / "vault.json").write_text("{")
    before = sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir())
    with pytest.raises(VaultError) as caught:
        Vault.open(tmp_path, KeyFile(tmp_path))
    assert "00000000" not in str(caught.value)
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir()) == before


def keychain(folder: Path) -> Keychain:
    program = folder / "security"
    program.write_text(SECURITY)
    program.chmod(0o700)
    return Keychain(program, timeout_s=1.0)


def test_the_keychain_keeps_the_key_and_no_argument_shows_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    keeper = keychain(tmp_path)
    sealed = Vault.open(data, keeper).seal(b"Bob", **PLACE)
    assert Vault.open(data, keeper).unseal(sealed, **PLACE) == b"Bob"
    key = (tmp_path / "item").read_text().strip()
    assert len(key) == 64 and key not in (tmp_path / "arguments").read_text()
    assert [p.name for p in data.iterdir()] == ["vault.json"]


def test_a_locked_keychain_is_an_error_and_no_reason_for_a_new_key(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    keeper = keychain(tmp_path)
    (tmp_path / "locked").touch()
    with pytest.raises(KeyUnavailable, match="security ended with 51"):
        Vault.open(data, keeper)
    assert not (tmp_path / "item").exists() and not any(data.iterdir())


def test_a_keychain_that_asks_for_a_password_is_given_up(tmp_path: Path) -> None:
    keeper = keychain(tmp_path)
    (tmp_path / "asks").touch()
    with pytest.raises(KeyUnavailable, match="did not answer within 1 s"):
        keeper.get("somebody")


def test_a_folder_from_a_mac_says_that_its_key_stayed_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Vault.open(data, keychain(tmp_path))
    with pytest.raises(KeyUnavailable, match="kept in the macOS keychain of the computer it was made on"):
        Vault.open(data, KeyFile(data))
