"""Trusted documents: the file in which a portal's build lists what its pages ask, read and checked
before anything is answered.

Two forms are read: `{id: text}`, as Relay's compiler and GraphQL Code Generator write it, and
Apollo's `{"format": "apollo-persisted-query-manifest", "operations": [{"id", "body"}]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.operations.documents import Checked, Documents
from gateway.operations.run import Operations

_APOLLO = "apollo-persisted-query-manifest"
#: Mistakes that are told of one file.
_TOLD = 10


class ManifestError(ValueError):
    """A manifest that cannot be used; the text names the file, and documents with mistakes."""


def read(path: Path) -> dict[str, str]:
    """The documents of a manifest by their ids. Raises ManifestError."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no such file") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"{path}: {error}") from None
    try:
        found = dict(_apollo(raw) if "format" in raw else raw.items())
    except (AttributeError, KeyError, TypeError):
        found = {}
    if not found or not all(isinstance(text, str) for text in found.values()):
        raise ManifestError(
            f"{path}: it must be an object of ids and documents, or Apollo's manifest of operations"
        )
    return found


def _apollo(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if raw["format"] != _APOLLO:
        raise KeyError
    for operation in raw["operations"]:
        yield operation["id"], operation["body"]


def report(found: Mapping[str, Checked], operations: Operations) -> Iterator[str]:
    """A line for each operation of checked documents: what it costs, its depth and its calls to
    each system, with the largest pages that its variables can ask for."""
    for name, one in found.items():
        for operation, bill in one.bills.items():
            worth = operations.by_system(bill.most())
            calls = ", ".join(f"{system} {count}" for system, count in worth.calls.items())
            over = "" if operations.affords(worth) else "  over the limits"
            yield (
                f"{name[:16]:16}  {operation or '-':32}  cost {worth.cost:>6}  "
                f"depth {one.depth:>2}  calls {calls or '-'}{over}"
            )


def checked(path: Path, texts: Mapping[str, str], documents: Documents) -> dict[str, Checked]:
    """The documents of a manifest, each fit to be run. Raises ManifestError."""
    found = {name: documents.checked(text) for name, text in texts.items()}
    mistakes = [
        f"  {name}: {one.told[0]['message']}" for name, one in found.items() if one.document is None
    ]
    if mistakes:
        more = len(mistakes) - _TOLD
        told = mistakes[:_TOLD] + ([f"  and {more} more"] if more > 0 else [])
        raise ManifestError("\n".join([f"{path}: documents that cannot be run:", *told]))
    return found
