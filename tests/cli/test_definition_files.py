"""Definitions in YAML: plain scalars follow JSON's rules, and definitions survive a round trip unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamseg.cli.definition_files import parse_definition, to_yaml, without_managed
from streamseg.errors import RejectedError

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
LOOK_ALIKES = st.sampled_from(
    ["no", "on", "012", "1e5", "2026-06-15", "12:30", "~", "null", "true", "<<", "-", "0x1f", "="]
)
KEYS = st.text("abc=<~", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | LOOK_ALIKES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def read(text: str) -> Any:
    return parse_definition(text.encode(), json=False)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-06-15", "2026-06-15"),
        ("012", "012"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        (".5", ".5"),
        ("1e5", 1e5),
        ("-3", -3),
        ("2.5", 2.5),
        ("true", True),
        ("null", None),
        ("", None),
        ("'7'", "7"),
    ],
)
def test_a_plain_scalar_is_what_json_would_make_of_it(written: str, value: Any) -> None:
    assert read(f"value: {written}\n") == {"value": value}


def test_anchors_and_merges_save_repetition() -> None:
    text = "a: &cn {attribute: location, operator: eq}\nb: {<<: *cn, value: 中国}\n"
    assert read(text)["b"] == {"attribute": "location", "operator": "eq", "value": "中国"}


@given(st.dictionaries(KEYS, JSON, max_size=3))
def test_what_is_written_as_yaml_reads_back_as_the_same(value: dict[str, Any]) -> None:
    assert read(to_yaml(value)) == value


def test_what_the_catalogue_keeps_by_itself_is_left_out_of_files() -> None:
    definition = {"segment_id": "a", "version": 3, "created_by": "x", "updated_at": "y", "group": "g"}
    assert without_managed(definition) == {"segment_id": "a", "group": "g"}


@pytest.mark.parametrize("json", [True, False], ids=["JSON", "YAML"])
def test_what_is_too_deep_is_refused_as_in_a_record(json: bool) -> None:
    text = b'{"name": "a", "clusters": ' + b"[" * 120 + b"]" * 120 + b"}"
    with pytest.raises(RejectedError) as refusal:
        parse_definition(text, json=json)
    assert (refusal.value.code, refusal.value.path) == ("invalid_schema", "clusters[0]")


def test_json_that_is_too_deep_to_be_read_is_refused_for_that() -> None:
    with pytest.raises(RejectedError, match="nested deeper than 100 levels") as refusal:
        parse_definition(b'{"clusters": ' + b"[" * 3_000 + b"]" * 3_000 + b"}", json=True)
    assert refusal.value.code == "invalid_schema"
