"""Sessions by chance: whatever is done in whatever order, only the newest token of a session that
goes on is good, and everybody hears of each end once."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gateway.database.engine import address
from gateway.database.migrate import migrate
from gateway.identity.sessions import Because
from schema.identity.service import Problems
from tests.gateway.identity.house import ANA, EVA, HERE, PASSWORD, SETTINGS, House, house, unlimited

PEOPLE = (ANA, EVA)


class Model:
    """One session as it should be. tokens: in the order in which they were given out."""

    def __init__(self, name: str, email: str, token: str) -> None:
        self.name, self.email, self.tokens, self.alive = name, email, [token], True


class Sessions(RuleBasedStateMachine):
    """Starts, refreshes, replays and ends sessions of two people, in two processes."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.models: list[Model] = []
        self.homes = self.runner.run(self._open())

    async def _open(self) -> list[House]:
        folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        await migrate(address("sqlite:///identity.sqlite", folder))
        homes = [
            await self.opened.enter_async_context(house(folder, unlimited())) for _ in range(2)
        ]
        for home in homes:
            home.issued = {}
        for email in PEOPLE:
            session = await homes[0].member(email)
            await homes[0].identity.sign_out(session.refresh_token, HERE)
        homes[1].crm.people = homes[0].crm.people
        return homes

    def do(self, work: Any) -> Any:
        """What comes of it; None for a refusal."""

        async def run() -> Any:
            try:
                return await work
            except Problems:
                return None

        result = self.runner.run(run())
        for home in self.homes:
            home.clock.forward(seconds=1)
        return result

    def _end(self, *models: Model) -> None:
        for model in models:
            model.alive = False

    @rule(target=sessions, email=st.sampled_from(PEOPLE), where=st.integers(0, 1))
    def sign_in(self, email: str, where: int) -> Model:
        session = self.do(self.homes[where].identity.sign_in(email, PASSWORD, HERE))
        name = session.access_token.split("-", 2)[2]
        model = Model(name, email, session.refresh_token)
        self.models.append(model)
        alive = [each for each in self.models if each.alive and each.email == email]
        # In the order in which they were last used, which is that of the list; see `refresh`.
        self._end(*alive[: -SETTINGS.sessions_per_person])
        return model

    @rule(model=sessions, where=st.integers(0, 1))
    def refresh(self, model: Model, where: int) -> None:
        session = self.do(self.homes[where].identity.refresh(model.tokens[-1], HERE))
        assert (session is not None) == model.alive
        if session is not None:
            model.tokens.append(session.refresh_token)
            self.models.remove(model)
            self.models.append(model)

    @rule(model=sessions, number=st.integers(0, 5), where=st.integers(0, 1))
    def replay(self, model: Model, number: int, where: int) -> None:
        if number < len(model.tokens) - 1:
            token = model.tokens[number]
            assert self.do(self.homes[where].identity.refresh(token, HERE)) is None
            self._end(model)

    @rule(model=sessions, number=st.integers(0, 5), where=st.integers(0, 1))
    def sign_out(self, model: Model, number: int, where: int) -> None:
        token = model.tokens[min(number, len(model.tokens) - 1)]
        self.do(self.homes[where].identity.sign_out(token, HERE))
        self._end(model)

    @rule(email=st.sampled_from(PEOPLE))
    def end_all(self, email: str) -> None:
        home = self.homes[0]
        person = self.do(home.identity.people.by_email(email))
        ended = self.do(home.identity.sessions.end_all(person.id, Because.OPERATOR))
        alive = [each for each in self.models if each.alive and each.email == email]
        assert ended == len(alive)
        self._end(*alive)

    @rule(model=sessions)
    def forge(self, model: Model) -> None:
        token = f"{'0' * 32}.{model.tokens[-1].partition('.')[2]}"
        assert self.do(self.homes[0].identity.refresh(token, HERE)) is None

    @invariant()
    def every_end_is_heard_once(self) -> None:
        told = sorted(name for home in self.homes for name, _ in home.ended)
        ours = {model.name for model in self.models}
        dead = sorted(model.name for model in self.models if not model.alive)
        assert [name for name in told if name in ours] == dead

    def teardown(self) -> None:
        self.runner.run(self.opened.aclose())
        self.runner.close()


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)
