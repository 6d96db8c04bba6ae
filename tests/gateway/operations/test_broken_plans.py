"""The comparison with graphql-core can fail: whatever is broken in plans on purpose, it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from graphql import GraphQLFloat, GraphQLInt

from gateway.operations.compiled import (
    completion,
    execution,
    fields,
    leaves,
    objects,
    positions,
    shapes,
    sources,
)
from gateway.operations.compiled.arguments import Arguments
from gateway.operations.compiled.fields import BatchedField, FieldPlan
from gateway.operations.compiled.positions import Failure, FieldColumn, ItemColumn
from tests.gateway.operations.generated.comparing import compare_plain, compare_rooms

#: Most schemas that it may take to find what is broken.
_MOST = 120

Patch = pytest.MonkeyPatch


def _no_range(patch: Patch) -> None:
    """Numbers are passed on without a look at their size."""
    patch.setitem(leaves._AS_IS, GraphQLInt, (int, None))


def _not_finite(patch: Patch) -> None:
    """Numbers are passed on without a look whether JSON knows them."""
    patch.setitem(leaves._AS_IS, GraphQLFloat, (float, None))


def _nullable_items(patch: Patch) -> None:
    """Null stays where an item must not be null."""
    patch.setattr(ItemColumn, "nullable", property(lambda column: True, lambda column, value: None))


def _no_propagation(patch: Patch) -> None:
    """Null stays where a field must not be null."""
    patch.setattr(FieldColumn, "nullable", True)


def _every_error(patch: Patch) -> None:
    """Errors are told below what was nulled already."""

    def settled(failures: Any) -> Any:
        errors, whole = [], False
        for failure in sorted(failures, key=Failure.order):
            told, whole = positions.settled([failure])
            errors += told
        return errors, whole

    patch.setattr(execution, "settled", settled)


def _as_they_come(patch: Patch) -> None:
    """Errors are told in the order in which they came."""
    patch.setattr(Failure, "order", lambda failure: (id(failure),))


def _mutations_go_on(patch: Patch) -> None:
    """A mutation goes on after an error that takes the whole answer."""
    patch.setattr(execution.Execution, "broken", lambda run: False)


def _backwards(patch: Patch) -> None:
    """Answers of a batch go to the wrong parents."""
    fill = FieldPlan.fill
    patch.setattr(
        BatchedField,
        "fill",
        lambda field, run, frame, values: fill(field, run, frame, values[::-1]),
    )


def _unguarded(patch: Patch) -> None:
    """Nobody is refused."""
    shape_of = shapes.shape_of
    patch.setattr(fields, "shape_of", lambda *place: (shape_of(*place)[0], None))


def _nothing_selected(patch: Patch) -> None:
    """Batches are told that nothing is selected."""
    patch.setattr(fields, "attributes", lambda reading, kind, nodes: frozenset())


def _no_predicate(patch: Patch) -> None:
    """Types take whatever comes for one of theirs."""
    patch.setattr(completion, "checked", lambda run, of, kind, column, values, picks: picks)


def _in_reverse(patch: Patch) -> None:
    """Keys of an object come in another order."""
    assemble = sources.assembling

    def reversed_keys(keys: tuple[str, ...]) -> Callable[..., Any]:
        made = assemble(keys)
        return lambda *columns: [dict(reversed(one.items())) for one in made(*columns)]

    patch.setattr(objects, "assembling", reversed_keys)


def _null_leaves(patch: Patch) -> None:
    """Code that reads records passes on null where it must not be."""
    patch.setattr(objects, "COLD_RUNS", 0)
    written = leaves.Leaf.inlined

    def tolerant(leaf: Any, value: str, given: Any) -> list[str]:
        lines = (f" {line}" for line in written(leaf, value, given))
        return [f"if {value} is not None:", *lines]

    patch.setattr(leaves.Leaf, "inlined", tolerant)


def _waited_for(patch: Patch) -> None:
    """Code that reads records passes on whatever it reads."""
    patch.setattr(objects, "COLD_RUNS", 0)
    patch.setattr(leaves.Leaf, "inlined", lambda leaf, value, given: iter(()))


def _same_arguments(patch: Patch) -> None:
    """Variables are taken for null."""
    values = Arguments.values

    def without(arguments: Any, variables: Any) -> Any:
        return values(arguments, variables._replace(coerced=dict.fromkeys(variables.coerced)))

    patch.setattr(Arguments, "values", without)


_PLAIN = (
    *(_no_range, _not_finite, _nullable_items, _no_propagation, _every_error, _as_they_come),
    *(_mutations_go_on, _no_predicate, _in_reverse, _same_arguments),
)
_ROOMS = (_backwards, _unguarded, _nothing_selected, _null_leaves, _waited_for)


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize(
    ("broken", "compare"),
    [*((one, compare_plain) for one in _PLAIN), *((one, compare_rooms) for one in _ROOMS)],
    ids=lambda value: value.__name__.strip("_"),
)
def test_what_is_broken_is_found(
    broken: Callable[[Patch], None], compare: Any, monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=r"(query|mutation) Q"):  # noqa: PT012 - the first one
        for seed in range(_MOST):
            anyio.run(compare, seed, 5)
