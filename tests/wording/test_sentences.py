"""Sentences: the acceptance example word for word, every kind of condition, and the terms of the product."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.changes import Reason
from schemas.definitions import SegmentDefinition
from schemas.operands import OPERATORS
from streamseg.wording import terms
from streamseg.wording.definitions import definition, definition_lines
from streamseg.wording.reasons import reason
from tests.engine.cases import case
from tests.engine.story import all_of, any_of

WORKED = [
    all_of(
        {"attribute": "location", "operator": "eq", "value": "中国"},
        {"attribute": "imported_at", "operator": "within_last", "value": "P7D"},
    ),
    any_of(
        {
            "event": "form_submit",
            "where": all_of(
                {"property": "form", "operator": "eq", "value": "会员注册"},
                {"property": "name", "operator": "is_set"},
                {"property": "email", "operator": "is_set"},
            ),
        },
        {
            "event": "wechat_scan",
            "where": all_of({"property": "scene", "operator": "eq", "value": "会员注册二维码"}),
        },
    ),
]


def read(**body: Any) -> SegmentDefinition:
    return SegmentDefinition.model_validate({"segment_id": "s", "name": "s", **body})


def sentences(condition: dict[str, Any]) -> tuple[str, str]:
    one = read(type="standard", clusters=[all_of(condition)])
    return definition(one, "zh"), definition(one, "en")


def test_the_worked_case_reads_as_the_product_says_it() -> None:
    one = read(type="standard", clusters=WORKED)
    assert definition(one, "zh") == (
        "（所在地 等于 中国 且 导入时间 在最近 7 天内）且"
        "（发生过 表单提交（表单 等于 会员注册 且 联系人名称 有值 且 邮箱 有值）或 "
        "发生过 微信扫码（二维码 等于 会员注册二维码））"
    )
    assert definition(one, "en") == (
        "(location is 中国 and time of import is within the last 7 days) and "
        "(had form submission (form is 会员注册 and name is set and e-mail is set) or "
        "had WeChat scan (scene is 会员注册二维码))"
    )


def test_an_advanced_definition_has_a_line_for_each_part() -> None:
    one = read(
        type="advanced",
        timezone="America/New_York",
        parts=[
            {"name": "联系人在中国", "relation": "include", "clusters": [WORKED[0]]},
            {"relation": "exclude", "clusters": [all_of({"segment": "email-unsubscribed"})]},
        ],
    )
    assert definition_lines(one, "zh") == [
        "包含 联系人在中国：所在地 等于 中国 且 导入时间 在最近 7 天内",
        "排除：属于分群 邮件退订",
        "时区 America/New_York",
    ]
    assert definition(one, "en") == (
        "include 联系人在中国: location is 中国 and time of import is within the last 7 days; "
        "exclude: is in the segment Unsubscribed from e-mail; time zone America/New_York"
    )


def test_a_static_definition_says_that_it_is_one() -> None:
    assert definition(read(type="static"), "zh") == "静态名单，由人工维护"


P30 = {"last": "P30D"}
# a condition, what it reads in Chinese and in English
READ = [
    case(
        "text that looks like a number is quoted",
        {"attribute": "level", "operator": "in", "value": ["1", 1, True, "true", "是", "a b"]},
        "level 为其中之一 [“1”、1、是、true、“是”、“a b”]",
        'level is one of ["1", 1, true, "true", 是, "a b"]',
    ),
    case(
        "a custom attribute that is called as a standard one is quoted",
        {"attribute": "所在地", "operator": "is_set"},
        "“所在地” 有值",
        "所在地 is set",
    ),
    case(
        "a path",
        {"attribute": "address.city", "operator": "ne", "value": "Paris"},
        "address.city 不等于 Paris",
        "address.city is not Paris",
    ),
    case(
        "quotes, backslashes and what does not print are escaped",
        {"attribute": "level", "operator": "contains", "value": '“”"\\\n\u202e'},
        'level 包含 “\\“\\”"\\\\\\n\\u202e”',
        'level contains "“”\\"\\\\\\n\\u202e"',
    ),
    case(
        "case that is ignored",
        {"attribute": "email", "operator": "ends_with", "value": "@x.cn", "ignore_case": True},
        "邮箱 结尾是 “@x.cn”（不区分大小写）",
        'e-mail ends with "@x.cn" (case ignored)',
    ),
    case(
        "a pattern",
        {"attribute": "mobile", "operator": "not_matches", "value": "^1[38]"},
        "手机号 不匹配正则 “^1[38]”",
        'mobile does not match the pattern "^1[38]"',
    ),
    case(
        "a range of numbers",
        {"attribute": "member_points", "operator": "between", "value": [1, 2.5]},
        "会员积分 在 1 与 2.5（含两端）之间",
        "member points is between 1 and 2.5 (both included)",
    ),
    case(
        "a range of times",
        {"attribute": "member_day", "operator": "not_between", "value": ["2026-01-01", None]},
        "会员日 不在 2026-01-01（含）与 不限 之间",
        "member day is not between 2026-01-01 (included) and any time",
    ),
    case(
        "epoch milliseconds",
        {"attribute": "created_at", "operator": "before", "value": 1777593600000},
        "创建时间 早于 1777593600000（2026-05-01T00:00:00.000Z）",
        "time of creation is before 1777593600000 (2026-05-01T00:00:00.000Z)",
    ),
    case(
        "held",
        {"attribute": "tags", "operator": "contains_any", "value": ["vip"], "held": {"at_least": "P1W"}},
        "标签 包含任一 [vip]（已持续至少 1 周）",
        "tags has any of [vip] (for at least 1 week)",
    ),
    case(
        "offsets from now",
        {"attribute": "member_day", "operator": "relative_between", "value": ["-P5D", "PT0S"]},
        "会员日 在 5 天前 至 现在 期间",
        "member day is in the time from 5 days ago to now",
    ),
    case(
        "calendar units",
        {
            "attribute": "imported_at",
            "operator": "in_period",
            "value": {"unit": "month", "from": -3, "to": -1},
        },
        "导入时间 在 往前第 3 个月 至 上月内",
        "time of import is in the time from the month 3 back through last month",
    ),
    case(
        "parts of a time",
        {"attribute": "created_at", "operator": "calendar", "value": {"unit": "weekday", "values": [6, 7]}},
        "创建时间 的 星期 为其中之一 [周六、周日]",
        "time of creation has a weekday that is one of [Saturday, Sunday]",
    ),
    case(
        "an anniversary",
        {"attribute": "member_day", "operator": "anniversary", "value": {"in_next": "P7D"}},
        "会员日 的周年日在未来 7 天内（含今天）",
        "member day has its anniversary in the next 7 days (today included)",
    ),
    case("not", {"event": "buy", "not": True}, "非（发生过 buy）", "not (had buy)"),
    case(
        "a count",
        {"event": "order_paid", "count": {"operator": "ge", "value": 3}, "window": P30},
        "最近 30 天内 order_paid 的次数 大于等于 3",
        "the number of order_paid in the last 30 days is at least 3",
    ),
    case(
        "none",
        {"event": "email_open", "count": {"operator": "eq", "value": 0}, "window": P30},
        "最近 30 天内 没有发生 邮件打开",
        "had no e-mail open in the last 30 days",
    ),
    case(
        "an aggregate",
        {
            "event": "email_*",
            "where": any_of({"property": "n", "operator": "gt", "value": 1, "not": True}),
            "aggregate": {"function": "sum", "property": "order.amount", "operator": "gt", "value": 1000},
            "window": {"period": {"unit": "month", "from": -1, "to": -1}},
        },
        "上月内 名称以 email_ 开头的事件（非（n 大于 1））的 order.amount 之和 大于 1000",
        "the sum of order.amount over an event with a name that begins with email_ "
        "(not (n is greater than 1)) in last month is greater than 1000",
    ),
    case(
        "the last one",
        {
            "event": "form_submit",
            "select": "last",
            "window": {"between": [None, "2026-06-01T00:00:00Z"]},
            "has": all_of({"property": "form", "operator": "eq", "value": "会员注册"}),
        },
        "最后一次 表单提交 在 不限 与 2026-06-01T00:00:00Z（不含）之间 并满足（表单 等于 会员注册）",
        "the last form submission is between any time and 2026-06-01T00:00:00Z (not included) "
        "with (form is 会员注册)",
    ),
    case(
        "a sequence",
        {
            "sequence": [{"event": "form_open"}, {"absent": {"event": "form_submit"}}],
            "within": "P1D",
            "window": {"from": "-P14D", "to": "-P7D"},
        },
        "先后发生 表单打开 → 此后没有发生 表单提交（全程不超过 1 天、期限在 14 天前 至 7 天前 期间）",
        "in this order: form open → after that no form submission "
        "(all within 1 day, the deadline in the time from 14 days ago to 7 days ago)",
    ),
    case("a reference", {"segment": "vip", "member": False}, "不属于分群 vip", "is not in the segment vip"),
    case(
        "a sample",
        {"sample": 0.125, "salt": "x"},
        "在固定抽样的 12.5% 中（盐 x）",
        "is in a stable sample of 12.5% (salt x)",
    ),
]


@pytest.mark.parametrize(("condition", "chinese", "english"), READ)
def test_a_condition_reads(condition: dict[str, Any], chinese: str, english: str) -> None:
    assert sentences(condition) == (chinese, english)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "table", [terms.ATTRIBUTES, terms.EVENTS, terms.PROPERTIES, terms.OPERATORS, terms.PERIODS]
)
def test_no_two_things_are_called_the_same(table: Any, language: Any) -> None:
    names = [label.of(language) for label in table.values()]
    assert len(set(names)) == len(names)


def test_everything_has_a_name() -> None:
    assert set(terms.ATTRIBUTES) == set(STANDARD_ATTRIBUTES)
    assert set(terms.OPERATORS) == OPERATORS
    assert set(terms.REASONS) == set(get_args(Reason.model_fields["kind"].annotation))


def test_the_terms_of_the_product() -> None:
    told = {name: label.zh for name, label in {**terms.ATTRIBUTES, **terms.EVENTS}.items()}
    assert told["location"] == "所在地"
    assert told["imported_at"] == "导入时间"
    assert told["member_day"] == "会员日"
    assert told["email_hard_bounce"] == "邮件硬弹"
    assert told["wechat_menu_click"] == "微信点击菜单"
    assert told["global_unsubscribe"] == "全局退订"


def test_a_reason_names_what_it_refers_to() -> None:
    assert reason("behavior_event", "e-1", "zh") == "行为事件 e-1"
    assert reason("time", None, "en") == "time alone"
