"""Holds the project to its promises: what it imports, pins, and names in its files."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from schema.root import SCHEMA

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gateway", "schema", "connectors", "sandbox")
LOCKS = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("tests/live/*/requirements.txt")]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported_roots(source: Path) -> Iterator[tuple[str, int]]:
    """The first name of each absolute import in a file, with its line."""
    for node in ast.walk(ast.parse(source.read_text(), filename=str(source))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0], node.lineno


def modules_of(folder: str) -> list[Path]:
    found = [
        path for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts
    ]
    assert found, f"{folder}/ holds no module"
    return found


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_the_port_needs_only_the_standard_library() -> None:
    strangers = []
    for path in modules_of("connectors/port"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            strangers += [
                f"{at(path, node.lineno)} imports {name}"
                for name in names
                if name.partition(".")[0] not in sys.stdlib_module_names
                and not f"{name}.".startswith("connectors.port.")
            ]
    assert strangers == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_declared(package: str) -> None:
    """A module that comes along with another dependency is gone once that one stops using it."""
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    providers = packages_distributions()
    undeclared = [
        f"{at(path, line)} imports {name}"
        for path in modules_of(package)
        for name, line in imported_roots(path)
        if name not in sys.stdlib_module_names
        and name not in PACKAGES
        and not declared & {canonicalize_name(found) for found in providers.get(name, ())}
    ]
    assert undeclared == []


def locked(name: str) -> dict[str, str]:
    """Distribution to version, as one lock file pins them."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(distribution): version for distribution, version in pins}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_pin_has_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    pin, marker = r"[\w.-]+==[^\s;]+", r"\s;(?:\s+(?!--|[\w.-]+==)\S+)+"
    pinned = re.compile(rf"{pin}(?:{marker})?(?:\s+--hash=sha256:[0-9a-f]{{64}})+")
    assert [entry for entry in entries if not pinned.fullmatch(entry)] == []
    addresses = re.findall(
        r"\S*://\S*|\S*@ \S*|--(?:find-links|index-url|extra-index-url)\S*", text
    )
    assert addresses == []


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("run", PROJECT["dependencies"]),
        ("dev", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_each_requirement_is_locked_within_its_bounds(name: str, requirements: list[str]) -> None:
    pins = locked(name)
    loose = [
        text
        for text in requirements
        if (wanted := Requirement(text)).name not in pins
        or not wanted.specifier.contains(pins[wanted.name])
    ]
    assert loose == []


def test_both_locks_pin_the_same_versions() -> None:
    run, dev = locked("run"), locked("dev")
    assert {name: dev.get(name) for name in run} == run


# Put together here, so that this file does not hold what it looks for.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "deb." + "debian.org",
)
FOLDERS = ("/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "/wo" + "rk/", "/op" + "t/")
FORBIDDEN = re.compile(
    "|".join([*map(re.escape, HOSTS), rf"(?<![\w.~*}})\]/-])(?:{'|'.join(FOLDERS)})\w"])
)


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    named = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        named += [
            f"{at(path, number)} names {found.group()}"
            for number, line in enumerate(text.splitlines(), start=1)
            for found in FORBIDDEN.finditer(line)
        ]
    assert named == []


FILE = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|graphql|txt|po)|Makefile|LICENSE")


def test_each_file_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    spans = re.findall(r"`([^`\n]+)`|\]\(([^)#\s]+)\)", readme)
    names = [name for pair in spans for name in pair if FILE.fullmatch(name)]
    blocks = re.findall(r"^```text\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    names += [word for block in blocks for word in FILE.findall(block)]
    assert names, "the README names no file at all"
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_each_query_in_the_readme_fits_the_schema() -> None:
    asked = re.findall(r'"query": "([^"]+)"', (ROOT / "README.md").read_text())
    assert asked
    graph = build_schema(SCHEMA.as_str())
    assert [error.message for text in asked for error in validate(graph, parse(text))] == []
