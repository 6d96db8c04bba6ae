"""The graph's entry points, put together from the rooms."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from graphql import GraphQLInputObjectType, Undefined
from strawberry.schema.config import StrawberryConfig

from schema.access import Anonymous, enforced, may_read
from schema.cases.mutations import CaseMutations
from schema.cases.queries import CaseQueries
from schema.cases.subscriptions import CaseSubscriptions
from schema.customers.mutations import CustomerMutations
from schema.customers.queries import CustomerQueries
from schema.files.mutations import FileMutations
from schema.files.types import UPLOAD
from schema.identity.mutations import IdentityMutations
from schema.news.queries import NewsQueries
from schema.nodes import MOST_NODES, GlobalId, Node, find_nodes
from schema.orders.queries import OrderQueries
from schema.price import ListSize, priced
from schema.scalars import SCALARS, Names
from schema.support.queries import SupportQueries

GlobalIds = Annotated[
    list[strawberry.ID], strawberry.argument(description="Global ids, 100 at most.")
]


@strawberry.type(
    description="What can be read. A field that takes a call to a system is nullable: a system "
    "that is down costs its own fields and nothing else."
)
class Query(CustomerQueries, CaseQueries, OrderQueries, NewsQueries, SupportQueries):
    @strawberry.field(
        directives=[Anonymous()],
        description="Any object by its global id. Null when it does not exist or is not the "
        "viewer's to see.",
    )
    async def node(
        self,
        info: strawberry.Info,
        id: GlobalId,  # noqa: A002
    ) -> Node | None:
        found: Any = (await find_nodes("id", [id], info, may_read))[0]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Anonymous(), ListSize(assumed_size=MOST_NODES, slicing_arguments=["ids"])],
        description="Up to 100 objects by global id, in the order asked; null where `node` would "
        "be null.",
    )
    async def nodes(self, info: strawberry.Info, ids: GlobalIds) -> list[Node | None]:
        return await find_nodes("ids", ids, info, may_read)


@strawberry.type(
    description="What can be changed. A field is null when it failed, so that one that fails takes "
    "nothing from its neighbours; what a person can put right is in `userErrors`."
)
class Mutation(IdentityMutations, CustomerMutations, CaseMutations, FileMutations):
    pass


@strawberry.type(
    description="What can be followed, by WebSocket (graphql-transport-ws) or as server-sent "
    "events (graphql-sse, one connection each). What is told of a change is read in the caller's "
    "scope as it is by then."
)
class Subscription(CaseSubscriptions):
    pass


def _without_null_defaults(schema: strawberry.Schema) -> strawberry.Schema:
    """Left out and null mean the same to every resolver, so the contract need not say "= null"."""
    for named in schema._schema.type_map.values():  # noqa: SLF001 - no public way to it
        for field in getattr(named, "fields", {}).values():
            for argument in (field, *getattr(field, "args", {}).values()):
                if getattr(argument, "default_value", Undefined) is None:
                    argument.default_value = Undefined
    return schema


def _with_one_of(schema: strawberry.Schema) -> strawberry.Schema:
    """What is declared @oneOf is that for the GraphQL library too, which validates and tells it."""
    for named in schema._schema.type_map.values():  # noqa: SLF001 - no public way to it
        if isinstance(named, GraphQLInputObjectType):
            definition = named.extensions.get("strawberry-definition")
            named.is_one_of = bool(definition is not None and definition.is_one_of)
    return schema


_CONFIG = StrawberryConfig(name_converter=Names(), scalar_map={**SCALARS, **UPLOAD})

SCHEMA = priced(
    enforced(
        _with_one_of(
            _without_null_defaults(
                strawberry.Schema(
                    query=Query, mutation=Mutation, subscription=Subscription, config=_CONFIG
                )
            )
        )
    )
)
