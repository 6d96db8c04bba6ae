"""The door: who may come in, tokens against forged requests, batches, long addresses."""

import re
from collections.abc import Callable

import httpx
import pytest

from sandbox.erp.services import SALES_ORDERS, SALES_ORDERS_V4
from sandbox.faults import Faults

pytestmark = pytest.mark.anyio

ROOT = SALES_ORDERS.path
PARTS = ("A_SalesOrder('4500001')?$select=SalesOrder", "A_SalesOrder('1')", "A_SalesOrder/$count")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic U0FOREJPWDp3cm9uZw=="},
        {"authorization": "Basic !"},
        {"authorization": "Bearer sandbox-secret"},
    ],
)
async def test_strangers_get_a_page_and_no_data(
    connect: Callable[..., httpx.AsyncClient], headers: dict[str, str]
) -> None:
    erp = connect(auth=None)
    answer = await erp.get(f"{ROOT}/A_SalesOrder", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


async def test_an_address_may_be_eight_thousand_long(erp: httpx.AsyncClient) -> None:
    chain = "%20or%20".join(f"SalesOrder%20eq%20'{4500001 + n}'" for n in range(215))
    answer = await erp.get(f"{ROOT}/A_SalesOrder?$select=SalesOrder&$filter={chain}")
    assert len(answer.json()["d"]["results"]) == 215
    longer = "%20or%20".join(f"SalesOrder%20eq%20'{4500001 + n}'" for n in range(300))
    answer = await erp.get(f"{ROOT}/A_SalesOrder?$filter={longer}")
    assert answer.status_code == 414
    assert answer.headers["content-type"].startswith("text/html")


async def token(erp: httpx.AsyncClient, root: str = ROOT) -> str:
    answer = await erp.get(f"{root}/", headers={"x-csrf-token": "Fetch"})
    assert {name for name, _ in answer.cookies.items()} == {
        "SAP_SESSIONID_S4H_100",
        "sap-usercontext",
    }
    return answer.headers["x-csrf-token"]


def packed(parts: tuple[str, ...] = PARTS) -> bytes:
    lines = []
    for part in parts:
        lines += ["--one", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += ["", f"GET {part} HTTP/1.1", "Accept: application/json", "", ""]
    return "\r\n".join([*lines, "--one--", ""]).encode()


async def post(erp: httpx.AsyncClient, given: str, root: str = ROOT) -> httpx.Response:
    headers = {"x-csrf-token": given, "content-type": "multipart/mixed; boundary=one"}
    return await erp.post(f"{root}/$batch", content=packed(), headers=headers)


def is_forged(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 403
        and answer.headers["x-csrf-token"] == "Required"
        and answer.text == "CSRF token validation failed"
        and answer.headers["content-type"].startswith("text/plain")
    )


async def test_a_token_is_worth_nothing_without_its_cookies(erp: httpx.AsyncClient) -> None:
    assert is_forged(await post(erp, ""))
    given = await token(erp)
    assert is_forged(await post(erp, "other"))
    assert (await post(erp, given)).status_code == 202
    assert (await post(erp, given)).status_code == 202
    erp.cookies.clear()
    assert is_forged(await post(erp, given))
    await token(erp)
    assert is_forged(await post(erp, given)), "the cookies are those of another token"


async def test_plain_reads_open_no_session(erp: httpx.AsyncClient) -> None:
    answer = await erp.get(f"{ROOT}/A_SalesOrder('4500001')")
    assert "set-cookie" not in answer.headers
    assert "x-csrf-token" not in answer.headers
    answer = await erp.head(f"{ROOT}/", headers={"x-csrf-token": "fetch"})
    assert answer.headers["x-csrf-token"]


async def test_a_token_also_comes_with_a_refusal(erp: httpx.AsyncClient) -> None:
    answer = await erp.get(f"{ROOT}/A_Nothing", headers={"x-csrf-token": "Fetch"})
    assert answer.status_code == 404
    assert (await post(erp, answer.headers["x-csrf-token"])).status_code == 202


async def test_the_fault_expires_a_token_once(erp: httpx.AsyncClient, faults: Faults) -> None:
    given = await token(erp)
    faults.erp.arm("csrf", times=1)
    assert is_forged(await post(erp, given))
    assert is_forged(await post(erp, given)), "what has expired stays so"
    assert (await post(erp, await token(erp))).status_code == 202


def statuses(answer: httpx.Response) -> list[int]:
    return [int(status) for status in re.findall(r"^HTTP/1\.1 (\d+) ", answer.text, re.MULTILINE)]


async def test_each_part_of_a_batch_is_answered_by_itself(erp: httpx.AsyncClient) -> None:
    answer = await post(erp, await token(erp))
    assert answer.status_code == 202
    boundary = answer.headers["content-type"].partition("boundary=")[2]
    pieces = answer.text.split(f"--{boundary}")
    assert (pieces[0], pieces[-1]) == ("", "--\r\n")
    assert statuses(answer) == [200, 404, 200]
    assert '"SalesOrder": "4500001"' in pieces[1]
    assert f"http://erp.test{ROOT}/A_SalesOrder" in pieces[1]
    assert "Resource not found for segment" in pieces[2]
    assert pieces[3].rstrip().endswith("3000")


async def test_the_fault_lets_one_part_fail(erp: httpx.AsyncClient, faults: Faults) -> None:
    given = await token(erp)
    faults.erp.arm("partial", times=1)
    assert statuses(await post(erp, given)) == [200, 404, 500]
    assert statuses(await post(erp, given)) == [200, 404, 200]


async def test_v4_takes_batches_as_well(erp: httpx.AsyncClient) -> None:
    root = SALES_ORDERS_V4.path
    headers = {
        "x-csrf-token": await token(erp, root),
        "content-type": "multipart/mixed; boundary=one",
    }
    parts = ("SalesOrder('4500001')?$select=SalesOrder", f"{root}/SalesOrder/$count")
    answer = await erp.post(f"{root}/$batch", content=packed(parts), headers=headers)
    assert answer.status_code == 200
    assert statuses(answer) == [200, 200]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", packed()),
        ("multipart/mixed; boundary=two", packed()),
        ("multipart/mixed; boundary=one", packed()[:-9]),
        ("multipart/mixed; boundary=one", b"--one\r\n\r\nGET A\r\n--one--"),
        (
            "multipart/mixed; boundary=one",
            b"--one\r\nContent-Type: application/http\r\n\r\n--one--",
        ),
    ],
)
async def test_a_malformed_batch_is_refused(erp: httpx.AsyncClient, kind: str, body: bytes) -> None:
    headers = {"x-csrf-token": await token(erp), "content-type": kind}
    answer = await erp.post(f"{ROOT}/$batch", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"]


async def test_a_batch_has_an_end(erp: httpx.AsyncClient) -> None:
    headers = {"x-csrf-token": await token(erp), "content-type": "multipart/mixed; boundary=one"}
    answer = await erp.post(f"{ROOT}/$batch", content=b"x" * 2_000_001, headers=headers)
    assert answer.status_code == 413


async def test_nothing_is_written(erp: httpx.AsyncClient) -> None:
    headers = {"x-csrf-token": await token(erp)}
    for method in ("POST", "PATCH", "PUT", "DELETE", "MERGE"):
        answer = await erp.request(method, f"{ROOT}/A_SalesOrder('4500001')", headers=headers)
        assert answer.status_code == 501
