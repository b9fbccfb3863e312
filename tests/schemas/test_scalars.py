"""Text patterns: the texts that they accept, and their time on hostile texts."""

from __future__ import annotations

import re
from itertools import product
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.generate import TOPIC_VALUES, json_schema
from schemas.scalars import ElementPath, PathText
from streamseg.values import split_path
from tests.schemas.conftest import Refusal
from tests.schemas.test_json_schema import objects

PATH = TypeAdapter(PathText)
PATTERNS = sorted(
    {
        part["pattern"]
        for topic in TOPIC_VALUES
        for part in objects(json_schema(topic))
        if isinstance(part.get("pattern"), str)
    }
)
STARTS = ["", "a", "P", "PT", "P1DT", "2026-05-01T08:00:00."]
PUMPS = ["1", "a", ".", "\\", "\\.", "\\\\.", "\\a", "a.", "a\\.", "1W", "1D", "1H", "1.", "|", "\n"]
ENDS = ["", ".", "..", "|", "\\", "\\.", "Q"]


def is_path(text: str) -> bool:
    try:
        split_path(text)
    except ValueError:
        return False
    return True


@given(st.text(st.sampled_from("a.\\é\n"), max_size=12))
@example("\\")
@example("\\\\.")
@example("a\\")
@example("a.\\")
@example("\\..\\.")
@example(".\\.")
def test_a_path_is_what_can_be_split_into_steps(text: str) -> None:
    pattern = PATH.json_schema()["pattern"]
    try:
        PATH.validate_python(text)
    except ValidationError:
        assert not is_path(text)
    else:
        assert is_path(text)
    # Not at the end of the text but before the newline there, is where `$` may match too.
    if not text.endswith("\n"):
        assert bool(re.search(pattern, text)) == is_path(text)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "\\..", "a\\.b."])
def test_a_path_with_an_empty_step_is_refused(refusal: Refusal, path: str) -> None:
    _, message = refusal(PathText, path)
    assert message == ("has an empty step; write a literal dot as \\." if path else "must not be empty")


@pytest.mark.parametrize("path", ["a[0]", "[0]", "a[-1].b", "a.b[*]", "a[]", "a\\[0][1]"])
def test_a_path_into_a_list_is_refused_and_elements_named(refusal: Refusal, path: str) -> None:
    for kind in (PathText, ElementPath):
        assert "elements" in refusal(kind, path)[1]


@pytest.mark.parametrize("path", ["a\\[0]", "a[x]", "a[-]", "a[1", "a]0[", "a[0.5]"])
def test_any_other_bracket_is_taken(path: str) -> None:
    assert PATH.validate_python(path) == path


def test_only_inside_an_element_a_path_may_be_empty(refusal: Refusal) -> None:
    assert TypeAdapter(ElementPath).validate_python("") == ""
    assert refusal(PathText, "")[1] == "must not be empty"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_text_keeps_a_pattern_busy(pattern: str) -> None:
    compiled = re.compile(pattern)
    # A few repeats tell already where each doubles the work.
    for repeats in (25, 10_000):
        for start, pump, end in product(STARTS, PUMPS, ENDS):
            started = perf_counter()
            compiled.search(start + pump * repeats + end)
            assert perf_counter() - started < 1, (start, pump, end)
