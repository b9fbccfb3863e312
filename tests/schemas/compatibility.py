"""Compares two JSON Schemas: does one take every value that the other takes?

It knows the keywords that the models generate. A keyword that it does not know is a difference, if it is not
the same in both schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

_NOTES = frozenset(("$schema", "$id", "$defs", "title", "description", "default", "examples"))
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_COMPARED = frozenset(
    (
        *(*_LEAST, *_MOST, "type", "enum", "const", "pattern", "items", "properties", "required"),
        *("additionalProperties", "anyOf", "oneOf", "allOf"),
    )
)
_OTHER_TYPE = "was"


class Patterns(NamedTuple):
    """Two patterns that differ: every text that `narrow` matches must match `wide` too. A comparison of the
    schemas cannot tell, so tests try texts."""

    path: str
    wide: str
    narrow: str


class Comparison:
    """Whether `wide` takes every value that `narrow` takes.

    differences  what may be a value of `narrow` and is none of `wide`, as texts that begin with a path
    patterns     the patterns at the same place that differ
    """

    def __init__(self, wide: Schema, narrow: Schema, *, gains_fields: bool = False) -> None:
        """With `gains_fields`, objects of `narrow` may have fields that `wide` does not know, because the
        reader ignores them."""
        self._wide, self._narrow = wide, narrow
        self._gains_fields = gains_fields
        self._compared: set[tuple[str, str]] = set()
        self._patterns: dict[Patterns, None] = {}
        self.differences = list(dict.fromkeys(self._compare(wide, narrow, "")))

    @property
    def patterns(self) -> list[Patterns]:
        return list(self._patterns)

    def _compare(self, wide: Schema, narrow: Schema, path: str) -> list[str]:
        pair = (wide.get("$ref", ""), narrow.get("$ref", ""))
        if all(pair):
            if pair in self._compared:
                return []  # Definitions that contain themselves.
            self._compared.add(pair)
        wide, narrow = _resolved(wide, self._wide), _resolved(narrow, self._narrow)
        if not wide:
            return []
        narrow_kinds = _alternatives(narrow)
        if len(narrow_kinds) > 1:
            return [text for kind in narrow_kinds for text in self._compare(wide, kind, path)]
        wide_kinds = _alternatives(wide)
        if len(wide_kinds) > 1:
            return self._among(wide_kinds, narrow, path)
        return [f"{path or '.'}: {text}" for text in self._unlike(wide_kinds[0], narrow_kinds[0])] + list(
            self._inside(wide_kinds[0], narrow_kinds[0], path)
        )

    def _among(self, wide_kinds: list[Schema], narrow: Schema, path: str) -> list[str]:
        found: list[list[str]] = []
        for kind in wide_kinds:
            before, patterns = set(self._compared), dict(self._patterns)
            found.append(self._compare(kind, narrow, path))
            if not found[-1]:
                return []
            self._compared, self._patterns = before, patterns
        # The kind that was meant is the one whose first difference lies deepest.
        return max(found, key=lambda texts: (min(map(_depth, texts)), -len(texts)))

    def _unlike(self, wide: Schema, narrow: Schema) -> Iterator[str]:
        for keyword in sorted((wide.keys() | narrow.keys()) - _COMPARED):
            if keyword in wide and wide.get(keyword) != narrow.get(keyword):
                yield f"{keyword} cannot be compared"
        (wide_type,), (narrow_type,) = _types(wide), _types(narrow)
        if wide_type not in ("any", narrow_type) and (wide_type, narrow_type) != ("number", "integer"):
            yield f"{_OTHER_TYPE} {narrow_type}, is {wide_type}"
            return
        values, taken = _values(narrow), _values(wide)
        if taken is not None:
            if values is None:
                yield f"is only {taken}"
            elif missing := [value for value in values if value not in taken]:
                yield f"not {missing} any more"
        if values is not None:
            return
        for keyword, sign in [*((one, 1) for one in _LEAST), *((one, -1) for one in _MOST)]:
            bound, other = wide.get(keyword), narrow.get(keyword)
            if bound is not None and (other is None or sign * bound > sign * other):
                yield f"{keyword} was {other}, is {bound}"
        if "pattern" in wide and "pattern" not in narrow:
            yield "got a pattern"

    def _inside(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        if "pattern" in wide and "pattern" in narrow and wide["pattern"] != narrow["pattern"]:
            self._patterns[Patterns(path, wide["pattern"], narrow["pattern"])] = None
        if narrow.get("type") == "array" and "items" in wide:
            yield from self._compare(wide["items"], narrow.get("items", {}), f"{path}[]")
        if narrow.get("type") == "object":
            yield from self._fields(wide, narrow, path)
        yield from self._conditionals(wide, narrow, path)

    def _fields(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        fields, others = wide.get("properties", {}), _others(wide)
        for name in wide.get("required", ()):
            if name not in narrow.get("required", ()):
                yield f"{path}.{name}: is required"
        for name, schema in narrow.get("properties", {}).items():
            if name in fields:
                yield from self._compare(fields[name], schema, f"{path}.{name}")
            elif others is not None:
                yield from self._compare(others, schema, f"{path}.{name}")
            elif not self._gains_fields:
                yield f"{path}.{name}: is not a field any more"
        if (rest := _others(narrow)) is not None:
            if others is None:
                yield f"{path}.*: takes no other fields any more"
            else:
                yield from self._compare(others, rest, f"{path}.*")

    def _conditionals(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        """Compare `allOf` of rules "if this field has one of these values, then": by field and value."""
        rules, others = _rules(wide), _rules(narrow)
        if rules is None or others is None:
            if wide.get("allOf") != narrow.get("allOf"):
                yield f"{path or '.'}: allOf cannot be compared"
            return
        for (name, value), then in rules.items():
            possible = _values(narrow.get("properties", {}).get(name, {}))
            if possible is not None and value not in possible:
                continue  # A value that is new.
            where = f"{path}({name}={value})"
            if (name, value) not in others:
                yield f"{where}: got a rule"
            else:
                earlier = {"type": "object", "additionalProperties": True, **others[name, value]}
                yield from self._compare({"additionalProperties": True, **then}, earlier, where)


def _depth(text: str) -> int:
    path, _, fault = text.partition(": ")
    return -1 if fault.startswith(_OTHER_TYPE) else path.count(".") + path.count("[]")


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return {keyword: value for keyword, value in schema.items() if keyword not in _NOTES}


def _alternatives(schema: Schema) -> list[Schema]:
    """The schema as a list of which a value matches one; each has one type at most."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            rest = {name: value for name, value in schema.items() if name != keyword}
            return [{**rest, **kind} for kind in schema[keyword]]
    types = _types(schema)
    return [schema] if types == ["any"] else [{**schema, "type": one} for one in types]


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", "any")
    return types if isinstance(types, list) else [types]


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _others(schema: Schema) -> Schema | None:
    """The schema of fields that are not listed; None: there are none."""
    others = schema.get("additionalProperties", True)
    return None if others is False else {} if others is True else others


def _rules(schema: Schema) -> dict[tuple[str, Any], Schema] | None:
    """The rules in `allOf` by field and value; None if it has something else."""
    rules: dict[tuple[str, Any], Schema] = {}
    for rule in schema.get("allOf", ()):
        condition = rule.get("if", {})
        fields = condition.get("properties", {})
        if rule.keys() != {"if", "then"} or len(fields) != 1 or condition.keys() - {"properties", "required"}:
            return None
        ((name, test),) = fields.items()
        values = _values(test)
        if values is None or test.keys() - {"enum", "const"}:
            return None
        for value in values:
            if (name, value) in rules:
                return None
            rules[name, value] = rule["then"]
    return rules
