"""Segment definitions in YAML or JSON files.

YAML is read by JSON's rules for plain scalars: `no`, `2026-06-15` and `012` are text, as they are in a
definition, and not false, a date and ten.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from streamseg.errors import Code, ConfigurationError, RejectedError
from streamseg.json_text import loads
from streamseg.nesting import check_nesting, exceeds_limit, nested_too_deep

SUFFIXES: Final = (".yaml", ".yml", ".json")

MANAGED: Final = ("version", "created_by", "created_at", "updated_by", "updated_at")
"""The keys of a definition that the catalogue sets itself."""

_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)"


class _Loader(yaml.SafeLoader):
    """Reads plain scalars by JSON's rules and refuses a key that occurs twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in its base

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is there twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as people write them, and writes repeated values in full instead of as
    aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", _NUMBER, list("-0123456789")),
    ("float", rf"{_NUMBER}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
    ("merge", r"<<", ["<"]),
):
    # The dumper needs the same rules: it quotes text that the loader would take for another type.
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"{_pattern}\Z"), _first)


def read_definition(file: str) -> dict[str, Any]:
    """Return the definition in a YAML or JSON file; `-` means standard input.

    Raises ConfigurationError if the file cannot be read, RejectedError if it does not contain a JSON object.
    """
    if file == "-":
        return parse_definition(sys.stdin.buffer.read(), json=False)
    path = Path(file)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    return parse_definition(source, json=path.suffix.lower() == ".json")


def parse_definition(source: bytes, *, json: bool) -> dict[str, Any]:
    """Return the JSON object in a file's bytes. Raises RejectedError with line and column in its message."""
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedError(
            Code.INVALID_JSON, f"byte {error.start} is not UTF-8; save it as UTF-8"
        ) from error
    value = _parse_json(text) if json else _parse_yaml(text)
    check_nesting(value)
    if not isinstance(value, dict):
        raise RejectedError(Code.INVALID_SCHEMA, "a definition is an object with name and type")
    return value


def _parse_json(text: str) -> Any:
    data = text.encode()
    try:
        return loads(data)
    except orjson.JSONDecodeError as error:
        if exceeds_limit(data):
            raise nested_too_deep() from error
        # Unlike for a record, the message gives line and column.
        raise RejectedError(Code.INVALID_JSON, str(error)) from error


def _parse_yaml(text: str) -> Any:
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        # This must be orjson itself: a YAML value that contains itself has no end, and only orjson detects
        # that.
        orjson.dumps(value)
    except yaml.MarkedYAMLError as error:
        problem = " ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark
        place = f" in line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
        raise RejectedError(Code.INVALID_JSON, f"not valid YAML: {problem}{place}") from error
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise RejectedError(Code.INVALID_JSON, f"cannot be written as JSON ({problem})") from error
    return value


def to_yaml(value: Any) -> str:
    """Return a JSON value as YAML. Reading the YAML gives the same value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=False, width=100
    )
    return text


def without_managed(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition in the form for a file: without the keys that the catalogue sets itself."""
    return {key: value for key, value in definition.items() if key not in MANAGED}
