"""How the OpenAPI document describes bodies that are read as they come."""

from __future__ import annotations

from typing import Any


def file_body(example: str, **others: dict[str, Any]) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a YAML file; ``others``: schemas by further ``application/`` type."""
    content = {"application/yaml": {"schema": {"type": "string"}, "example": example}}
    content |= {f"application/{name}": {"schema": schema} for name, schema in others.items()}
    return {"requestBody": {"required": True, "content": content}}
