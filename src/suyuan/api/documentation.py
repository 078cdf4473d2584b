"""What the doors say of themselves in OpenAPI: the bodies that routes read on their own, and how all refuse."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)

from suyuan.api.problems import PROBLEM_JSON, PROBLEM_XML, Problem
from suyuan.printing import FORMATS


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


# Doors that give other things than JSON, which their functions' types do not say.
_FORMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("/epcis/capture", "202"): ("text/plain",),
    ("/api/v1/parties/{party_id}/mappings/{name}", "200"): ("application/toml",),
    ("/epcis/events/{event_id}", "200"): ("application/ld+json", "application/xml"),
    ("/api/v1/codes/batches/{file}", "200"): tuple(
        sorted({form.media_type.partition(";")[0] for form in FORMATS.values()})
    ),
}


def describe_refusals(description: OpenAPI) -> None:
    """Say of every door how it refuses, as a problem document whatever the status, and which forms it gives."""
    content = {kind: OpenAPIMediaType(schema=_schema(Problem)) for kind in (PROBLEM_JSON, PROBLEM_XML)}
    content[PROBLEM_XML] = OpenAPIMediaType(schema=Schema())
    for path, item in (description.paths or {}).items():
        kinds = content if path.startswith("/epcis") else {PROBLEM_JSON: content[PROBLEM_JSON]}
        for method in ("get", "put", "post", "delete", "options", "head", "patch"):
            operation = getattr(item, method)
            if operation is None:
                continue
            # What the framework says of its own errors is not how these doors answer.
            own = {code: found for code, found in (operation.responses or {}).items() if code < "400"}
            for code, answer in own.items():
                if forms := _FORMS.get((path, code)):
                    answer.content = {form: OpenAPIMediaType(schema=Schema()) for form in forms}
            if "204" in own:
                own["204"].content = None
            refusal = OpenAPIResponse(description="A refusal; `code` says which.", content=kinds)
            operation.responses = {**own, "default": refusal}
