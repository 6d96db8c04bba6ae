"""The settings of questions that are kept as files: where they lie, and their first language."""

from __future__ import annotations

from pathlib import Path

import msgspec

from connectors.systems.content.translate import LANGUAGE

#: The questions that come with the project.
OWN = Path(__file__).resolve().parents[3] / "content" / "questions"


class ContentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of portal.toml with `connector = "content"`.

    path: the folder of the files; a relative one starts where the gateway was started. Left out, it
    is the project's own. default_language: the one in which every question is written, for readers
    of other languages.
    """

    path: str | None = None
    default_language: str = "es"

    def __post_init__(self) -> None:
        if not LANGUAGE.fullmatch(self.default_language):
            raise ValueError("`default_language` must be a BCP 47 tag, such as es or pt-BR")

    @property
    def folder(self) -> Path:
        return OWN if self.path is None else Path(self.path)
