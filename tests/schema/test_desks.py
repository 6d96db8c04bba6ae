"""The files of the graph's own data are read whole, and a mistake in them is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schema.cases.catalogue import Catalogue, CatalogueError
from schema.errors import InputError
from schema.support.desks import Desks, DesksError

CONTENT = Path(__file__).parent.parent.parent / "content"
BOGOTA = ZoneInfo("America/Bogota")

DESK = """
[[desks]]
country = "CO"
time_zone = "{zone}"
holidays = {{ country = "{holidays}" }}
answer_within = 8
[desks.opening_hours]
{day} = ["{span}"]
"""


def written(folder: Path, **values: str) -> Path:
    path = folder / "desks.toml"
    known = {"zone": "America/Bogota", "holidays": "CO", "day": "MONDAY", "span": "08:00-17:00"}
    path.write_text(DESK.format(**{**known, **values}), encoding="utf-8")
    return path


def test_every_country_of_the_default_has_a_desk() -> None:
    desks = Desks.read(CONTENT / "desks.toml", BOGOTA)
    assert set(desks.by_country) == {"CO", "PE", "CL", "AR", "BR"}
    assert desks.zone([None, "XX", "CL"]).key == "America/Santiago"
    assert desks.zone(["XX"]) is BOGOTA
    assert desks.answer_due("XX", "QUERY", datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_independence_day_is_no_service_day() -> None:
    desk = Desks.read(CONTENT / "desks.toml", BOGOTA).desk("CO")
    assert desk is not None
    assert not desk.hours.is_open(datetime(2026, 7, 20, 10, tzinfo=BOGOTA))
    assert desk.hours.is_open(datetime(2026, 7, 21, 10, tzinfo=BOGOTA))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"zone": "America/Bogote"}, "America/Bogote"),
        ({"holidays": "ZZ"}, "ZZ"),
        ({"day": "MODAY"}, "MODAY"),
        ({"span": "17:00-08:00"}, "17:00-08:00"),
        ({"span": "8-17"}, "8-17"),
    ],
)
def test_a_mistake_in_a_desk_is_named(tmp_path: Path, wrong: dict[str, str], told: str) -> None:
    with pytest.raises(DesksError, match=told) as raised:
        Desks.read(written(tmp_path, **wrong), BOGOTA).load()
    assert "desks.toml" in str(raised.value)


def test_the_catalogue_of_the_default_is_whole() -> None:
    catalogue = Catalogue.read(CONTENT / "catalogue.toml")
    assert [c.code for c in catalogue.categories] == [
        "QUERY",
        "INVOICE_CLAIM",
        "SERVICE_CLAIM",
        "PRODUCT_CLAIM",
        "OTHER_REQUEST",
    ]
    subcategories = {sub.code for sub in catalogue.category("OTHER_REQUEST").subcategories}
    assert subcategories == {
        "DATABASE_UPDATE",
        "TECHNICAL_SUPPORT",
        "DOCUMENT_REQUEST",
        "TRAINING",
    }


def test_kinds_and_categories_narrow_each_other() -> None:
    catalogue = Catalogue.read(CONTENT / "catalogue.toml")
    assert catalogue.categories_of("a", None, None) is None
    assert catalogue.categories_of("a", None, ["QUERY"]) == ("QUERY",)
    assert catalogue.categories_of("a", ["QUERY"], ["CLAIM"]) == ()
    with pytest.raises(InputError) as raised:
        catalogue.categories_of("filter.categories", ["NO_SUCH"], None)
    assert raised.value.extensions == {"argument": "filter.categories"}


def test_a_case_from_before_the_catalogue_is_shown_as_it_is() -> None:
    catalogue = Catalogue.read(CONTENT / "catalogue.toml")
    assert catalogue.category("OLD").label.of("es") == "OLD"
    assert catalogue.form_field("QUERY", None, "size").label.of("pt") == "size"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[categories]]\ncode = 5\n", "code"),
        ('[[categories]]\ncode = "A"\nkind = "WISH"\n', "kind"),
        ("[[categories]\n", "line 1"),
        ("", "categories"),
    ],
)
def test_a_mistake_in_the_catalogue_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=told):
        Catalogue.read(path)
