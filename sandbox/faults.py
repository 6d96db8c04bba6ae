"""The trouble on demand: what each part of the sandbox must do wrong, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

PARTS: Final = ("crm", "erp", "site")

# What a part's own application must act out; everything else the middleware does for all three.
SPECIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "quota": ("crm",),
    "expire": ("crm",),
    "partial": ("crm", "erp"),
    "csrf": ("erp",),
    "cut": ("crm",),
    "reject": ("crm",),
}
_GENERIC: Final = ("status", "html", "hang", "slow", "truncated")
_SWITCHES: Final = ("hang", "truncated", *(kind for kind in SPECIAL if kind != "reject"))
KINDS: Final = (*_GENERIC, *SPECIAL)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")
_TIMES = re.compile(r"(.+?)x(\d+)")
_LONGEST_SECONDS: Final = 600.0
_SLOW_SECONDS: Final = 5.0
_REJECTED: Final = "REJECT"

Value = float | bool | str


class BadFault(ValueError):
    """A fault was asked for that the sandbox does not know. The message says what it accepts."""


@dataclass(slots=True)
class PartFaults:
    """The faults of one part. Zero or False is off; `times` holds how often a kind is still due.

    latency and slow are seconds, status and html are the HTTP status to answer with, retry_after is
    seconds for the Retry-After header, reject a text. A kind that is absent from `times` stays
    until reset.
    """

    part: str
    latency: float = 0.0
    status: int = 0
    retry_after: int | None = None
    html: int = 0
    hang: bool = False
    slow: float = 0.0
    truncated: bool = False
    quota: bool = False
    csrf: bool = False
    expire: bool = False
    partial: bool = False
    cut: bool = False
    reject: str = ""
    times: dict[str, int] = field(default_factory=dict)

    def take(self, kind: str) -> bool:
        """True when the fault `kind` is due now; one that was asked for N times counts down."""
        if not getattr(self, kind):
            return False
        left = self.times.get(kind)
        if left is None:
            return True
        if left <= 1:
            self.clear(kind)
        else:
            self.times[kind] = left - 1
        return True

    def arm(self, kind: str, value: Value = True, times: int | None = None) -> None:
        """Switch one fault on, for `times` answers or until reset. Raises BadFault."""
        if kind not in KINDS:
            raise BadFault(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        if self.part not in SPECIAL.get(kind, PARTS):
            raise BadFault(f"fault {kind!r} exists for {', '.join(SPECIAL[kind])} only")
        if times is not None and times < 1:
            raise BadFault("times must be 1 or more")
        setattr(self, kind, _checked(kind, value))
        self.times.pop(kind, None)
        if times is not None:
            self.times[kind] = times

    def clear(self, kind: str) -> None:
        """Switch one fault off."""
        setattr(self, kind, type(getattr(self, kind))())
        self.times.pop(kind, None)

    def reset(self) -> None:
        """Switch all faults of this part off, latency too."""
        for kind in KINDS:
            self.clear(kind)
        self.latency = 0.0
        self.retry_after = None

    def as_json(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "part"}


def _checked(kind: str, value: Value) -> Value:
    if kind == "reject":
        if value is not True and not isinstance(value, str):
            raise BadFault("fault 'reject' takes the text that is to be refused")
        return _REJECTED if value is True else value
    if kind in _SWITCHES:
        if not isinstance(value, bool):
            raise BadFault(f"fault {kind!r} is on or off: give true or false")
        return value
    if kind == "slow":
        return _SLOW_SECONDS if value is True else _seconds(value)
    status = 503 if value is True else value
    lowest = 200 if kind == "html" else 400
    if not isinstance(status, int) or isinstance(status, bool) or not lowest <= status <= 599:
        raise BadFault(f"fault {kind!r} takes an HTTP status from {lowest} to 599")
    return status


def _seconds(value: object) -> float:
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise BadFault(f"{value!r} is no duration; write 80ms, 2s or 0.5s")
        number = float(found[1])
        return _seconds(number / 1000 if found[2] == "ms" else number)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFault(f"{value!r} is no duration; write 80ms, 2s or 0.5s")
    if not 0 <= value <= _LONGEST_SECONDS:
        raise BadFault(f"a duration lies between 0 and {_LONGEST_SECONDS:.0f} seconds")
    return float(value)


@dataclass(slots=True)
class Faults:
    """All faults of one sandbox. Tests change the attributes; the process takes JSON and words."""

    crm: PartFaults = field(default_factory=lambda: PartFaults("crm"))
    erp: PartFaults = field(default_factory=lambda: PartFaults("erp"))
    site: PartFaults = field(default_factory=lambda: PartFaults("site"))

    def of(self, part: str) -> PartFaults:
        """The faults of `crm`, `erp` or `site`. Raises BadFault for another name."""
        if part not in PARTS:
            raise BadFault(f"unknown part {part!r}; known: {', '.join(PARTS)}")
        found: PartFaults = getattr(self, part)
        return found

    def reset(self) -> None:
        for part in PARTS:
            self.of(part).reset()

    def latency(self, words: str) -> None:
        """`80ms` for all parts or `erp=2s` for one. Raises BadFault."""
        part, equals, duration = words.rpartition("=")
        for one in [part] if equals else PARTS:
            self.of(one).latency = _seconds(duration)

    def fail(self, words: str) -> None:
        """`PART=KIND`, `PART=KINDxN` for N times: `crm=503`, `erp=html`, `crm=quotax1`,
        `site=html200`, `crm=slow:10s`, `crm=reject:WORD`. Raises BadFault."""
        part, equals, kind = words.partition("=")
        if not equals or not kind:
            raise BadFault(f"{words!r} is no fault; write PART=KIND, such as crm=503 or erp=html")
        target = self.of(part.strip())
        times = None
        if repeated := _TIMES.fullmatch(kind.strip()):
            kind, times = repeated[1], int(repeated[2])
        target.arm(*_kind_and_value(kind.strip()), times)

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Take the JSON of POST /_faults: `{"reset": true, "latency": [..], "fail": [..],
        "crm": {"status": 503, "times": 2}}`; words as on the command line. Raises BadFault."""
        unknown = set(wanted) - {"reset", "latency", "fail", *PARTS}
        if unknown:
            raise BadFault(f"unknown key {min(unknown)!r}; known: reset, latency, fail, {PARTS}")
        if wanted.get("reset"):
            self.reset()
        for words in _words(wanted.get("latency", ())):
            self.latency(words)
        for words in _words(wanted.get("fail", ())):
            self.fail(words)
        for part in PARTS:
            self._update_part(self.of(part), wanted.get(part, {}))

    def _update_part(self, target: PartFaults, wanted: object) -> None:
        if not isinstance(wanted, Mapping):
            raise BadFault(f"{target.part} takes an object such as {{'status': 503}}")
        times = wanted.get("times")
        if times is not None and not isinstance(times, int):
            raise BadFault("times is a whole number")
        for kind, value in wanted.items():
            if kind == "latency":
                target.latency = _seconds(value)
            elif kind == "retry_after":
                target.retry_after = None if value is None else int(_seconds(value))
            elif kind != "times":
                if value:
                    target.arm(kind, value, times)
                elif kind in KINDS:
                    target.clear(kind)
                else:
                    raise BadFault(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")

    def as_json(self) -> dict[str, Any]:
        return {part: self.of(part).as_json() for part in PARTS}


def _words(given: object) -> Iterable[str]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise BadFault("latency and fail take a text or a list of texts")
    return listed


def _kind_and_value(kind: str) -> tuple[str, Value]:
    if kind.isdigit():
        return "status", int(kind)
    name, colon, amount = kind.partition(":")
    if colon and name == "slow":
        return "slow", _seconds(amount)
    if colon and name == "reject":
        return "reject", amount
    if kind.startswith("html") and kind[4:].isdigit():
        return "html", int(kind[4:])
    return kind, True
