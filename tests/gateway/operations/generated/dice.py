"""Chance that is the same for the same words: what a generated resolver does is thrown anew by
every run that asks, and comes out equal."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A small generator of numbers, seeded by a text. Cheap, since millions are made."""

    __slots__ = ("_state",)

    def __init__(self, text: str) -> None:
        self._state = zlib.crc32(text.encode()) or 1

    def below(self, most: int) -> int:
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % most

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def one(self, among: Sequence[T]) -> T:
        return among[self.below(len(among))]

    def some(self, among: Sequence[T], least: int = 0) -> list[T]:
        """Some of them, in their order."""
        picked = [item for item in among if self.chance(50)]
        return picked if len(picked) >= least else list(among[:least])
