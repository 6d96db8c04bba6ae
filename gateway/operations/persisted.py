"""From a document's name to its text: documents that a portal's build listed, and documents that a
client sent once and names by their hash from then on."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from gateway.operations import errors
from gateway.operations.requests import Outcome, Request, hash_of

if TYPE_CHECKING:
    from gateway.operations.taught import SharedTexts

_log = logging.getLogger("gateway.documents")

#: Most documents that clients taught, and most characters of all of them.
_MOST, _MOST_CHARACTERS = 2_000, 8_000_000
#: Unknown documents that are told once each.
_MOST_TOLD = 10_000
#: Length of a SHA-256 in hexadecimal digits.
_DIGITS = 64
#: How a document's id says that it is a hash (GraphQL over HTTP, appendix on persisted documents).
_HASH = "sha256:"


class Trust(Enum):
    """What becomes of documents that are in no manifest."""

    OFF = "off"
    ALLOW = "allow"
    LOG = "log"
    REQUIRE = "require"


class DocumentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """trusted: off, there is no manifest; allow, its documents have names; log, each other document
    is told in the log; require, no other is run. manifest: the file. automatic: whether clients may
    teach documents and name them by their hash."""

    trusted: Trust = Trust.OFF
    manifest: str = ""
    automatic: bool = True

    def __post_init__(self) -> None:
        if self.trusted is not Trust.OFF and not self.manifest:
            raise ValueError(f"`manifest` is needed where `trusted` is {self.trusted.value!r}")


@dataclass(slots=True)
class Persisted:
    """Finds texts. trusted: by their ids, from the manifest. shared: what other processes were
    taught."""

    trust: Trust = Trust.OFF
    trusted: Mapping[str, str] = field(default_factory=dict)
    automatic: bool = True
    shared: SharedTexts | None = None
    _hashes: dict[str, str] = field(init=False)
    _taught: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _characters: int = 0
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._hashes = {hash_of(text): text for text in self.trusted.values()}

    async def found(self, request: Request) -> Request | Outcome:
        """The request with the text that it names, or why it has none that may be run."""
        given = _named(request)
        if isinstance(given, Outcome):
            return given
        text = request.query
        if given is not None and text:
            if hash_of(text) != given.hash:
                return _refused(errors.BAD_REQUEST, "The hash is not that of the document.")
        elif given is not None:
            known = self._by_name(given) or await self._elsewhere(given)
            if known is None:
                return self._not_found(given)
            text = known
        if self.trust in (Trust.LOG, Trust.REQUIRE) and hash_of(text) not in self._hashes:
            if self.trust is Trust.REQUIRE:
                return _refused(errors.DOCUMENT_NOT_TRUSTED, "Only listed documents are run here.")
            self._tell(hash_of(text), request.operation_name)
        return request if text is request.query else structs.replace(request, query=text)

    async def close(self) -> None:
        """Lets go of the connections."""
        if self.shared is not None:
            await self.shared.close()

    def learn(self, request: Request) -> None:
        """Remembers the text of a request that named it and may be run."""
        given = _named(request)
        if not self.automatic or not isinstance(given, _Name) or not given.by_hash:
            return
        if given.hash in self._taught or given.hash in self._hashes:
            return
        self._keep(given.hash, request.query)
        if self.shared is not None:
            self.shared.put(given.hash, request.query)

    async def _elsewhere(self, given: _Name) -> str | None:
        """A text that another process was taught."""
        if self.shared is None or not self.automatic or not given.by_hash:
            return None
        if len(given.hash) != _DIGITS:
            return None
        text = await self.shared.get(given.hash)
        if text is not None:
            self._keep(given.hash, text)
        return text

    def _keep(self, name: str, text: str) -> None:
        self._taught[name] = text
        self._characters += len(text)
        while len(self._taught) > _MOST or self._characters > _MOST_CHARACTERS:
            _, oldest = self._taught.popitem(last=False)
            self._characters -= len(oldest)

    def _by_name(self, given: _Name) -> str | None:
        trusted = self.trusted
        text = trusted.get(given.name) or trusted.get(given.hash) or self._hashes.get(given.hash)
        if text is None and self.automatic and given.by_hash:
            text = self._taught.get(given.hash)
            if text is not None:
                self._taught.move_to_end(given.hash)
        return text

    def _not_found(self, given: _Name) -> Outcome:
        if given.by_hash and not self.automatic:
            # Clients that hear this send the text at once, and do not ask again.
            return _refused(errors.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        return _refused(errors.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")

    def _tell(self, name: str, operation: str | None) -> None:
        if name in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add(name)
        shown = operation if operation and operation.isidentifier() else "-"
        _log.warning("a document is not listed", extra={"document": name, "operation": shown[:100]})


@dataclass(frozen=True, slots=True)
class _Name:
    """What a request calls its document. by_hash: in the way of clients that teach it."""

    name: str
    hash: str
    by_hash: bool


def _named(request: Request) -> _Name | Outcome | None:
    given = request.document_id
    if given is not None:
        return _Name(given, given.removeprefix(_HASH).lower(), by_hash=given.startswith(_HASH))
    told: Any = (request.extensions or {}).get("persistedQuery")
    if told is None:
        return None
    name: object = told.get("sha256Hash") if isinstance(told, dict) else None
    if not isinstance(name, str) or told.get("version") != 1:
        text = "`extensions.persistedQuery` must have `version` 1 and a `sha256Hash`."
        return _refused(errors.BAD_REQUEST, text)
    return _Name(name, name.lower(), by_hash=True)


def _refused(code: str, text: str) -> Outcome:
    return Outcome({"errors": [errors.refusal(code, text)]}, 400)
