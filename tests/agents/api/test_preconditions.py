"""Entity tags in the form of RFC 9110."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from agents.api.preconditions import Tag, Tags, wanted_versions
from agents.api.problems import ProblemError
from schemas.scalars import LARGEST_COUNT


def tags(*values: str) -> Tags | None:
    headers = CIMultiDict([("If-Match", value) for value in values])
    return Tags.of(make_mocked_request("PUT", "/", headers=headers), "If-Match")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("*", Tags(True)),
        (' "3" ', Tags(False, (Tag("3", False),))),
        ('"3","4"', Tags(False, (Tag("3", False), Tag("4", False)))),
        ('"3" , W/"4.a", ""', Tags(False, (Tag("3", False), Tag("4.a", True), Tag("", False)))),
        (', ,"a,b",', Tags(False, (Tag("a,b", False),))),
        ("3", Tags(False, (Tag("3", False),))),
        ('"*"', Tags(False, (Tag("*", False),))),
    ],
)
def test_a_list_of_tags_is_read(given: str, read: Tags) -> None:
    assert tags(given) == read


def test_several_headers_are_one_list() -> None:
    assert tags('"1"', 'W/"2"') == Tags(False, (Tag("1", False), Tag("2", True)))
    assert tags() is None


@pytest.mark.parametrize("given", ["", ",", "x", '"1', '1"', '"1" "2"', '*, "1"', 'w/"1"', '"a"b', '"a b"'])
def test_what_is_none_is_refused(given: str) -> None:
    with pytest.raises(ProblemError) as refused:
        tags(given)
    assert (refused.value.code, refused.value.path) == ("invalid_schema", "If-Match")


@pytest.mark.parametrize(
    ("opaque", "version"),
    [
        ("3", 3),
        ("3.0f3a", 3),
        ("0000000000003", 3),
        ("1000000003", 1_000_000_003),
        (str(LARGEST_COUNT), LARGEST_COUNT),
        (str(10 * LARGEST_COUNT), LARGEST_COUNT),
        ("9" * 5_000, LARGEST_COUNT),
        ("", None),
        ("x", None),
        ("3x.1", None),
        ("\u0663", None),
    ],
)
def test_the_version_in_a_tag_is_read_in_full(opaque: str, version: int | None) -> None:
    assert Tag(opaque, False).version == version


def test_weak_tags_and_those_of_others_match_nothing() -> None:
    def wanted(value: str) -> frozenset[int] | None:
        return wanted_versions(make_mocked_request("PUT", "/", headers={"If-Match": value}), 3)

    assert wanted("*") is None
    assert wanted('"3", W/"4", "x", "5"') == frozenset({3, 5})
    for value in ('W/"3"', '"x"'):
        with pytest.raises(ProblemError) as refused:
            wanted(value)
        assert (refused.value.code, refused.value.current_version) == ("precondition_failed", 3)
