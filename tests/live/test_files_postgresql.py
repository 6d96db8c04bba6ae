"""The tests of files on their way in once more, with PostgreSQL in the place of SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.gateway.files import test_multipart, test_service, test_uploads
from tests.gateway.files.cabinet import Cabinet, cabinet
from tests.live.postgresql import Cluster, postgresql

pytestmark = [pytest.mark.live, pytest.mark.anyio]

#: What has nothing to do with a database.
NOT_AGAIN = {
    "test_any_change_of_a_form_is_answered",
    "test_a_wrong_form_is_refused_and_leaves_nothing",
    "test_what_does_not_fit_is_refused_and_keeps_nothing",
    "test_what_is_not_taken_leaves_no_bytes",
}


def again() -> Iterator[tuple[str, object]]:
    """Every test of these modules that uses one of the fixtures below, under a name of its own."""
    for module in (test_service, test_uploads, test_multipart):
        room = module.__name__.rpartition("_")[2]
        for name, test in vars(module).items():
            wanted = {"home", "folder"} & set(getattr(test, "__annotations__", ()))
            if name.startswith("test_") and wanted and name not in NOT_AGAIN:
                yield f"test_{room}_{name.removeprefix('test_')}", test


globals().update(again())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as running:
        yield running


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    """Where a gateway keeps its files; its database is a new one of the cluster."""
    (tmp_path / "database.url").write_text(cluster.database())
    return tmp_path


@pytest.fixture
async def home(folder: Path) -> AsyncIterator[Cabinet]:
    async with cabinet(folder) as opened:
        assert not opened.database.is_sqlite
        yield opened


async def test_enough_is_tried_again() -> None:
    assert len(dict(again())) > 45
