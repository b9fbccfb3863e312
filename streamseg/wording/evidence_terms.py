"""The templates for the evidence in explanations. `format` fills in the braces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamseg.catalogue.labels import Label

KEPT_BY_PRODUCT: Final = Label("由系统维护", "kept by the product")
IS_MEMBER: Final = Label("{contact} 属于分群 {segment}", "{contact} is in the segment {segment}")
IS_NO_MEMBER: Final = Label("{contact} 不属于分群 {segment}", "{contact} is not in the segment {segment}")

COUNT_REACHED: Final = Label("已有 {value} 次", "reached: {value}")
COUNT_MISSING: Final = Label("已有 {value} 次，还差 {missing} 次", "reached: {value}, {missing} more needed")
FIGURE_REACHED: Final = Label("{function} 为 {value}", "{function} is {value}")
FIGURE_MISSING: Final = Label(
    "{function} 为 {value}，还差 {missing}", "{function} is {value}, {missing} more needed"
)
FIGURE_NONE: Final = Label("没有可计入 {function} 的值", "no value to take {function} of")
STEPS_REACHED: Final = Label("已完成 {value} 步（共 {of} 步）", "{value} of {of} steps have happened")
STEP_MISSING: Final = Label("缺少第 {number} 步 {step}", "step {number} is missing: {step}")
STEP_DEADLINE: Final = Label("期限 {at}", "the time for it ends at {at}")
CHAIN_STEP: Final = Label("第 {number} 步：{occurrence}", "step {number}: {occurrence}")
FOLLOWED_BY: Final = Label("此后发生了 {occurrence}", "what was to stay away followed: {occurrence}")
SELECTED_NONE: Final = Label("没有这样的事件", "there is no such occurrence")
SELECTED_ONE: Final = Label("选中的是 {occurrence}", "the one selected: {occurrence}")
SELECTED_FAILS: Final = Label("选中的是 {occurrence}：{why}", "the one selected: {occurrence}: {why}")
OCCURRENCE_NAMED: Final = Label("{id}，{at}", "{id} at {at}")
LEFT_OUT: Final = Label(
    "未计入 {count} 次：{why}（最近一次 {latest}）", "left out, {count}: {why} (the latest {latest})"
)
LEFT_OUT_ELEMENTS: Final = Label(
    "列表中未计入 {count} 项：{why}（最近一次 {latest}）",
    "left out, {count} in the list: {why} (the latest {latest})",
)
LEFT_OUT_VALUE: Final = Label("{latest}，值 {value}", "{latest}, value {value}")
LEFT_OUT_WHY: Final[Mapping[str, Label]] = {
    "not_passed": Label("不满足条件", "the conditions are not met"),
    "too_old": Label("时间太早，已离开时间范围", "too old for the window"),
    "outside_window": Label("不在时间范围内", "outside the window"),
    "not_yet": Label("尚未进入时间范围", "not in the window yet"),
    "no_value": Label("没有值", "no value there"),
    "no_number": Label("值不是数字", "the value is not a number"),
    "no_element": Label("列表中没有满足条件的项", "nothing in the list meets the conditions"),
}
"""The reasons why an occurrence does not count, by code."""

READ_TIME: Final[Mapping[str, Label]] = {
    "text": Label("读作时间 {time}", "read as the time {time}"),
    "date": Label("日期读作当天开始 {time}", "a date, read as the beginning of that day, {time}"),
    "milliseconds": Label("按毫秒读作时间 {time}", "read as milliseconds: {time}"),
}
READ_PERHAPS_SECONDS: Final = Label(
    "按毫秒读作时间 {time}；这个数像是秒，请乘以 1000",
    "read as milliseconds: {time}; it looks like seconds, send it times 1,000",
)
READ_NUMBER: Final = Label("文本读作数字 {number}", "text, read as the number {number}")
NOT_READ: Final[Mapping[str, Label]] = {
    "no_time": Label("不是时间", "is not a time"),
    "no_number": Label("不是数字", "is not a number"),
}
NUMBER_IN_TEXT: Final = Label(
    '{text}；它是文本，加上 "as": "number" 就按数字读',
    '{text}; it is text, with "as": "number" it is read as one',
)
FAILED: Final = Label("不满足：{tests}", "what it fails: {tests}")
HELD_SINCE: Final = Label("自 {at} 起一直满足", "has been so since {at}")
"""How a stored value was read, or why it could not be read."""
