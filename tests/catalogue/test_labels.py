"""The display names and their languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from schemas.catalogue import SegmentType, Status
from streamseg.catalogue import labels
from streamseg.catalogue.state import DEFAULT_GROUP, VIEW_GROUPS
from streamseg.errors import Code
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (labels.STATUSES, get_args(Status)),
        (labels.TYPES, get_args(SegmentType)),
        (labels.GROUPS, (*VIEW_GROUPS, DEFAULT_GROUP)),
        (labels.BUILT_IN_NAMES, BUILT_IN_SEGMENTS),
        (labels.ERRORS, tuple(Code)),
    ],
)
def test_everything_has_a_label(table: Mapping[Any, labels.Label], keys: tuple[Any, ...]) -> None:
    assert set(table) == set(keys)
    for label in table.values():
        assert label.of("zh")
        assert label.of("en")


def test_the_terms_of_the_product() -> None:
    assert [label.zh for label in labels.STATUSES.values()] == ["未计算", "计算中", "计算完成", "/"]
    assert [label.zh for label in labels.GROUPS.values()][:3] == ["全部分群", "我创建的", "渠道退订"]
    assert [label.zh for label in labels.BUILT_IN_NAMES.values()] == ["全局退订", "邮件退订", "手机退订"]
    assert labels.TYPES["standard"].zh == "标准分群"
    assert labels.TYPES["advanced"].zh == "高级分群"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("fr", "zh"),
        ("*", "zh"),
        ("en", "en"),
        ("EN-us", "en"),
        ("zh-Hans-CN", "zh"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.5, zh;q=0.4", "en"),
        ("zh;q=0.1, en;q=0.9", "en"),
        ("en;q=0", "zh"),
        ("en;q=2, zh;q=0.1", "zh"),
        ("en;q=x", "zh"),
        ("en ; q=0.7 , zh ; q=0.7", "en"),
        (";;;,,q=1", "zh"),
        ("zho, enx", "zh"),
    ],
)
def test_the_language_that_weighs_most_is_chosen(header: str, language: str) -> None:
    assert labels.choose_language(header) == language


@pytest.mark.parametrize(
    "name", ["all", "ALL", "Ａll", "全部分群", " all segments ", "我创建的", "Default Group"]
)
def test_no_group_is_called_like_a_built_in_one(name: str) -> None:
    assert labels.is_built_in_group(name)


@pytest.mark.parametrize("name", ["all of them", "全部", "g", ""])
def test_other_names_are_free(name: str) -> None:
    assert not labels.is_built_in_group(name)
