"""The CRM's resources below `/services/data/vNN.0`: finds who answers a call, and asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sandbox.crm.calls import Answer, Call
from sandbox.crm.composite import answer_batch, answer_composite
from sandbox.crm.errors import Refusal, not_found
from sandbox.crm.query import Queries
from sandbox.crm.records import Records, describe, describe_global, named_entity
from sandbox.crm.writes import Writes
from sandbox.database import Database
from sandbox.faults import PartFaults

VERSIONS: Final = ("58.0", "59.0", "60.0", "61.0", "62.0")
_SEASONS: Final = ("Summer '23", "Winter '24", "Spring '24", "Summer '24", "Winter '25")
DAILY_CALLS: Final = 15_000


def versions() -> list[dict[str, str]]:
    """What `/services/data/` lists to anyone."""
    return [
        {"label": season, "url": f"/services/data/v{version}", "version": version}
        for version, season in zip(VERSIONS, _SEASONS, strict=True)
    ]


class Api:
    """used: how many calls the organisation has made. clock: what time it is, with a zone."""

    def __init__(self, database: Database, faults: PartFaults, clock: Callable[[], datetime]):
        self.used = 0
        self._faults = faults
        self._database = database
        self._queries = Queries(database, lambda: clock().date())
        self._records = Records(database, self._queries)
        self._writes = Writes(database, self._records, faults, clock)
        self._resources: Mapping[str, Callable[[Call], Answer]] = {
            "": self._root,
            "limits": self._limits,
            "query": self._query,
            "queryAll": self._query,
            "sobjects": self._sobjects,
            "composite": self._composite,
        }

    def handle(self, call: Call) -> Answer:
        """Answer one call; refusals are answers too."""
        resource = self._resources.get(call.path[0] if call.path else "")
        try:
            if resource is None:
                raise not_found()
            return resource(call)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body())

    def _root(self, call: Call) -> Answer:
        _allow(call, "GET")
        names = [name for name in self._resources if name]
        return Answer(200, {name: f"{call.base}/{name}" for name in names})

    def _limits(self, call: Call) -> Answer:
        _allow(call, "GET")
        remaining = max(0, DAILY_CALLS - self.used)
        return Answer(200, {"DailyApiRequests": {"Max": DAILY_CALLS, "Remaining": remaining}})

    def _query(self, call: Call) -> Answer:
        _allow(call, "GET")
        if len(call.path) == 2:
            return Answer(200, self._queries.next_page(call.path[1], call.base))
        if len(call.path) != 1:
            raise not_found()
        text = call.query.get("q")
        if text is None:
            raise Refusal(400, "MALFORMED_QUERY", "A query string has to be specified")
        return Answer(200, self._queries.first_page(text, call.base, call.page_size))

    def _sobjects(self, call: Call) -> Answer:
        match call.path[1:]:
            case ():
                _allow(call, "GET")
                return Answer(200, describe_global(call.base))
            case (name,):
                _allow(call, "POST")
                return self._writes.create(named_entity(name), call)
            case (name, "describe"):
                _allow(call, "GET")
                return Answer(200, describe(named_entity(name), call.base))
            case (name, identity):
                return self._row(name, identity, call)
            case (name, first, second):
                return self._deeper(name, first, second, call)
        raise not_found()

    def _row(self, name: str, identity: str, call: Call) -> Answer:
        _allow(call, "GET", "PATCH")
        found = named_entity(name)
        if call.method == "PATCH":
            return self._writes.update(found, identity, call)
        fields = _listed(call.query.get("fields", ""))
        return Answer(200, self._records.one(found, identity, fields, call.base))

    def _deeper(self, name: str, first: str, second: str, call: Call) -> Answer:
        """A file's bytes, or a record by its external id."""
        _allow(call, "GET", "PATCH")
        found = named_entity(name)
        if call.method == "PATCH":
            return self._writes.upsert(found, first, second, call)
        field = found.find(second)
        if field is not None and field.type == "base64":
            if call.inner:
                message = "Blob resources are not supported in a composite request"
                raise Refusal(400, "INVALID_INPUT", message)
            return Answer(200, self._records.blob(found, first, second))
        fields = _listed(call.query.get("fields", ""))
        return Answer(200, self._records.by_key(found, first, second, fields, call.base))

    def _composite(self, call: Call) -> Answer:
        match call.path[1:]:
            case () if not call.inner:
                _allow(call, "POST")
                return answer_composite(call, self.handle, self._faults, self._database)
            case ("batch",) if not call.inner:
                _allow(call, "POST")
                answer = answer_batch(call, self.handle, self._faults)
                # Unlike a composite, each part of a batch counts as a call of its own.
                self.used += len(answer.body["results"]) - 1
                return answer
            case ("sobjects", name):
                _allow(call, "GET", "POST")
                return self._collection(name, call)
        raise not_found()

    def _collection(self, name: str, call: Call) -> Answer:
        found = named_entity(name)
        ids: Any = _listed(call.query.get("ids", ""))
        fields: Any = _listed(call.query.get("fields", ""))
        if call.method == "POST":
            body = call.body if isinstance(call.body, dict) else {}
            ids, fields = body.get("ids"), body.get("fields")
        if not _texts(ids) or not _texts(fields):
            message = "ids and fields are required, each a list of texts"
            raise Refusal(400, "MISSING_ARGUMENT", message)
        return Answer(200, self._records.many(found, ids, fields, call.base))


def _allow(call: Call, *methods: str) -> None:
    if call.method not in methods:
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(methods)}"
        raise Refusal(405, "METHOD_NOT_ALLOWED", message)


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _texts(given: object) -> bool:
    return isinstance(given, list) and bool(given) and all(isinstance(one, str) for one in given)
