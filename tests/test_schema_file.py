"""The contract in the tree is the one that the code serves, and it is a manual: nothing in it goes
without a description."""

from __future__ import annotations

from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema.root import SCHEMA

FILE = Path(__file__).parent.parent / "schema.graphql"


def test_the_file_is_what_the_code_serves() -> None:
    assert FILE.read_text(encoding="utf-8") == SCHEMA.as_str() + "\n", "run `make schema`"


def test_everything_is_described() -> None:
    missing: list[str] = []
    for name, named in build_schema(FILE.read_text(encoding="utf-8")).type_map.items():
        if is_introspection_type(named) or is_specified_scalar_type(named):
            continue
        parts: dict[str, str | None] = {name: named.description}
        if isinstance(named, GraphQLEnumType):
            parts |= {f"{name}.{value}": v.description for value, v in named.values.items()}
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            parts |= {f"{name}.{field}": f.description for field, f in named.fields.items()}
            arguments: dict[str, GraphQLArgument] = {
                f"{name}.{field}({argument}:)": a
                for field, f in named.fields.items()
                for argument, a in f.args.items()
            }
            parts |= {key: argument.description for key, argument in arguments.items()}
        if isinstance(named, GraphQLInputObjectType):
            parts |= {f"{name}.{field}": f.description for field, f in named.fields.items()}
        missing += [key for key, description in parts.items() if not description]
    assert missing == []
