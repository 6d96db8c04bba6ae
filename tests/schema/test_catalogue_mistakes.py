"""A catalogue with a mistake stops the start, and says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import open_gateway
from gateway.settings import parse
from schema.cases.catalogue import Catalogue, CatalogueError
from schema.cases.forms import LONG_TEXT
from schema.lines import Lines

ROOT = Path(__file__).parent.parent.parent

GOOD = """\
# Everything that a catalogue can hold.
[[categories]]
code = "CLAIM"
kind = "CLAIM"
team = "Billing"
label = { es = "Reclamo", en = "Claim", pt = "Reclamação" }
description_max_length = 500

[[categories.form]]
name = "batch"
type = "TEXT"
max_length = 40
label.es = "Lote"
label.en = "Batch"
label.pt = "Lote"

[[categories.form]]
name = "stage"
type = "CHOICE"
required = true
label = { es = "Etapa", en = "Stage", pt = "Etapa" }
options = [
  { value = "A", label = { es = "a", en = "a", pt = "a" } },
  { value = "B", label = { es = "b", en = "b", pt = "b" } },
]

[[categories.subcategories]]
code = "FREIGHT"
label = { es = "Flete", en = "Freight", pt = "Frete" }

[[categories.subcategories.form]]
name = "day"
type = "DATE"
label = { es = "Día", en = "Day", pt = "Dia" }

[[categories]]
code = "QUERY"
kind = "QUERY"
label = { es = "Consulta", en = "Query", pt = "Consulta" }
"""

#: What is written in place of what, and what is told of it.
MISTAKES = {
    "code twice": ('code = "QUERY"', 'code = "CLAIM"', 37, "categories[1].code", "already"),
    "code of small letters": ('"FREIGHT"', '"freight"', 28, "subcategories[0].code", "capitals"),
    "code too long": ('"FREIGHT"', f'"{"A" * 41}"', 28, "subcategories[0].code", "40"),
    "label empty": ('label.en = "Batch"', 'label.en = ""', 14, "form[0].label.en", "empty"),
    "label of spaces": ('label.pt = "Lote"', 'label.pt = "  "', 15, "form[0].label.pt", "empty"),
    "label on two lines": ('es = "Flete"', r'es = "a\nb"', 29, "label.es", "one line"),
    "label missing": (
        'label.pt = "Lote"\n',
        "",
        13,
        "form[0].label",
        "missing required field `pt`",
    ),
    "team empty": ('team = "Billing"', 'team = ""', 5, "categories[0].team", "empty"),
    "no options": ('type = "DATE"', 'type = "CHOICE"', 31, "form[0].options", "at least one"),
    "options on a text": (
        'type = "CHOICE"',
        'type = "TEXT"',
        22,
        "form[1].options",
        "only a CHOICE",
    ),
    "option twice": ('value = "B"', 'value = "A"', 22, "form[1].options[1].value", "already"),
    "option empty": ('value = "B"', 'value = ""', 22, "form[1].options[1].value", "letters"),
    "option label empty": ('es = "b"', 'es = ""', 22, "options[1].label.es", "empty"),
    "default of a choice": (
        *("required = true", 'required = true\ndefault = "A"'),
        *(21, "form[1].default", "there is no such key"),
    ),
    "length 0": ("max_length = 40", "max_length = 0", 12, "form[0].max_length", "from 1 to 255"),
    "length below 0": ("max_length = 40", "max_length = -4", 12, "max_length", "from 1 to 255"),
    "length beyond": ("max_length = 40", "max_length = 256", 12, "max_length", "from 1 to 255"),
    "length of a day": (
        *('type = "DATE"', 'type = "DATE"\nmax_length = 10'),
        *(34, "form[0].max_length", "a DATE has none"),
    ),
    "description of length 0": ("= 500", "= 0", 7, "description_max_length", "from 1 to 32000"),
    "description beyond": ("= 500", "= 32001", 7, "description_max_length", "from 1 to 32000"),
    "unknown key": ("required = true", "requierd = true", 20, "form[1].requierd", "no such key"),
    "unknown key at the top": ("# Everything", "colour = 1\n#", 1, "colour", "no such key"),
    "unknown type": ('type = "DATE"', 'type = "COLOUR"', 33, "form[0].type", "invalid enum"),
    "unknown kind": ('kind = "QUERY"', 'kind = "WISH"', 38, "categories[1].kind", "invalid enum"),
    "number for a text": ('name = "day"', "name = 5", 32, "form[0].name", "expected `str`"),
    "name in capitals": ('name = "day"', 'name = "Day"', 32, "form[0].name", "small letters"),
    "name twice": ('name = "stage"', 'name = "batch"', 18, "form[1].name", "already"),
    "name of the category": (
        'name = "day"',
        'name = "batch"',
        32,
        "form[0].name",
        "in the category",
    ),
}


@pytest.mark.parametrize("told", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_line_and_key(
    tmp_path: Path, told: tuple[str, str, int, str, str]
) -> None:
    old, new, line, key, what = told
    assert GOOD.count(old) == 1
    path = tmp_path / "catalogue.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        Catalogue.read(path)
    [text] = str(raised.value).splitlines()
    assert text.startswith(f"{path}, line {line}: ")
    assert f"{key}: " in text
    assert what in text


def test_the_catalogue_without_mistakes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(GOOD, encoding="utf-8")
    claim, query = Catalogue.read(path).categories
    assert (claim.description_max_length, query.description_max_length) == (500, 4_000)
    [freight] = claim.subcategories
    assert (freight.description_max_length, freight.team, freight.asks_order) == (
        500,
        "Billing",
        True,
    )
    assert [field.max_length for field in (*claim.form, *freight.form)] == [40, None, None]


def test_what_cannot_fit_into_the_crm_together_is_told(tmp_path: Path) -> None:
    fields = "".join(
        f'[[categories.form]]\nname = "t{n}"\ntype = "MULTILINE"\nmax_length = 10000\n'
        'label = { es = "a", en = "a", pt = "a" }\n'
        for n in range(3)
    )
    path = tmp_path / "catalogue.toml"
    path.write_text(
        '[[categories]]\ncode = "A"\nkind = "QUERY"\nlabel = { es = "a", en = "a", pt = "a" }\n'
        + fields,
        encoding="utf-8",
    )
    with pytest.raises(
        CatalogueError, match=r"line 5: categories\[0\]\.form: its fields may hold 30150"
    ):
        Catalogue.read(path)
    assert LONG_TEXT == 32_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("categories = []\n", "line 1: categories: is empty"),
        ("\n[[categories]\n", "line 2"),
        ("", "line 1: the file: object missing required field `categories`"),
        ('a = "\u2028"\na = 1\n', "line 2"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        Catalogue.read(path)
    assert told in str(raised.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    bad = GOOD.replace('en = "Freight"', 'en = ""').replace("= 40", "= 0").replace("= 500", "= 0")
    path.write_text(bad, encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        Catalogue.read(path)
    assert [line.split(": ")[0] for line in str(raised.value).splitlines()] == [
        f"{path}, line {number}" for number in (7, 12, 29)
    ]


def test_a_file_in_bytes_that_are_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_bytes(b'a = "\xff"')
    with pytest.raises(CatalogueError, match=r"catalogue\.toml"):
        Catalogue.read(path)


@pytest.mark.anyio
async def test_a_mistake_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(GOOD.replace("= 40", "= 0"), encoding="utf-8")
    settings = parse(
        {"systems": {}, "sources": {}, "texts": {"catalogue": str(path)}}, ROOT / "portal.toml", {}
    )
    with pytest.raises(CatalogueError, match="line 12"):
        await open_gateway(settings, background=False)


def test_lines_of_every_kind_of_key() -> None:
    lines = Lines(
        'a.b = 1\n[t]\nc = """\n[[x]]\n"""\n[[x]]\ny = [\n  1,\n]\n'
        '[x.z]\nd = 1\n[[x]]\n[[x.w]]\n"k.l" = 1\n'
    )
    assert lines.of(("a", "b")) == 1
    assert lines.of(("t", "c")) == 3
    assert lines.of(("x", 0, "y", 0)) == 7
    assert lines.of(("x", 0, "z", "d")) == 11
    assert lines.of(("x", 1, "w", 0, "k.l")) == 14
    assert lines.of(("x", 1, "w", 0, "missing")) == 13
    assert lines.of(("gone",)) == 1
