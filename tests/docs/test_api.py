"""docs/api.md has every request, setting and problem there is; its bodies and answers are of their shapes."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import Any, get_args
from urllib.parse import unquote, urlsplit

import pytest

from agents.api.openapi import description
from agents.api.problems import STATUSES
from schemas.catalogue import Status
from streamseg.settings import Settings
from tests.docs.pages import DOCS, below, section

PAGE = "api.md"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
PATHS = description()["paths"]
EXAMPLES = below(PAGE, "Examples")[1:]
# The answer in a section where it is not that of the last request.
ANSWER_TO = {"Groups": "GET /groups"}


def operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The one described request that a real one is an instance of, whole words before parameters."""
    for known in sorted(PATHS, key=lambda name: name.count("{")):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known))
        if re.fullmatch(pattern, path) and method.lower() in PATHS[known]:
            return f"{method} {known}", PATHS[known][method.lower()]
    raise AssertionError(f"{method} {path} is no request")


def requests(text: str) -> list[tuple[str, str, str, Any]]:
    """(method, path, query, body) of every `ask` in the bash blocks."""
    found: list[tuple[str, str, str, Any]] = []
    for block in re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S):
        for command in re.split(r"^(?=ask \S)", block, flags=re.M):
            if not re.match(r"ask [\"$-]", command):
                continue
            words = shlex.split(command)
            body = words[words.index("-d") + 1] if "-d" in words else None
            method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is None else "POST"
            (url,) = (word for word in words if word.startswith("$api"))
            parts = urlsplit(url.removeprefix("$api"))
            found.append((method, parts.path, parts.query, None if body is None else json.loads(body)))
    return found


def conforms(value: Any, schema: dict[str, Any]) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    jsonschema_rs.validate({**schema, "components": description()["components"]}, value)


def test_the_table_has_every_request_with_its_answer() -> None:
    rows = [(row[0].strip("`"), int(row[2])) for row in section(PAGE, "What there is").rows if len(row) == 3]
    described = {
        f"{method.upper()} {path}": min(int(status) for status in one["responses"] if status.isdigit())
        for path, methods in PATHS.items()
        for method, one in methods.items()
    }
    assert dict(rows) == described
    assert len(rows) == len(described)


def test_the_list_takes_the_parameters_of_the_table_and_those_of_the_requests_exist() -> None:
    parameters = PATHS["/segments"]["get"]["parameters"]
    named = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
    assert {row[0].strip("`") for row in section(PAGE, "List").rows} == set(named)
    for method, path, query, _ in requests(TEXT):
        known = {parameter["name"] for parameter in operation(method, path)[1]["parameters"]}
        assert set(re.findall(r"(?:^|&)(\w+)=", query)) <= known


def test_every_kind_of_request_but_plain_deleting_is_shown() -> None:
    shown = {operation(method, path)[0] for method, path, _, _ in requests(TEXT)}
    every = {f"{method.upper()} {path}" for path, methods in PATHS.items() for method in methods}
    assert every - shown == {"DELETE /segments/{segment_id}", "GET /openapi.json"}


@pytest.mark.parametrize(("method", "path", "query", "body"), requests(TEXT))
def test_bodies_are_of_their_shape(method: str, path: str, query: str, body: Any) -> None:
    described = operation(method, unquote(path))[1].get("requestBody")
    if body is None:
        assert described is None or not described["required"]
        return
    assert described is not None
    conforms(body, described["content"]["application/json"]["schema"])


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.json], ids=lambda one: one.title)
def test_answers_are_of_their_shape(example: Any) -> None:
    (answer,) = example.json
    if "code" in answer:
        conforms(answer, description()["components"]["schemas"]["Problem"])
        assert STATUSES[answer["code"]] == answer["status"]
        return
    described = dict(operation(method, path) for method, path, _, _ in requests(example.text))
    asked = ANSWER_TO.get(example.title, list(described)[-1])
    responses = described[asked]["responses"]
    conforms(answer, responses[min(responses)]["content"]["application/json"]["schema"])


def test_a_cursor_is_what_the_order_asks_for() -> None:
    (page,) = section(PAGE, "List").json
    last = page["rows"][-1]
    written = json.loads(base64.urlsafe_b64decode(page["next_cursor"]))
    assert (written[0], written[1], written[3]) == ("updated_at", True, last["segment_id"])


def test_the_tables_are_complete() -> None:
    rows = {row[1].strip("`"): int(row[0]) for row in section(PAGE, "Errors").rows if row[0].isdigit()}
    assert rows == {str(code): status for code, status in STATUSES.items()}
    (problem,) = section(PAGE, "Errors").json
    conforms(problem, description()["components"]["schemas"]["Problem"])
    statuses = [row[0].strip("`") for row in section(PAGE, "Calculate").rows]
    assert statuses == list(get_args(Status))


def test_the_settings_exist_with_these_defaults() -> None:
    named = set(re.findall(r"STREAMSEG_(\w+)", TEXT))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()
    assert "(`STREAMSEG_MAX_RECORD_BYTES`)" in TEXT
    assert Settings.model_fields["command_timeout_ms"].default == 15_000
    assert Settings.model_fields["max_record_bytes"].default == 1 << 20


@pytest.mark.parametrize(
    ("request_name", "parameter"),
    [("GET /segments", "limit"), ("GET /segments/{segment_id}/contacts", "limit")],
)
def test_the_bounds_are_those_of_the_description(request_name: str, parameter: str) -> None:
    method, path = request_name.split()
    (schema,) = (
        one["schema"] for one in PATHS[path][method.lower()]["parameters"] if one["name"] == parameter
    )
    (bound,) = (
        row[1]
        for row in section(PAGE, "What there is").rows
        if len(row) == 2 and row[0].startswith(f"`{parameter}` of `{request_name}`")
    )
    assert bound.startswith(f"{schema['minimum']} to {schema['maximum']:,},")
