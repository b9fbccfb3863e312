"""Display names in the product's two languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from streamseg.errors import Code

Language = Literal["zh", "en"]
DEFAULT_LANGUAGE: Final[Language] = "zh"


class Label(NamedTuple):
    """The display name of one term."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


STATUSES: Final[Mapping[str, Label]] = {
    "not_calculated": Label("未计算", "Not calculated"),
    "calculating": Label("计算中", "Calculating"),
    "completed": Label("计算完成", "Completed"),
    "shared": Label("/", "/"),
}

TYPES: Final[Mapping[str, Label]] = {
    "standard": Label("标准分群", "Standard segment"),
    "advanced": Label("高级分群", "Advanced segment"),
    "static": Label("静态分群", "Static segment"),
    "built_in": Label("内置", "Built-in"),
}

GROUPS: Final[Mapping[str, Label]] = {
    "all": Label("全部分群", "All segments"),
    "mine": Label("我创建的", "Created by me"),
    "channel-unsubscribed": Label("渠道退订", "Channel unsubscribed"),
    "default": Label("默认分组", "Default group"),
}
"""The display names of the built-in groups. Other groups are shown by the name that their account chose."""


def is_built_in_group(name: str) -> bool:
    """Return whether a name is the key or the display name of a built-in group in any language. Case, width
    and blanks at the ends are ignored, since readers would not notice the difference."""
    return _plain(name) in {_plain(one) for key, label in GROUPS.items() for one in (key, *label)}


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


BUILT_IN_NAMES: Final[Mapping[str, Label]] = {
    "global-unsubscribed": Label("全局退订", "Globally unsubscribed"),
    "email-unsubscribed": Label("邮件退订", "Unsubscribed from e-mail"),
    "mobile-unsubscribed": Label("手机退订", "Unsubscribed from mobile"),
}
"""The display names of the built-in segments, by id."""

COLUMNS: Final[Mapping[str, Label]] = {
    "name": Label("分群名称", "Segment name"),
    "type": Label("类型", "Type"),
    "status": Label("状态", "Status"),
    "contacts": Label("总人数", "Contacts"),
    "created_by": Label("创建者", "Created by"),
    "created_at": Label("创建时间", "Created at"),
    "updated_by": Label("更新者", "Updated by"),
    "updated_at": Label("更新时间", "Updated at"),
    "operations": Label("操作", "Operations"),
}
"""The columns of the list, in order."""

OPERATIONS: Final[Mapping[str, Label]] = {
    "view_contacts": Label("查看分群联系人", "View contacts"),
    "view_conditions": Label("查看分群条件", "View conditions"),
    "edit": Label("编辑", "Edit"),
    "copy": Label("复制", "Copy"),
    "delete": Label("删除", "Delete"),
    "move": Label("移动分组", "Move to group"),
    "share": Label("共享", "Share"),
    "calculate": Label("计算", "Calculate"),
    "rename": Label("重命名", "Rename"),
}

ERRORS: Final[Mapping[Code, Label]] = {
    Code.INVALID_JSON: Label("不是有效的 JSON", "Not valid JSON"),
    Code.INVALID_SCHEMA: Label("内容不符合格式要求", "Not of the required form"),
    Code.TIMESTAMP_IN_FUTURE: Label("记录时间晚于当前时间", "Dated in the future"),
    Code.INVALID_VALUE: Label("部分值无效", "Values that cannot be taken"),
    Code.OCCURRED_IN_FUTURE: Label("发生时间晚于当前时间", "Lies in the future"),
    Code.UNKNOWN_REFERENCE: Label("引用的分群或分组不存在", "Refers to something that does not exist"),
    Code.REFERENCE_CYCLE: Label("分群之间循环引用", "Segments refer to each other in a circle"),
    Code.NOT_PERMITTED: Label("没有权限", "Not permitted"),
    Code.IN_USE: Label("正被其他分群引用", "Other segments refer to it"),
    Code.CONFLICT: Label("与现有内容冲突", "In conflict with what is there"),
    Code.TOO_LARGE: Label("内容过大", "Too large"),
}


def choose_language(accept_language: str) -> Language:
    """Return the language with the greatest weight in an HTTP `Accept-Language` value. Among equal weights
    the first wins. The result is Chinese if neither language is accepted."""
    best: Language = DEFAULT_LANGUAGE
    best_weight = 0.0
    for choice in accept_language.split(","):
        tag, *parameters = (piece.strip().lower() for piece in choice.split(";"))
        language = _language(tag)
        weight = _weight(parameters)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def _language(tag: str) -> Language | None:
    main = tag.split("-")[0]
    if main == "zh" or main == "*":
        return "zh"
    return "en" if main == "en" else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0
