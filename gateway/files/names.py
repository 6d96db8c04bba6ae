"""Makes the name of a file one that can be shown and saved anywhere. Pure."""

from __future__ import annotations

import re
import unicodedata

#: Longest name, in bytes of UTF-8, and longest extension, in characters.
MOST_BYTES, MOST_EXTENSION = 180, 10
#: What stands where nothing is left.
_NAMELESS = "file"

#: Not in names on Windows, and separators of paths everywhere.
_FORBIDDEN = re.compile(r'[<>:"|?*]')
#: Devices of Windows, whatever their extension.
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE
)


def clean_name(raw: str) -> str:
    """A name without a path, control or direction characters, reserved names, leading or trailing
    dots; NFC, at most MOST_BYTES, never empty. Its extension survives the cut."""
    text = unicodedata.normalize("NFC", raw)
    text = re.split(r"[/\\]", text)[-1]
    text = "".join(letter for letter in text if _shown(letter))
    text = _FORBIDDEN.sub("_", text)
    text = " ".join(text.split()).strip(". ")
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return _cut(text) or _NAMELESS


def extension(name: str) -> str:
    """The part after the last dot in small letters, "" where there is none that looks like one."""
    stem, dot, last = name.rpartition(".")
    plain = last.isascii() and last.isalnum() and len(last) <= MOST_EXTENSION
    return last.lower() if stem and dot and plain else ""


def with_extension(name: str, wanted: str) -> str:
    """The name with one more extension."""
    stem = _shortened(name, MOST_BYTES - len(wanted) - 1)
    return f"{stem}.{wanted}"


def _shown(letter: str) -> bool:
    """Neither a control, a mark of direction or of no width, nor half a letter or none at all: such
    make one name look like another. A space of any kind is made a plain one later."""
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"} or letter == "\t"


def _cut(name: str) -> str:
    if len(name.encode()) <= MOST_BYTES:
        return name
    ending = extension(name)
    if not ending:
        return _shortened(name, MOST_BYTES)
    stem = name[: -len(ending) - 1]
    return f"{_shortened(stem, MOST_BYTES - len(ending) - 1)}.{name[-len(ending) :]}"


def _shortened(text: str, most: int) -> str:
    """At most that many bytes, no letter cut in half, no space or dot at its end."""
    return text.encode()[:most].decode(errors="ignore").rstrip(". ")
