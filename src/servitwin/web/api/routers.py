"""Routers of nouns, whole as they are written: an application takes their routes and makes nothing anew.

``include_router`` would analyse each route once more for every application, and again at its first request.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute

from servitwin.web.api.parts import API
from servitwin.web.api.strict import StrictRoute


def router_of(tag: str, *, at: str = API, prefix: str = "", route_class: type[APIRoute] = StrictRoute) -> APIRouter:
    """A router of one noun.

    Args:
        tag: under which its routes are described.
        at: where the API begins; empty for addresses that are no part of it.
        prefix: before all its paths.
        route_class: a plain ``APIRoute`` where bodies are no JSON, or are read by other means.
    """
    return APIRouter(tags=[tag], prefix=at + prefix, route_class=route_class, generate_unique_id_function=_operation_id)


def _operation_id(route: APIRoute) -> str:
    return route.name
