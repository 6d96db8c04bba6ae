"""What `@defer` is in a schema and in a document. Pure."""

from __future__ import annotations

from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    GraphQLDeferDirective,
    GraphQLSchema,
    Visitor,
    VisitorAction,
    visit,
)


def deferring(schema: GraphQLSchema) -> GraphQLSchema:
    """A schema of the same types that knows `@defer`."""
    parts = schema.to_kwargs()
    parts["directives"] = (*schema.directives, GraphQLDeferDirective)
    made: Any = GraphQLSchema(**parts)
    made._strawberry_schema = getattr(schema, "_strawberry_schema", None)  # noqa: SLF001 - as strawberry itself does
    return made  # type: ignore[no-any-return]


def undeferred(document: DocumentNode) -> tuple[DocumentNode, int]:
    """A document without `@defer`, and how many of them it had. One that has none is given back as
    it is."""
    found = _Deferrals()
    plain = visit(document, found)
    return (plain, found.count) if found.count else (document, 0)


class _Deferrals(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_directive(self, node: DirectiveNode, *_: Any) -> VisitorAction:
        if node.name.value != GraphQLDeferDirective.name:
            return None
        self.count += 1
        return REMOVE
