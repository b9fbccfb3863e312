"""`streamseg groups` and `streamseg contacts`, against a fake API."""

from __future__ import annotations

import json

from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi


def test_groups_are_listed_with_their_numbers_of_segments(run: Run, api: FakeApi) -> None:
    api.groups["春季"] = "me@x.cn"
    api.add("a", group="春季")
    rows = [line.split() for line in run("groups", "list").stdout.splitlines()]
    assert ["Default", "group", "(default)", "0"] in rows
    assert ["春季", "1", "me@x.cn"] in rows
    assert "默认分组" in run("groups", "list", "--lang", "zh").stdout
    assert json.loads(run("groups", "list", "--json").stdout)["groups"][1]["segments"] == 1


def test_groups_are_made_renamed_and_deleted(run: Run, api: FakeApi) -> None:
    assert run("groups", "create", "a/b").stdout == "made the group a/b\n"
    assert run("groups", "rename", "a/b", "c").stdout == "the group a/b is now c\n"
    assert run("groups", "delete", "c", "--yes").stdout == "deleted the group c\n"
    assert api.groups == {"default": None}
    assert api.writes() == [("POST", "/groups"), ("PATCH", "/groups/a%2Fb"), ("DELETE", "/groups/c")]


def test_groups_are_changed_in_chinese_and_in_json(run: Run, api: FakeApi) -> None:
    assert run("groups", "create", "a", "--lang", "zh").stdout == "已创建分组 a\n"
    assert run("groups", "rename", "a", "b", "--lang", "zh").stdout == "分组 a 已改名为 b\n"
    assert json.loads(run("groups", "rename", "b", "c", "--json").stdout) == {"group": "c"}
    assert json.loads(run("groups", "delete", "c", "-y", "--json").stdout) == {"group": "c"}
    assert json.loads(run("groups", "create", "d", "--json").stdout) == {"group": "d"}


def test_deleting_a_group_asks_first(run: Run, api: FakeApi) -> None:
    api.groups["a"] = "me@x.cn"
    result = run("groups", "delete", "a", "--lang", "zh", input="n\n")
    assert result.exit_code == 1
    assert "确认删除分组 a？" in result.stderr
    assert "a" in api.groups


def test_a_contact_is_shown_with_attributes_and_segments(run: Run, api: FakeApi) -> None:
    english = run("contacts", "show", "c1").stdout
    assert "member_points  120" in english
    assert "location       中国" in english
    assert "2026-05-08 08:00" in english
    chinese = run("contacts", "show", "c1", "--lang", "zh").stdout
    assert "所属分群" in chinese
    assert json.loads(run("contacts", "show", "c1", "--json").stdout)["tags"] == ["vip"]


def test_an_unknown_contact_is_an_error(run: Run, api: FakeApi) -> None:
    result = run("contacts", "show", "nobody")
    assert result.exit_code == 1
    assert "there is no contact nobody" in result.stderr


def test_contacts_are_searched_by_the_beginning_of_their_ids(run: Run, api: FakeApi) -> None:
    output = run("contacts", "search", "c").stdout
    assert "c1" in output
    assert "c2" in output
    assert "d1" not in output
    assert output.endswith("there are more: --after c2\n")
    assert run("contacts", "search", "x", "--lang", "zh").stdout == "没有 ID 以此开头的联系人\n"
    run("contacts", "search", "c", "--after", "c1", "--limit", "2", "--json")
    assert api.requests[-1][2] == {"q": "c", "after": "c1", "limit": "2"}


def test_a_timeline_is_shown_from_the_latest_on(run: Run, api: FakeApi) -> None:
    lines = run("contacts", "timeline", "c1").stdout.splitlines()
    assert [line.split("  ")[1].strip() for line in lines[-4:-1]] == [
        "entered the segment",
        "paid",
        "e-mail click",
    ]
    assert '{"amount":1}' in lines[-3]
    assert lines[-1] == "there are more: --cursor abc"
    assert "进入分群" in run("contacts", "timeline", "c1", "--lang", "zh").stdout
    found = json.loads(run("contacts", "timeline", "c1", "--cursor", "abc", "--json").stdout)
    assert len(found["rows"]) == 3
    assert api.requests[-1][2]["cursor"] == "abc"


def test_the_segments_of_a_contact_at_a_time_are_shown(run: Run, api: FakeApi) -> None:
    lines = run("contacts", "segments", "c1", "--at", "2026-05-02").stdout.splitlines()
    assert api.requests[-1][2] == {"at": "2026-05-02"}
    assert [line.split()[0] for line in lines[-2:]] == ["s1", "s2"]
    assert lines[-2].split()[-1] == "time"
    assert lines[-1].split() == ["s2", "3"]
    assert len(json.loads(run("contacts", "segments", "c1", "--json").stdout)["segments"]) == 2


def test_growth_and_who_left_are_shown(run: Run, api: FakeApi) -> None:
    api.add("buyers")
    output = run("segments", "growth", "buyers", "--by", "hour", "--since", "2026-05-01").stdout
    assert api.requests[-1][2] == {"by": "hour", "since": "2026-05-01"}
    for text in ("1,234", "1,002", "+1000 behavior_event, +2 time, -3 deletion", "complete since"):
        assert text in output
    output = run("segments", "contacts", "buyers", "--left-since", "2026-05-01").stdout
    assert output.splitlines()[-1].split()[0::4] == ["c9", "time"]
    assert api.requests[-1][2] == {"left_since": "2026-05-01", "limit": "50"}


def test_an_export_is_json(run: Run) -> None:
    assert json.loads(run("contacts", "export", "c1").stdout)["events"] == [{"event_id": "e1"}]


def test_an_erasure_asks_first_and_says_where_it_was_written(run: Run, api: FakeApi) -> None:
    refused = run("contacts", "erase", "c1", input="n\n")
    assert (refused.exit_code, api.writes()) == (1, [])
    assert "erase all data of contact c1?" in refused.stderr
    told = run("contacts", "erase", "c1", "--keep-suppressions", "-y").stdout
    assert "contact-updates/3/42" in told
    assert api.requests[-1][:3] == ("DELETE", "/contacts/c1", {"keep_suppressions": "true"})


def test_an_erasure_is_waited_for_and_its_places_are_shown(run: Run, api: FakeApi) -> None:
    told = run("contacts", "erase", "c1", "--wait", "-y").stdout
    assert api.requests[-1][:3] == ("GET", "/contacts/c1/erasure", {"offset": "42"})
    assert api.looks == 3
    lines = told.splitlines()
    assert lines[1] == "suppressions that stay: email"
    assert [line.split("  ")[0] for line in lines[-4:-1]] == [
        "state (API, segments)",
        "the worker's disk",
        "a place of a later release",
    ]
    assert lines[-3].endswith("by 2026-05-08 08:00")
    assert "worker 的磁盘" in run("contacts", "erase", "c1", "--wait", "-y", "--lang", "zh").stdout
    found = json.loads(run("contacts", "erase", "c1", "--wait", "-y", "--json").stdout)
    assert (found["partition"], found["offset"], found["places"][0]["place"]) == (3, 42, "state")


def test_an_erasure_that_is_not_applied_in_time_is_an_error(run: Run, api: FakeApi) -> None:
    result = run("contacts", "erase", "c2", "--wait", "-y", "--timeout", "0")
    assert result.exit_code == 1
    assert ("GET", "/contacts/c2/erasure") in [request[:2] for request in api.requests]
