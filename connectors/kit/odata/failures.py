"""Reads what an OData service says when it refuses: V2 or V4, as JSON or as XML. Pure.

A service may answer XML although JSON was asked for, so the body decides, not the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError  # only the error's name: defusedxml does the reading

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connectors.kit.odata.answers import decode

#: Errors are short. What is longer is no error of OData and is not parsed.
_LONGEST = 200_000

# How services say that they lack a property: Gateway ("Property X not found in type", "Resource not
# found for the segment X"), Microsoft's and CAP's ("Could not find a property named X").
_UNKNOWN = re.compile(
    r"""
      \bproperty (?:\ named)? \W{1,3} (?P<lost> \w+ ) \W{1,3}
          (?: (?:is|was)\ )? (?: not\ found | unknown | does\ not\ exist )
    | \bcould\ not\ find\ a\ property\ named \W{1,3} (?P<missed> \w+ )
    | \bresource\ not\ found\ for\ (?:the\ )? segment \W{1,3} (?P<segment> \w+ )
    | \b(?:invalid|unknown)\ (?:navigation\ )? property \W{1,3} (?P<unknown> \w+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What the service said: its own code and its own words, both for the log alone."""

    code: str
    message: str

    @property
    def unknown_property(self) -> str | None:
        """The property or navigation that the service says it does not have, if it says so."""
        found = _UNKNOWN.search(self.message)
        return found[str(found.lastgroup)] if found else None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"[:500]


def read(body: bytes) -> Failure | None:
    """The failure that a body tells, None when it is not OData's."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if len(body) > _LONGEST:
        return None
    if start.startswith(b"{"):
        return _of_json(body)
    if start.startswith(b"<"):
        return _of_xml(body)
    return None


def _of_json(body: bytes) -> Failure | None:
    try:
        document = decode(body)
    except ValueError:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, Mapping):
        return None
    said: Any = error.get("message")
    if isinstance(said, Mapping):  # V2 tells the language beside the text
        said = said.get("value")
    return Failure(_word(error.get("code")), _word(said))


def _of_xml(body: bytes) -> Failure | None:
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    if _local(root.tag) != "error":
        return None
    found = {_local(child.tag): (child.text or "").strip() for child in root}
    return Failure(found.get("code", ""), found.get("message", ""))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
