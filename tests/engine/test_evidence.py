"""An explanation says what was reached, what was left out and why, and how a value was read."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.catalogue.labels import Language
from streamseg.engine.explain import explain
from streamseg.wording.explanations import with_words
from tests.engine.cases import case, heard
from tests.engine.story import Line, all_of, event, segment, update
from tests.engine.test_explain import conditions, explained

WEEK = {"last": "P7D"}
SUM = {"function": "sum", "property": "n", "operator": "ge", "value": 1000}
SPENT = {"event": "buy", "aggregate": SUM}
STEPS = [{"event": "form_open"}, {"event": "form_submit"}, {"event": "buy"}]
ABANDONED = {"sequence": [{"event": "cart"}, {"absent": {"event": "buy"}}], "within": "P1D"}


def told(condition: dict[str, Any], *lines: Line, language: Language = "en", **until: Any) -> list[str]:
    explanation = with_words(explained(segment(condition), *lines, **until), language)
    (found,) = conditions(explanation)
    notes: list[str] = found["notes"]
    return notes


# a condition, lines, and the notes in English and Chinese
NOTES = [
    case(
        "a count that is short",
        {"event": "buy", "count": {"operator": "ge", "value": 3}},
        [event("05-01", "buy"), event("05-02", "buy")],
        ["reached: 2, 1 more needed"],
        ["已有 2 次，还差 1 次"],
    ),
    case(
        "a count that is there",
        {"event": "buy", "count": {"operator": "gt", "value": 1}},
        [event("05-01", "buy"), event("05-02", "buy")],
        ["reached: 2"],
        ["已有 2 次"],
    ),
    case(
        "what is too old, and what does not meet the conditions",
        {"event": "buy", "window": WEEK, "where": all_of({"property": "n", "operator": "eq", "value": 1})},
        [
            event("05-01", "buy", {"n": 1}, id_="old"),
            event("05-09", "buy", {"n": 2}, id_="other"),
        ],
        [
            "reached: 0, 1 more needed",
            "left out, 1: too old for the window (the latest old at 2026-04-30T16:00:00.000Z)",
            "left out, 1: what it fails: n is 1 (the latest other at 2026-05-08T16:00:00.000Z)",
        ],
        [
            "已有 0 次，还差 1 次",
            "未计入 1 次：时间太早，已离开时间范围（最近一次 old，2026-04-30T16:00:00.000Z）",
            "未计入 1 次：不满足：n 等于 1（最近一次 other，2026-05-08T16:00:00.000Z）",
        ],
    ),
    case(
        "what lies outside fixed times",
        {"event": "buy", "window": {"between": ["2026-05-02", None]}},
        [event("05-01", "buy", id_="e")],
        [
            "reached: 0, 1 more needed",
            "left out, 1: outside the window (the latest e at 2026-04-30T16:00:00.000Z)",
        ],
        None,
    ),
    case(
        "what has not entered the window yet",
        {"event": "buy", "window": {"from": "-P7D", "to": "-P1D"}},
        [event("05-01", "buy", id_="e")],
        [
            "reached: 0, 1 more needed",
            "left out, 1: not in the window yet (the latest e at 2026-04-30T16:00:00.000Z)",
        ],
        None,
    ),
    case(
        "a sum, and values that are no numbers or missing",
        SPENT,
        [
            event("05-01", "buy", {"n": 940.5}),
            event("05-02", "buy", {"n": "12"}, id_="text"),
            event("05-03", "buy", {"n": "15"}, id_="text2"),
            event("05-04", "buy", {"m": 1}, id_="empty"),
        ],
        [
            "the sum is 940.5, 59.5 more needed",
            'left out, 2: the value is not a number; it is text, with "as": "number" it is read as one '
            '(the latest text2 at 2026-05-02T16:00:00.000Z, value "15")',
            "left out, 1: no value there (the latest empty at 2026-05-03T16:00:00.000Z)",
        ],
        None,
    ),
    case(
        "a sum over a window that slides",
        {**SPENT, "window": WEEK},
        [event("05-01", "buy", {"n": 500}, id_="e1"), event("05-09", "buy", {"n": 1200})],
        [
            "the sum is 1200",
            "left out, 1: too old for the window (the latest e1 at 2026-04-30T16:00:00.000Z)",
        ],
        None,
    ),
    case(
        "an average of nothing",
        {"event": "buy", "aggregate": {"function": "avg", "property": "n", "operator": "ge", "value": 1}},
        [update("05-01")],
        ["no value to take the average of"],
        ["没有可计入 平均值 的值"],
    ),
    case(
        "a sequence that has come to its second step",
        {"sequence": STEPS, "within": "P1D"},
        [
            event("05-01", "form_open", id_="o1"),
            event("05-03", "form_open", id_="o2"),
            event("05-03 01:00", "form_submit", id_="s"),
        ],
        [
            "2 of 3 steps have happened",
            "step 1: o2 at 2026-05-02T16:00:00.000Z",
            "step 2: s at 2026-05-02T17:00:00.000Z",
            "step 3 is missing: buy",
            "the time for it ends at 2026-05-03T16:00:00.000Z",
        ],
        [
            "已完成 2 步（共 3 步）",
            "第 1 步：o2，2026-05-02T16:00:00.000Z",
            "第 2 步：s，2026-05-02T17:00:00.000Z",
            "缺少第 3 步 buy",
            "期限 2026-05-03T16:00:00.000Z",
        ],
    ),
    case(
        "steps that lie too far apart are no chain",
        {"sequence": STEPS[:2], "within": "PT1H"},
        [event("05-01", "form_open", id_="o"), event("05-02", "form_submit")],
        [
            "1 of 2 steps have happened",
            "step 1: o at 2026-04-30T16:00:00.000Z",
            "step 2 is missing: form submission",
            "the time for it ends at 2026-04-30T17:00:00.000Z",
        ],
        None,
    ),
    case(
        "what was to stay away and did not",
        ABANDONED,
        [event("05-01", "cart", id_="c"), event("05-01 08:00", "buy", id_="b")],
        [
            "1 of 1 steps have happened",
            "step 1: c at 2026-04-30T16:00:00.000Z",
            "what was to stay away followed: b at 2026-05-01T00:00:00.000Z",
            "the time for it ends at 2026-05-01T16:00:00.000Z",
        ],
        None,
    ),
    case(
        "the one selected, and why it fails",
        {"event": "buy", "select": "last", "window": WEEK},
        [event("05-01", "buy", id_="x"), event("05-02", "open")],
        ["the one selected: x at 2026-04-30T16:00:00.000Z"],
        ["选中的是 x，2026-04-30T16:00:00.000Z"],
    ),
    case(
        "seconds that were read as milliseconds",
        {"attribute": "signed_up", "operator": "within_last", "value": "P30D"},
        [update("05-01", {"signed_up": 1772409600})],
        ["read as milliseconds: 1970-01-21T12:20:09.600Z; it looks like seconds, send it times 1,000"],
        ["按毫秒读作时间 1970-01-21T12:20:09.600Z；这个数像是秒，请乘以 1000"],
    ),
    case(
        "a date alone",
        {"attribute": "member_day", "operator": "before", "value": "2026-01-01"},
        [update("05-01", {"member_day": "2026-06-15"})],
        ["a date, read as the beginning of that day, 2026-06-14T16:00:00.000Z"],
        None,
    ),
    case(
        "text where a time is asked for",
        {"attribute": "level", "operator": "after", "value": "2026-01-01"},
        [update("05-01", {"level": "soon"})],
        ["is not a time"],
        ["不是时间"],
    ),
    case(
        "text where a number is asked for",
        {"attribute": "budget", "operator": "ge", "value": 100},
        [update("05-01", {"budget": "1200"})],
        ['is not a number; it is text, with "as": "number" it is read as one'],
        ['不是数字；它是文本，加上 "as": "number" 就按数字读'],
    ),
    case(
        "text that is read as a number",
        {"attribute": "budget", "operator": "ge", "value": 100, "as": "number"},
        [update("05-01", {"budget": " 12e2 "})],
        ["text, read as the number 1200"],
        ["文本读作数字 1200"],
    ),
    case(
        "text that is no number however it is read",
        {"attribute": "budget", "operator": "ge", "value": 100, "as": "number"},
        [update("05-01", {"budget": "1,200"})],
        ["is not a number"],
        None,
    ),
    case(
        "a sum of texts",
        {**SPENT, "aggregate": {**SUM, "as": "number"}},
        [event("05-01", "buy", {"n": "600"}), event("05-02", "buy", {"n": 400.5})],
        ["the sum is 1000.5"],
        ["之和 为 1000.5"],
    ),
    case(
        "an average that no decimal is",
        {"event": "buy", "aggregate": {"function": "avg", "property": "n", "operator": "ge", "value": 1}},
        [event(f"05-0{day}", "buy", {"n": n}) for day, n in enumerate((1, 1, 2), start=1)],
        ["the average is 1.3333333333333333"],
        None,
    ),
    case(
        "a number that no JSON number is",
        {"event": "buy", "aggregate": {"function": "sum", "property": "n", "operator": "ge", "value": 1}},
        [event(f"05-0{day}", "buy", {"n": n}) for day, n in enumerate((1e22, 0.1), start=1)],
        ["the sum is 10000000000000000000000.1"],
        None,
    ),
    case(
        "elements of which some do not count",
        {
            "event": "buy",
            "aggregate": {
                "function": "sum",
                "elements": "lines",
                "where": all_of({"property": "code", "operator": "ne", "value": "gift"}),
                "property": "price",
                "operator": "ge",
                "value": 10,
            },
        },
        [
            event("05-01", "buy", {"lines": [{"price": "12.5"}, {"price": 3}, {}]}, id_="some"),
            event("05-02", "buy", {"lines": [{"code": "gift", "price": 9}]}, id_="gift"),
            event("05-03", "buy", {"lines": []}, id_="bare"),
        ],
        [
            "the sum is 3, 7 more needed",
            'left out, 1 in the list: the value is not a number; it is text, with "as": "number" it is read '
            'as one (the latest some at 2026-04-30T16:00:00.000Z, value "12.5")',
            "left out, 2 in the list: no value there (the latest bare at 2026-05-02T16:00:00.000Z)",
            "left out, 1: nothing in the list meets the conditions "
            "(the latest gift at 2026-05-01T16:00:00.000Z)",
        ],
        [
            "之和 为 3，还差 7",
            '列表中未计入 1 项：值不是数字；它是文本，加上 "as": "number" 就按数字读'
            "（最近一次 some，2026-04-30T16:00:00.000Z，值 “12.5”）",
            "列表中未计入 2 项：没有值（最近一次 bare，2026-05-02T16:00:00.000Z）",
            "未计入 1 次：列表中没有满足条件的项（最近一次 gift，2026-05-01T16:00:00.000Z）",
        ],
    ),
    case(
        "elements that meet the conditions at times",
        {
            "event": "buy",
            "aggregate": {
                "function": "distinct",
                "elements": "lines",
                "where": all_of({"property": "at", "operator": "within_next", "value": "P1D"}),
                "property": "code",
                "operator": "ge",
                "value": 1,
            },
        },
        [event("05-01", "buy", {"lines": [{"code": 1, "at": "2026-05-03"}]}, id_="x")],
        [
            "the number of different values is 0, 1 more needed",
            "left out, 1: nothing in the list meets the conditions "
            "(the latest x at 2026-04-30T16:00:00.000Z)",
        ],
        None,
    ),
    case(
        "since when a test has been true",
        {"attribute": "location", "operator": "eq", "value": "中国", "held": {"at_least": "P7D"}},
        [update("05-01", {"location": "中国"})],
        ["has been so since 2026-04-30T16:00:00.000Z"],
        ["自 2026-04-30T16:00:00.000Z 起一直满足"],
    ),
    case(
        "the tests that the selected one fails",
        {
            "event": "buy",
            "select": "first",
            "has": all_of(
                {"property": "n", "operator": "ge", "value": 1}, {"property": "m", "operator": "is_set"}
            ),
        },
        [event("05-01", "buy", {"n": 1}, id_="x")],
        ["the one selected: x at 2026-04-30T16:00:00.000Z: what it fails: m is set"],
        ["选中的是 x，2026-04-30T16:00:00.000Z：不满足：m 有值"],
    ),
    case(
        "nothing where the value is plain",
        {"attribute": "location", "operator": "eq", "value": "中国"},
        [update("05-01", {"location": "法国"})],
        [],
        [],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "english", "chinese"), NOTES)
def test_a_condition_is_told_with_what_was_reached(
    condition: dict[str, Any], lines: list[Line], english: list[str], chinese: list[str] | None
) -> None:
    moves = "too old" in " ".join(english)
    until: dict[str, Any] = {"until": "05-10"} if moves else {}
    assert told(condition, *lines, **until) == english
    if chinese is not None:
        assert told(condition, *lines, language="zh", **until) == chinese


def test_a_value_that_is_left_out_is_shown_as_far_as_it_is_short() -> None:
    lines = [event("05-01", "buy", {"n": value}) for value in ({"a": 1}, "x" * 500)]
    (found,) = conditions(explained(segment(SPENT), lines[0]))
    assert "value" not in found["left_out"][0]["latest"]
    (found,) = conditions(explained(segment(SPENT), *lines))
    assert found["left_out"][0]["latest"]["value"] == "x" * 100 + "…"


def test_a_selection_that_is_too_old_says_so() -> None:
    condition = {"event": "buy", "select": "last", "window": WEEK}
    assert told(condition, event("05-01", "buy", id_="x"), until="05-10")[0] == (
        "the one selected: x at 2026-04-30T16:00:00.000Z: too old for the window"
    )


def test_what_was_counted_stays_counted_when_the_event_is_forgotten() -> None:
    condition = {"event": "buy", "count": {"operator": "ge", "value": 3}}
    lines = [event("01-01", "buy"), event("01-02", "buy"), update("2028-01-01", {"a": 1})]
    (found,) = conditions(explained(segment(condition), *lines))
    assert found["occurrences"] == []
    assert found["reached"] == {"what": "count", "value": 2}


def test_occurrences_are_bounded_and_the_count_is_not() -> None:
    lines = [event(f"05-01 {n // 60:02d}:{n % 60:02d}", "buy", id_=f"e{n:03d}") for n in range(150)]
    (found,) = conditions(
        explained(segment({"event": "buy", "count": {"operator": "ge", "value": 200}}), *lines)
    )
    assert found["reached"]["value"] == 150
    assert [one["event_id"] for one in found["occurrences"]] == [f"e{n:03d}" for n in range(50, 150)]


@pytest.mark.parametrize("condition", [one.values[0] for one in NOTES])
def test_explaining_leaves_the_contact_as_it_is(condition: dict[str, Any]) -> None:
    lines = [event("05-01", "buy", {"n": 3}), event("05-01", "form_open"), update("05-02", {"level": "x"})]
    run = heard(segment(condition), *lines).run
    (contact, events), *_ = run.contacts()
    before = contact.to_bytes()
    plan = run.partition.plan
    explain(contact, plan.segments["s"], plan, events, run.partition.clock_ms)
    assert contact.to_bytes() == before
