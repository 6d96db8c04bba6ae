"""The plans of the most recent documents, and the way from a request to its answer by a plan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_operation_ast,
    visit,
)
from graphql.execution.values import VariableValues

from gateway.operations.compiled.execution import Execution
from gateway.operations.compiled.refusals import NotCompiled
from gateway.operations.compiled.variables import Variables
from gateway.operations.compiled.variant import Variant
from schema.context import Context

#: Most plans that are kept, and most choices of conditions of one plan.
_MOST, _MOST_VARIANTS = 1_000, 8
#: Directives that change how an operation is run in ways that plans do not know.
_UNKNOWN: Final = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})
_CONDITIONS: Final = frozenset({"skip", "include"})


class Plans:
    """Makes plans for the operations of a schema and keeps the most recently used."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        # A document is known by its identity: the plan holds on to it.
        self._known: OrderedDict[tuple[int, str | None], Plan | str] = OrderedDict()
        self._documents: dict[tuple[int, str | None], DocumentNode] = {}

    def plan(self, document: DocumentNode, operation_name: str | None) -> Plan:
        """The plan of a document's operation. Raises NotCompiled."""
        key = (id(document), operation_name)
        known = self._known.get(key)
        if known is None:
            known = self._made(document, operation_name)
            self._known[key], self._documents[key] = known, document
            if len(self._known) > _MOST:
                oldest, _ = self._known.popitem(last=False)
                del self._documents[oldest]
        else:
            self._known.move_to_end(key)
        if isinstance(known, str):
            raise NotCompiled(known)
        return known

    def forget(self, document: DocumentNode, names: Iterable[str | None]) -> None:
        """Lets go of a document's plans. names: of its operations."""
        for name in {None, *names}:
            if self._known.pop((id(document), name), None) is not None:
                del self._documents[id(document), name]

    def _made(self, document: DocumentNode, operation_name: str | None) -> Plan | str:
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            return "no_operation"
        if operation.operation is OperationType.SUBSCRIPTION:
            return "subscription"
        directives = _Directives()
        if document.loc is None or "@" in document.loc.source.body:
            visit(document, directives)
        if directives.unknown:
            return "directive"
        return Plan(self._schema, document, operation, tuple(sorted(directives.conditions)))


class _Directives(Visitor):
    """The variables that conditions depend on, and whether there is what plans do not know."""

    def __init__(self) -> None:
        super().__init__()
        self.conditions: set[str] = set()
        self.unknown = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        name = node.name.value
        self.unknown |= name in _UNKNOWN
        if name in _CONDITIONS:
            self.conditions |= {
                argument.value.name.value
                for argument in node.arguments or ()
                if isinstance(argument.value, VariableNode)
            }


class Plan:
    """An operation, ready to be run for anyone. It holds nothing of those it was run for."""

    __slots__ = ("_conditions", "_fragments", "_operation", "_schema", "_variables", "_variants")

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: tuple[str, ...],
    ) -> None:
        self._schema, self._operation, self._conditions = schema, operation, conditions
        self._variables = Variables(schema, operation.variable_definitions)
        self._fragments: Mapping[str, FragmentDefinitionNode] = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._variants: OrderedDict[tuple[Any, ...], Variant | str] = OrderedDict()

    async def run(
        self, context: Any, variables: Mapping[str, Any] | None, root: Any = None
    ) -> ExecutionResult:
        """The result of running it, as graphql-core's `execute` gives it. Raises NotCompiled
        before anything is run."""
        coerced = self._variables.values(variables)
        if isinstance(coerced, list):
            return ExecutionResult(None, coerced)
        variant = self._variant(coerced)
        if isinstance(context, Context):
            context.selections = variant.selections
        data, errors = await Execution(variant, coerced, context, root).answer()
        return ExecutionResult(data, errors or None)

    def _variant(self, variables: VariableValues) -> Variant:
        values: tuple[Any, ...] = ()
        if self._conditions:
            values = tuple(variables.coerced.get(name) for name in self._conditions)
            if not all(isinstance(value, bool) for value in values):
                raise NotCompiled("condition")
        known = self._variants.get(values)
        if known is None:
            known = self._variants[values] = self._compiled(values)
            if len(self._variants) > _MOST_VARIANTS:
                self._variants.popitem(last=False)
        if isinstance(known, str):
            raise NotCompiled(known)
        return known

    def _compiled(self, values: tuple[Any, ...]) -> Variant | str:
        conditions = dict(zip(self._conditions, values, strict=True))
        try:
            return Variant(self._schema, self._operation, self._fragments, conditions)
        except NotCompiled as refused:
            return refused.reason
        except RecursionError:
            return "depth"
