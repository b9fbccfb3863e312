"""Messages of refusals in Chinese.

Messages are written in English where input is refused, and go into dead letters and logs unchanged. If the
user asks for Chinese, `detail` finds the translation here by the message's form. `{}` stands for a part that
varies. A part that is one of `_PHRASES` is translated too. A message that is not here is shown in English.
"""

# A form and its translation stand on one line, however long it is.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from streamseg.catalogue.labels import Language

DETAILS: Final[Mapping[str, str]] = {
    # any field
    "unknown key; remove it or correct its spelling": "未知的字段；请删除或更正拼写",
    "required; give it": "必填；请提供",
    "must be text": "必须是文本",
    "must be text that is not empty": "必须是非空文本",
    "must be a whole number": "必须是整数",
    "must be a number": "必须是数字",
    "must be a finite number": "必须是有限的数字",
    "must be true or false": "必须是 true 或 false",
    "must be a list": "必须是列表",
    "must be a list of texts": "必须是文本列表",
    "must be a JSON object": "必须是 JSON 对象",
    "must not be empty": "不能为空",
    "must be null": "必须是 null",
    "must be text or a number": "必须是文本或数字",
    "must be text, a number, true or false": "必须是文本、数字、true 或 false",
    "must be text, a number, true or false, or a list of these": "必须是文本、数字、true、false，或它们的列表",
    "must be a number, a timestamp or null": "必须是数字、时间或 null",
    "must have at most {} characters": "最多 {} 个字符",
    "must have at least {} item(s)": "至少要有 {} 项",
    "must have at most {} items": "最多 {} 项",
    "must be one of {}": "必须是以下之一：{}",
    "must be from {} to {}": "必须在 {} 到 {} 之间",
    "must be a whole number from {} to {}": "必须是 {} 到 {} 之间的整数",
    "must be greater than {}": "必须大于 {}",
    "must be greater than or equal to {}": "必须大于等于 {}",
    "must be less than or equal to {}": "必须小于等于 {}",
    "must be {}": "必须是 {}",
    "must be UTF-8": "必须是 UTF-8",
    # times and durations
    "must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds": (
        "必须是 RFC 3339 格式的时间（如 2026-05-01T08:00:00+08:00），或整数毫秒时间戳"
    ),
    "must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds "
    "(not seconds: {} at least)": (
        "必须是 RFC 3339 格式的时间（如 2026-05-01T08:00:00+08:00），或整数毫秒时间戳（不是秒：至少 {}）"
    ),
    "{} is not RFC 3339, such as 2026-05-01T08:00:00+08:00": (
        "{} 不是 RFC 3339 格式的时间，例如 2026-05-01T08:00:00+08:00"
    ),
    "{} is not a moment of the calendar": "{} 不是日历上存在的时间",
    "no moment of the calendar; send RFC 3339": "不是日历上存在的时间；请使用 RFC 3339 格式",
    "{} lies outside the years 1 to 9999": "{} 不在公元 1 年至 9999 年之间",
    "a timestamp outside the years 1 to 9999": "时间不在公元 1 年至 9999 年之间",
    "not a timestamp: give RFC 3339 text or integer epoch milliseconds": (
        "不是时间；请使用 RFC 3339 格式或整数毫秒时间戳"
    ),
    "is longer than any calendar; give a shorter duration": "时长过长；请缩短",
    "must be a duration longer than nothing and without a sign, such as P7D": (
        "必须是大于零且不带正负号的时长，例如 P7D"
    ),
    "must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, such as P7D": (
        "必须是以周、天、小时、分钟或秒表示的 ISO 8601 时长，例如 P7D"
    ),
    "must be whole days, such as P7D": "必须是整天数，例如 P7D",
    "years and months have no fixed length; use weeks, days or hours, such as P30D": (
        "年和月的长度不固定；请使用周、天或小时，例如 P30D"
    ),
    "{} is not an IANA time zone, such as Asia/Shanghai": "{} 不是 IANA 时区，例如 Asia/Shanghai",
    # definitions
    "a definition is an object with name and type": "分群定义必须是带有 name 和 type 的对象",
    "a segment of type {} has no {}; remove them": "类型为 {} 的分群没有 {}；请删除",
    "a segment of type {} needs {}; give them": "类型为 {} 的分群需要 {}；请提供",
    "at least one part must have the relation include": "至少要有一个部分的 relation 为 include",
    "a condition is an object with exactly one of attribute, event, segment, sequence and sample": (
        "条件是一个对象，必须且只能包含 attribute、event、segment、sequence、sample 之一"
    ),
    "a property condition is an object with exactly one of property and elements": (
        "属性条件是一个对象，必须且只能包含 property、elements 之一"
    ),
    "a condition on an element is an object with exactly one of property and elements": (
        "列表项的条件是一个对象，必须且只能包含 property、elements 之一"
    ),
    "a window is one of last, between, from with to, or period": (
        "时间范围是 last、between、from 加 to、period 之一"
    ),
    "a step is an object with exactly one of event and absent": (
        "步骤是一个对象，必须且只能包含 event、absent 之一"
    ),
    "an absent step needs a step before it": "absent 步骤之前必须有一个步骤",
    "only the last step may be absent": "只有最后一步可以是 absent",
    "give exactly one of at_least and less_than": "at_least 和 less_than 必须且只能给出一个",
    "has an empty step; write a literal dot as \\.": "路径中有空的一级；点号本身请写成 \\.",
    "{} has an empty step; write a literal dot as \\.": "{} 中有空的一级；点号本身请写成 \\.",
    "a path does not step into lists; use elements to test the items of a list, or write a literal bracket as \\[": (
        "路径不能进入列表；请用 elements 判断列表中的项，方括号本身请写成 \\["
    ),
    "must not contain |": "不能包含 |",
    "memberships are known since {}; ask for a later time": "成员记录从 {} 起保存；请查询更晚的时间",
    "memberships are known up to {}; ask for an earlier time": "成员记录截至 {}；请查询更早的时间",
    "give only one of at, left_since, and entered_since with entered_before": (
        "at、left_since、entered_since 与 entered_before 三组中只能给出一组"
    ),
    "must not be later than until": "不能晚于 until",
    "more than {} buckets; give a later since, or by=day": "超过 {} 个时间段；请把 since 设得更晚，或使用 by=day",
    "must have at least one bound": "至少要有一个边界",
    "must have two numbers or two timestamps": "必须是两个数字或两个时间",
    "must lie between {} and {}, as a value of the unit {}": "单位 {2} 的值必须在 {0} 到 {1} 之间",
    "must not be earlier than from": "不能早于 from",
    "must not be less than from": "不能小于 from",
    "the bounds are the wrong way round": "两个边界的顺序颠倒了",
    "the earlier bound comes first": "较早的边界应在前",
    "the earlier unit comes first": "较早的单位应在前",
    "the lower bound comes first": "较小的边界应在前",
    "both bounds of a number range are needed": "数字范围的两个边界都要给出",
    "only with the unit week; remove it": "只能与单位 week 一起使用；请删除",
    "only with select first or last": "只能与 select first 或 last 一起使用",
    "not together with select first or last": "不能与 select first 或 last 一起使用",
    "not together with count; keep one of them": "不能与 count 同时使用；请只保留一个",
    "only with elements; put it beside the event for whole occurrences": (
        "只能与 elements 一起使用；针对整个事件的条件请写在 event 旁边"
    ),
    "longer than events are kept (history_retention); give a shorter window": (
        "超过事件的保留时间（history_retention）；请缩短时间范围"
    ),
    "more than {} conditions in one definition (max_conditions); divide it into several segments and refer to those": (
        "一个分群的条件超过 {} 个（max_conditions）；请拆分成多个分群再引用"
    ),
    "nested deeper than {} levels; make it flatter": "嵌套超过 {} 层；请减少层级",
    # operators
    "no operator is called {}; use one of {}": "没有名为 {} 的运算符；可用的有 {}",
    "{} needs a value; give it": "{} 需要 value；请提供",
    "{} takes no value; remove it": "{} 不带 value；请删除",
    "{} compares no text; remove {}": "{} 不比较文本；请删除 {}",
    "{} compares no numbers; remove as": "{} 不比较数字；请删除 as",
    "{} compares numbers; for a time use {}": "{} 用于比较数字；时间请使用 {}",
    "not beside {}; keep one of them": "不能与 {} 同时使用；请只保留一个",
    "must be a number, since as makes numbers of the values": "必须是数字，因为 as 把值读作数字",
    "{} moves with the clock; remove held": "{} 会随时间变化；请删除 held",
    "{} moves with the clock and cannot be held; remove held": "{} 会随时间变化，不能与 held 一起使用；请删除 held",
    "the test moves with the clock and cannot be held; remove held": (
        "该判断会随时间变化，不能与 held 一起使用；请删除 held"
    ),
    "the pattern does not compile as RE2: {}": "正则表达式不是有效的 RE2：{}",
    "{} is {}; {} does not go with that": "{} 是{}，不能使用 {}",
    "{} is {}; {} does not go with that; use {}": "{} 是{}，不能使用 {}；请使用 {}",
    "{} is compared with {} only": "{} 只能与{}比较",
    "{} is {} already; remove as": "{} 已经是{}；请删除 as",
    "{} is {} and has no elements": "{} 是{}，没有列表项",
    "an element of {} is a text and has no elements": "{} 的项是文本，没有列表项",
    'an element of {} is a text and has no properties; write "", the element itself': (
        '{} 的项是文本，没有属性；请写 ""，即该项本身'
    ),
    "{} has no history; ask with within_last or before instead of held": (
        "{} 没有历史；请使用 within_last 或 before，而不是 held"
    ),
    # references
    "there is no segment {}; define it first": "分群 {} 不存在；请先创建",
    "there is no segment {}; add it to the folder": "分群 {} 不存在；请把它加入文件夹",
    "there is no segment {}; known are {}": "分群 {} 不存在；现有分群：{}",
    "segments refer to each other in a circle: {}": "分群之间循环引用：{}",
    "refers to itself: {}": "引用了自身：{}",
    "{} refers to it; change or delete that first": "分群 {} 引用了它；请先修改或删除那个分群",
    "segment {} was never calculated; calculate it first": "分群 {} 尚未计算；请先计算",
    "{}, which it refers to, was never calculated; calculate that first": "它引用的 {} 尚未计算；请先计算",
    "{}, which it refers to, no longer exists; define it again or change this segment": (
        "它引用的 {} 已不存在；请重新创建，或修改本分群"
    ),
    # what the catalogue refuses
    "a built-in segment cannot be changed": "内置分群不能修改",
    "a built-in segment cannot be deleted": "内置分群不能删除",
    "a built-in segment cannot be copied; refer to it": "内置分群不能复制；请直接引用",
    "a built-in segment has no definition": "内置分群没有分群条件",
    "a built-in group cannot be changed": "内置分组不能修改",
    "the id of a built-in segment; choose another one": "这是内置分群的 ID；请换一个",
    "the name of a built-in group; choose another one": "这是内置分组的名称；请换一个",
    "nothing can be filed in a built-in group; choose another one": "不能移动到内置分组；请选择其他分组",
    "a static segment has nothing to calculate; leave it out": "静态分群无需计算；请去掉",
    "belongs to another account; ask that account to share it": "属于其他账号；请让对方共享",
    "belongs to another account; copy it and use the copy": "属于其他账号；请复制后使用",
    "belongs to another account": "属于其他账号",
    "{} belongs to another account; choose another id": "{} 属于其他账号；请换一个 ID",
    "only the account that made a group changes it": "只有创建分组的账号可以修改它",
    "you have no such deleted segment; it may have been deleted too long ago": (
        "您没有这个已删除的分群；可能已超过可恢复的期限"
    ),
    "there is no such earlier version; list the versions": "没有这个较早的版本；请查看版本列表",
    "only together with words; give both": "只能与 words 一起使用；请同时提供",
    "no cursor of this list; begin at the first page": "不是该列表的 cursor；请从第一页开始",
    "there is no such segment": "没有这个分群",
    "there is no such segment; check its id": "没有这个分群；请检查 ID",
    "there is no such group": "没有这个分组",
    "there is no such group; create it first": "没有这个分组；请先创建",
    "there is no such {}": "没有这个{}",
    "a later request of this account has taken the place of this one": "该账号更新的请求已取代此请求",
    "this account watches changes too many times; close some": "该账号同时查看变化的连接过多；请关闭一些",
    "no cursor of a timeline; begin at the first page": "不是该时间线的 cursor；请从第一页开始",
    "not together with contact_id; keep one of them": "不能与 contact_id 同时使用；请只保留一个",
    "another request of this account is being answered; try again after it": "该账号的另一个请求正在处理；请稍后再试",
    "there is such a group already; choose another name": "已有同名分组；请换一个名称",
    "there is such a segment already; update it or choose another id": "分群已存在；请修改它，或换一个 ID",
    "the current version is {}": "当前版本为 {}",
    "the current version is {}; edit this version and give its number": "当前版本为 {}；请在该版本上修改并给出版本号",
    "this address has no versions": "该地址没有版本",
    "the segment is {} and cannot become another type; make a new segment": "分群类型为 {}，不能更改；请新建其他类型的分群",
    "the definition would be longer than {} bytes": "分群定义将超过 {} 字节",
    "differs from the definition's segment_id": "与定义中的 segment_id 不同",
    "give exactly one of segment_id and segment_ids": "segment_id 和 segment_ids 必须且只能给出一个",
    "only with segment_id: many copies cannot have one id": "只能与 segment_id 一起使用：多个副本不能共用一个 ID",
    "no id can be made up out of one with control characters; give one": "原 ID 含有控制字符，无法自动生成；请给出 ID",
    "too long to make up an id for the copy; give one": "原 ID 过长，无法自动生成副本的 ID；请给出 ID",
    "no cursor of this list in this order; begin at the first page": "游标与该列表的排序不符；请从第一页开始",
    "not calculated; calculate it first": "尚未计算；请先计算",
    "not calculated yet; calculate it first": "尚未计算；请先计算",
    "is not a static segment": "不是静态分群",
    "is in add too; keep one": "同时要求加入；请二选一",
    "differs from the one in the address": "与地址中的不同",
    "differs from the record's key; they must be the same": "与记录的 key 不同；两者必须相同",
    "the record's key, the segment_id, is not valid UTF-8": "记录的 key（即 segment_id）不是有效的 UTF-8",
    "the record's key must be the segment_id": "记录的 key 必须是 segment_id",
    # requests
    "not JSON ({}); send UTF-8 JSON": "不是 JSON（{}）；请发送 UTF-8 编码的 JSON",
    "does not match Content-Encoding; send the body without an encoding": "编码与 Content-Encoding 不符；请原样发送",
    "send Content-Type: application/json": "请使用 Content-Type: application/json",
    "send a known token: Authorization: Bearer TOKEN": "请提供有效的令牌：Authorization: Bearer TOKEN",
    "an unknown token": "令牌无效",
    "the sign-in has expired or was ended; sign in again": "登录已过期或已结束；请重新登录",
    "a change with a cookie needs the Origin of its page": "用 Cookie 进行修改时，请求须带有其网页的 Origin",
    "no tokens are set, so there is nothing to sign in to": "未设置令牌，因此无需登录",
    "no tokens are set, so only this machine is served; set STREAMSEG_API_TOKENS_FILE": (
        "未设置令牌，因此只服务本机；请设置 STREAMSEG_API_TOKENS_FILE"
    ),
    "the token may read only; it needs the role edit (streamseg tokens new --role edit)": (
        "该令牌只能读取；需要角色 edit（streamseg tokens new --role edit）"
    ),
    "the token needs the role admin (streamseg tokens new --role admin)": (
        "该令牌需要角色 admin（streamseg tokens new --role admin）"
    ),
    "the token may not read contacts (streamseg tokens new --contacts)": (
        "该令牌不能读取联系人（streamseg tokens new --contacts）"
    ),
    "this account sends too many requests; wait as long as Retry-After says": (
        "该账号的请求过于频繁；请按 Retry-After 等待"
    ),
    "the request could not be noted on the topic audit; a change may have been made, so check before you repeat it": (
        "该请求无法记入主题 audit；修改可能已经生效，重试前请先确认"
    ),
    "no erasure of this contact has been applied yet": "该联系人的删除尚未生效",
    "only the role admin may act for another account": "只有角色 admin 可以代表其他账号",
    "not a name of this worker; add it to STREAMSEG_ALLOWED_HOSTS if it is one": (
        "不是该 worker 的名称；如果是，请加入 STREAMSEG_ALLOWED_HOSTS"
    ),
    "pages of another origin are not served": "不服务其他来源的网页",
    "pages of another origin are not served; add it to STREAMSEG_ALLOWED_ORIGINS if it is yours": (
        "不服务其他来源的网页；如果是您自己的，请加入 STREAMSEG_ALLOWED_ORIGINS"
    ),
    "for workers only; use /api/v1": "仅供 worker 之间使用；请使用 /api/v1",
    "give either a partition or contacts": "请给出分区或联系人之一",
    "there are {} partitions, from 0": "共有 {} 个分区，从 0 开始",
    'must be * or entity tags, such as "3"': '必须是 * 或实体标签，例如 "3"',
    "the address is longer than {} bytes": "地址超过 {} 字节",
    "a header is longer than {} bytes": "请求头超过 {} 字节",
    "not valid HTTP/1.1 (RFC 9112)": "不符合 HTTP/1.1（RFC 9112）",
    "the body is longer than the largest record; send less": "请求体超过最大长度；请减少内容",
    "there is nothing at this address; see /api/v1/openapi.json": "该地址不存在；请查看 /api/v1/openapi.json",
    "allowed here: {}": "此处允许：{}",
    "no answer in time; the request may still be carried out, so check first": "未及时得到结果，但仍可能生效；请先查看",
    "no answer within {} s; ask for less, or try again later": "{} 秒内未得到结果；请缩小范围，或稍后再试",
    "the worker is ending; ask another one, or this one again in a moment": (
        "worker 正在结束；请询问其他 worker，或稍后重试"
    ),
    "the worker has not read all topics yet; try again soon": "worker 尚未读完所有主题；请稍后重试",
    "not all partitions are at work: {}": "并非所有分区都在工作：{}",
    "partition {} is not at work here": "分区 {} 不在此节点",
    "an internal error of the worker; see its log": "worker 内部错误；详见其日志",
    "longer than {} bytes; make it smaller": "超过 {} 字节；请缩小",
    # files
    "{} cannot be read: {}": "无法读取 {}：{}",
    "cannot be read: {}": "无法读取：{}",
    "{} is not a folder": "{} 不是文件夹",
    "{} holds no definition: no file ends in {}": "{} 中没有分群定义：没有以 {} 结尾的文件",
    "{} is in {} too; keep one": "{} 也在 {} 中；请只保留一个",
    "{} is not in the folder, and --prune deletes it": "{} 不在文件夹中，会被 --prune 删除",
    "byte {} is not UTF-8; save it as UTF-8": "第 {} 个字节不是 UTF-8；请另存为 UTF-8",
    "not valid YAML: {}": "不是有效的 YAML：{}",
    "cannot be written as JSON ({})": "无法用 JSON 表示（{}）",
    "the file defines {}, not {}": "文件是关于 {} 的，而不是 {}",
    "there is no contact {} at that time; check the id and --at": "当时没有联系人 {}；请检查 ID 和 --at",
    "the first line of {} has several columns: {}; give the one with the contact ids, such as --column {}; a file "
    "without a heading must get one": (
        "{} 的第一行有多列：{}；请指明联系人 ID 所在的列，例如 --column {}；没有标题行的文件需要加上标题行"
    ),
    "the first line of {} is a heading: {}; give --column {}, or remove that line": (
        "{} 的第一行是标题：{}；请使用 --column {}，或删除该行"
    ),
    "{} has no column {}; it has {}": "{} 没有列 {}；现有的列：{}",
    "{} is not text in UTF-8, or UTF-16 with its mark; save it as UTF-8": (
        "{} 不是 UTF-8 或带标记的 UTF-16 文本；请另存为 UTF-8"
    ),
    "{} is not valid UTF-16; save it as UTF-8": "{} 不是有效的 UTF-16；请另存为 UTF-8",
    "{}, line {}: {}": "{} 第 {} 行：{}",
    "an import of {} was interrupted, but {} since; begin again with --restart": (
        "{} 的导入曾被中断，但此后 {}；请用 --restart 重新开始"
    ),
    "{} cannot be read; begin again with --restart": "无法读取 {}；请用 --restart 重新开始",
    "{} cannot be written: {}": "无法写入 {}：{}",
    "{} is not the address of a worker; give one such as {}": "{} 不是 worker 的地址；例如 {}",
    "{} must be printable text to be sent in an HTTP header": "{} 必须是可打印的文本，才能放入 HTTP 头",
}
"""English form -> Chinese."""

_PHRASES: Final[Mapping[str, str]] = {
    "text": "文本",
    "a number": "数字",
    "true or false": "布尔值",
    "a time": "时间",
    "a list of texts": "文本列表",
    "text or a number": "文本或数字",
    "none": "无",
    "segment": "分群",
    "contact": "联系人",
    "group": "分组",
    "after, which is strict, or between": "after（不含边界）或 between",
    "before, which is strict, or between": "before（不含边界）或 between",
    "the token": "令牌",
    "the account": "账号",
    "No such file or directory": "文件不存在",
    "Is a directory": "是文件夹",
    "Permission denied": "没有权限",
}


_LONGEST: Final = 1_000
"""The longest message, in characters, that is looked up. Longer messages contain long values, and matching
them would be slow."""


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    chinese: str


def detail(message: str, language: Language) -> str:
    """Return a refusal's message in `language`; unchanged if it has no translation."""
    if language == "en" or len(message) > _LONGEST:
        return message
    plain = DETAILS.get(message)
    if plain is not None:
        return plain
    for form in _forms():
        match = form.pattern.fullmatch(message)
        if match is not None:
            return form.chinese.format(*(_PHRASES.get(piece, piece) for piece in match.groups()))
    return message


@cache
def _forms() -> list[_Form]:
    """Return the forms with a varying part. Forms with more fixed text come first, because they fit more
    exactly."""
    forms = sorted((one for one in DETAILS if "{}" in one), key=lambda one: -len(one.replace("{}", "")))
    return [
        _Form(re.compile("(.+)".join(map(re.escape, one.split("{}"))), re.DOTALL), DETAILS[one])
        for one in forms
    ]
