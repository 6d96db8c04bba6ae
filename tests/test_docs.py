"""The docs say all that there is, and nothing else: keys of settings, and codes of errors."""

from __future__ import annotations

import ast
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gateway.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def keys(table: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a table of portal.toml and of those inside it: the table's name, the key's."""
    for name, kind in typing.get_type_hints(table).items():
        inner = [one for one in (kind, *typing.get_args(kind)) if isinstance(one, type)]
        tables = [one for one in inner if issubclass(one, msgspec.Struct)]
        if tables:
            yield from keys(tables[0], f"{path}.{name}" if path else name)
        elif path:
            yield path, name


def test_every_setting_is_documented() -> None:
    told = set(re.findall(r"`([\w.]+)`", SETTINGS))
    missing = [
        f"{table}.{name}"
        for table, name in keys(Settings)
        if name not in told and f"{table.rpartition('.')[2]}.{name}" not in told
    ]
    assert missing == []


def constants(path: Path) -> Iterator[tuple[str, Any]]:
    """Names that a module or a class in it binds to a text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value.value


def codes() -> set[str]:
    """What `extensions.code` can say: the constants of the one module that writes it, and the codes
    of the errors that it is given."""
    found = {
        value
        for _, value in constants(ROOT / "gateway" / "operations" / "errors.py")
        if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", value)
    }
    for path in (*(ROOT / "schema").rglob("*.py"), ROOT / "connectors" / "port" / "errors.py"):
        found |= {value for name, value in constants(path) if name == "code"}
    # The roots of the two trees, which nothing raises itself.
    return found - {"API_ERROR", "SOURCE_ERROR"}


def test_every_code_of_an_error_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", ARCHITECTURE, flags=re.MULTILINE)
    documented = set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))
    assert documented == codes()


def test_no_code_is_written_elsewhere() -> None:
    """A code that another module made up would be in no list."""
    loose = []
    for folder in ("gateway", "schema"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Dict):
                    continue
                for key, value in zip(node.keys, node.values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and key.value == "code"
                        and isinstance(value, ast.Constant)
                        and isinstance(value.value, str)
                    ):
                        loose.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert loose == []
