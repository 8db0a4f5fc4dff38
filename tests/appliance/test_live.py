"""The hub between the recognition thread and the open pages: bounded, in order, never blocking whoever tells."""

from __future__ import annotations

import asyncio
import threading

import pytest

from appliance.live import PAGES_MAX, WAITING_MAX, CameraChanged, Event, FaceBox, Live, Missed, Told, TooManyPages, VisitChanged


async def take(told: object, count: int) -> list[Told]:
    assert hasattr(told, "__anext__")
    return [await asyncio.wait_for(told.__anext__(), 5) for _each in range(count)]


def test_what_another_thread_tells_reaches_every_page_in_order() -> None:
    async def run() -> None:
        live = Live("boot")
        pages = [live.open(None), live.open(None)]
        waiting = [asyncio.ensure_future(take(page, 3)) for page in pages]
        while live.pages() < 2:
            await asyncio.sleep(0.001)
        events: list[Event] = [VisitChanged("a"), CameraChanged("front"), VisitChanged("b")]

        def tell() -> None:
            for event in events:
                live.publish(event)

        teller = threading.Thread(target=tell)
        teller.start()
        for page in waiting:
            assert [told.event for told in await page] == events
        teller.join()

    asyncio.run(run())


def test_several_news_of_one_visit_reach_a_slow_page_once() -> None:
    async def run() -> None:
        live = Live("boot")
        page = live.open(None)
        first = asyncio.ensure_future(take(page, 1))
        while not live.pages():
            await asyncio.sleep(0.001)
        live.publish(VisitChanged("a"))
        await first
        for event in (VisitChanged("b"), VisitChanged("c"), VisitChanged("b")):
            live.publish(event)
        assert [told.event for told in await take(page, 2)] == [VisitChanged("c"), VisitChanged("b")]

    asyncio.run(run())


def test_a_page_that_does_not_keep_up_is_told_to_load_anew_and_then_goes_on() -> None:
    async def run() -> None:
        live = Live("boot")
        page = live.open(None)
        first = asyncio.ensure_future(take(page, 1))
        while not live.pages():
            await asyncio.sleep(0.001)
        live.publish(VisitChanged("first"))
        await first
        for number in range(WAITING_MAX + 1):
            live.publish(VisitChanged(str(number)))
        (told,) = await take(page, 1)
        assert told == Told(live.mark(), Missed())
        live.publish(VisitChanged("next"))
        assert [told.event for told in await take(page, 1)] == [VisitChanged("next")]

    asyncio.run(run())


@pytest.mark.parametrize(("between", "missed"), [(0, False), (1, True)])
def test_a_page_that_comes_back_is_told_only_if_it_missed_something(between: int, missed: bool) -> None:
    async def run() -> None:
        live = Live("boot")
        live.publish(VisitChanged("a"))
        seen = live.mark()
        for _each in range(between):
            live.publish(VisitChanged("b"))
        page = live.open(seen)
        coming = asyncio.ensure_future(take(page, 1))
        while not live.pages():
            await asyncio.sleep(0.001)
        live.publish(VisitChanged("c"))
        (told,) = await coming
        assert (told.event == Missed()) is missed

    asyncio.run(run())


def test_a_page_from_before_a_restart_loads_anew() -> None:
    async def run() -> None:
        (told,) = await take(Live("second").open(Live("first").mark()), 1)
        assert told.event == Missed()

    asyncio.run(run())


def test_closing_ends_every_stream_and_forgets_it() -> None:
    async def run() -> None:
        live = Live("boot")

        async def read() -> list[Told]:
            return [told async for told in live.open(None)]

        reading = [asyncio.ensure_future(read()) for _each in range(3)]
        while live.pages() < 3:
            await asyncio.sleep(0.001)
        live.close()
        assert await asyncio.wait_for(asyncio.gather(*reading), 1) == [[], [], []]
        assert live.pages() == 0

    asyncio.run(run())


def test_there_is_a_limit_to_open_pages() -> None:
    async def run() -> None:
        live = Live("boot")
        reading = [asyncio.ensure_future(take(live.open(None), 1)) for _each in range(PAGES_MAX)]
        while live.pages() < PAGES_MAX:
            await asyncio.sleep(0.001)
        with pytest.raises(TooManyPages):
            live.open(None)
        live.publish(VisitChanged("a"))
        await asyncio.gather(*reading)

    asyncio.run(run())


def test_telling_after_the_pages_loop_has_ended_does_no_harm() -> None:
    live = Live("boot")

    async def leave() -> None:
        page = live.open(None)
        coming = asyncio.ensure_future(take(page, 1))
        while not live.pages():
            await asyncio.sleep(0.001)
        live.publish(VisitChanged("a"))
        await coming

    asyncio.run(leave())
    live.publish(VisitChanged("b"))


def test_only_the_newest_picture_is_kept_and_an_old_one_is_dropped() -> None:
    live = Live("boot")
    live.show("front", 1_000, b"one", ())
    live.show("front", 1_200, b"two", (FaceBox("s", 0, 0, 0.1, 0.1, "New visitor", "new"),))
    picture = live.picture("front", 1_300)
    assert picture is not None and (picture.number, picture.jpeg) == (2, b"two")
    assert live.picture("front", 20_000) is None
    live.show("front", 20_000, b"three", ())
    again = live.picture("front", 20_000)
    assert again is not None and again.number == 3, "a page that had picture 2 must not take this one for it"
    assert live.picture("back", 0) is None
