"""The texts of the commands over the API, in both languages. `format` fills in the braces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.topics import DEAD_LETTERS, MEMBERSHIP_CHANGES
from streamseg.catalogue.labels import Label

ERROR: Final = Label("错误：", "error: ")
UNREACHABLE: Final = Label(
    "{url} 没有响应（{problem}）；请用 `streamseg worker` 启动一个 worker，"
    "或用 --url / STREAMSEG_API_URL 指定其他地址",
    "no answer from {url} ({problem}); start a worker with `streamseg worker`, "
    "or name another one with --url or STREAMSEG_API_URL",
)
REMEDIES: Final[Mapping[str, Label]] = {
    "unauthorized": Label(
        "请用 --token 或 STREAMSEG_API_TOKEN 提供令牌", "give a token with --token or STREAMSEG_API_TOKEN"
    ),
    "timeout": Label("稍后重试，或先查看是否已生效", "check whether it took effect, then try again"),
    "starting": Label("稍后重试", "try again in a moment"),
    "too_large": Label("请分成较小的部分", "send less at once"),
}
"""The remedies for refusals, by code, if the detail does not give one."""
NOT_FOUND: Final[Mapping[str, Label]] = {
    "segment_id": Label(
        "用 `streamseg segments list` 查看现有分群", "`streamseg segments list` shows the segments"
    ),
    "group": Label("用 `streamseg groups list` 查看现有分组", "`streamseg groups list` shows the groups"),
    "contact_id": Label(
        "请检查 ID；联系人从其第一条记录起才存在",
        "check the id; a contact is known from its first record on",
    ),
}
"""The remedies for something that was not found, by the path of the refusal."""
CURRENT_VERSION: Final = Label(
    "当前版本为 {version}; 重新读取当前版本后再修改",
    "the current version is {version}; read the current one again and change that",
)

SAVED: Final = Label(
    "{name}（{id}）已保存，版本 {version}，{status}", "saved {name} ({id}), version {version}: {status}"
)
NOT_COPIED: Final = Label(
    "静态分群的联系人没有复制；可用 `streamseg lists import` 加入",
    "the contacts of a static segment are not copied; put some in with `streamseg lists import`",
)
COPIED: Final = Label("已复制为 {name}（{id}）", "copied to {name} ({id})")
DELETED: Final = Label("已删除：{ids}", "deleted: {ids}")
MOVED: Final = Label("已移动到分组 {group}：{ids}", "moved to {group}: {ids}")
SHARED: Final = Label("已共享给 {accounts}：{ids}", "shared with {accounts}: {ids}")
CALCULATING: Final = Label("开始计算：{ids}", "calculating: {ids}")
CONFIRM_DELETE: Final = Label("确认删除 {ids}？", "Delete {ids}?")
CONFIRM_DELETE_GROUP: Final = Label(
    "确认删除分组 {group}？其中的分群将移到默认分组",
    "Delete the group {group}? Its segments fall to the default group.",
)
NO_SEGMENTS: Final = Label("没有分群", "no segments")
TOTAL: Final = Label("共 {total} 个分群", "{total} segments")

SEGMENT_ID: Final = Label("分群 ID", "Segment id")
GROUP: Final = Label("分组", "Group")
VERSION: Final = Label("版本", "Version")
NAME: Final = Label("名称", "Name")
SAVED_BY: Final = Label("保存者", "Saved by")
SAVED_AT: Final = Label("保存时间", "Saved at")
DELETED_AT: Final = Label("删除时间", "Deleted at")
RESTORABLE_UNTIL: Final = Label("可恢复至", "Restorable until")
DELETION: Final = Label("删除号", "Deletion")
NO_DELETED: Final = Label("没有可恢复的分群", "no deleted segments")
SHARED_WITH: Final = Label("共享给", "Shared with")
DEFINITION: Final = Label("分群条件", "Definition")
CONTACT_ID: Final = Label("联系人 ID", "Contact id")
ENTERED_AT: Final = Label("进入时间", "Entered at")
LEFT_AT: Final = Label("离开时间", "Left at")
REASON: Final = Label("原因", "Reason")
REASONS: Final = Label("原因", "Reasons")
BEGINS_AT: Final = Label("开始时间", "From")
CONTACTS_AT_END: Final = Label("期末人数", "Contacts")
ENTERED_NUMBER: Final = Label("进入", "Entered")
LEFT_NUMBER: Final = Label("离开", "Left")
COMPLETE_SINCE: Final = Label("从 {at} 起完整", "complete since {at}")
SEQUENCE: Final = Label("序号", "Sequence")
SEGMENTS: Final = Label("分群数", "Segments")
KNOWN_SINCE: Final = Label("首次出现", "Known since")
ATTRIBUTES: Final = Label("属性", "Attributes")
TAGS: Final = Label("标签", "Tags")
LISTS: Final = Label("静态分群", "Lists")
NEXT_CHANGE_AT: Final = Label("下次自动变化", "Next change at")
MEMBER_OF: Final = Label("所属分群", "Member of")

NO_CONTACTS: Final = Label("分群下没有联系人", "no contacts")
MORE_CONTACTS: Final = Label(
    "还有更多：--after {cursor}，或 --all", "there are more: --after {cursor}, or --all"
)
NO_CONTACTS_FOUND: Final = Label("没有 ID 以此开头的联系人", "no contact has an id that begins so")
CONFIRM_ERASE: Final = Label(
    "确认删除联系人 {contact} 的全部数据？此操作无法撤销。",
    "erase all data of contact {contact}? It cannot be undone.",
)
ERASURE_WRITTEN: Final = Label(
    "已提交删除（contact-updates/{partition}/{offset}），稍后生效",
    "the erasure is written (contact-updates/{partition}/{offset}) and takes effect within moments",
)
ERASED: Final = Label("联系人 {contact} 已于 {at} 删除", "contact {contact} was erased at {at}")
KEPT_SUPPRESSIONS: Final = Label("保留的禁发标记：{channels}", "suppressions that stay: {channels}")
KNOWN_AGAIN: Final = Label(
    "之后又有该联系人的事件，因此又有其数据", "events later than the erasure made the contact known again"
)
PLACE: Final = Label("位置", "Where")
GONE: Final = Label("删除情况", "Gone")
GONE_NOW: Final = Label("已删除", "yes")
GONE_BY: Final = Label("最晚 {at}", "by {at}")
PLACES: Final[Mapping[str, Label]] = {
    "state": Label("当前状态（API、分群）", "state (API, segments)"),
    "memberships": Label("segment-memberships（当前值）", "segment-memberships, latest values"),
    "suppressions": Label("channel-suppressions（当前值）", "channel-suppressions, latest values"),
    "disk": Label("worker 的磁盘", "the worker's disk"),
    "compacted_topics": Label("压缩主题中的旧值", "earlier values in compacted topics"),
    "inputs": Label("contact-updates、behavior-events", "contact-updates, behavior-events"),
    "membership_changes": Label(MEMBERSHIP_CHANGES, MEMBERSHIP_CHANGES),
    "dead_letters": Label(DEAD_LETTERS, DEAD_LETTERS),
}
"""The places of the API's answer about an erasure."""
DEAD_LETTERS_NOW: Final = Label(
    "dead-letters 可用 `streamseg dead-letters erase` 立即清理；导出与备份需自行处理",
    "`streamseg dead-letters erase` removes dead letters at once; exports and backups are yours to erase",
)
MORE_ROWS: Final = Label("还有更多：{option} {cursor}", "there are more: {option} {cursor}")
TIME: Final = Label("时间", "Time")
WHAT: Final = Label("事项", "What")
DETAILS: Final = Label("详情", "Details")
ENTERED: Final = Label("进入分群", "entered the segment")
LEFT: Final = Label("离开分群", "left the segment")
WATCHED_ENTERED: Final = Label(
    "{at} {contact} 进入 {segment}（{reason}）", "{at} {contact} entered {segment} ({reason})"
)
WATCHED_LEFT: Final = Label(
    "{at} {contact} 离开 {segment}（{reason}）", "{at} {contact} left {segment} ({reason})"
)
SKIPPED: Final = Label("略过了 {changes} 个变化", "{changes} changes were skipped")
SOME_SKIPPED: Final = Label("略过了一些变化", "some changes were skipped")
PREVIEWED: Final = Label("现在符合条件的联系人：{contacts}", "contacts that match now: {contacts}")
SAMPLE: Final = Label("其中：{ids}", "among them: {ids}")
NOTHING_IN_FORCE: Final = Label(
    "目前没有生效的分群可比较", "no segment of this id is in force to compare with"
)
ENTERING: Final = Label("将进入：{contacts}", "would enter: {contacts}")
LEAVING: Final = Label("将离开：{contacts}", "would leave: {contacts}")
STAYING: Final = Label("将留下：{contacts}", "would stay: {contacts}")
REASON_DRAFT: Final = Label("{contacts} 人：{test}（新条件）", "{contacts}: {test} (the draft)")
REASON_IN_FORCE: Final = Label("{contacts} 人：{test}（生效的条件）", "{contacts}: {test} (in force)")
EXCLUDING_PART: Final = Label("第 {number} 部分（排除）", "part {number}, which excludes")

GROUP_CREATED: Final = Label("已创建分组 {group}", "made the group {group}")
GROUP_RENAMED: Final = Label("分组 {group} 已改名为 {new}", "the group {group} is now {new}")
GROUP_DELETED: Final = Label("已删除分组 {group}", "deleted the group {group}")

FOLDER_CREATED: Final = Label("新建", "created")
FOLDER_CHANGED: Final = Label("修改", "changed")
FOLDER_UNCHANGED: Final = Label("未变", "unchanged")
FOLDER_ABSENT: Final = Label("不在文件夹中", "not in the folder")
FOLDER_PRUNED: Final = Label("不在文件夹中，将删除", "not in the folder, to be deleted")
FOLDER_REFUSED: Final = Label("被拒绝", "refused")
FOLDER_SUMMARY: Final = Label(
    "新建 {created}，修改 {changed}，未变 {unchanged}，不在文件夹中 {absent}，被拒绝 {refused}",
    "{created} to create, {changed} to change, {unchanged} unchanged, {absent} not in the folder, "
    "{refused} refused",
)
FOLDER_NOTHING: Final = Label("无需更改", "nothing to do")
FOLDER_CONFIRM: Final = Label("确认执行？", "Apply these changes?")
FOLDER_DONE: Final = Label(
    "完成：新建 {created}，修改 {changed}，删除 {deleted}，被拒绝 {refused}",
    "done: {created} created, {changed} changed, {deleted} deleted, {refused} refused",
)
PRUNE_WITHHELD: Final = Label(
    "有文件被拒绝，因此没有删除任何分群", "nothing was deleted, since something was refused"
)
UNCALCULATED: Final = Label(
    "尚未计算：{ids}；请运行 `streamseg segments calculate`，或使用 --calculate",
    "not calculated yet: {ids}; run `streamseg segments calculate`, or apply with --calculate",
)

IMPORTING: Final = Label("导入", "import")
RESUMED: Final = Label("从第 {line} 行之后继续", "continuing after line {line}")
IMPORTED: Final = Label(
    "{file} → {segment}：读取 {read}，接受 {accepted}，拒绝 {rejected}",
    "{file} -> {segment}: {read} read, {accepted} accepted, {rejected} rejected",
)
REJECTED_LINE: Final = Label("第 {line} 行：{reason}", "line {line}: {reason}")
MORE_REJECTED: Final = Label("另有 {count} 行；--json 列出全部", "and {count} more; --json lists them all")
INTERRUPTED: Final = Label(
    "已中断；再次运行同一命令即可从第 {line} 行之后继续",
    "interrupted; the same command goes on after line {line}",
)
REJECTIONS: Final[Mapping[str, Label]] = {
    "empty": Label("为空", "empty"),
    "too_long": Label("过长", "too long"),
    "invalid_utf8": Label("不是有效的 UTF-8", "not valid UTF-8"),
    "control_character": Label("含有控制字符", "has a control character"),
    "duplicate": Label("重复", "a duplicate"),
}
"""The reasons why a line of a list was left out."""

MEMBER: Final = Label("属于", "is a member of")
NOT_MEMBER: Final = Label("不属于", "is not a member of")
AT: Final = Label("，{at}", " at {at}")
SINCE: Final = Label("自 {at} 起", "since {at}")
MEMBER_SINCE: Final = Label("，自 {at} 起", ", since {at}")
STAYS: Final = Label("不会自动变化", "will not change by itself")
CHANGES: Final = Label("将于 {at} 自动变化", "changes by itself at {at}")
MAY_CHANGE: Final = Label("可能于 {at} 自动变化", "may change by itself at {at}")
VALUE: Final = Label("当前值 {value}", "value {value}")
OCCURRENCE: Final = Label("{id}，{at}", "{id} at {at}")
MORE_OCCURRENCES: Final = Label("更早的还有 {count} 次", "and {count} before them")

KEPT: Final = Label("差异", "Difference")
FOUND: Final = Label("现有", "Found")
EXPECTED: Final = Label("应为", "Expected")
KEPT_KINDS: Final[Mapping[str, Label]] = {
    "membership": Label("成员关系", "membership"),
    "condition": Label("条件", "condition"),
    "due": Label("到期时间", "due time"),
    "index": Label("成员索引", "index of members"),
    "history": Label("历史事件", "history"),
    "changes": Label("成员变更记录", "membership changes"),
    "count": Label("人数", "count"),
    "topic": Label("segment-memberships 主题", "topic segment-memberships"),
}
"""The kinds of differences that `streamseg verify` finds."""
VERIFIED: Final = Label(
    "已核对 {contacts} 个联系人、{memberships} 个成员关系：{differences} 处差异",
    "compared {contacts} contacts and {memberships} memberships: {differences} differences",
)
RECOUNTED: Final = Label(
    "{id}：已重新计算 {contacts} 个联系人，{changes} 个变化",
    "{id}: {contacts} contacts evaluated again, {changes} changes",
)
