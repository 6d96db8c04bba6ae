"""A Tryton of one answer per call, that writes down what it is asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.catalog import start
from connectors.kit.connector import Wiring
from connectors.port.sources import CustomerSource, OrderSource, System

KEY = "a-secret-key"
URL = "https://erp.example/tryton"
BASE = f"{URL}/company/rest/model"


@dataclass(frozen=True)
class Asked:
    """One call, taken apart."""

    method: str
    path: str
    domain: Any
    fields: list[str]
    order: Any
    limit: Any
    headers: httpx.Headers
    context: Any


def unpacked(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text))


def _taken_apart(request: httpx.Request) -> Asked:
    path = str(request.url.copy_with(query=None)).removeprefix(BASE)
    context = unpacked(request.headers["x-tryton-context"])
    if request.method == "POST":
        body = json.loads(request.content)
        told = {"domain": body["domain"], "fields": body.get("fields_names", [])}
        told |= {"order": body.get("order"), "limit": body.get("limit")}
    else:
        query = request.url.params
        told = {"domain": unpacked(query["d"]), "fields": query.get_list("f")}
        told["order"] = unpacked(query["o"]) if "o" in query else None
        told["limit"] = int(query["s"]) if "s" in query else None
    return Asked(request.method, path, headers=request.headers, context=context, **told)


class FakeTryton:
    """answers: rows, a number, an httpx.Response or an exception to raise, in turn; the last one
    is given again and again."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._answers = list(answers) or [[]]
        self.system: System

    async def open(self, **settings: Any) -> FakeTryton:
        table = {"url": URL, "database": "company", "key": KEY, **settings}
        wiring = Wiring(transport=httpx.MockTransport(self._answer), sleep=self._pause)
        self.system = await start("erp", {"connector": "tryton", **table}, wiring)
        return self

    @property
    def orders(self) -> OrderSource:
        assert self.system.orders is not None
        return self.system.orders

    @property
    def customers(self) -> CustomerSource:
        assert self.system.customers is not None
        return self.system.customers

    @property
    def only(self) -> Asked:
        """The one call there was."""
        (asked,) = self.asked
        return asked

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(_taken_apart(request))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)


Opener = Callable[..., Any]


def day(year: int, month: int, number: int) -> dict[str, Any]:
    return {"__class__": "date", "year": year, "month": month, "day": number}


def amount(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


def sale(key: int = 7, code: str = "100", **fields: Any) -> dict[str, Any]:
    """A row of sale.sale as Tryton answers it."""
    party = {"id": 1, "__name__": "party.party", "code": code}
    return {"id": key, "__name__": "sale.sale", "party": party, **fields}


def numbered(keys: Sequence[int], code: str = "100") -> list[dict[str, Any]]:
    return [sale(key, code, number=str(key), sale_date=day(2026, 1, 1)) for key in keys]
