"""The table [files] of portal.toml: where bytes are kept, what is taken, how long things last."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.files.types import BY_DEFAULT, KNOWN

_MEGABYTE = 1024 * 1024
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=100)]


class ScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A virus scanner that speaks clamd's protocol. address: "unix:/run/clamav/clamd.ctl" or
    "tcp://host:3310". seconds: that it may take for one file. retry_seconds: after which a caller
    is told to try again while it does not answer."""

    address: str
    seconds: _Positive = 60.0
    retry_seconds: _Positive = 30.0

    def __post_init__(self) -> None:
        if not self.address.startswith(("unix:/", "tcp://")):
            raise ValueError("`address`: unix:/path/of/socket or tcp://host:port is needed")


class FilesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files on their way in, and links to files.

    store: a folder (relative to portal.toml), or the address of a bucket: s3://, az://, gs://.
    store_options: what obstore takes for it; by default it reads the environment. store_client: of
    the connections to it. file_megabytes,
    request_megabytes, request_files: of one GraphQL multipart request. upload_megabytes: of a file
    by createUpload. case_files, case_megabytes: of one case. caller_files, caller_megabytes: sent
    by one caller and not yet attached. at_once: files that come in at the same time, a quarter of
    them by one caller. unattached_hours: how long such a file is kept. types: media
    types that are taken, by content. link_minutes: how long a link to a file works."""

    store: str = "var/files"
    store_options: dict[str, Any] = {}
    store_client: dict[str, Any] = {}
    file_megabytes: _Positive = 25
    request_megabytes: _Positive = 60
    request_files: _Count = 10
    upload_megabytes: _Positive = 500
    case_files: _Count = 20
    case_megabytes: _Positive = 1000
    caller_files: _Count = 40
    caller_megabytes: _Positive = 2000
    at_once: _Count = 60
    unattached_hours: _Positive = 24
    types: tuple[str, ...] = BY_DEFAULT
    link_minutes: _Positive = 10
    scanner: ScannerSettings | None = None

    def __post_init__(self) -> None:
        for name in self.types:
            if name not in KNOWN:
                known = ", ".join(sorted(KNOWN))
                raise ValueError(f"`types`: {name!r} cannot be told by its content; known: {known}")

    @property
    def file_bytes(self) -> int:
        return int(self.file_megabytes * _MEGABYTE)

    @property
    def request_bytes(self) -> int:
        return int(self.request_megabytes * _MEGABYTE)

    @property
    def upload_bytes(self) -> int:
        return int(self.upload_megabytes * _MEGABYTE)

    @property
    def case_bytes(self) -> int:
        return int(self.case_megabytes * _MEGABYTE)

    @property
    def caller_bytes(self) -> int:
        return int(self.caller_megabytes * _MEGABYTE)

    def __repr__(self) -> str:
        # The options of a store hold its keys, and its address may.
        return f"FilesSettings(types={self.types!r})"
