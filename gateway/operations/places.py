"""Where in a document a mistake stands: which argument, so that an error can name it. Pure."""

from __future__ import annotations

from typing import Any

from graphql import (
    BREAK,
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    Node,
    ObjectFieldNode,
    Visitor,
    visit,
)


def argument_of(document: DocumentNode, error: GraphQLError) -> str | None:
    """The argument that a validation error is about, dotted from the field's argument inwards:
    "filter.createdOn.from". None when it is about something else."""
    if not error.nodes:
        return None
    search = _Search(error.nodes[0])
    visit(document, search)
    return search.found


class _Search(Visitor):
    """Looks for a node inside the value of an argument."""

    def __init__(self, wanted: Node) -> None:
        super().__init__()
        self._wanted = wanted
        self.found: str | None = None

    def enter(
        self, node: Node, key: Any, parent: Any, path: list[Any], ancestors: list[Any]
    ) -> Any:
        if node is not self._wanted:
            return None
        names = [
            step.name.value
            for step in [*ancestors, parent, node]
            if isinstance(step, ArgumentNode | ObjectFieldNode)
        ]
        self.found = ".".join(names) or None
        return BREAK
