"""The files of the page for people, and the answer where there is nothing."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from gateway.http import graphiql
from gateway.operations.errors import BAD_REQUEST, masked, refusal


class Assets(StaticFiles):
    """Static files with the headers that the page's own policy asks for."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(graphiql.SECURITY_HEADERS)
        return response


async def broken(http: Request, error: Exception) -> Response:
    """What nobody foresaw on any path but the graph's, as JSON that tells nothing."""
    return JSONResponse({"errors": [masked(error, "en")]}, 500)


async def nothing_here(http: Request, error: Exception) -> Response:
    """Any path or method that no route takes, as JSON."""
    status = getattr(error, "status_code", 404)
    text = "There is nothing here. The API is at /graphql."
    return JSONResponse({"errors": [refusal(BAD_REQUEST, text)]}, status)
