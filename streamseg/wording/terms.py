"""Display names of attributes, events and operators, and the sentence templates. `format` fills in the
braces.

In a template a blank, a bracket or the end of the text stands beside each name or value. Otherwise an
unquoted value would run together with a word of the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamseg.catalogue.labels import Label

ATTRIBUTES: Final[Mapping[str, Label]] = {
    "email": Label("邮箱", "e-mail"),
    "mobile": Label("手机号", "mobile"),
    "name": Label("联系人名称", "name"),
    "wechat_unionid": Label("微信unionid", "WeChat unionid"),
    "contact_id": Label("联系人id", "contact id"),
    "gender": Label("性别", "gender"),
    "location": Label("所在地", "location"),
    "created_at": Label("创建时间", "time of creation"),
    "imported_at": Label("导入时间", "time of import"),
    "member_points": Label("会员积分", "member points"),
    "member_id": Label("会员id", "member id"),
    "member_day": Label("会员日", "member day"),
    "tags": Label("标签", "tags"),
    "order_count": Label("订单量", "order count"),
    "order_amount": Label("订单金额", "order amount"),
    "first_purchase_at": Label("首次购买时间", "first purchase"),
    "last_purchase_at": Label("最后购买时间", "last purchase"),
    "overall_rating": Label("综合评级", "overall rating"),
    "activity_index": Label("活跃指数", "activity index"),
    "consumption_index": Label("消费指数", "consumption index"),
    "email_interaction": Label("邮件互动", "e-mail interaction"),
    "wechat_interaction": Label("微信互动", "WeChat interaction"),
    "sms_interaction": Label("短信互动", "SMS interaction"),
    "subscribed": Label("订阅", "subscribed"),
    "known_since": Label("首次记录时间", "known since"),
}
"""The standard attributes, by name."""

EVENTS: Final[Mapping[str, Label]] = {
    "email_click": Label("邮件点击", "e-mail click"),
    "email_hard_bounce": Label("邮件硬弹", "e-mail hard bounce"),
    "email_open": Label("邮件打开", "e-mail open"),
    "email_send": Label("邮件发送", "e-mail send"),
    "email_soft_bounce": Label("邮件软弹", "e-mail soft bounce"),
    "email_unsubscribe": Label("邮件退订", "e-mail unsubscribe"),
    "email_resubscribe": Label("邮件重新订阅", "e-mail resubscribe"),
    "sms_click": Label("短信点击", "SMS click"),
    "sms_send": Label("短信发送", "SMS send"),
    "sms_unsubscribe": Label("短信退订", "SMS unsubscribe"),
    "sms_resubscribe": Label("短信重新订阅", "SMS resubscribe"),
    "wechat_menu_click": Label("微信点击菜单", "WeChat menu click"),
    "wechat_customer_message": Label("客服消息", "WeChat customer message"),
    "wechat_mass_message": Label("群发消息", "WeChat mass message"),
    "wechat_reply": Label("微信回复", "WeChat reply"),
    "wechat_scan": Label("微信扫码", "WeChat scan"),
    "wechat_follow": Label("微信关注", "WeChat follow"),
    "wechat_template_message": Label("模板消息", "WeChat template message"),
    "wechat_unfollow": Label("微信取消关注", "WeChat unfollow"),
    "form_open": Label("表单打开", "form open"),
    "form_submit": Label("表单提交", "form submission"),
    "fan_tag_added": Label("粉丝标签新增", "fan tag added"),
    "fan_tag_removed": Label("粉丝标签移除", "fan tag removed"),
    "tag_added": Label("标签新增", "tag added"),
    "tag_removed": Label("标签移除", "tag removed"),
    "attribute_changed": Label("属性变更", "attribute changed"),
    "global_unsubscribe": Label("全局退订", "global unsubscribe"),
}
"""The standard events, by name."""

PROPERTIES: Final[Mapping[str, Label]] = {
    "form": Label("表单", "form"),
    "scene": Label("二维码", "scene"),
    "name": Label("联系人名称", "name"),
    "email": Label("邮箱", "e-mail"),
    "mobile": Label("手机号", "mobile"),
    "subscribed": Label("订阅", "subscribed"),
    "tag": Label("标签", "tag"),
    "attribute": Label("属性", "attribute"),
    "old": Label("原值", "old value"),
    "new": Label("新值", "new value"),
}
"""The properties of standard events, by name."""

OPERATORS: Final[Mapping[str, Label]] = {
    "is_set": Label("有值", "is set"),
    "is_not_set": Label("无值", "is not set"),
    "eq": Label("等于 {value}", "is {value}"),
    "ne": Label("不等于 {value}", "is not {value}"),
    "contains": Label("包含 {value}", "contains {value}"),
    "not_contains": Label("不包含 {value}", "does not contain {value}"),
    "starts_with": Label("开头是 {value}", "starts with {value}"),
    "not_starts_with": Label("开头不是 {value}", "does not start with {value}"),
    "ends_with": Label("结尾是 {value}", "ends with {value}"),
    "not_ends_with": Label("结尾不是 {value}", "does not end with {value}"),
    "matches": Label("匹配正则 {value}", "matches the pattern {value}"),
    "not_matches": Label("不匹配正则 {value}", "does not match the pattern {value}"),
    "in": Label("为其中之一 {value}", "is one of {value}"),
    "not_in": Label("不为其中任何一个 {value}", "is none of {value}"),
    "contains_any": Label("包含任一 {value}", "has any of {value}"),
    "contains_all": Label("包含全部 {value}", "has all of {value}"),
    "contains_none": Label("不包含任何一个 {value}", "has none of {value}"),
    "gt": Label("大于 {value}", "is greater than {value}"),
    "ge": Label("大于等于 {value}", "is at least {value}"),
    "lt": Label("小于 {value}", "is less than {value}"),
    "le": Label("小于等于 {value}", "is at most {value}"),
    "between": Label("在 {value} 之间", "is between {value}"),
    "not_between": Label("不在 {value} 之间", "is not between {value}"),
    "before": Label("早于 {value}", "is before {value}"),
    "after": Label("晚于 {value}", "is after {value}"),
    "within_last": Label("在最近 {value}内", "is within the last {value}"),
    "not_within_last": Label("不在最近 {value}内", "is not within the last {value}"),
    "within_next": Label("在未来 {value}内", "is within the next {value}"),
    "not_within_next": Label("不在未来 {value}内", "is not within the next {value}"),
    "relative_between": Label("在 {value} 期间", "is in the time from {value}"),
    "not_relative_between": Label("不在 {value} 期间", "is not in the time from {value}"),
    "in_period": Label("在 {value}内", "is in {value}"),
    "not_in_period": Label("不在 {value}内", "is not in {value}"),
    "calendar": Label("的 {part} 为其中之一 {value}", "has {part} that is one of {value}"),
    "not_calendar": Label("的 {part} 不为其中任何一个 {value}", "has {part} that is none of {value}"),
    "anniversary": Label(
        "的周年日在未来 {value}内（含今天）", "has its anniversary in the next {value} (today included)"
    ),
    "not_anniversary": Label(
        "的周年日不在未来 {value}内（含今天）", "has no anniversary in the next {value} (today included)"
    ),
    "age_between": Label("至今的周岁在 {value} 之间", "is so many full years ago: between {value}"),
    "not_age_between": Label("至今的周岁不在 {value} 之间", "is not so many full years ago: between {value}"),
}
"""The predicate for each operator. A value that is a duration ends with a unit."""

COUNT_OPERATORS: Final[Mapping[str, Label]] = {
    "eq": Label("等于 {value}", "is exactly {value}"),
    "ne": Label("不等于 {value}", "is not {value}"),
    "gt": OPERATORS["gt"],
    "ge": OPERATORS["ge"],
    "lt": OPERATORS["lt"],
    "le": OPERATORS["le"],
    "between": OPERATORS["between"],
    "not_between": OPERATORS["not_between"],
}
"""The comparisons of a count, a sum or another figure."""

FUNCTIONS: Final[Mapping[str, Label]] = {
    "sum": Label("之和", "the sum"),
    "avg": Label("平均值", "the average"),
    "min": Label("最小值", "the least"),
    "max": Label("最大值", "the greatest"),
    "distinct": Label("不同值的个数", "the number of different values"),
}
"""The names of the aggregate functions."""

UNITS: Final[Mapping[str, Label]] = {
    "week": Label("周", "week"),
    "day": Label("天", "day"),
    "hour": Label("小时", "hour"),
    "minute": Label("分钟", "minute"),
    "second": Label("秒", "second"),
    "month": Label("个月", "month"),
    "quarter": Label("个季度", "quarter"),
    "year": Label("年", "year"),
}

PERIODS: Final[Mapping[tuple[str, int], Label]] = {
    ("day", -1): Label("昨天", "yesterday"),
    ("day", 0): Label("今天", "today"),
    ("day", 1): Label("明天", "tomorrow"),
    ("week", -1): Label("上周", "last week"),
    ("week", 0): Label("本周", "this week"),
    ("week", 1): Label("下周", "next week"),
    ("month", -1): Label("上月", "last month"),
    ("month", 0): Label("本月", "this month"),
    ("month", 1): Label("下月", "next month"),
    ("quarter", -1): Label("上季度", "last quarter"),
    ("quarter", 0): Label("本季度", "this quarter"),
    ("quarter", 1): Label("下季度", "next quarter"),
    ("year", -1): Label("去年", "last year"),
    ("year", 0): Label("今年", "this year"),
    ("year", 1): Label("明年", "next year"),
}
"""Whole calendar units, by their distance from the current unit."""

PERIOD_BACK: Final = Label("往前第 {count} {unit}", "the {unit} {count} back")
PERIOD_AHEAD: Final = Label("往后第 {count} {unit}", "the {unit} {count} ahead")
PERIOD_RANGE: Final = Label("{first} 至 {last}", "the time from {first} through {last}")

WEEK_START: Final = Label("{period}（每周从 {day} 开始）", "{period} (weeks begin on {day})")

CALENDAR_PARTS: Final[Mapping[str, Label]] = {
    "minute": Label("分钟", "a minute"),
    "hour": Label("小时", "an hour"),
    "day": Label("日期", "a day of the month"),
    "weekday": Label("星期", "a weekday"),
    "month": Label("月份", "a month"),
    "quarter": Label("季度", "a quarter"),
}
WEEKDAYS: Final = (
    Label("周一", "Monday"),
    Label("周二", "Tuesday"),
    Label("周三", "Wednesday"),
    Label("周四", "Thursday"),
    Label("周五", "Friday"),
    Label("周六", "Saturday"),
    Label("周日", "Sunday"),
)

TRUE: Final = Label("是", "true")
FALSE: Final = Label("否", "false")
NO_BOUND: Final = Label("不限", "any time")
NO_NUMBER: Final = Label("不限", "any number")
NOW: Final = Label("现在", "now")
AGO: Final = Label("{length}前", "{length} ago")
AHEAD: Final = Label("{length}后", "{length} from now")
NUMBER_RANGE: Final = Label("{low} 与 {high}（含两端）", "{low} and {high} (both included)")
TIME_RANGE: Final = Label("{low} 与 {high}", "{low} and {high}")
INCLUDED: Final = Label("{bound}（含）", "{bound} (included)")
NOT_INCLUDED: Final = Label("{bound}（不含）", "{bound} (not included)")
INSTANT: Final = Label("{number}（{time}）", "{number} ({time})")
OFFSET_RANGE: Final = Label("{low} 至 {high}", "{low} to {high}")

OPTIONS: Final = Label("{test}（{options}）", "{test} ({options})")
IGNORE_CASE: Final = Label("不区分大小写", "case ignored")
NORMALIZE: Final = Label("不区分全角半角与空白", "width and blanks evened out")
AS_NUMBER: Final = Label("文本按数字读取", "text read as a number")
NOT: Final = Label("非（{what}）", "not ({what})")
HELD_AT_LEAST: Final = Label("{what}（已持续至少 {length}）", "{what} (for at least {length})")
HELD_LESS_THAN: Final = Label("{what}（已持续不足 {length}）", "{what} (for less than {length})")

ALL: Final = Label("且", "and")
ANY: Final = Label("或", "or")
ALL_OF: Final = Label("全部满足（且）", "all of (and)")
ANY_OF: Final = Label("任一满足（或）", "any of (or)")
BRACKETS: Final = Label("（{what}）", "({what})")
SEPARATOR: Final = Label("、", ", ")

OCCURRENCE: Final = Label("{event}（{where}）", "{event} ({where})")
EVENT_PREFIX: Final = Label("名称以 {prefix} 开头的事件", "an event with a name that begins with {prefix}")
EVENT_ANY: Final = Label("任一事件", "any event")
OCCURRED: Final = Label("{during}发生过 {event}", "had {event}{during}")
NOT_OCCURRED: Final = Label("{during}没有发生 {event}", "had no {event}{during}")
COUNTED: Final = Label("{during}{event} 的次数 {test}", "the number of {event}{during} {test}")
AGGREGATED: Final = Label(
    "{during}{event} 的 {property} {function} {test}", "{function} of {property} over {event}{during} {test}"
)
SOME_ELEMENT: Final = Label("{list} 中有一项满足（{where}）", "{list} has an element with ({where})")
THE_ELEMENT: Final = Label("该项", "the element")
OF_ELEMENTS: Final = Label("{list} 各项的 {property}", "{property} of each element of {list}")
OF_ELEMENTS_WITH: Final = Label(
    "{list} 中满足（{where}）的各项的 {property}", "{property} of each element of {list} with ({where})"
)
FIRST: Final = Label("首次 {event}", "the first {event}")
LAST: Final = Label("最后一次 {event}", "the last {event}")
SELECTED: Final = Label("{which} 已发生", "there is {which}")
SELECTED_HAS: Final = Label("{which} 满足（{has}）", "{which} is one with ({has})")
SELECTED_DURING: Final = Label("{which} 在 {during}", "{which} is {during}")
SELECTED_DURING_HAS: Final = Label("{which} 在 {during} 并满足（{has}）", "{which} is {during} with ({has})")
SEQUENCE: Final = Label("先后发生 {steps}（{limits}）", "in this order: {steps} ({limits})")
WITHIN: Final = Label("全程不超过 {length}", "all within {length}")
STEP_WITHIN: Final = Label("每步之间不超过 {length}", "each step within {length} of the one before")
LAST_STEP_IN: Final = Label("最后一步在 {during}", "the last step {during}")
DEADLINE_IN: Final = Label("期限在 {during}", "the deadline {during}")
STEP: Final = Label(" → ", " → ")
ABSENT: Final = Label("此后没有发生 {event}", "after that no {event}")

WINDOW_LAST: Final = Label("最近 {length}内", "in the last {length}")
WINDOW_BETWEEN: Final = Label("{range} 之间", "between {range}")
WINDOW_OFFSET: Final = Label("{range} 期间", "in the time from {range}")
WINDOW_PERIOD: Final = Label("{period}内", "in {period}")

MEMBER: Final = Label("属于分群 {segment}", "is in the segment {segment}")
NOT_MEMBER: Final = Label("不属于分群 {segment}", "is not in the segment {segment}")
SAMPLE: Final = Label("在固定抽样的 {share}% 中", "is in a stable sample of {share}%")
SAMPLE_SALT: Final = Label("{what}（盐 {salt}）", "{what} (salt {salt})")

RELATIONS: Final[Mapping[str, Label]] = {
    "include": Label("包含", "include"),
    "exclude": Label("排除", "exclude"),
}
PART: Final = Label("{relation} {name}：{clusters}", "{relation} {name}: {clusters}")
PART_UNNAMED: Final = Label("{relation}：{clusters}", "{relation}: {clusters}")
LINE_END: Final = Label("；", "; ")
TIME_ZONE: Final = Label("时区 {zone}", "time zone {zone}")
STATIC: Final = Label("静态名单，由人工维护", "a list kept by hand")

REASONS: Final[Mapping[str, Label]] = {
    "contact_update": Label("联系人更新", "a contact update"),
    "behavior_event": Label("行为事件", "a behaviour event"),
    "time": Label("时间推移", "time alone"),
    "definition": Label("分群条件变更", "a changed definition"),
    "unsubscribe_window": Label("退订窗口结束", "the end of an unsubscribe window"),
    "deletion": Label("联系人或分群被删除", "a deletion"),
}
"""The reasons of a membership change, by kind."""
REASON_OF: Final = Label("{reason} {ref}", "{reason} {ref}")
