"""The bounds of a window at an instant are exactly where occurrences begin and cease to be in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.definitions import Window as WrittenWindow
from streamseg.errors import RejectedError
from streamseg.language.compiler import compile_window
from streamseg.settings import Settings
from streamseg.times import DAY_MS, MIN_MS, NEVER_MS, format_ms, parse_timestamp_ms, time_zone

WINDOW: TypeAdapter[Any] = TypeAdapter(WrittenWindow)
ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")
NOW_MS = 1_777_593_600_000

WRITTEN = st.one_of(
    st.builds(lambda days: {"last": f"P{days}D"}, st.integers(1, 300)),
    st.builds(
        lambda far, near: {"from": f"-P{far + near}D", "to": f"-PT{near}H"},
        st.integers(1, 200),
        st.integers(0, 100),
    ),
    st.builds(
        lambda at_ms, days: {"between": [at_ms, at_ms + days * DAY_MS]},
        st.integers(NOW_MS - 100 * DAY_MS, NOW_MS),
        st.integers(1, 90),
    ),
    st.builds(
        lambda unit, first, more: {"period": {"unit": unit, "from": first, "to": first + more}},
        st.sampled_from(["day", "week", "month", "quarter", "year"]),
        st.integers(-3, 0),
        st.integers(0, 2),
    ),
)


@given(WRITTEN, st.sampled_from(ZONES), st.integers(0, 400 * DAY_MS))
def test_an_occurrence_is_in_the_window_exactly_between_its_bounds(
    written: dict[str, Any], zone: str, after_ms: int
) -> None:
    window = compile_window(WINDOW.validate_python(written), zone, Settings())
    now_ms = NOW_MS + after_ms
    first_ms, end_ms = window.bounds(now_ms)
    assert first_ms < end_ms
    for at_ms in (first_ms - 1, first_ms, (first_ms + end_ms) // 2, end_ms - 1, end_ms):
        if "between" in written and at_ms > now_ms:
            # Whatever has not happened yet is in no window; the bounds do not say so.
            continue
        span = window.span(at_ms)
        is_in = span is not None and span[0] <= now_ms < span[1]
        assert is_in == (first_ms <= at_ms < end_ms), format_ms(at_ms)


def test_a_bound_that_a_window_does_not_have_is_never() -> None:
    window = compile_window(WINDOW.validate_python({"between": [None, "2026-05-01"]}), None, Settings())
    may_ms = parse_timestamp_ms("2026-05-01", time_zone("Asia/Shanghai"))
    assert window.bounds(NOW_MS) == (MIN_MS, may_ms)
    window = compile_window(WINDOW.validate_python({"between": ["2026-05-01", None]}), None, Settings())
    assert window.bounds(NOW_MS) == (may_ms, NEVER_MS)


def test_a_window_that_is_refused_in_a_definition_is_refused() -> None:
    with pytest.raises(RejectedError) as refused:
        compile_window(WINDOW.validate_python({"last": "P500D"}), None, Settings())
    assert refused.value.path == "window.last"
