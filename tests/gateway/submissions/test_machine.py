"""Cases, comments, files and closings by chance, with the connector on a sandbox that is down, cuts
connections, hangs or asks for patience, and a gateway that is started again: in the end everything
that was accepted is in the CRM, once, and nothing else.
"""

from __future__ import annotations

import asyncio
import atexit
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import copy, rmtree
from typing import Any, TypeVar

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

import sandbox.app
import sandbox.data
from connectors import catalog
from connectors.kit.connector import Wiring
from connectors.port.errors import Unavailable
from connectors.port.records import Case
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseSource, CaseWriter
from gateway.sources.guarded import GuardedCases, GuardedCaseWriter
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS
from schema.cases.service import Unproven
from tests.gateway.submissions.house import NOW, House, Time, caller, crash, house, new_case

T = TypeVar("T")

ACCOUNT = AccountRef(CUSTOMERS[0].crm_id, CUSTOMERS[0].number, CUSTOMERS[0].country)
#: A program: the people of the house are not the sandbox's.
WHO = replace(caller(account=ACCOUNT), staff=True)
TABLE = {
    "connector": "salesforce",
    "url": "http://sandbox.example",
    "login": {
        "grant": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    },
    "writes": {},
    # What hangs is given up soon: these seconds are real ones.
    "http": {"deadline": 0.3},
}
TROUBLES = ["503", "cutx1", "cutx2", "hang", "429x3", "quota", "htmlx2", "expirex1", "truncatedx1"]


@cache
def built() -> Path:
    """A sandbox's data, made once."""
    folder = tempfile.mkdtemp(prefix="portal-sandbox-")
    atexit.register(rmtree, folder)
    path = Path(folder) / "sandbox.sqlite"
    sandbox.data.build(path, NOW.date())
    return path


def unproven(case: Case) -> Unproven:
    """The CRM could not say whose it is when something was sent for it."""
    return Unproven(case.id, Scope([ACCOUNT]), Unavailable("crm", "no answer"))


class Submitting(RuleBasedStateMachine):
    """What a customer was told is kept in `cases`, `said`, `files` and `closed`."""

    opened = Bundle("opened")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.faults = Faults()
        self.count = 0
        self.cases: Counter[str] = Counter()
        self.said: Counter[tuple[str, str]] = Counter()
        self.files: Counter[tuple[str, str]] = Counter()
        self.closed: set[str] = set()
        self.home = self.runner.run(self._open())

    async def _open(self) -> House:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.database = folder / "sandbox.sqlite"
        copy(built(), self.database)

        async def real(time: Time) -> tuple[CaseSource, CaseWriter]:
            app = sandbox.app.create(self.database, self.faults, NOW)
            transport = httpx.ASGITransport(app)
            wiring = Wiring(transport, clock=time.clock, sleep=time.sleep)
            system = await catalog.start("crm", TABLE, wiring)
            self.stack.push_async_callback(system.close)
            assert system.cases is not None
            assert system.case_writer is not None
            guarded = GuardedCases(system.cases)
            return system.cases, GuardedCaseWriter(system.case_writer, guarded)

        return await self.stack.enter_async_context(house(folder, real=real))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Time goes on while something is done."""

        async def driven() -> T:
            task = asyncio.ensure_future(work)
            for _ in range(400):
                if task.done():
                    break
                await self.home.time.forward(0.25)
            return await task

        return self.runner.run(driven())

    def new(self, what: str) -> str:
        self.count += 1
        return f"{what} {self.count}"

    # ---------------------------------------------------------------------------- customers

    @rule(target=opened, files=st.integers(0, 2), key=st.booleans())
    def opens_a_case(self, files: int, key: bool) -> tuple[Case, str]:
        subject = self.new("Azar caso")
        names = [self.new("archivo") for _ in range(files)]
        held = [self.home.store.put(name, name.encode()) for name in names]
        given = new_case(subject, ACCOUNT, contact_id=None)
        service = self.home.open.service
        case = self.run(service.open_case(WHO, given, held, subject if key else None))
        self.cases[subject] += 1
        self.files.update((subject, f"{name}.txt") for name in names)
        if key:
            # The network was slow, and the page has sent it again.
            again = self.run(service.open_case(WHO, given, held, subject))
            assert again.subject == case.subject
        return case, subject

    @rule(case=opened, proven=st.booleans())
    def comments(self, case: tuple[Case, str], proven: bool) -> None:
        found, subject = case
        body = self.new("Azar comentario")
        about = found if proven else unproven(found)
        self.run(self.home.open.service.add_comment(WHO, about, body, None))
        self.said[subject, body] += 1

    @rule(case=opened, proven=st.booleans())
    def adds_a_file(self, case: tuple[Case, str], proven: bool) -> None:
        found, subject = case
        name = self.new("archivo")
        held = [self.home.store.put(name, name.encode())]
        about = found if proven else unproven(found)
        self.run(self.home.open.service.add_files(WHO, about, held, None))
        self.files[subject, f"{name}.txt"] += 1

    @rule(case=consumes(opened), comment=st.booleans(), proven=st.booleans())
    def closes(self, case: tuple[Case, str], comment: bool, proven: bool) -> None:
        found, subject = case
        body = self.new("Azar cierre") if comment else None
        about = found if proven else unproven(found)
        self.run(self.home.open.service.close_case(WHO, about, body, None))
        self.closed.add(subject)
        if body:
            self.said[subject, body] += 1

    # ---------------------------------------------------------------------------- trouble

    @rule(spec=st.sampled_from(TROUBLES))
    def trouble_begins(self, spec: str) -> None:
        self.faults.update({"fail": [f"crm={spec}"]})

    @rule()
    def trouble_ends(self) -> None:
        self.faults.update({"reset": True})

    @rule(seconds=st.sampled_from([1, 20, 400]))
    def time_passes(self, seconds: int) -> None:
        self.runner.run(self.home.time.forward(seconds))

    @rule(clean=st.booleans())
    def the_gateway_is_started_again(self, clean: bool) -> None:
        if not clean:
            # Others believe for a while that the one that is gone still works.
            self.runner.run(self._crash())
        else:
            self.run(self.home.again())

    async def _crash(self) -> None:
        await crash(self.home.open)
        self.home.time.now += timedelta(seconds=20)
        await self.home.reopen()

    # ---------------------------------------------------------------------------- the end

    def teardown(self) -> None:
        try:
            self.trouble_ends()
            self.runner.run(self._finish())
            assert self._in_the_crm() == (self.cases, self.said, self.files, self.closed)
        finally:
            self.runner.run(self.stack.aclose())
            self.runner.close()

    async def _finish(self) -> None:
        for _ in range(60):
            if self.home.open.pending.waiting == 0:
                return
            await self.home.open.sweep()
            await self.home.time.forward(120)
        raise AssertionError(f"{self.home.open.pending.waiting} wait for ever")

    def _in_the_crm(self) -> tuple[object, object, object, object]:
        """What the sandbox holds that was not there in the beginning."""
        with sqlite3.connect(self.database) as rows:
            cases = rows.execute(CASES).fetchall()
            said = rows.execute(SAID).fetchall()
            files = rows.execute(FILES).fetchall()
        rows.close()
        closed = {subject for subject, status in cases if status == "Closed"}
        return (
            Counter(subject for subject, _ in cases),
            Counter(said),
            Counter(files),
            closed,
        )


CASES = "SELECT Subject, Status FROM crm_Case WHERE Subject LIKE 'Azar %'"
SAID = (
    "SELECT k.Subject, c.CommentBody FROM crm_CaseComment c JOIN crm_Case k ON k.Id = c.ParentId "
    "WHERE c.CommentBody LIKE 'Azar %'"
)
FILES = (
    "SELECT k.Subject, v.PathOnClient FROM crm_ContentVersion v "
    "LEFT JOIN crm_ContentDocumentLink l ON l.ContentDocumentId = v.ContentDocumentId "
    "LEFT JOIN crm_Case k ON k.Id = l.LinkedEntityId WHERE v.PathOnClient LIKE 'archivo %'"
)

TestSubmitting = Submitting.TestCase
TestSubmitting.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
