"""Where in a document a mistake stands: which argument, so that an error can name it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphql import ArgumentNode, DocumentNode, GraphQLError, Node, ObjectFieldNode


def arguments_of(document: DocumentNode, errors: Sequence[GraphQLError]) -> list[str | None]:
    """The argument that each validation error is about, dotted from the field's argument inwards:
    "filter.createdOn.from". None where it is about something else."""
    wanted = {id(error.nodes[0]) for error in errors if error.nodes}
    found = {id(node): path for node, path in _inside(document) if id(node) in wanted}
    return [(found.get(id(error.nodes[0])) if error.nodes else None) for error in errors]


def _inside(document: DocumentNode) -> Iterator[tuple[Node, str]]:
    """Every node that stands inside an argument, with the argument's name."""
    waiting: list[tuple[Node, str]] = [(document, "")]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, ArgumentNode | ObjectFieldNode):
            path = f"{path}.{node.name.value}" if path else node.name.value
        if path:
            yield node, path
        for key in node.keys:
            value = getattr(node, key, None)
            if isinstance(value, Node):
                waiting.append((value, path))
            elif isinstance(value, list | tuple):
                waiting += ((one, path) for one in value if isinstance(one, Node))
