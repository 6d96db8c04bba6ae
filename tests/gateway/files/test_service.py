"""Files on their way in: announced, sent in pieces, looked at, attached, and gone."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.port.errors import Unavailable
from gateway.files.receiving import Interrupted, WrongChecksum
from gateway.files.store import PIECE, StoreAddressError, StoreError, open_store
from gateway.files.tables import State
from gateway.files.uploads import new_id
from schema.files.service import IncomingFile, StoredFile
from schema.problems import Problem, ProblemCode, Problems
from tests.gateway.files import samples
from tests.gateway.files.cabinet import ANA, Cabinet, Clamd, cabinet, person

pytestmark = pytest.mark.anyio

LUIS = person("003B")
#: Text of two and a half pieces, no two lines alike.
LONG = b"".join(b"%012d\n" % n for n in range(PIECE * 5 // 2 // 13))


async def problems(work: object) -> list[tuple[str, tuple[str, ...] | None]]:
    with pytest.raises(Problems) as raised:
        await work  # type: ignore[misc]
    return [(problem.code.value, problem.field) for problem in raised.value.problems]


async def test_a_file_sent_in_odd_pieces_is_the_same_file(home: Cabinet) -> None:
    target = await home.files.create_upload(ANA, "nota.txt", "text/plain", len(LONG))
    assert target.url.startswith("https://portal.example/uploads/")
    assert target.expires_at == home.clock() + timedelta(hours=24)
    at = 0
    for length in (1, 1, PIECE - 3, 5, PIECE, 100_000, len(LONG)):
        part = LONG[at : at + length]
        at = await home.sent(target.id, part)
    assert at == len(LONG)
    assert await home.files.look(target.id) is None
    assert await home.content(target.id) == LONG
    assert await home.files.taken(ANA, [], [target.id]) == [
        StoredFile(
            target.id,
            "nota.txt",
            "text/plain",
            len(LONG),
            hashlib.sha256(LONG).hexdigest(),
            ("input", "uploadIds", "0"),
        )
    ]
    for first in (0, 1, PIECE - 1, PIECE, PIECE + 1, len(LONG) - 1):
        read = [data async for data in home.files.read_from(target.id, first)]
        assert b"".join(read) == LONG[first:]


async def test_a_store_in_memory_does_the_same(folder: Path) -> None:
    async with cabinet(folder, store="memory:///") as home:
        upload_id = await home.arrived(LONG)
        assert await home.content(upload_id) == LONG
        await home.files.discard([upload_id])
        assert [name async for name, _ in home.files._store.ids()] == []


async def test_what_a_crash_left_behind_a_note_is_written_over(home: Cabinet) -> None:
    target = await home.files.create_upload(ANA, "nota.txt", "", 8)
    await home.sent(target.id, b"uno ")
    # The piece was written and the gateway died before it could note it.
    await home.files._store.put(target.id, 0, b"uno xxxx")
    assert await home.sent(target.id, b"dos!") == 8
    await home.files.look(target.id)
    assert await home.content(target.id) == b"uno dos!"


async def test_more_than_announced_is_not_taken(home: Cabinet) -> None:
    target = await home.files.create_upload(ANA, "nota.txt", "", 4)
    with pytest.raises(ValueError, match="more bytes"):
        await home.sent(target.id, b"12345")
    assert await home.sent(target.id, b"1234") == 4
    assert home.stored() == {target.id: 4}


async def test_one_writer_at_a_time(home: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.files.service._PATIENCE", 0.0)
    target = await home.files.create_upload(ANA, "nota.txt", "", 10)
    tried = await asyncio.gather(*(home.files.receiving(target.id) for _ in range(5)))
    [one] = [receiving for receiving in tried if receiving is not None]
    await one.feed(b"12345")
    await one.end()
    # A writer that died in the middle of it does not keep others out for ever.
    dead = await home.files.receiving(target.id)
    assert dead is not None
    assert await home.files.receiving(target.id) is None
    home.clock.forward(seconds=91)
    assert await home.sent(target.id, b"67890") == 10
    await dead.feed(b"xxxxx")
    with pytest.raises(Interrupted):
        await dead.end()
    await home.files.look(target.id)
    assert (await home.files.upload(target.id)).received == 10  # type: ignore[union-attr]


async def test_a_wrong_checksum_keeps_nothing_of_its_piece(home: Cabinet) -> None:
    target = await home.files.create_upload(ANA, "nota.txt", "", 10)
    await home.sent(target.id, b"12345")
    right = hashlib.sha1(b"67890", usedforsecurity=False).digest()
    with pytest.raises(WrongChecksum):
        await home.sent(target.id, b"67x90", checksum=("sha1", right))
    assert (await home.files.upload(target.id)).received == 5  # type: ignore[union-attr]
    assert await home.sent(target.id, b"67890", checksum=("sha1", right)) == 10
    await home.files.look(target.id)
    assert await home.content(target.id) == b"1234567890"


@pytest.mark.parametrize("case", samples.NOT_TAKEN)
async def test_what_is_not_taken_leaves_no_bytes(case: str, home: Cabinet) -> None:
    name, content = samples.NOT_TAKEN[case]
    upload_id = await home.arrived(content, name)
    found = await problems(home.files.taken(ANA, [], [upload_id]))
    assert found == [("FILE_TYPE_NOT_ALLOWED", ("input", "uploadIds", "0"))]
    assert home.stored() == {}


async def test_what_is_announced_wrong_is_told_at_once(home: Cabinet) -> None:
    create = home.files.create_upload
    assert await problems(create(ANA, " ", "x", 0)) == [
        ("REQUIRED", ("input", "filename")),
        ("INVALID", ("input", "contentType")),
        ("INVALID", ("input", "size")),
    ]
    large = 500 * 1024**2 + 1
    assert await problems(create(ANA, "a.mp4", "video/mp4", large)) == [
        ("FILE_TYPE_NOT_ALLOWED", ("input", "contentType")),
        ("FILE_TOO_LARGE", ("input", "size")),
    ]
    home.largest[0] = 1_000
    assert await problems(create(ANA, "a.pdf", "", 1_001)) == [
        ("FILE_TOO_LARGE", ("input", "size"))
    ]
    for name, said in (("a.csv", "application/vnd.ms-excel"), ("scan", ""), ("a.bin", "image/png")):
        assert (await create(ANA, name, said, 10)).id


async def test_a_mutation_is_told_all_that_is_wrong_with_its_files(home: Cabinet) -> None:
    mine = await home.arrived(samples.PDF, "a.pdf")
    his = await home.arrived(samples.PDF, "a.pdf", LUIS)
    half = (await home.files.create_upload(ANA, "a.txt", "", 10)).id
    refused = Problem(ProblemCode.FILE_TOO_LARGE, "x")
    files = [IncomingFile(mine, "a.pdf"), IncomingFile(None, "b.pdf", refused)]
    found = await problems(home.files.taken(ANA, files, [his, half, "nothing", mine]))
    assert found == [
        ("FILE_TOO_LARGE", ("input", "files", "1")),
        ("NOT_FOUND", ("input", "uploadIds", "0")),
        ("INVALID", ("input", "uploadIds", "1")),
        ("NOT_FOUND", ("input", "uploadIds", "2")),
        ("INVALID", ("input", "uploadIds", "3")),
    ]


async def test_a_case_takes_so_many_files_and_bytes(folder: Path) -> None:
    async with cabinet(folder, case_files=2, case_megabytes=0.00002) as home:
        ids = [await home.arrived(b"0123456789", f"{n}.txt") for n in range(3)]
        assert len(await home.files.taken(ANA, [], ids[:2])) == 2
        assert await problems(home.files.taken(ANA, [], ids)) == [
            ("TOO_MANY_FILES", ("input", "uploadIds"))
        ]
        more = await home.arrived(b"0" * 11, "b.txt")
        assert await problems(home.files.taken(ANA, [], [ids[0], more])) == [
            ("FILE_TOO_LARGE", ("input", "uploadIds"))
        ]
        one = await home.files.taken(ANA, [], [ids[0]])
        assert home.files.over([10], one) is None
        for already, code in (([11], "FILE_TOO_LARGE"), ([1, 1], "TOO_MANY_FILES")):
            found = home.files.over(already, one)
            assert found is not None
            assert (found.code, found.field) == (code, ("input", "uploadIds"))
        home.largest[0] = 10
        assert await problems(home.files.taken(ANA, [], [more])) == [
            ("FILE_TOO_LARGE", ("input", "uploadIds", "0"))
        ]


async def test_one_caller_fills_no_store(folder: Path) -> None:
    async with cabinet(folder, caller_files=3, caller_megabytes=1) as home:
        ids = [await home.arrived(samples.PDF, "a.pdf") for _ in range(3)]
        create = home.files.create_upload
        assert await problems(create(ANA, "a.pdf", "", 10)) == [("TOO_MANY_FILES", ("input",))]
        assert (await create(LUIS, "a.pdf", "", 10)).id
        await home.files.discard(ids[:1])
        assert await problems(create(ANA, "a.pdf", "", 1024**2)) == [("TOO_MANY_FILES", ("input",))]
        both = await asyncio.gather(
            *(create(ANA, "a.pdf", "", 10) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(one, Problems) for one in both) == 3


async def test_a_claimed_file_stays_until_it_is_released(home: Cabinet) -> None:
    first, second = [await home.arrived(samples.PDF, "a.pdf") for _ in range(2)]

    async def claim(ids: list[str], holder: str) -> list[str]:
        async with home.database.write() as connection:
            gone = await home.files.claim(connection, ids, holder)
            if gone:
                await connection.rollback()
            return gone

    assert await claim([first], "one") == []
    assert await claim([first], "one") == []
    assert await claim([second, first], "two") == [first]
    home.clock.forward(hours=25)
    await home.opened.sweep.expired()
    assert list(home.stored()) == [first], "the second was claimed in a transaction undone"
    await home.files.discard([first])
    assert await home.content(first) == samples.PDF
    # Whoever repeats the request finds the file as it was.
    assert [file.id for file in await home.files.taken(ANA, [], [first])] == [first]

    await home.files.release([first, "unknown"])
    assert home.stored() == {}
    assert [file.id for file in await home.files.taken(ANA, [], [first])] == [first]
    assert await claim([first], "one") == []
    assert await claim([first], "two") == [first]
    with pytest.raises(StoreError):
        await home.content(first)
    home.clock.forward(hours=25)
    await home.opened.sweep.expired()
    assert await home.rows() == []


async def test_what_is_not_whole_or_not_taken_cannot_be_claimed(home: Cabinet) -> None:
    half = (await home.files.create_upload(ANA, "a.txt", "", 10)).id
    unseen = await home.arrived(b"text", look=False)
    wrong = await home.arrived(b"\x00", "a.txt")
    for upload_id in (half, unseen, wrong, "unknown"):
        async with home.database.write() as connection:
            assert await home.files.claim(connection, [upload_id], "one") == [upload_id]


async def test_time_ends_what_nobody_attached(home: Cabinet) -> None:
    whole = await home.arrived(samples.PDF, "a.pdf")
    half = (await home.files.create_upload(ANA, "a.txt", "", 10)).id
    await home.sent(half, b"12345")
    home.clock.forward(hours=23)
    young = await home.arrived(samples.PDF, "a.pdf")
    assert await home.opened.sweep.expired() == 0
    home.clock.forward(hours=2)
    assert await problems(home.files.taken(ANA, [], [whole])) == [
        ("NOT_FOUND", ("input", "uploadIds", "0"))
    ]
    with pytest.raises(LookupError):
        await home.files.receiving(half)
    assert await home.opened.sweep.expired() == 2
    assert list(home.stored()) == [young]
    assert [row.id for row in await home.rows()] == [young]


async def test_bytes_that_nobody_knows_of_are_swept(home: Cabinet) -> None:
    kept = await home.arrived(samples.PDF, "a.pdf")
    await home.files._store.put("0" * 32, 0, b"left by a crash")
    home.clock.now = home.clock.now.replace(year=2000)
    assert await home.opened.sweep.orphans() == 0, "too young"
    home.clock.now = home.clock.now.replace(year=2100)
    assert await home.opened.sweep.orphans() == 1
    assert list(home.stored()) == [kept]


async def test_sweeping_goes_on_whatever_fails(
    home: Cabinet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    upload_id = await home.arrived(samples.PDF, "a.pdf")
    home.clock.forward(hours=25)
    monkeypatch.setattr("gateway.files.sweep._FIRST", 0.0)
    monkeypatch.setattr("gateway.files.sweep._PAUSE", 0.0)
    troubles: list[Exception] = [StoreError("away"), RuntimeError("secret")]
    delete = home.files._store.delete

    async def fails(file_id: str) -> None:
        if troubles:
            raise troubles.pop()
        await delete(file_id)

    async def orphans() -> int:
        if not troubles and not home.stored():
            swept.set()
        for name in home.stored():
            await fails(name)
        return 0

    swept = asyncio.Event()
    monkeypatch.setattr(home.files._store, "delete", fails)
    monkeypatch.setattr(home.opened.sweep, "orphans", orphans)
    monkeypatch.setattr("gateway.files.sweep._SELDOM", 1)
    sweeping = asyncio.ensure_future(home.opened.sweep.keep())
    await asyncio.wait_for(swept.wait(), 10)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    assert upload_id not in home.stored()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["files could not be swept: RuntimeError", "files could not be swept: away"]


async def test_a_file_that_is_deleted_while_it_comes_leaves_nothing(home: Cabinet) -> None:
    target = await home.files.create_upload(ANA, "nota.txt", "", len(LONG))
    receiving = await home.files.receiving(target.id)
    assert receiving is not None
    await receiving.feed(LONG[:100])
    await home.files.discard([target.id])
    with pytest.raises(Interrupted):
        await receiving.feed(LONG[100:])
    await receiving.end()
    assert home.stored() == {}


async def test_a_store_that_fails_is_named(home: Cabinet) -> None:
    upload_id = await home.arrived(b"text", look=False)
    for path in home.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(Unavailable) as raised:
        await home.files.look(upload_id)
    assert (raised.value.source, raised.value.retryable) == ("files", True)


# ------------------------------------------------------------------------------ the virus scanner


async def test_a_scanner_looks_at_every_byte(folder: Path) -> None:
    clamd, path = Clamd(), folder / "clamd"
    async with clamd.listening(path), cabinet(folder, scanner={"address": f"unix:{path}"}) as home:
        clean = await home.arrived(LONG)
        assert clamd.seen == [LONG]
        assert len(await home.files.taken(ANA, [], [clean])) == 1
        harmful = await home.arrived(b"EICAR")
        assert await problems(home.files.taken(ANA, [], [harmful])) == [
            ("FILE_INFECTED", ("input", "uploadIds", "0"))
        ]
        assert list(home.stored()) == [clean]


@pytest.mark.parametrize(
    "trouble",
    [
        {"answer": None},
        {"answer": b"INSTREAM size limit exceeded. ERROR\0"},
        {"answer": b"x" * 10_000},
        {"hangs": True},
        None,
    ],
)
async def test_what_a_scanner_did_not_look_at_is_kept_and_not_taken(
    trouble: dict[str, object] | None, folder: Path
) -> None:
    clamd, path = Clamd(**(trouble or {})), folder / "clamd"  # type: ignore[arg-type]
    scanner = {"address": f"unix:{path}", "seconds": 0.3}
    async with cabinet(folder, scanner=scanner) as home:
        if trouble is None:
            upload_id = await home.arrived(b"text", look=False)
            with pytest.raises(Unavailable):
                await home.files.taken(ANA, [], [upload_id])
        else:
            async with clamd.listening(path):
                upload_id = await home.arrived(b"text", look=False)
                with pytest.raises(Unavailable) as raised:
                    await home.files.taken(ANA, [], [upload_id])
                assert raised.value.retry_after == 30
        assert home.stored() == {upload_id: 4}
        [row] = await home.rows()
        assert row.state == State.RECEIVED
        path.unlink(missing_ok=True)
        async with Clamd().listening(path):
            assert len(await home.files.taken(ANA, [], [upload_id])) == 1


async def test_a_scanner_over_tcp_is_reached_by_host_and_port(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    async def connect(host: str, port: int, **how: object) -> object:
        asked.append((host, port))
        return await asyncio.open_unix_connection(folder / "clamd")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    for address in ("tcp://scanner.example", "tcp://10.0.0.1:9000"):
        async with (
            Clamd().listening(folder / "clamd"),
            cabinet(folder, scanner={"address": address}) as home,
        ):
            await home.arrived(b"text")
        (folder / "clamd").unlink(missing_ok=True)
    assert asked == [("scanner.example", 3310), ("10.0.0.1", 9000)]


async def test_so_many_files_come_in_at_once_and_nobody_takes_all_places(folder: Path) -> None:
    async with cabinet(folder, at_once=8) as home:
        ids = [(await home.files.create_upload(ANA, "a.txt", "", 5)).id for _ in range(3)]
        first, second = [await home.files.receiving(upload_id) for upload_id in ids[:2]]
        assert first is not None
        assert second is not None
        with pytest.raises(Unavailable) as raised:
            await home.files.receiving(ids[2])
        assert raised.value.retry_after == 5
        with pytest.raises(Unavailable):
            await home.files.incoming(new_id(), ANA, "a.txt", "", 5)
        others = [person(f"003C{number}") for number in range(6)]
        held = [await home.files.incoming(new_id(), one, "a.txt", "", 5) for one in others]
        with pytest.raises(Unavailable):
            await home.files.incoming(new_id(), LUIS, "a.txt", "", 5)
        await held[0].end()
        await first.leave()
        assert await home.sent(ids[2], b"12345") == 5
        # What fails on its way to a place gives it back.
        for _ in range(9):
            with pytest.raises(LookupError):
                await home.files.receiving("unknown")
        await (await home.files.incoming(new_id(), LUIS, "a.txt", "", 5)).end()


@pytest.mark.parametrize(
    ("address", "options"),
    [("ftp://x/y", {}), ("s3://bucket", {"no_such_option": "secret"}), ("s3://", {}), ("a\0b", {})],
)
def test_an_address_that_is_no_store_is_told(
    address: str, options: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(StoreAddressError) as raised:
        open_store(address, lambda path: tmp_path / path, options, {})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("s3://bucket/uploads", {"aws_region": "us-east-1"}),
        ("gs://bucket/uploads", {}),
        ("az://container/uploads", {"account_name": "portal"}),
    ],
)
def test_a_bucket_is_opened_without_asking_it(
    address: str, options: dict[str, str], tmp_path: Path
) -> None:
    store = open_store(address, lambda path: tmp_path / path, options, {"timeout": "5s"})
    assert "uploads" in repr(store._objects)
