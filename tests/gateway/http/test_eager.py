"""Work that is begun at once runs as a task would run it, but for when its first step is taken."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from gateway.http.eager import Eager

pytestmark = pytest.mark.anyio

NAME: ContextVar[str] = ContextVar("name", default="nobody")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


async def begun(*works: Callable[[], Awaitable[None]]) -> set[asyncio.Task[None]]:
    """Begins works one after the other, where no task runs; the tasks of those that wait."""
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    done = loop.create_future()

    def begin() -> None:
        eager = Eager(loop)
        try:
            for work in works:
                eager.begin(work(), tasks)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 - to be raised where it is waited for
            done.set_exception(error)
        else:
            done.set_result(set(tasks))

    loop.call_soon(begin)
    found: set[asyncio.Task[None]] = await done
    return found


async def test_what_need_not_wait_is_done_at_once_and_leaves_nothing() -> None:
    seen: list[Any] = []

    async def work() -> None:
        seen.append((NAME.get(), asyncio.current_task()))
        NAME.set("somebody")
        await quick()

    async def quick() -> None:
        seen.append(NAME.get())

    assert await begun(work, work) == set()
    (first, task), second, (third, other), _ = seen
    assert (first, second, third) == ("nobody", "somebody", "nobody")
    assert task is other is not None


async def test_what_waits_goes_on_as_the_task_that_it_began_as() -> None:
    seen: list[Any] = []
    go = asyncio.Event()

    async def work() -> None:
        token = NAME.set("somebody")
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        await go.wait()
        seen.append(asyncio.current_task())
        seen.append(NAME.get())
        NAME.reset(token)  # only in the surroundings in which it was set

    async def other() -> None:
        seen.append(NAME.get())
        seen.append(asyncio.current_task())

    (task,) = await begun(work, other)
    assert seen[1] == "nobody"
    assert seen[2] is not task
    go.set()
    await task
    assert [seen[0], *seen[3:]] == [task, task, task, "somebody"]


@pytest.mark.parametrize("seconds", [-1, 0, 0.01])
async def test_time_may_run_out_from_the_first_step_on(seconds: float) -> None:
    told: list[str] = []
    child: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        try:
            async with asyncio.timeout(seconds):
                await child
        except TimeoutError:
            told.append("late")
        await asyncio.sleep(0)
        told.append("went on")

    (task,) = await begun(work)
    await task
    assert told == ["late", "went on"]
    assert child.cancelled()


async def test_a_group_of_tasks_may_begin_in_the_first_step() -> None:
    told: list[str] = []

    async def child(name: str) -> None:
        await asyncio.sleep(0)
        told.append(name)
        if name == "b":
            raise ValueError(name)

    async def work() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(child("a"))
                group.create_task(child("b"))
        except* ValueError:
            told.append("caught")

    (task,) = await begun(work)
    await task
    assert told == ["a", "b", "caught"]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_it_is_cancelled_as_a_task_is_whenever_that_comes(turns: int) -> None:
    told: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            told.append("child")
            raise

    async def work() -> None:
        inner = asyncio.create_task(child())
        await asyncio.sleep(0)
        try:
            await inner
        except asyncio.CancelledError:
            told.append("work")
            await asyncio.sleep(0)
            raise

    (task,) = await begun(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Before it waits for the child it has no way to cancel it, nor to notice.
    assert told in (["child", "work"], []) if turns < 2 else told == ["child", "work"]


async def test_what_cancels_itself_does_so_to_nobody_after_it() -> None:
    told: list[str] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def other() -> None:
        await asyncio.sleep(0)
        told.append("whole")

    (task,) = await begun(work, other)
    await task
    assert told == ["whole"]


async def test_what_breaks_after_it_waited_breaks_its_task() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("late")

    (task,) = await begun(work)
    with pytest.raises(ValueError, match="late"):
        await task


async def test_what_was_waited_for_goes_with_the_work_and_not_with_the_garbage() -> None:
    class Answer:
        """What a system said, say."""

    held: list[Any] = [asyncio.get_running_loop().create_future(), Answer()]
    left = weakref.ref(held[1])
    seen: list[bool] = []

    async def work() -> None:
        seen.append(isinstance(await held[0], Answer))

    tasks = await begun(work)
    gc.disable()
    try:
        held[0].set_result(held[1])
        await asyncio.gather(*tasks)
        held.clear()
        tasks.clear()
        await asyncio.sleep(0)
        assert seen == [True]
        assert left() is None
    finally:
        gc.enable()
