"""Several reads in one call, packed and unpacked."""

import pytest

from connectors.kit.odata.batch import Part, pack, unpack

ANSWER = b"""--outer\r
Content-Type: application/http\r
Content-Length: 81\r
content-transfer-encoding: binary\r
\r
HTTP/1.1 200 OK\r
Content-Type: application/json\r
Content-Length: 22\r
\r
{"d":{"results":[1]}}\n\r
--outer\r
Content-Type: application/http\r
\r
HTTP/1.1 404 Not Found\r
Content-Type: application/xml\r
\r
<error/>\r
--outer--\r
"""


def test_each_read_is_a_part_that_ends_with_an_empty_line() -> None:
    packed = pack(["A('1')?$select=X", "B"], "batch_1", {"Accept": "application/json"})
    assert packed == (
        b"--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        b"GET A('1')?$select=X HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        b"--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        b"GET B HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        b"--batch_1--\r\n"
    )


@pytest.mark.parametrize("target", ["A B", "A\r\nX: y", "A\n"])
def test_a_target_cannot_end_its_line(target: str) -> None:
    with pytest.raises(ValueError, match="one encoded line"):
        pack([target], "b", {})


def test_each_part_of_the_answer_keeps_its_own_status() -> None:
    parts = unpack('multipart/mixed; boundary="outer"', ANSWER)
    assert parts == [
        Part(
            200,
            {"content-type": "application/json", "content-length": "22"},
            b'{"d":{"results":[1]}}\n',
        ),
        Part(404, {"content-type": "application/xml"}, b"<error/>"),
    ]


def test_bare_line_feeds_are_read_as_well() -> None:
    parts = unpack("multipart/mixed; boundary=outer", ANSWER.replace(b"\r\n", b"\n"))
    assert [part.status for part in parts] == [200, 404]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", ANSWER),
        ("", ANSWER),
        ("multipart/mixed", ANSWER),
        ("multipart/mixed; boundary=outer", ANSWER[:-20]),
        ("multipart/mixed; boundary=outer", b""),
        ("multipart/mixed; boundary=outer", b"--outer\r\n\r\nnothing\r\n--outer--\r\n"),
    ],
)
def test_what_is_no_whole_answer_is_told_apart(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"multipart|without a status"):
        unpack(content_type, body)
