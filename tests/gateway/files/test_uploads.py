"""Large files by tus 1.0: what its specification asks for, and what can go wrong on the way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.files.store import PIECE
from gateway.files.tables import State
from gateway.http.uploads import UploadRoute
from tests.gateway.files import samples
from tests.gateway.files.asgi import Answer, Sender, ask, cut
from tests.gateway.files.cabinet import ANA, Cabinet, Clamd, cabinet

pytestmark = pytest.mark.anyio

LONG = b"".join(b"%012d\n" % n for n in range(PIECE * 3 // 13))
TUS = {"tus-resumable": "1.0.0"}


def route_of(home: Cabinet) -> UploadRoute:
    return UploadRoute(home.files, home.opened.links, lambda headers: "en")


async def announced(home: Cabinet, size: int, name: str = "nota.txt") -> tuple[str, str]:
    """The id of a file, and the path of its address."""
    target = await home.files.create_upload(ANA, name, "", size)
    return target.id, urlsplit(target.url).path


async def patch(
    home: Cabinet, path: str, offset: int | str, sender: Sender, **headers: str
) -> Answer:
    said = {
        **TUS,
        "content-type": "application/offset+octet-stream",
        "upload-offset": str(offset),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await ask(route_of(home), "PATCH", path, said, sender)


async def test_what_it_can_is_told_to_anybody(home: Cabinet) -> None:
    answer = await ask(route_of(home), "OPTIONS", "/uploads/anything")
    assert answer.status == 204
    assert answer.headers == {
        "tus-resumable": "1.0.0",
        "cache-control": "no-store",
        "tus-version": "1.0.0",
        "tus-extension": "expiration,termination,checksum",
        "tus-max-size": str(500 * 1024**2),
        "tus-checksum-algorithm": "sha1,sha256",
    }


async def test_a_file_arrives_over_connections_that_break(home: Cabinet) -> None:
    upload_id, path = await announced(home, len(LONG))
    at = 0
    for end in (1, PIECE + 10, PIECE + 11, len(LONG) - 1):
        answer = await patch(home, path, at, Sender(cut(LONG[at:end]), breaks=True))
        assert answer.status == 400
        found = await ask(route_of(home), "HEAD", path, TUS)
        assert (found.status, found.body) == (200, b"")
        assert found.headers["upload-length"] == str(len(LONG))
        assert found.headers["cache-control"] == "no-store"
        at = int(found.headers["upload-offset"])
        assert at == end, "nothing that came is lost"
    answer = await patch(home, path, at, Sender(cut(LONG[at:])))
    assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(LONG)))
    assert answer.headers["upload-expires"] == "Tue, 03 Mar 2026 15:00:00 GMT"
    [file] = await home.files.taken(ANA, [], [upload_id])
    assert file.digest == hashlib.sha256(LONG).hexdigest()
    assert await home.content(upload_id) == LONG


async def test_a_silent_sender_is_let_go_and_loses_nothing(
    home: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.uploads._PATIENCE", 0.05)
    upload_id, path = await announced(home, 10)
    answer = await patch(home, path, 0, Sender([b"12345"], hangs=True))
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert home.stored() == {upload_id: 5}
    assert (await patch(home, path, 5, Sender([b"67890"]))).status == 204


async def test_a_request_that_is_cancelled_keeps_what_came(home: Cabinet) -> None:
    upload_id, path = await announced(home, len(LONG))
    sender = Sender(cut(LONG[: PIECE + 100_000]), hangs=True)
    task = asyncio.ensure_future(patch(home, path, 0, sender))
    await sender.spoken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found = await ask(route_of(home), "HEAD", path, TUS)
    at = int(found.headers["upload-offset"])
    assert at >= PIECE
    assert (await patch(home, path, at, Sender(cut(LONG[at:])))).status == 204
    assert await home.content(upload_id) == LONG


async def test_two_that_send_at_once_do_not_mix(
    home: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.files.service._PATIENCE", 0.0)
    upload_id, path = await announced(home, len(LONG))
    first, second = Sender(cut(LONG, 10_000)), Sender(cut(b"x" * len(LONG), 10_000))
    answers = await asyncio.gather(patch(home, path, 0, first), patch(home, path, 0, second))
    assert sorted(answer.status for answer in answers) == [204, 423]
    content = await home.content(upload_id)
    assert content in (LONG, b"x" * len(LONG))


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"tus_resumable": ""}, 412, "tus-version"),
        ({"tus_resumable": "0.2.0"}, 412, "tus-version"),
        ({"content_type": "text/plain"}, 415, "accept-patch"),
        ({"upload_offset": ""}, 400, "connection"),
        ({"upload_offset": "-1"}, 400, "connection"),
        ({"upload_offset": "²"}, 400, "connection"),
        ({"upload_offset": "1" * 30}, 400, "connection"),
        ({"upload_offset": "3"}, 409, "connection"),
        ({"content_encoding": "gzip"}, 415, "connection"),
        ({"content_length": "11"}, 413, "connection"),
        ({"upload_checksum": "crc32 AAAA"}, 400, "connection"),
        ({"upload_checksum": "sha1 é"}, 400, "connection"),
        ({"upload_checksum": "sha1 AAAA"}, 460, "connection"),
    ],
)
async def test_what_does_not_fit_is_refused_and_keeps_nothing(
    headers: dict[str, str], status: int, told: str, home: Cabinet
) -> None:
    upload_id, path = await announced(home, 10)
    offset = headers.pop("upload_offset", "0")
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    answer = await patch(
        home, path, offset.encode().decode("latin-1"), Sender([b"12345"]), **encoded
    )
    assert (answer.status, answer.headers["tus-resumable"]) == (status, "1.0.0")
    assert told in answer.headers
    assert answer.error["message"]
    upload = await home.files.upload(upload_id)
    assert upload is not None
    assert upload.received == 0
    assert (await patch(home, path, 0, Sender([b"1234567890"]))).status == 204


async def test_a_checksum_that_fits_is_taken(home: Cabinet) -> None:
    _, path = await announced(home, 10)
    for name in ("sha1", "sha256"):
        digest = base64.b64encode(hashlib.new(name, b"12345").digest()).decode()
        offset = {"sha1": 0, "sha256": 5}[name]
        answer = await patch(
            home, path, offset, Sender([b"123", b"45"]), upload_checksum=f"{name} {digest}"
        )
        assert (answer.status, answer.headers["upload-offset"]) == (204, str(offset + 5))


async def test_more_than_announced_is_cut_off(home: Cabinet) -> None:
    upload_id, path = await announced(home, 10)
    answer = await patch(home, path, 0, Sender([b"12345", b"678901"]))
    assert answer.status == 413
    assert home.stored() == {upload_id: 5}


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
async def test_an_address_that_is_not_ours_leads_nowhere(method: str, home: Cabinet) -> None:
    _, path = await announced(home, 10)
    said, signature, kid = path.rpartition("/")[2].split(".")
    other = await announced(home, 10)
    download = urlsplit(home.files.download_url(ANA, "069x")[0]).path.rpartition("/")[2]
    for ticket in (
        "x",
        "a.b.c",
        f"{said}.{signature}",
        f"{said}.{signature[:-1]}.{kid}",
        f"{said}.{signature}.other",
        f"{said}x.{signature}.{kid}",
        f"{other[1].rpartition('/')[2].split('.')[0]}.{signature}.{kid}",
        download,
        "é",
        "x" * 5_000,
    ):
        headers = {
            **TUS,
            "content-type": "application/offset+octet-stream",
            "upload-offset": "0",
        }
        answer = await ask(route_of(home), method, f"/uploads/{ticket}", headers)
        assert answer.status == 404, ticket
    assert (await ask(route_of(home), "GET", path, TUS)).status == 405
    assert (await ask(route_of(home), "POST", path, TUS)).status == 405


async def test_time_ends_an_address(home: Cabinet) -> None:
    _, path = await announced(home, 10)
    home.clock.forward(hours=25)
    assert (await ask(route_of(home), "HEAD", path, TUS)).status == 404
    assert (await patch(home, path, 0, Sender([b"1"]))).status == 404


async def test_a_file_can_be_given_up_until_it_is_attached(home: Cabinet) -> None:
    _, path = await announced(home, 10)
    await patch(home, path, 0, Sender([b"12345"], breaks=True))
    assert (await ask(route_of(home), "DELETE", path, TUS)).status == 204
    assert home.stored() == {}
    assert (await ask(route_of(home), "HEAD", path, TUS)).status == 404

    upload_id, path = await announced(home, 5)
    await patch(home, path, 0, Sender([b"12345"]))
    async with home.database.write() as connection:
        await home.files.claim(connection, [upload_id], "a submission")
    assert (await ask(route_of(home), "DELETE", path, TUS)).status == 409
    assert (await patch(home, path, 5, Sender([]))).status == 403
    assert await home.content(upload_id) == b"12345"


@pytest.mark.parametrize("case", ["a program of Windows", "a page", "a picture called a document"])
async def test_what_is_not_taken_is_told_with_its_last_byte(case: str, home: Cabinet) -> None:
    name, content = samples.NOT_TAKEN[case]
    _, path = await announced(home, len(content), name)
    answer = await patch(home, path, 0, Sender([content]))
    assert answer.status == 422
    assert answer.error["extensions"]["userErrorCode"] == "FILE_TYPE_NOT_ALLOWED"
    assert home.stored() == {}
    assert (await ask(route_of(home), "HEAD", path, TUS)).status == 410
    assert (await patch(home, path, 0, Sender([content]))).status == 422


async def test_a_scanner_that_is_away_keeps_the_file(folder: Path) -> None:
    async with cabinet(folder, scanner={"address": f"unix:{folder}/clamd"}) as home:
        upload_id, path = await announced(home, 5)
        assert (await patch(home, path, 0, Sender([b"12345"]))).status == 204
        upload = await home.files.upload(upload_id)
        assert upload is not None
        assert upload.state is State.RECEIVED
        async with Clamd().listening(folder / "clamd"):
            assert len(await home.files.taken(ANA, [], [upload_id])) == 1


async def test_a_store_that_fails_is_told(home: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*what: object, **how: object) -> None:
        raise OSError("disk full at /secret")

    _, path = await announced(home, 10)
    with monkeypatch.context() as broken:
        broken.setattr("obstore.put_async", fails)
        answer = await patch(home, path, 0, Sender([b"12345"]))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    assert b"secret" not in answer.body
    assert (await patch(home, path, 0, Sender([b"1234567890"]))).status == 204
