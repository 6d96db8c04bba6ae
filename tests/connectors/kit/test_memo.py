"""What was worked out is kept: not for ever, not what failed, and not of texts without end."""

from __future__ import annotations

import pytest

from connectors.kit.memo import Memo


def _counting(most: int) -> tuple[Memo[object, int], list[object]]:
    asked: list[object] = []

    def number(value: object) -> int:
        asked.append(value)
        return int(str(value))

    return Memo(number, most), asked


def test_what_is_known_is_not_worked_out_again() -> None:
    memo, asked = _counting(10)
    assert [memo["7"], memo["7"], memo["8"]] == [7, 7, 8]
    assert asked == ["7", "8"]


def test_it_never_holds_more_than_it_may() -> None:
    memo, _ = _counting(10)
    for number in range(25):
        assert memo[str(number)] == number
        assert 0 < len(memo) <= 10


def test_what_cannot_be_worked_out_is_not_kept() -> None:
    memo, asked = _counting(10)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memo["x"]
    assert not memo
    assert asked == ["x", "x"]


def test_long_texts_are_not_kept() -> None:
    memo, asked = _counting(10)
    long = "0" * 201
    assert [memo[long], memo[long]] == [0, 0]
    assert not memo
    assert asked == [long, long]
    lengths: Memo[tuple[str, ...], int] = Memo(len, 10)
    assert [lengths["a", long], lengths["a", "b"]] == [2, 2]
    assert list(lengths) == [("a", "b")]
