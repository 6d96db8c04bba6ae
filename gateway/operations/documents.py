"""Documents, parsed and validated once: the same text is never worked through twice."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.operations.places import argument_of

#: Longest document in characters, and most tokens in it.
LONGEST, MOST_TOKENS = 100_000, 10_000
#: Most documents that are remembered, and most characters of all of them.
_MOST, _MOST_CHARACTERS = 1_000, 8_000_000
#: Most mistakes that are told of one document.
_MOST_ERRORS = 20
#: The specification's rules, and that of @oneOf for literals, which strawberry keeps apart.
_RULES = (*specified_rules, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that may be run, or the mistakes in it; syntax tells which sort they are.
    arguments: for each mistake the argument it is about, if any."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    syntax: bool = False
    arguments: tuple[str | None, ...] = ()


class Documents:
    """Checks documents against a schema and remembers the outcome of the most recent ones."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Checked] = OrderedDict()
        self._characters = 0

    def checked(self, text: str) -> Checked:
        """The document of a text."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        if len(text) > LONGEST:
            message = f"The document is longer than {LONGEST} characters."
            return Checked(None, (GraphQLError(message),), syntax=True)
        checked = self._check(text)
        self._known[text] = checked
        self._characters += len(text)
        while len(self._known) > _MOST or self._characters > _MOST_CHARACTERS:
            oldest, _ = self._known.popitem(last=False)
            self._characters -= len(oldest)
        return checked

    def _check(self, text: str) -> Checked:
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
            errors = validate(self._schema, document, _RULES, max_errors=_MOST_ERRORS)
        except GraphQLError as error:
            return Checked(None, (error,), syntax=True)
        except RecursionError:
            message = "The document is nested too deeply."
            return Checked(None, (GraphQLError(message),), syntax=True)
        if not errors:
            return Checked(document)
        named = tuple(argument_of(document, error) for error in errors)
        return Checked(None, tuple(errors), arguments=named)
