"""A line as bad as they come: what is sent is lost, doubled, late, out of order, cut in half or damaged; what is answered too.

It stands in the place of the network under the appliance's own HTTP client. Time is the world's: who waits for an answer waits in it,
and the world goes on meanwhile. What is late arrives when nobody waits any more; what crossed once may be played again by somebody who
listened.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from sync.envelope import CONTENT_TYPE
from sync.pushing import FLIGHT_S_MAX

SECOND_MS = 1_000
HEARD_MAX = 40
HEADER_BYTES = 300
"""A message begins with its header, of some 200."""
"""Messages that somebody on the line has recorded."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Chances, for each message. `late_ms`: how late the late ones are. `replayed`: an earlier answer comes in place of the right one."""

    lost: float = 0.0
    doubled: float = 0.0
    halved: float = 0.0
    damaged: float = 0.0
    late: float = 0.0
    late_ms: int = 0
    replayed: float = 0.0


FINE = Weather()
WEATHERS = (
    FINE,
    Weather(lost=0.08, doubled=0.05, halved=0.02, damaged=0.02, late=0.08, late_ms=100 * SECOND_MS, replayed=0.01),
    Weather(lost=0.25, doubled=0.15, halved=0.08, damaged=0.05, late=0.15, late_ms=600 * SECOND_MS, replayed=0.05),
    Weather(lost=0.05, doubled=0.4, late=0.4, late_ms=86_400 * SECOND_MS),
)


@dataclass(order=True, frozen=True, slots=True)
class Letter:
    due_ms: int
    number: int
    path: str = field(compare=False)
    body: bytes = field(compare=False, repr=False)


Deliver = Callable[[str, bytes], bytes | None]
"""Puts a message to the hub; None where nobody answers, as the hub is down or lost its power over it."""


@dataclass(slots=True)
class Network:
    """`now`: the true time. `wait`: lets so many milliseconds pass. `meanwhile`: the world goes on while an answer
    is on its way to a store."""

    chance: Random
    deliver: Deliver
    now: Callable[[], int]
    wait: Callable[[int], None]
    meanwhile: Callable[[str], None]
    said: Callable[[str], None]
    weather: Weather = FINE
    cut_off: set[str] = field(default_factory=set)
    """Stores without a line."""
    late: list[Letter] = field(default_factory=list)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    _number: int = 0

    def carry(self, store: str, path: str, body: bytes) -> bytes:
        """A message there and its answer back, as far as the line lets it. Raises what httpx raises."""
        if store in self.cut_off:
            raise httpx.ConnectError("[Errno -2] Name or service not known")
        self.heard = [*self.heard[-HEARD_MAX:], (path, body)]
        draw, weather = self.chance.random, self.weather
        self.wait(int(20 + 1_500 * draw()))
        if draw() < weather.lost:
            raise self._nothing("the request is lost")
        if draw() < weather.late:
            self._number += 1
            heapq.heappush(self.late, Letter(self.now() + int(weather.late_ms * draw()), self._number, path, body))
            raise self._nothing("the request will be late")
        answer = self.deliver(path, self._spoilt(body, "request"))
        if draw() < weather.doubled:
            self.said("the request comes twice")
            answer = self.deliver(path, body)
        if draw() < 0.3:
            self.meanwhile(store)
        if store in self.cut_off or answer is None:
            raise httpx.ReadError("connection reset")
        if draw() < weather.lost:
            raise self._nothing("the answer is lost")
        earlier = self.answers.setdefault(store, [])
        earlier[:] = [*earlier[-HEARD_MAX:], answer]
        if draw() < weather.replayed:
            self.said("an earlier answer is played again")
            return self.chance.choice(earlier)
        return self._spoilt(answer, "answer")

    def arrive_late(self) -> None:
        """What is late and due by now arrives, in the order it is due and not in that it was sent."""
        while self.late and self.late[0].due_ms <= self.now():
            letter = heapq.heappop(self.late)
            self.said("a late request arrives")
            self.deliver(letter.path, letter.body)

    def play_again(self) -> None:
        """Somebody on the line sends what they heard once more."""
        if self.heard:
            self.said("a recorded request is played again")
            self.deliver(*self.chance.choice(self.heard))

    def _nothing(self, words: str) -> httpx.ReadTimeout:
        self.said(words)
        self.wait(int(FLIGHT_S_MAX * SECOND_MS))
        return httpx.ReadTimeout(words)

    def _spoilt(self, body: bytes, what: str) -> bytes:
        draw = self.chance.random
        if draw() < self.weather.halved:
            self.said(f"the {what} is cut in half")
            return body[: int(len(body) * draw())]
        if draw() < self.weather.damaged:
            self.said(f"the {what} is damaged")
            place, bit = int(len(body) * draw()), int(8 * draw())
            if place < HEADER_BYTES:
                # Another digit of an id may be a digit still or none, and ids are new in each run: this bit makes none of any.
                bit = 7
            return body[:place] + bytes([body[place] ^ (1 << bit)]) + body[place + 1 :]
        return body


class StoresLine(httpx.BaseTransport):
    """The network as one store's HTTP client sees it."""

    def __init__(self, network: Network, store: str) -> None:
        self._network, self._store = network, store

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._network.carry(self._store, request.url.path, request.read())
        return httpx.Response(200, headers={"content-type": CONTENT_TYPE}, content=answer)
