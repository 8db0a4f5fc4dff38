"""What happens now, handed from the recognition thread to the pages that are open. Nothing here blocks whoever tells: a page that
does not keep up loses the oldest news and is told to load anew. Only the newest picture of a camera is kept.

Told after the database has committed: an event names what changed, the page reads the rest from the visit log.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

WAITING_MAX = 100
"""News kept for one page: more than a page shows, so loading anew costs less than catching up."""
PAGES_MAX = 32
"""Open pages at once. A store has a handful; more are forgotten tabs or a fault, and each costs a connection."""
QUIET_S_MAX = 10.0
"""A page hears from us at least this often, so that it can tell a quiet store from a dead line."""
PICTURE_AGE_MS_MAX = 10_000
"""A picture older than this is not shown as live."""
LOOK_SECONDS = 6.0
"""How long a camera is asked to send pictures for one look: two renewals may be lost before the picture stops."""
LOOK_RENEWED_MS = 2_000


@dataclass(frozen=True, slots=True)
class VisitChanged:
    """A visit began, was decided, went on or was taken back."""

    id: str


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """A camera's state changed, or a camera was added or removed."""

    id: str


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    pass


@dataclass(frozen=True, slots=True)
class FiguresChanged:
    """The day's figures changed without a visit to show: somebody who opted out was counted, or a new day began."""


@dataclass(frozen=True, slots=True)
class AlertsChanged:
    """There is a new alert, or one was answered."""


@dataclass(frozen=True, slots=True)
class Missed:
    """This page missed something and must load anew."""


Event = VisitChanged | CameraChanged | NoticesChanged | FiguresChanged | AlertsChanged


@dataclass(frozen=True, slots=True)
class Told:
    """An event as one page gets it. `mark`: what the page says when it comes back, to learn whether it missed anything."""

    mark: str
    event: Event | Missed | None
    """None: nothing happened for a while; the line is alive."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """One face of the newest picture, as fractions of its width and height. `kind`: new, back, staff, unsure, counted, flat (taken for a
    picture of a face), deciding."""

    id: str
    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    number: int
    at_ms: int
    jpeg: bytes
    boxes: tuple[FaceBox, ...]


class TooManyPages(Exception):
    pass


class _Page:
    """One open page's queue. Of several news about one thing only the last is kept, at its newest place."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.wake = asyncio.Event()
        self.waiting: OrderedDict[Event, str] = OrderedDict()
        self.missed = False


class Live:
    """`boot` distinguishes this run of the program from the one that a page saw before a restart."""

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._lock = threading.Lock()
        self._count = 0
        self._pages: set[_Page] = set()
        self._pictures: dict[str, Picture] = {}
        self._looked_ms: dict[str, int] = {}
        self._closed = False

    def publish(self, event: Event) -> None:
        """From any thread; returns at once."""
        with self._lock:
            self._count += 1
            for page in self._pages:
                page.waiting.pop(event, None)
                page.waiting[event] = self._mark()
                if len(page.waiting) > WAITING_MAX:
                    page.waiting.popitem(last=False)
                    page.missed = True
                self._wake(page)

    def mark(self) -> str:
        """Where the news stand. Taken before a page is read from the database, so that nothing falls between page and stream."""
        with self._lock:
            return self._mark()

    def _mark(self) -> str:
        return f"{self._boot}-{self._count}"

    def _wake(self, page: _Page) -> None:
        # A loop that is already closed belongs to a server that has stopped; its page is gone.
        with suppress(RuntimeError):
            page.loop.call_soon_threadsafe(page.wake.set)

    def pages(self) -> int:
        with self._lock:
            return len(self._pages)

    def open(self, seen: str | None) -> AsyncIterator[Told]:
        """News for one page, in the running event loop. `seen`: the last mark it knows; Missed comes first when that is not the newest.

        Raises TooManyPages.
        """
        with self._lock:
            if len(self._pages) >= PAGES_MAX:
                raise TooManyPages
        return self._tell(_Page(asyncio.get_running_loop()), seen)

    async def _tell(self, page: _Page, seen: str | None) -> AsyncIterator[Told]:
        # Counted in here and not in open(): a stream that is never begun would otherwise stay counted for ever.
        with self._lock:
            page.missed = seen is not None and seen != self._mark()
            self._pages.add(page)
        try:
            while True:
                with self._lock:
                    if self._closed:
                        return
                    page.wake.clear()
                    mark, missed = self._mark(), page.missed
                    page.missed = False
                    if missed:
                        page.waiting.clear()
                    news = list(page.waiting.items())
                    page.waiting.clear()
                if missed:
                    yield Told(mark, Missed())
                for event, at in news:
                    yield Told(at, event)
                if missed or news:
                    continue
                try:
                    await asyncio.wait_for(page.wake.wait(), QUIET_S_MAX)
                except TimeoutError:
                    yield Told(mark, None)
        finally:
            with self._lock:
                self._pages.discard(page)

    def show(self, camera_id: str, at_ms: int, jpeg: bytes, boxes: tuple[FaceBox, ...]) -> None:
        """A camera's newest picture replaces the one before."""
        with self._lock:
            before = self._pictures.get(camera_id)
            self._pictures[camera_id] = Picture(before.number + 1 if before else 1, at_ms, jpeg, boxes)

    def picture(self, camera_id: str, now_ms: int) -> Picture | None:
        """The newest picture, unless it is too old to be called live; then it is dropped."""
        with self._lock:
            newest = self._pictures.get(camera_id)
            if newest is not None and abs(now_ms - newest.at_ms) > PICTURE_AGE_MS_MAX:
                # Emptied, not forgotten: its number must go on, or a page would take the next picture for one it has.
                newest = Picture(newest.number, newest.at_ms, b"", ())
                self._pictures[camera_id] = newest
            return newest if newest is not None and newest.jpeg else None

    def must_ask(self, camera_id: str, now_ms: int) -> bool:
        """Somebody looks at a camera now: whether it is time to ask it for pictures again. However many look, it is asked once."""
        with self._lock:
            asked = self._looked_ms.get(camera_id)
            # abs: a clock that was set back must not keep the picture dark.
            if asked is not None and abs(now_ms - asked) < LOOK_RENEWED_MS:
                return False
            self._looked_ms[camera_id] = now_ms
            return True

    def close(self) -> None:
        """Ends every stream at once; later ones end as they open."""
        with self._lock:
            self._closed = True
            for page in self._pages:
                self._wake(page)
