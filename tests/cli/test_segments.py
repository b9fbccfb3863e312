"""`streamseg segments`, against a fake API."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
import yaml

from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi, problem

BUYERS = """\
segment_id: buyers
name: 买家
type: standard
clusters:
  - match: all
    conditions:
      - event: order_paid
        window: {last: P30D}
"""


@pytest.fixture
def buyers(tmp_path: Path) -> Path:
    file = tmp_path / "buyers.yaml"
    file.write_text(BUYERS)
    return file


def test_the_list_has_the_columns_of_the_product_in_chinese(run: Run, api: FakeApi) -> None:
    api.add("cn", name="案例分群")
    lines = run("segments", "list", "--lang", "zh").stdout.splitlines()
    heading = next(line for line in lines if "分群名称" in line)
    assert re.sub(r"\s+", " ", heading).strip() == (
        "分群名称 类型 状态 总人数 创建者 创建时间 更新者 更新时间 操作"
    )
    row = next(line for line in lines if "案例分群" in line)
    assert re.sub(r"\s+", " ", row).startswith(
        "案例分群 标准分群 计算完成 1,234 me@x.cn 2026-05-01 08:00 me@x.cn 2026-05-02 08:00 "
    )
    assert "查看分群联系人" in row
    assert "共 1 个分群" in lines[-1]


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (200, "分群名称 类型 状态 总人数 创建者 创建时间 更新者 更新时间 操作"),
        (120, "分群名称 类型 状态 总人数 创建者 创建时间 更新者 更新时间"),
        (80, "分群名称 类型 状态 总人数 创建者 更新者 更新时间"),
        (70, "分群名称 类型 状态 总人数 更新者 更新时间"),
        (50, "分群名称 类型 状态 总人数"),
        (38, "分群名称 状态 总人数"),
    ],
)
def test_a_row_takes_two_lines_however_narrow_the_terminal_is(
    run: Run, api: FakeApi, monkeypatch: pytest.MonkeyPatch, width: int, headings: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    api.add("cn", name="案例分群")
    lines = [line.rstrip() for line in run("segments", "list", "--lang", "zh").stdout.splitlines()]
    assert re.sub(r"\s+", " ", lines[0]) == headings
    assert len(lines) == 5
    assert lines[3] == "cn"


def test_the_list_is_in_english_where_the_locale_is_not_chinese(run: Run, api: FakeApi) -> None:
    api.add("cn")
    output = run("segments", "list").stdout
    assert "Segment name" in output
    assert "View contacts" in output
    assert api.headers[-1]["Accept-Language"] == "en"


def test_the_list_is_in_chinese_where_the_locale_is(
    run: Run, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "没有分群" in run("segments", "list").stdout


def test_a_calculating_segment_shows_its_progress(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.segments["cn"] |= {"status": "calculating", "progress": 0.42}
    assert "Calculating 42%" in run("segments", "list").stdout
    assert "计算中 42%" in run("segments", "list", "--lang", "zh").stdout


def test_a_name_that_looks_like_markup_is_shown_as_it_is(run: Run, api: FakeApi) -> None:
    api.add("cn", name="[red]x[/red]")
    assert "[red]x[/red]" in run("segments", "list").stdout


def test_the_filters_of_the_list_go_to_the_api(run: Run, api: FakeApi) -> None:
    run("segments", "list", "--group", "default", "--mine", "--search", "a", "--sort", "updated_at", "--desc")
    assert api.requests == [
        (
            "GET",
            "/segments",
            {
                "group": "default",
                "mine": "true",
                "q": "a",
                "sort": "updated_at",
                "order": "desc",
                "limit": "200",
            },
            None,
        )
    ]


def test_the_list_goes_through_all_pages(run: Run, api: FakeApi) -> None:
    api.page_size = 2
    for name in "abcde":
        api.add(name)
    answer = json.loads(run("segments", "list", "--json").stdout)
    assert [row["segment_id"] for row in answer["rows"]] == list("abcde")
    assert answer["total"] == 5


@pytest.mark.parametrize("as_json", [True, False])
def test_watching_shows_the_list_whenever_it_changed_until_it_is_interrupted(
    run: Run, api: FakeApi, as_json: bool
) -> None:
    api.add("cn")

    def change(_: httpx.Request) -> None:
        api.segments["cn"]["contacts"] = {1: 10, 2: 10, 3: 11}.get(len(api.requests), 0)
        if len(api.requests) == 4:
            raise KeyboardInterrupt

    api.intercept = change
    result = run("segments", "list", "--watch", "--every", "0.1", *(["--json"] if as_json else []))
    assert result.exit_code == 0
    if as_json:
        shown = [json.loads(line)["rows"][0]["contacts"] for line in result.stdout.splitlines()]
        assert shown == [10, 11]
    else:
        assert result.stdout.count("Segment name") == 2


def test_show_prints_the_fields_and_the_definition(run: Run, api: FakeApi) -> None:
    api.add("cn", name="案例分群")
    output = run("segments", "show", "cn").stdout
    assert "Created by    me@x.cn" in output
    assert output.endswith("\nDefinition\nall of (and)\n  name is set\n")
    chinese = run("segments", "show", "cn", "--lang", "zh").stdout
    assert "创建者" in chinese
    assert chinese.endswith("\n分群条件\n全部满足（且）\n  联系人名称 有值\n")
    assert json.loads(run("segments", "show", "cn", "--json").stdout)["definition"]["name"] == "案例分群"


def test_show_definition_prints_a_file_that_edit_takes_back(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.add("cn", name="012")
    file = tmp_path / "cn.yaml"
    file.write_text(run("segments", "show", "cn", "--definition").stdout)
    assert yaml.safe_load(file.read_text())["name"] == "012"
    assert "version" not in file.read_text()
    assert run("segments", "edit", "cn", file).exit_code == 0
    assert api.requests[-1][3]["name"] == "012"
    assert json.loads(run("segments", "show", "cn", "--definition", "--json").stdout)["segment_id"] == "cn"


def test_a_built_in_segment_is_shown_without_a_definition(run: Run, api: FakeApi) -> None:
    api.add("email-unsubscribed", owner=None)
    api.segments["email-unsubscribed"]["definition"] = None
    result = run("segments", "show", "email-unsubscribed")
    assert result.exit_code == 0
    assert "Definition" not in result.stdout
    refused = run("segments", "show", "email-unsubscribed", "--definition")
    assert refused.exit_code == 1
    assert "a built-in segment has no definition" in refused.stderr


def test_create_takes_yaml_json_and_standard_input(
    run: Run, api: FakeApi, tmp_path: Path, buyers: Path
) -> None:
    result = run("segments", "create", buyers)
    assert result.stdout == "saved 买家 (buyers), version 1: Calculating 42%\n"
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**yaml.safe_load(BUYERS), "segment_id": "other"}))
    assert json.loads(run("segments", "create", other, "--json").stdout)["segment_id"] == "other"
    piped = run("segments", "create", "-", "--lang", "zh", input=BUYERS.replace("buyers", "piped"))
    assert piped.stdout == "买家（piped）已保存，版本 1，计算中 42%\n"
    assert api.requests[0][3] == yaml.safe_load(BUYERS)


def test_edit_without_a_version_replaces_the_current_one(run: Run, api: FakeApi, buyers: Path) -> None:
    api.add("buyers")
    assert "version 2" in run("segments", "edit", "buyers", buyers).stdout
    assert api.requests[-1][3]["version"] == 1


def test_edit_with_a_version_that_is_no_longer_current_is_refused(
    run: Run, api: FakeApi, buyers: Path
) -> None:
    api.add("buyers")
    api.segments["buyers"]["version"] = 5
    buyers.write_text(BUYERS + "version: 3\n")
    result = run("segments", "edit", "buyers", buyers)
    assert result.exit_code == 1
    assert result.stderr == (
        "error: In conflict: version: somebody changed it; the current version is 5; "
        "read the current one again and change that\n"
    )


def test_edit_refuses_a_file_about_another_segment(run: Run, api: FakeApi, buyers: Path) -> None:
    result = run("segments", "edit", "cn", buyers)
    assert result.exit_code == 1
    assert "the file defines buyers, not cn" in result.stderr
    chinese = run("segments", "edit", "cn", buyers, "--lang", "zh").stderr
    assert "文件是关于 buyers 的，而不是 cn" in chinese
    assert not api.requests


def test_copy_says_what_the_copy_is_called(run: Run, api: FakeApi) -> None:
    api.add("cn", name="案例分群")
    assert run("segments", "copy", "cn").stdout == "copied to 案例分群_复制 (cn-copy)\n"
    made = json.loads(run("segments", "copy", "cn", "--as", "cn2", "--json").stdout)
    assert made["segment_id"] == "cn2"
    assert "已复制为" in run("segments", "copy", "cn", "--as", "cn3", "--lang", "zh").stdout


def test_copying_a_static_segment_says_that_its_contacts_are_not_copied(run: Run, api: FakeApi) -> None:
    api.add("fair", type="static")
    result = run("segments", "copy", "fair")
    assert result.stdout == "copied to FAIR_复制 (fair-copy)\n"
    assert "the contacts of a static segment are not copied" in result.stderr


def test_delete_asks_first(run: Run, api: FakeApi) -> None:
    api.add("cn")
    refused = run("segments", "delete", "cn", input="n\n")
    assert refused.exit_code == 1
    assert "Delete cn?" in refused.stderr
    assert "cn" in api.segments
    assert run("segments", "delete", "cn", input="y\n").exit_code == 0
    assert "cn" not in api.segments


def test_delete_with_yes_does_not_ask_and_takes_several_at_once(run: Run, api: FakeApi) -> None:
    for name in "abc":
        api.add(name)
    assert run("segments", "delete", "a", "--yes").stdout == "deleted: a\n"
    answer = json.loads(run("segments", "delete", "b", "c", "--yes", "--json").stdout)
    assert answer == {"segment_ids": ["b", "c"]}
    assert api.writes() == [("DELETE", "/segments/a"), ("POST", "/batch/delete")]
    api.add("d")
    assert run("segments", "delete", "d", "--yes", "--lang", "zh").stdout == "已删除：d\n"


def test_move_share_and_calculate_take_one_segment_or_several(run: Run, api: FakeApi) -> None:
    api.add("a")
    api.add("b")
    assert run("segments", "move", "a", "b", "--group", "default").stdout == "moved to default: a, b\n"
    assert run("segments", "share", "a", "--with", "li@x.cn").stdout == "shared with li@x.cn: a\n"
    assert (
        run("segments", "share", "a", "b", "--with", "x", "--with", "y").stdout == "shared with x, y: a, b\n"
    )
    assert run("segments", "calculate", "a").stdout == "calculating: a\n"
    assert run("segments", "calculate", "a", "b", "--lang", "zh").stdout == "开始计算：a, b\n"
    assert api.writes() == [
        ("POST", "/batch/move"),
        ("POST", "/segments/a/share"),
        ("POST", "/batch/share"),
        ("POST", "/segments/a/calculate"),
        ("POST", "/batch/calculate"),
    ]
    assert json.loads(run("segments", "move", "a", "--group", "g", "--json").stdout) == {"segment_ids": ["a"]}
    shared = json.loads(run("segments", "share", "a", "--with", "x", "--json").stdout)
    assert shared["shared_with"] == ["x"]
    assert json.loads(run("segments", "calculate", "a", "--json").stdout)["status"] == "calculating"


def test_contacts_shows_a_page_and_how_to_go_on(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.contacts["cn"] = [f"c{number}" for number in range(1, 10)]
    output = run("segments", "contacts", "cn", "--limit", "3").stdout
    rows = [line.split() for line in output.splitlines()]
    assert ["c3", "2026-05-01", "08:00", "1"] in rows
    assert "c4" not in output
    assert "there are more: --after c3, or --all" in output
    going_on = json.loads(run("segments", "contacts", "cn", "--after", "c3", "--limit", "2", "--json").stdout)
    assert [one["contact_id"] for one in going_on["contacts"]] == ["c4", "c5"]
    assert going_on["next_cursor"] == "c5"


def test_contacts_are_limited_to_a_beginning_of_their_ids(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.page_size = 1
    api.contacts["cn"] = ["c1", "c2", "c21", "d"]
    listed = json.loads(run("segments", "contacts", "cn", "--prefix", "c2", "--json").stdout)
    assert [one["contact_id"] for one in listed["contacts"]] == ["c2", "c21"]
    lines = run("segments", "contacts", "cn", "--prefix", "c2", "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["contact_id"] for line in lines] == ["c2", "c21"]
    assert [query["q"] for _, _, query, _ in api.requests] == ["c2"] * 4


def test_a_limit_beyond_a_page_takes_several_pages(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.page_size = 4
    api.contacts["cn"] = [f"c{number:02}" for number in range(20)]
    answer = json.loads(run("segments", "contacts", "cn", "--limit", "10", "--json").stdout)
    assert len(answer["contacts"]) == 10
    assert [query["limit"] for _, _, query, _ in api.requests] == ["10", "6", "2"]


def test_all_contacts_come_a_line_each(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.page_size = 2
    api.contacts["cn"] = list("abcde")
    text = run("segments", "contacts", "cn", "--all").stdout.splitlines()
    assert text[0] == "a\t2026-05-01T00:00:00.000Z\t1"
    lines = run("segments", "contacts", "cn", "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["contact_id"] for line in lines] == list("abcde")


def test_a_segment_without_contacts_says_so(run: Run, api: FakeApi) -> None:
    api.add("cn")
    assert run("segments", "contacts", "cn").stdout == "no contacts\n"
    assert run("segments", "contacts", "cn", "--all").stdout == ""
    assert run("segments", "contacts", "cn", "--lang", "zh").stdout == "分群下没有联系人\n"


def test_contacts_of_a_segment_that_was_never_calculated_are_refused(run: Run, api: FakeApi) -> None:
    api.add("cn")
    api.refusals["GET", "/segments/cn/contacts"] = problem(409, "conflict", "未计算", "calculate it first")
    result = run("segments", "contacts", "cn")
    assert result.exit_code == 1
    assert "calculate it first" in result.stderr


def test_explain_draws_the_tree(run: Run, api: FakeApi) -> None:
    api.add("cn")
    english = run("segments", "explain", "cn", "c1").stdout
    assert "✓ c1 is a member of cn at 2026-05-03 08:00, since 2026-05-01 08:00" in english
    assert "000Z" not in english
    assert "✓ location is 中国" in english
    chinese = run("segments", "explain", "cn", "c1", "--lang", "zh").stdout
    assert "✓ c1 属于 cn" in chinese
    assert "全部满足（且）" in chinese
    assert "✓ 所在地 等于 中国" in chinese
    assert json.loads(run("segments", "explain", "cn", "c1", "--json").stdout)["member"] is True


def test_preview_counts_without_saving(run: Run, api: FakeApi, buyers: Path) -> None:
    output = run("segments", "preview", buyers).stdout
    assert output == (
        "had order_paid in the last 30 days\ncontacts that match now: 1,234\namong them: c1, c2\n"
    )
    chinese = run("segments", "preview", buyers, "--lang", "zh").stdout
    assert chinese.startswith("最近 30 天内 发生过 order_paid\n现在符合条件的联系人：1,234\n")
    answer = json.loads(run("segments", "preview", buyers, "--sample", "0", "--json").stdout)
    assert answer == {"contacts": 1234, "sample": []}
    assert not api.segments


def test_preview_shows_who_would_enter_and_leave_and_why(run: Run, buyers: Path) -> None:
    lines = run("segments", "preview", buyers, "--compare").stdout.splitlines()
    assert lines[3:] == [
        "would enter: 1",
        "  among them: c1",
        "  1: location is 中国 (in force)",
        "would leave: 1,000",
        "  among them: c3",
        "  1,000: part 2, which excludes (the draft)",
        "would stay: 1,233",
    ]
    chinese = run("segments", "preview", buyers, "--compare", "--lang", "zh").stdout
    assert "将离开：1,000\n" in chinese
    answer = json.loads(run("segments", "preview", buyers, "--compare", "--json").stdout)
    assert answer["compared"]["with_version"] == 3


def test_preview_explains_a_draft_for_one_contact(run: Run, api: FakeApi, buyers: Path) -> None:
    assert "✓ c9 is a member of cn" in run("segments", "preview", buyers, "--contact", "c9").stdout
    assert api.requests[-1][3]["contact_id"] == "c9"


def test_an_id_with_slashes_and_chinese_reaches_the_api_whole(run: Run, api: FakeApi) -> None:
    api.add("2026/春%")
    assert json.loads(run("segments", "show", "2026/春%", "--json").stdout)["segment_id"] == "2026/春%"
    assert api.requests[-1][1] == "/segments/2026%2F%E6%98%A5%25"


def test_show_definition_has_its_keys_as_a_person_writes_them(run: Run, api: FakeApi) -> None:
    test = {"value": "x", "operator": "eq", "not": True, "attribute": "name"}
    api.add("cn", clusters=[{"conditions": [test], "match": "all"}])
    api.segments["cn"]["definition"] = dict(sorted(api.segments["cn"]["definition"].items()))
    told = run("segments", "show", "cn", "--definition").stdout
    keys = re.findall(r"^[ -]*(\w+):", told, re.M)
    assert keys == [
        *("segment_id", "name", "type", "group", "shared_with"),
        *("clusters", "match", "conditions", "attribute", "operator", "value", "not"),
    ]
    shown = json.loads(run("segments", "show", "cn", "--json").stdout)["definition"]
    assert list(shown["clusters"][0]["conditions"][0]) == ["attribute", "operator", "value", "not"]


def test_changes_are_shown_as_they_come(run: Run, api: FakeApi) -> None:
    api.add("cn")
    shown = run("segments", "changes", "cn", "--contact", "c1", "--recent", "5")
    assert api.requests[-1][2] == {"segment_id": "cn", "contact_id": "c1", "recent": "5", "words": "en"}
    assert [line.partition("08:00")[2] or line for line in shown.stdout.splitlines()] == [
        " c1 entered cn (why)",
        " c1 left cn (why)",
    ]
    assert shown.stderr == "1,200 changes were skipped\nsome changes were skipped\n"
    assert "进入 cn（why）" in run("segments", "changes", "--lang", "zh").stdout
    lines = run("segments", "changes", "--json").stdout.rstrip("\n").split("\n")
    assert [json.loads(line).get("change", "skipped") for line in lines] == [
        "entered",
        "skipped",
        "skipped",
        "exited",
    ]
    api.refusals["GET", "/changes"] = problem(429, "too_many_requests", "Too many requests")
    assert run("segments", "changes").exit_code == 1


def test_versions_are_listed_and_one_is_shown_with_what_changed(run: Run, api: FakeApi) -> None:
    api.add("cn")
    listed = [
        re.sub(r"\s+", " ", line).strip() for line in run("segments", "versions", "cn").stdout.splitlines()
    ]
    assert listed[0] == "Version Name Saved by Saved at"
    assert listed[2:] == ["2 CN han@x.cn 2026-05-02 08:00", "1 中国"]
    assert json.loads(run("segments", "versions", "cn", "--json").stdout)["versions"][1]["saved_by"] is None
    assert "name is set" in run("segments", "versions", "cn", "1").stdout
    changed = run("segments", "versions", "cn", "2", "--since", "1").stdout.splitlines()
    assert [line.rstrip() for line in changed[-3:]] == [
        "  all of (and)",
        "-   name is set",
        "+   location is 中国",
    ]
    assert api.requests[-1][2] == {"words": "en", "since": "1"}
    one = json.loads(run("segments", "versions", "cn", "2", "--json").stdout)
    assert one["definition"]["segment_id"] == "cn"


def test_an_earlier_version_is_saved_again(run: Run, api: FakeApi) -> None:
    api.add("cn")
    assert run("segments", "revert", "cn", "1").stdout.startswith("saved CN (cn), version 2")
    assert api.writes() == [("POST", "/segments/cn/versions/1/revert")]


def test_deleted_segments_are_listed_and_restored(run: Run, api: FakeApi) -> None:
    assert run("segments", "restore").stdout == "no deleted segments\n"
    times = {"deleted_at": "2026-05-02T00:00:00.000Z", "restorable_until": "2026-06-01T00:00:00.000Z"}
    api.deleted = [
        {"segment_id": f"s{number}", "name": "N", "deletion": number, "deleted_by": "me@x.cn", **times}
        for number in (3, 2, 1)
    ]
    api.page_size = 2
    lines = [re.sub(r"\s+", " ", line).strip() for line in run("segments", "restore").stdout.splitlines()]
    assert lines[0] == "Segment id Name Deleted at Restorable until Deletion"
    assert lines[2:] == [f"s{number} N 2026-05-02 08:00 2026-06-01 08:00 {number}" for number in (3, 2, 1)]
    assert len(json.loads(run("segments", "restore", "--json").stdout)["segments"]) == 3
    assert run("segments", "restore", "s3").stdout.startswith("saved S3 (s3), version 1")
    run("segments", "restore", "s1", "--as", "t", "--deletion", "1")
    assert api.requests[-1] == (
        "POST",
        "/deleted-segments/s1/restore",
        {},
        {"new_segment_id": "t", "deletion": 1},
    )
