"""The API's own page: what can be asked, made from its OpenAPI description, with nothing from outside and no script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State

from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages

ADDRESS = "/api/v1/docs"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    needed: bool
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    words: str
    asked: list[Field]
    body: list[Field]
    answer: str


def operations(schema: dict[str, Any]) -> dict[str, list[Operation]]:
    """By tag, in the order of the app's routes."""
    found: dict[str, list[Operation]] = {}
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                said = item[method]
                tag = (said.get("tags") or ["other"])[0]
                found.setdefault(tag, []).append(operation(method, path, said, schema))
    return found


def operation(method: str, path: str, said: dict[str, Any], schema: dict[str, Any]) -> Operation:
    asked = [
        Field(each["name"], kind(each.get("schema", {})), bool(each.get("required")), str(each.get("description", "")))
        for each in said.get("parameters", [])
        if each.get("in") == "query"
    ]
    body = fields(content(said.get("requestBody", {})), schema)
    good: dict[str, Any] = next((answer for status, answer in said["responses"].items() if status.startswith("2")), {})
    return Operation(method.upper(), path, str(said.get("description", "")), asked, body, kind(content(good)))


def content(said: dict[str, Any]) -> dict[str, Any]:
    for form in said.get("content", {}).values():
        return dict(form.get("schema", {}))
    return {}


def fields(of: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    named = schema["components"].get("schemas", {}).get(str(of.get("$ref", "")).rpartition("/")[2], of)
    needed = named.get("required", [])
    return [Field(name, kind(each), name in needed, "") for name, each in named.get("properties", {}).items()]


def kind(of: dict[str, Any]) -> str:
    """string, integer or null, list of SiteOut, …"""
    if "$ref" in of:
        return str(of["$ref"]).rpartition("/")[2]
    for several in ("oneOf", "anyOf"):
        if several in of:
            return " or ".join(kind(each) for each in of[several])
    if "enum" in of:
        return " or ".join("null" if each is None else str(each) for each in of["enum"])
    if of.get("type") == "array":
        return f"list of {kind(of.get('items', {}))}"
    given = of.get("type")
    return " or ".join(given) if isinstance(given, list) else str(given or "")


def structures(schema: dict[str, Any]) -> dict[str, list[Field]]:
    return {name: fields(each, schema) for name, each in sorted(schema["components"].get("schemas", {}).items())}


@get(ADDRESS, opt={"access": Access.SIGNED_IN}, sync_to_thread=True, include_in_schema=False)
def docs(pages: GivenPages, asker: GivenAsker, request: Request[Any, Any, State]) -> Response[str]:
    schema = request.app.openapi_schema.to_schema()
    values = {"asker": asker, "here": "key", "address": pages.deps.address()}
    return pages.page("api.html", {**values, "groups": operations(schema), "structures": structures(schema)})
