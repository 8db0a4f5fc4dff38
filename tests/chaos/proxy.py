"""The line between stores and headquarters, to be cut: a TCP proxy in a thread. Cut, it takes nobody and breaks off who is under way."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

BYTES = 64 << 10
WAIT_S = 0.1


class Proxy:
    def __init__(self, port: int) -> None:
        """To this port of this computer."""
        self._target = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self._cut = threading.Event()
        self._closed = threading.Event()
        self._open: set[socket.socket] = set()
        self._turn = threading.Lock()
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()
        with self._turn:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self._closed.set()
        self.cut()
        self._door.close()

    def _take(self) -> None:
        while not self._closed.is_set():
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            if self._cut.is_set():
                caller.close()
                continue
            threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        try:
            hub = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            caller.close()
            return
        ends = {caller: hub, hub: caller}
        with self._turn:
            self._open |= ends.keys()
        try:
            with selectors.DefaultSelector() as ready:
                for end in ends:
                    ready.register(end, selectors.EVENT_READ)
                while not self._cut.is_set():
                    for key, _ in ready.select(WAIT_S):
                        end = key.fileobj
                        assert isinstance(end, socket.socket)
                        piece = end.recv(BYTES)
                        if not piece:
                            return
                        ends[end].sendall(piece)
        except OSError:
            return
        finally:
            with self._turn:
                self._open -= ends.keys()
            for end in ends:
                end.close()
