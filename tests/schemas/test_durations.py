"""Durations as text: the accepted ones with their lengths, and the refused ones with their reasons."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from schemas.durations import Duration, SignedDuration, WholeDays, duration_ms

PATTERN = TypeAdapter(SignedDuration).json_schema()["pattern"]
ALMOST_DURATIONS = st.text(alphabet="+-PTWDHMSY.019", max_size=12) | st.from_regex(
    r"[+-]?P([0-9]{1,3}W)?([0-9]{1,3}D)?(T([0-9]{1,3}H)?([0-9]{1,3}M)?([0-9]{1,3}(\.[0-9]{1,3})?S)?)?",
    fullmatch=True,
)
PART = st.none() | st.integers(0, 999)


def is_taken(text: str) -> bool:
    try:
        duration_ms(text)
    except PydanticCustomError:
        return False
    return True


@given(ALMOST_DURATIONS)
def test_the_published_pattern_takes_what_is_taken(text: str) -> None:
    assert (re.search(PATTERN, text) is not None) == is_taken(text)


@given(sign=st.sampled_from(["", "+", "-"]), days=st.tuples(PART, PART), clock=st.tuples(PART, PART, PART))
def test_the_parts_of_a_duration_add_up(
    sign: str, days: tuple[int | None, int | None], clock: tuple[int | None, int | None, int | None]
) -> None:
    date_text = "".join(f"{part}{unit}" for part, unit in zip(days, "WD", strict=True) if part is not None)
    clock_text = "".join(f"{part}{unit}" for part, unit in zip(clock, "HMS", strict=True) if part is not None)
    text = f"{sign}P{date_text}" + (f"T{clock_text}" if clock_text else "")
    if not date_text and not clock_text:
        assert not is_taken(text)
        return
    weeks, day_count = (part or 0 for part in days)
    hours, minutes, seconds = (part or 0 for part in clock)
    length_ms = ((((weeks * 7 + day_count) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000
    assert duration_ms(text) == (-length_ms if sign == "-" else length_ms)


@pytest.mark.parametrize(("text", "milliseconds"), [("PT0.25S", 250), ("-PT1.5S", -1_500), ("PT0S", 0)])
def test_seconds_may_have_a_fraction(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["P1Y", "P1M", "P1Y2M", "-P3M", "P1M2D", "P1MT1H"])
def test_years_and_months_are_refused_with_the_reason(refusal: Any, text: str) -> None:
    assert "no fixed length" in refusal(Duration, text)[1]


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "7D", "p7d", "P7", "P1.5D", "P1D1W", "P7D ", "P7D\n", "P٧D"]
)
def test_other_text_is_refused_with_an_example(refusal: Any, text: str) -> None:
    assert "such as P7D" in refusal(Duration, text)[1]


@pytest.mark.parametrize("text", ["P99999999999D", "P" + "9" * 5_000 + "D"])
def test_a_duration_beyond_any_calendar_is_refused(refusal: Any, text: str) -> None:
    assert "longer than any calendar" in refusal(Duration, text)[1]


@pytest.mark.parametrize("text", ["PT0S", "-P1D", "+P1D"])
def test_a_length_is_positive_and_has_no_sign(refusal: Any, text: str) -> None:
    assert "without a sign" in refusal(Duration, text)[1]
    assert TypeAdapter(SignedDuration).validate_python(text) == text


@pytest.mark.parametrize("text", ["PT1H", "P1DT1H"])
def test_whole_days_are_whole(refusal: Any, text: str) -> None:
    assert "whole days" in refusal(WholeDays, text)[1]
    assert TypeAdapter(WholeDays).validate_python("PT48H") == "PT48H"
