"""Where the index is: in Milvus Lite under the data folder, or in a Milvus server by its address.

Lite runs within this process and answers on a unix socket in a folder of its owner's alone: a loopback port would be open to everybody on
the machine. Its files can be opened once; another process of the hub reaches them through that socket, and whoever writes holds a file
lock, because Lite bears one writer at a time. Its log is not synced: a mark stands from opening to a clean end, and where it still stands
the index is not trusted until it has been compared with Postgres. Files that cannot be read are thrown away: Postgres is the truth.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from hub.errors import ConfigError
from hub.files import make_folder, sync_folder, write_once
from hub.index import IndexAway
from hub.milvus import LITE, SERVER, Kind, Milvus, away
from hub.rotation import Rotations

if TYPE_CHECKING:
    from pymilvus import MilvusClient

FILES = "milvus.db"
SOCKET = "socket"
SOCKET_NAMED = "socket.path"
"""Where the socket is when the data folder's own path is too long for one."""
LOCK = "writing.lock"
DIRTY = "dirty"
SOCKET_PATH_BYTES_MAX = 100
"""macOS allows 103, Linux 107."""
THREADS = 4
"""Of Lite's server: requests that run side by side; all of them share this process's one interpreter lock."""
MESSAGE_BYTES_MAX = 64 << 20
CONNECT_S_MAX = 5.0
STOP_S_MAX = 5.0


def open_server(address: str, token: str, rotations: Rotations) -> Milvus:
    """A Milvus server, http://host:19530 or https://. It may be away: the hub takes records all the same. Raises ConfigError."""
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"index.url is {address!r}; it must begin with http:// or https://; leave it empty for the built-in index.")
    return Milvus(cast("MilvusClient", _WhenThere(lambda: _client(address, token))), rotations, SERVER)


class _WhenThere:
    """A client that connects with the first call, and with the next one where that failed. Each call may raise IndexAway."""

    def __init__(self, connect: Callable[[], MilvusClient]) -> None:
        self._connect = connect
        self._client: MilvusClient | None = None
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        with self._turn:
            if self._client is None:
                self._client = self._connect()
            return getattr(self._client, name)

    def close(self) -> None:
        with self._turn:
            if self._client is not None:
                self._client.close()


def open_lite(folder: Path, rotations: Rotations, *, kind: Kind = LITE) -> Milvus:
    """The index in this folder, made when there is none. A process that comes second is a guest of the one that opened it first. `kind`:
    tests ask it as a server is asked. Raises IndexAway, DataFolderError."""
    make_folder(folder)
    writing, mark = _one_writer(folder / LOCK), folder / DIRTY
    database, suspect = _database(folder)
    if database is None:
        return Milvus(_client(f"unix:{_named(folder)}"), rotations, kind, writing=writing)
    suspect = suspect or mark.exists()
    mark.touch(mode=0o600)
    sync_folder(folder)
    socket = _socket(folder)
    server = _server(database, socket)

    def end(trusted: bool) -> None:
        server.stop(STOP_S_MAX).wait(STOP_S_MAX)
        database.close()
        socket.unlink(missing_ok=True)
        if trusted:
            _sync(folder / FILES)
            mark.unlink(missing_ok=True)
            sync_folder(folder)

    try:
        client = _client(f"unix:{socket}")
    except IndexAway:
        end(False)
        raise
    return Milvus(client, rotations, kind, writing=writing, closing=end, suspect=suspect)


def _database(folder: Path) -> tuple[Any, bool]:
    """Lite's database, None where another process has it; and whether it had to be made anew in the place of an unreadable one."""
    from milvus_lite import MilvusLite
    from milvus_lite.exceptions import DataDirLockedError

    files, anew = folder / FILES, False
    while True:
        try:
            database = MilvusLite(str(files))
            for name in database.list_collections():
                # Reads its files now, so that broken ones are found here and not by the first search.
                database.get_collection(name)
            return database, anew
        except DataDirLockedError:
            return None, False
        except Exception:
            # What breaks in there has many names: pyarrow's, json's, numpy's. Whatever it is, the files are of no use, and a second
            # failure is not theirs.
            if anew or not files.exists():
                raise
            shutil.rmtree(files)
            anew = True


def _server(database: Any, socket: Path) -> Any:
    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from pymilvus.grpc_gen.milvus_pb2_grpc import add_MilvusServiceServicer_to_server

    options = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        # pymilvus asks every ten seconds whether the line stands, also when it has nothing to say. A server takes that for an attack unless
        # it is told, and cuts the line: calls then fail until the client dares to come back, up to two minutes later.
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(THREADS, "index"), options=options)
    add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    socket.unlink(missing_ok=True)
    if not server.add_insecure_port(f"unix:{socket}"):
        raise IndexAway(f"The index of templates cannot listen on {socket}. Is the folder writable?")
    server.start()
    return server


def _socket(folder: Path) -> Path:
    """A place for the socket, noted beside the files for guests: the folder itself, or one with a short name where its path is too long
    or holds what an address must not."""
    place = folder / SOCKET
    if len(os.fsencode(place)) > SOCKET_PATH_BYTES_MAX or quote(str(place)) != str(place):
        place = Path(tempfile.mkdtemp(prefix="regulars-")) / SOCKET
    note = folder / SOCKET_NAMED
    note.unlink(missing_ok=True)
    write_once(note, os.fsencode(place))
    return place


def _named(folder: Path) -> str:
    try:
        return (folder / SOCKET_NAMED).read_text()
    except OSError:
        raise IndexAway(f"Another process has the index in {folder} and does not say where it is asked. Try again in a moment.") from None


def _client(address: str, token: str = "") -> MilvusClient:
    from pymilvus import MilvusClient

    # Each failed call would be written out with its trace, several times; IndexAway says it once.
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # A line of its own: pymilvus would share one between clients of an address, and closing one would close the other's.
    return away("connect", lambda: MilvusClient(address, token=token, timeout=CONNECT_S_MAX, dedicated=True))


def _one_writer(path: Path) -> Callable[[], AbstractContextManager[None]]:
    """One writer at a time, among the threads of this process and among processes."""
    threads = threading.Lock()

    @contextmanager
    def writing() -> Iterator[None]:
        with threads:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)

    return writing


def _sync(folder: Path) -> None:
    """Lite does not sync its files itself."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        elif path.is_dir():
            sync_folder(path)
