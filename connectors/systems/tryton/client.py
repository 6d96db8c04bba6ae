"""Asks one Tryton: a search, a count, whether it is well; each is one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from connectors.kit.auth import Fixed
from connectors.kit.connector import Wiring
from connectors.kit.http import HttpClient
from connectors.kit.replies import Reply
from connectors.port.errors import Refused, SourceError, Unreadable
from connectors.systems.tryton.domain import Domain, all_of, listed, packed
from connectors.systems.tryton.settings import TrytonSettings

Row = Mapping[str, Any]
#: Fields with "ASC" or "DESC".
Ordering = Sequence[tuple[str, str]]

#: Largest id that PostgreSQL's integer holds: beyond it Tryton answers 500.
LARGEST_ID = 2**31 - 1
#: Characters of a query string that any proxy lets through; a longer question travels in a body.
_LONGEST_QUERY = 6000


def explain(reply: Reply) -> SourceError | None:
    """Names what only Tryton means by a status; None leaves it to the status."""
    if reply.status == 404:
        # A search always exists: 404 means another database, or a Tryton older than its REST API.
        return reply.unreadable("there is no such database or no REST API there", reply.quote())
    if reply.status == 400 and reply.is_json:
        # Tryton's UserError. We ask with our own fields, so the caller can put nothing right: it
        # says that the user of the key may not read what we ask for.
        return Refused(reply.source, f"{reply.operation}: refused", detail=reply.quote())
    return None


def key_of(text: str) -> int | None:
    """A record's id as Tryton counts, None for what cannot be one."""
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or text[0] == "0":
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


class Tryton:
    """Searches over the REST API of one database, as the user of the key."""

    def __init__(self, source: str, settings: TrytonSettings, wiring: Wiring) -> None:
        self.source = source
        context: dict[str, Any] = {"language": settings.language}
        if settings.company is not None:
            context["company"] = settings.company
        self._http = HttpClient(
            source,
            f"{settings.url.rstrip('/')}/{quote(settings.database, safe='')}/rest/model",
            settings.http,
            wiring,
            credential=Fixed("authorization", f"Bearer {settings.key}"),
            explain=explain,
            headers={"x-tryton-context": packed(context)},
        )

    async def search(
        self,
        operation: str,
        model: str,
        domain: Domain,
        fields: Iterable[str],
        order: Ordering = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Records with these fields. A dotted field nests: `party.code` is row["party"]["code"]."""
        names, conditions = sorted({*fields, "id"}), listed(domain)
        params: list[tuple[str, str | int]] = [("d", packed(conditions))]
        params += [("f", name) for name in names]
        if order:
            params.append(("o", packed(order)))
        if limit is not None:
            params.append(("s", limit))
        query = urlencode(params)
        if len(query) <= _LONGEST_QUERY:
            reply = await self._http.get(operation, f"/{model}", params=query)
            return _rows(reply, reply.json())
        body: dict[str, Any] = {"domain": conditions, "fields_names": names, "limit": limit}
        body["order"] = list(order) or None
        reply = await self._http.call(
            operation, "POST", f"/{model}/search_read", json=body, reads=True
        )
        return _rows(reply, _nested(reply.json()))

    async def count(self, operation: str, model: str, domain: Domain) -> int:
        """How many records a search has. A search tells it only up to ten times its size."""
        body = {"domain": listed(domain)}
        reply = await self._http.call(
            operation, "POST", f"/{model}/search_count", json=body, reads=True
        )
        return reply.decoded(int)

    async def check(self) -> None:
        await self.search("check", "party.party", all_of([]), ("id",), limit=1)

    async def close(self) -> None:
        await self._http.close()

    @contextmanager
    def reading(self, operation: str) -> Iterator[None]:
        """Names what translating stumbles over: Tryton leaves out what the key may not read."""
        try:
            yield
        except KeyError as error:
            message = f"{operation}: a record came without {error}: may the key's user read it?"
            raise Unreadable(self.source, message) from None
        except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
            message = f"{operation}: a record of another shape"
            raise Unreadable(self.source, message, detail=type(error).__name__) from None


def _rows(reply: Reply, answer: Any) -> list[Row]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise reply.unreadable("answered with something else than records")
    return answer


def _nested(answer: Any) -> Any:
    """What a method answers, told as a search does: there, a nested record's key ends in a dot."""
    if isinstance(answer, list):
        return [_nested(item) for item in answer]
    if isinstance(answer, dict) and "__class__" not in answer:
        return {
            name.removesuffix("."): _nested(value) if name.endswith(".") else value
            for name, value in answer.items()
        }
    return answer
