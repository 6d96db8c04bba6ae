"""One run of a plan: what is still being waited for, and what went wrong.

The walk over a plan is plain code that never waits. What has to be waited for becomes a job; all
jobs that one walk leaves behind begin in the same tick, so that systems that join the questions of
a tick get them together. A job writes its values into the answer and walks on below them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo
from graphql.execution.values import VariableValues
from graphql.pyutils import gather_with_cancel, is_awaitable
from graphql.type.definition import GraphQLResolveInfoHelpers

from gateway.operations.compiled.kinds import dropped, waits
from gateway.operations.compiled.positions import Column, Failure, Frame, settled, takes_all

if TYPE_CHECKING:
    from gateway.operations.compiled.completion import Completer
    from gateway.operations.compiled.fields import FieldPlan
    from gateway.operations.compiled.variant import Variant

Job = Coroutine[Any, Any, None]


class Execution:
    """A plan at work for one request."""

    __slots__ = (
        "_failures",
        "_jobs",
        "_taken",
        "context",
        "root",
        "variables",
        "variant",
    )

    def __init__(
        self, variant: Variant, variables: VariableValues, context: Any, root: Any = None
    ) -> None:
        self.variant, self.variables, self.context, self.root = variant, variables, context, root
        self._jobs: list[Job] = []
        self._failures: list[Failure] = []
        #: Awaitables that resolvers gave, to be closed when the run is broken off before them.
        self._taken: list[Any] = []

    async def answer(self) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
        """The data and the errors."""
        plan = self.variant.plan
        try:
            if self.variant.serially:
                data = await plan.run_serially(self)
            else:
                data = plan.run(self, [self.root], None, None)[0]
                if self._jobs:
                    await self.drain()
        except BaseException:
            dropped(self._jobs)
            dropped(self._taken)
            raise
        if not self._failures:
            return data, []
        errors, whole = settled(self._failures)
        return (None if whole else data), errors

    # ------------------------------------------------------------------------ what went wrong

    def fail(self, column: Column, index: int, error: Exception, late: bool = False) -> None:
        """Notes the error at a position; the value there is null or taken with what is around."""
        self._failures.append(Failure(column, index, error, late))

    def broken(self) -> bool:
        """Whether an error has taken the whole answer."""
        return bool(self._failures) and takes_all(self._failures)

    # ------------------------------------------------------------------------ what is waited for

    def later(self, job: Job) -> None:
        """Begins a job once the walk that is under way has ended."""
        self._jobs.append(job)

    async def drain(self) -> None:
        """Runs all jobs and those that they leave behind."""
        while self._jobs:
            jobs, self._jobs = self._jobs, []
            if len(jobs) == 1:
                await jobs[0]
            else:
                await self._together(jobs)

    async def _together(self, jobs: Sequence[Job]) -> None:
        tasks = [asyncio.ensure_future(self._branch(job)) for job in jobs]
        broken: list[BaseException] = []

        def ended(task: asyncio.Task[None]) -> None:
            # A job ends in an error only where the run is broken off: nobody waits for the rest.
            if task.cancelled() or (error := task.exception()) is None:
                return
            broken.append(error)
            for other in tasks:
                other.cancel()

        for task in tasks:
            task.add_done_callback(ended)
        try:
            for task in tasks:
                await task
        except BaseException:
            first = broken[0] if broken else None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            dropped(jobs)
            if first is not None:
                raise first from None
            raise

    async def _branch(self, job: Job) -> None:
        await job
        # Nobody else has run since the job's last step: what it left behind is its own.
        if self._jobs:
            await self.drain()

    async def awaited(self, values: Sequence[Any]) -> list[Any]:
        """The values, those that have to be waited for replaced by what they bring, be it an
        exception."""
        places = [place for place, value in enumerate(values) if waits(value)]
        found = list(values)
        if len(places) == 1:
            try:
                found[places[0]] = await values[places[0]]
            except Exception as error:  # noqa: BLE001 - it becomes the error of its position
                found[places[0]] = error
            return found
        brought = await asyncio.gather(*(values[place] for place in places), return_exceptions=True)
        for place, value in zip(places, brought, strict=True):
            if isinstance(value, BaseException) and not isinstance(value, Exception):
                raise value
            found[place] = value
        return found

    def deferred(self, completer: Completer, column: Column, values: Sequence[Any]) -> bool:
        """Whether values have to be waited for; their answers are then written once they are
        there."""
        waiting = [value for value in values if waits(value)]
        if waiting:
            self.keep(waiting)
            self.later(self._completed(completer, column, values))
        return bool(waiting)

    async def _completed(self, completer: Completer, column: Column, values: Sequence[Any]) -> None:
        found = await self.awaited(values)
        for index, answer in enumerate(completer.complete(self, column, found)):
            column.put(index, answer)

    def keep(self, values: Sequence[Any]) -> None:
        """Remembers awaitables until the run ends."""
        self._taken.extend(values)

    # ------------------------------------------------------------------------ what resolvers get

    def info_at(self, column: Column, index: int) -> GraphQLResolveInfo[Any]:
        """What is told of the field that a position belongs to."""
        frame, row = column.row(index)
        return self.info(frame, column.field, row)

    def info(self, frame: Frame, field: FieldPlan, row: int) -> GraphQLResolveInfo[Any]:
        """What a resolver is told of the field and its surroundings."""
        variant = self.variant
        return GraphQLResolveInfo(
            field.name,
            field.nodes,
            field.type,
            frame.plan.type,
            field.path(frame, row),
            variant.schema,
            variant.fragments,
            self.root,
            variant.operation,
            self.variables,
            self.context,
            is_awaitable,
            None,
            _HELPERS,
        )


def _gathered(values: Sequence[Awaitable[Any]]) -> Awaitable[list[Any]]:
    return gather_with_cancel(*values)


#: What resolvers left to be waited for by nobody, until it ends.
_background: set[asyncio.Future[Any]] = set()


def _track(values: Sequence[Any]) -> None:
    waiting = [value for value in values if is_awaitable(value)]
    if waiting:
        future = asyncio.gather(*waiting, return_exceptions=True)
        _background.add(future)
        future.add_done_callback(_background.discard)


#: The same for all runs: what belonged to one would hold on to it as it holds on to that.
_HELPERS = GraphQLResolveInfoHelpers(gather=_gathered, track=_track)
