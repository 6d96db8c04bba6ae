"""Pictures made of nothing: a PNG of two colours, an SVG with a roof."""

from __future__ import annotations

import struct
import zlib
from typing import Final

WIDTH: Final = 160
HEIGHT: Final = 90


def png(hue: int) -> bytes:
    """A small PNG, its colours from `hue`, 0 to 255: wall above, floor below."""
    wall = bytes((hue, 120, 255 - hue))
    floor = bytes((60, hue // 2, 80))
    rows = [b"\0" + (wall if y < HEIGHT * 2 // 3 else floor) * WIDTH for y in range(HEIGHT)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(rows), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def svg(hue: int) -> bytes:
    """The same scene with a roof, as SVG."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="rgb({hue},120,{255 - hue})"/>'
        '<path d="M20 60L80 20L140 60Z" fill="#333"/></svg>'
    ).encode()
