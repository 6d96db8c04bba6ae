"""Events in one process: everybody hears what is theirs, in order, and nobody holds up others."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from gateway.events.hub import Hub
from gateway.submissions.pending import Pending
from gateway.submissions.records import Entry
from schema.events import Behind, Event, What
from tests.gateway.clock import NOW

pytestmark = pytest.mark.anyio


def said(case: str, of: str = "a1", what: What = What.CASE_COMMENTED) -> Event:
    return Event(what, case, of)


async def test_followers_hear_of_their_accounts_alone_and_in_order() -> None:
    hub = Hub()
    one, both = hub.follow(["a1"]), hub.follow(["a1", "a2"])
    for event in (said("1"), said("2", "a2"), said("3"), said("4", "a3")):
        hub.publish(event)
    assert [await anext(one) for _ in range(2)] == [said("1"), said("3")]
    assert [await anext(both) for _ in range(3)] == [said("1"), said("2", "a2"), said("3")]


async def test_what_keeps_copies_is_told_before_followers_read() -> None:
    hub, order = Hub(), []
    hub.listen(lambda event: order.append(event))
    follower = hub.follow(["a1"])

    async def read() -> None:
        order.append(await anext(follower))

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    hub.publish(said("1"))
    await reading
    hub.missed()
    assert order == [said("1"), said("1"), None]


async def test_the_same_event_twice_in_a_row_is_read_once() -> None:
    hub = Hub()
    follower = hub.follow(["a1"])
    hub.publish(said("1"))
    hub.publish(said("1"))
    hub.publish(said("2"))
    assert [await anext(follower) for _ in range(2)] == [said("1"), said("2")]
    hub.publish(said("2"))
    assert await anext(follower) == said("2")


async def test_who_is_too_slow_is_told_and_dropped() -> None:
    hub = Hub(most_waiting=3)
    slow, quick = hub.follow(["a1"]), hub.follow(["a1"])
    for number in range(4):
        hub.publish(said(str(number)))
        assert await anext(quick) == said(str(number))
    assert hub.followers == 1
    with pytest.raises(Behind):
        await anext(slow)
    hub.publish(said("5"))
    with pytest.raises(Behind):
        await anext(slow)


async def test_what_was_missed_takes_the_place_of_what_waits() -> None:
    hub = Hub(most_waiting=3)
    follower = hub.follow(["a1"])
    hub.publish(said("1"))
    hub.missed()
    hub.publish(said("2"))
    assert [await anext(follower) for _ in range(2)] == [None, said("2")]


async def test_who_leaves_hears_no_more_and_is_forgotten() -> None:
    hub = Hub()
    follower = hub.follow(["a1", "a2"])
    waiting = asyncio.create_task(anext(follower, None))
    await asyncio.sleep(0)
    await follower.aclose()
    assert await waiting is None
    assert hub.followers == 0
    assert hub._followers == {}


async def test_only_what_is_published_here_goes_to_other_processes() -> None:
    hub, sent = Hub(), list[Event | None]()
    hub.send_by(sent.append)
    hub.publish(said("1"))
    hub.deliver(said("2"))
    hub.missed()
    assert sent == [said("1")]


async def test_a_hint_goes_to_other_processes_alone() -> None:
    hub, here, there = Hub(), [], []
    hub.listen(lambda event: here.append(event))
    hub.send_by(lambda event: there.append(event))
    hint = Event(What.SUBMISSIONS_CHANGED, "")
    hub.elsewhere(hint)
    assert (here, there) == ([], [hint])


async def test_other_processes_look_at_once_when_they_are_told_to() -> None:
    pending, looked = Pending(lambda: NOW, timedelta(days=1)), asyncio.Event()

    async def changed_since(since: datetime | None) -> list[Entry]:
        looked.set()
        return []

    following = asyncio.create_task(pending.follow(changed_since, every=3600.0))
    await asyncio.sleep(0)
    assert not looked.is_set()
    pending.hurry()
    async with asyncio.timeout(5):
        await looked.wait()
    following.cancel()


async def test_only_what_this_process_left_is_told_to_others() -> None:
    pending, told = Pending(lambda: NOW, timedelta(days=1)), []
    pending.tell_others_by(lambda: told.append("look"))

    async def changed_since(since: datetime | None) -> list[Entry]:
        return []

    await pending.catch_up(changed_since)
    assert told == []
    pending.apply([])
    assert told == ["look"]
