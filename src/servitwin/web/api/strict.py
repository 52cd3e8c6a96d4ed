"""Bodies are read strictly: what no other program could read back (half a surrogate, NaN, endless depth) is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body as RFC 8259 has it; the error that FastAPI turns into an answer if it is not."""
        try:
            return msgspec.json.decode(await self.body())
        except (msgspec.DecodeError, RecursionError) as e:
            raise json.JSONDecodeError(str(e), "", 0) from None


class StrictRoute(APIRoute):
    """A route that reads JSON by msgspec instead of the lenient standard library."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a request that reads strictly."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict
