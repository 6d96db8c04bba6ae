"""A file on its way into the CRM: what surrounds its bytes, which are never held."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from connectors.kit.streams import Body

_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9!#$&^_.+-]{1,127}"
)


class FileForm:
    """described: the columns of the file's version. size: of the whole body, in bytes; the file's
    own are to be exactly as many as were said. A media type that is none is sent as unknown."""

    def __init__(self, described: Mapping[str, Any], content_type: str, size: int) -> None:
        boundary = f"portal-{secrets.token_hex(16)}"
        kind = content_type if _MEDIA_TYPE.fullmatch(content_type) else "application/octet-stream"
        # The name that counts is among the columns, where a quote is nothing special.
        self._head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="entity_content"\r\n'
            "Content-Type: application/json\r\n\r\n"
            f"{json.dumps(described, separators=(',', ':'))}\r\n"
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="VersionData"; filename="file"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.size = len(self._head) + size + len(self._tail)
        self.media_type = f'multipart/form-data; boundary="{boundary}"'

    async def pieces(self, body: Body) -> AsyncIterator[bytes]:
        yield self._head
        async for piece in body():
            yield piece
        yield self._tail
