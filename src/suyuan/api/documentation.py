"""How a route that reads its own body says in OpenAPI what it takes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema


def _schema(kind: Any) -> Schema:
    """The JSON schema of a type, references resolved; only what our commands need."""
    (found,), components = msgspec.json.schema_components([kind], ref_template="{name}")

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(components[node["$ref"]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    return _from_dict(resolve(found))


def _from_dict(node: dict[str, Any]) -> Schema:
    known: dict[str, Any] = {}
    for key in ("type", "title", "description", "required", "default", "enum", "format", "pattern"):
        if key in node:
            known[key] = node[key]
    if "properties" in node:
        known["properties"] = {name: _from_dict(value) for name, value in node["properties"].items()}
    if "items" in node and isinstance(node["items"], dict):
        known["items"] = _from_dict(node["items"])
    if "anyOf" in node:
        known["any_of"] = [_from_dict(value) for value in node["anyOf"]]
    return Schema(**known)


@functools.cache
def takes(kind: Any = None, *media_types: str) -> type[Operation]:
    """The OpenAPI operation of a route whose body is ``kind`` as JSON, or bytes of ``media_types``."""
    schema = Schema(type=None) if kind is None else _schema(kind)
    content = {name: OpenAPIMediaType(schema=schema) for name in media_types or ("application/json",)}

    @dataclass
    class Taking(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=content, required=True)

    return Taking
