"""Where the data key lives: the macOS keychain, elsewhere the file `data.key` (mode 0600) in the data folder.

`vault.json` in the data folder says where the key is and carries its fingerprint. It is written after the key is safe and is what
makes a lost or wrong key an error instead of a second key under which nothing old would open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from appliance.database_file import NAME
from appliance.errors import DataFolderError, KeyUnavailable
from appliance.files import write_whole

KEY_BYTES = 32
KEY_FILE = "data.key"
VAULT_FILE = "vault.json"
SECURITY = Path("/usr/bin/security")
SERVICE = "regulars data key"
KEYCHAIN_TIMEOUT_S = 20.0
"""The keychain answers in milliseconds unless it waits for somebody to type a password, which nobody will."""
NOT_FOUND = 44
"""Exit status of `security` for errSecItemNotFound; every other failure may mean that the key is there but locked."""


class KeyKeeper(Protocol):
    """Keeps a key under an account name. `get` gives None only when it is certain that there is none."""

    name: str

    def get(self, account: str) -> bytes | None: ...

    def put(self, account: str, key: bytes) -> None: ...


def data_key(folder: Path, keeper: KeyKeeper | None = None) -> bytes:
    """(32,) the key of this data folder, made when the folder is new. Raises KeyUnavailable."""
    noted = _noted(folder / VAULT_FILE)
    keeper = keeper or _usual_keeper(folder, noted)
    if noted is None:
        account = secrets.token_hex(8)
        if (folder / NAME).exists() and keeper.get(account) is None:
            raise KeyUnavailable(
                f"{folder} has a database, but neither {VAULT_FILE} nor a data key it could be opened with. "
                "Put both back, or move the folder aside to start anew."
            )
        # A key without vault.json was made by a start that was cut off in between: it has sealed nothing or is the right one.
        key = keeper.get(account) or _made(keeper, account)
        note = {"account": account, "kept_in": keeper.name, "fingerprint": _fingerprint(key)}
        write_whole(folder / VAULT_FILE, json.dumps(note).encode())
        return key
    if noted["kept_in"] != keeper.name:
        raise KeyUnavailable(
            f"The data key of {folder} is kept in {noted['kept_in']} of the computer it was made on; here it would be in {keeper.name}. "
            "Start Regulars on that computer, or with another data folder."
        )
    found = keeper.get(noted["account"])
    if found is None:
        raise KeyUnavailable(
            f"The data key of {folder} is missing: {_lost(keeper, folder)}. Without it nothing in the folder can be read. "
            "Put the key back, or move the folder aside to start anew."
        )
    if not hmac.compare_digest(_fingerprint(found), noted["fingerprint"]):
        raise KeyUnavailable(f"The data key in {keeper.name} is not the one {folder} was sealed with. Put the right key back.")
    return found


class KeyFile:
    """The key as 64 hexadecimal digits in a file that only its owner may read."""

    name = "a file"

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE

    def get(self, account: str) -> bytes | None:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyUnavailable(f"The data key {self._path} cannot be read: {error.strerror}.") from None
        with os.fdopen(file) as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise KeyUnavailable(f"The data key {self._path} can be read by others (mode {mode:04o}). Run: chmod 600 '{self._path}'")
            return _from_hex(opened.read(4 * KEY_BYTES), str(self._path))

    def put(self, account: str, key: bytes) -> None:
        # Written beside and linked into place: the name appears once, with the whole key, and never replaces another key.
        part = self._path.with_name(f"{KEY_FILE}.{account}.part")
        try:
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "w") as opened:
                opened.write(key.hex())
                opened.flush()
                os.fsync(opened.fileno())
            os.link(part, self._path)
        except OSError as error:
            raise DataFolderError(f"The data key {self._path} cannot be written: {error.strerror}.") from None
        finally:
            part.unlink(missing_ok=True)


class Keychain:
    """The user's login keychain through `security`. The key goes in over standard input: arguments can be seen by every process."""

    name = "the macOS keychain"

    def __init__(self, program: Path = SECURITY, timeout_s: float = KEYCHAIN_TIMEOUT_S) -> None:
        self._program, self._timeout_s = program, timeout_s

    def get(self, account: str) -> bytes | None:
        done = self._run(["find-generic-password", "-a", account, "-s", SERVICE, "-w"])
        if done.returncode == NOT_FOUND:
            return None
        if done.returncode != 0:
            raise KeyUnavailable(
                f"The macOS keychain does not give out the data key (security ended with {done.returncode}). "
                "Is the user logged in and the login keychain unlocked?"
            )
        return _from_hex(done.stdout, self.name)

    def put(self, account: str, key: bytes) -> None:
        # `security -i` reads commands from standard input. Its exit status does not tell whether they worked, so read back.
        self._run(["-i"], f'add-generic-password -a "{account}" -s "{SERVICE}" -l "Regulars data key" -w {key.hex()}\n')
        if self.get(account) != key:
            raise KeyUnavailable("The macOS keychain did not keep the new data key. Is the login keychain unlocked?")

    def _run(self, arguments: list[str], spoken: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [str(self._program), *arguments], input=spoken, capture_output=True, text=True, timeout=self._timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise KeyUnavailable(
                f"The macOS keychain did not answer within {self._timeout_s:g} s: it probably waits for a password. "
                "Log in at the screen once and unlock the login keychain."
            ) from None
        except OSError as error:
            raise KeyUnavailable(f"{self._program} cannot be run: {error.strerror}.") from None


def _usual_keeper(folder: Path, noted: dict[str, str] | None) -> KeyKeeper:
    """A folder that was begun with a key file keeps it, also on a Mac."""
    begun_with_file = noted is not None and noted["kept_in"] == KeyFile.name
    return Keychain() if sys.platform == "darwin" and not begun_with_file else KeyFile(folder)


def _lost(keeper: KeyKeeper, folder: Path) -> str:
    return f"there is no file {folder / KEY_FILE}" if keeper.name == KeyFile.name else f"{keeper.name} does not have it any more"


def _made(keeper: KeyKeeper, account: str) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    keeper.put(account, key)
    return key


def _noted(path: Path) -> dict[str, str] | None:
    try:
        noted = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeyUnavailable(f"{path} cannot be read: {error}. It says which data key belongs to this folder; restore it.") from None
    if not isinstance(noted, dict) or not all(isinstance(noted.get(k), str) for k in ("account", "kept_in", "fingerprint")):
        raise KeyUnavailable(f"{path} is damaged. It says which data key belongs to this folder; restore it.")
    return noted


def _fingerprint(key: bytes) -> str:
    return hmac.digest(key, b"regulars/v1/fingerprint", hashlib.sha256)[:8].hex()


def _from_hex(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"What is in {place} is no data key: it must be {2 * KEY_BYTES} hexadecimal digits. Put the right key back.")
    return key
