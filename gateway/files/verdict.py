"""Whether a file is taken, by its content, and under which name. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gateway.files.names import extension, with_extension
from gateway.files.types import CSV, KNOWN, TEXT
from schema.problems import Problem, ProblemCode
from schema.texts import N_


@dataclass(frozen=True, slots=True)
class Verdict:
    """A file that is taken. content_type: of its content."""

    filename: str
    content_type: str


def verdict(filename: str, found: str | None, taken: Collection[str]) -> Verdict | Problem:
    """filename: cleaned. found: what the content is, None for nothing that is known. taken: media
    types. A name without a fitting extension gets one; a picture that was given the extension of
    another kind of picture, as telephones do, gets its own; any other name that says something
    else than the content is a reason to refuse it."""
    ending = extension(filename)
    kind = CSV if found == TEXT and ending in KNOWN[CSV] else found
    if kind is None or kind not in taken:
        return not_taken(taken)
    if ending in KNOWN[kind]:
        return Verdict(filename, kind)
    claimed = next((name for name, endings in KNOWN.items() if ending in endings), None)
    if claimed is None:
        return Verdict(with_extension(filename, KNOWN[kind][0]), kind)
    if claimed.startswith("image/") and kind.startswith("image/"):
        stem = filename[: -len(ending) - 1]
        return Verdict(with_extension(stem, KNOWN[kind][0]), kind)
    text = N_("This file is not what its name says. Send it under its right name.")
    return Problem(ProblemCode.FILE_TYPE_NOT_ALLOWED, text)


def not_taken(taken: Collection[str]) -> Problem:
    """That a file is of no type that is taken, and which are."""
    endings = ", ".join(sorted({KNOWN[name][0] for name in taken}))
    text = N_("Files of this type are not taken. Send one of these: {types}.")
    return Problem(ProblemCode.FILE_TYPE_NOT_ALLOWED, text, {"types": endings})


def too_large(most: int) -> Problem:
    """That a file has more bytes than it may have. most: bytes."""
    text = N_("This file is larger than {megabytes} MB.")
    return Problem(ProblemCode.FILE_TOO_LARGE, text, {"megabytes": shown(most)})


def full(most: int) -> Problem:
    """That a case would have more bytes than it may have. most: bytes."""
    text = N_("The files of this case would be larger than {megabytes} MB together.")
    return Problem(ProblemCode.FILE_TOO_LARGE, text, {"megabytes": shown(most)})


def too_many(most: int) -> Problem:
    """That there are more files than there may be at once."""
    text = N_("These are too many files; at most {most} are taken at once.")
    return Problem(ProblemCode.TOO_MANY_FILES, text, {"most": most})


def too_many_for_case(most: int) -> Problem:
    """That a case would have more files than it may have."""
    text = N_("These are too many files for one case; it takes {most}.")
    return Problem(ProblemCode.TOO_MANY_FILES, text, {"most": most})


def empty() -> Problem:
    """That a file has no bytes."""
    return Problem(ProblemCode.INVALID, N_("This file is empty."))


def shown(size: int) -> str:
    """A number of bytes as megabytes, for people: rounded down to a tenth."""
    tenths = size * 10 // (1024 * 1024)
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)
