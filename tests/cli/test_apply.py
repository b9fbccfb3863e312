"""`streamseg segments apply`: a folder of definitions is saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi, problem

IS_SET = {"attribute": "name", "operator": "is_set"}


def definition(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    clusters = [{"match": "all", "conditions": list(conditions) or [IS_SET]}]
    return {"name": "x", "type": "standard", "clusters": clusters, **more}


def refers(*segment_ids: str) -> dict[str, Any]:
    return definition(*({"segment": one} for one in segment_ids))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "segments"
    made.mkdir()
    return made


def write(folder: Path, name: str, value: dict[str, Any]) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value) if name.endswith(".json") else yaml.safe_dump(value, allow_unicode=True)
    file.write_text(text)


def saved(api: FakeApi) -> list[str]:
    """The ids in the order in which they were saved."""
    return [body["segment_id"] for method, path, _, body in api.requests
            if method in ("POST", "PUT") and path.count("/") <= 2 and "definition" not in body]  # fmt: skip


def test_the_difference_is_shown_before_anything_is_saved(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("same", name="x")
    api.add("changed", name="old", group="default")
    api.add("extra")
    write(folder, "same.yaml", definition())
    write(folder, "changed.yaml", definition(name="new"))
    write(folder, "deep/fresh.json", definition(name="中国"))
    result = run("segments", "apply", folder, input="n\n")
    assert result.exit_code == 1
    assert api.writes() == []
    output = result.stdout
    assert "changed  changed  changed.yaml\n--- changed (version 1)\n+++ changed.yaml\n" in output
    assert "\n-Segment name: old\n+Segment name: new\n" in output
    assert "created  fresh  deep/fresh.json\n--- /dev/null\n+++ deep/fresh.json\n" in output
    assert "+Segment name: 中国" in output
    assert "+all of (and)\n+  name is set\n" in output
    assert "unchanged  same\n" in output
    assert "not in the folder  extra\n" in output
    assert "1 to create, 1 to change, 1 unchanged, 1 not in the folder, 0 refused" in output
    assert "Apply these changes?" in result.stderr


def test_yes_saves_what_differs_and_a_second_time_nothing_does(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("changed", name="old")
    write(folder, "changed.yaml", definition(name="new"))
    write(folder, "fresh.yml", definition())
    result = run("segments", "apply", folder, "--yes")
    assert result.exit_code == 0
    assert result.stdout.endswith("done: 1 created, 1 changed, 0 deleted, 0 refused\n")
    assert api.segments["changed"]["version"] == 2
    api.requests.clear()
    again = run("segments", "apply", folder)
    assert again.exit_code == 0
    assert again.stdout.endswith("nothing to do\n")
    assert api.writes() == []


def test_it_speaks_chinese(run: Run, api: FakeApi, folder: Path) -> None:
    write(folder, "fresh.yaml", definition())
    asked = run("segments", "apply", folder, "--lang", "zh", input="y\n")
    assert "新建  fresh  fresh.yaml" in asked.stdout
    assert "确认执行？" in asked.stderr
    assert asked.stdout.endswith("完成：新建 1，修改 0，删除 0，被拒绝 0\n")
    assert run("segments", "apply", folder, "--lang", "zh").stdout.endswith("无需更改\n")


def test_a_dry_run_changes_nothing_and_does_not_ask(run: Run, api: FakeApi, folder: Path) -> None:
    write(folder, "fresh.yaml", definition())
    result = run("segments", "apply", folder, "--dry-run")
    assert result.exit_code == 0
    assert api.writes() == []
    answer = json.loads(run("segments", "apply", folder, "--dry-run", "--json").stdout)
    assert [one["segment_id"] for one in answer["to_create"]] == ["fresh"]
    assert "created" not in answer


def test_segments_that_others_refer_to_are_saved_first(run: Run, api: FakeApi, folder: Path) -> None:
    write(folder, "a.yaml", refers("b", "c"))
    write(folder, "b.yaml", refers("c"))
    write(folder, "c.yaml", definition())
    parts = [{"relation": "include", "clusters": refers("a")["clusters"]}]
    write(folder, "0.yaml", {"name": "x", "type": "advanced", "parts": parts})
    assert run("segments", "apply", folder, "--yes").exit_code == 0
    assert saved(api) == ["c", "b", "a", "0"]


def test_a_circle_of_references_is_refused_with_its_path(run: Run, api: FakeApi, folder: Path) -> None:
    write(folder, "a.yaml", definition(IS_SET, {"segment": "b"}))
    write(folder, "b.yaml", refers("a"))
    write(folder, "self.yaml", refers("self"))
    write(folder, "fine.yaml", definition())
    result = run("segments", "apply", folder, "--yes")
    assert result.exit_code == 1
    assert saved(api) == ["fine"]
    lines = result.stderr.splitlines()
    assert any(
        line.startswith("refused  a.yaml: clusters[0].conditions[1].segment: ") and "-> b" in line
        for line in lines
    )
    assert any(line.startswith("refused  b.yaml: ") for line in lines)
    assert any("self -> self" in line for line in lines)


def test_an_unknown_reference_is_refused_before_anything_is_sent(
    run: Run, api: FakeApi, folder: Path
) -> None:
    write(folder, "a.yaml", refers("nowhere"))
    result = run("segments", "apply", folder, "--dry-run")
    assert result.exit_code == 1
    assert "refused  a.yaml: clusters[0].conditions[0].segment: " in result.stderr
    assert "there is no segment nowhere" in result.stderr


def test_prune_deletes_what_the_folder_does_not_have(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("old-1")
    api.add("old-2")
    api.add("shared", owner="li@x.cn")
    api.add("builtin", owner=None)
    write(folder, "fresh.yaml", definition())
    result = run("segments", "apply", folder, "--prune", "--yes")
    assert "not in the folder, to be deleted  old-1" in result.stdout
    assert result.stdout.endswith("done: 1 created, 0 changed, 2 deleted, 0 refused\n")
    assert api.requests[-1][1:] == ("/batch/delete", {}, {"segment_ids": ["old-1", "old-2"]})
    assert sorted(api.segments) == ["builtin", "fresh", "shared"]


def test_nothing_is_pruned_where_something_was_refused(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("old")
    api.add("broken")
    write(folder, "fresh.yaml", definition())
    (folder / "broken.yaml").write_text("name: [")
    result = run("segments", "apply", folder, "--prune", "--yes")
    assert result.exit_code == 1
    assert sorted(api.segments) == ["broken", "fresh", "old"]
    assert "to be deleted  broken" not in result.stdout
    assert "nothing was deleted" in result.stderr


def test_a_reference_to_what_prune_deletes_is_refused(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("old")
    write(folder, "a.yaml", refers("old"))
    result = run("segments", "apply", folder, "--prune", "--yes")
    assert "old is not in the folder, and --prune deletes it" in result.stderr
    assert "old" in api.segments
    assert run("segments", "apply", folder, "--yes").exit_code == 0


def test_a_refused_deletion_is_listed(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("old")
    write(folder, "fresh.yaml", definition())
    api.refusals["POST", "/batch/delete"] = problem(
        409, "in_use", "Other segments refer to it", "push refers to it", path="segment_ids[0]"
    )
    result = run("segments", "apply", folder, "--prune", "--yes")
    assert result.exit_code == 1
    assert "refused  segment_ids[0]: Other segments refer to it: push refers to it" in result.stderr


def test_every_refusal_is_listed_with_file_and_path_and_the_rest_is_saved(
    run: Run, api: FakeApi, folder: Path
) -> None:
    api.add("theirs", owner="li@x.cn")
    api.add("mine", name="old")
    write(folder, "bad.yaml", definition({"attribute": "name", "operator": "like"}))
    write(folder, "one.yaml", definition(segment_id="twice"))
    write(folder, "two.yaml", definition(segment_id="twice"))
    write(folder, "theirs.yaml", definition())
    write(folder, "mine.yaml", definition(name="new"))
    write(folder, "fine.yaml", definition())
    api.refusals["PUT", "/segments/mine"] = problem(
        422, "invalid_schema", "Not of the required form", "too long", path="definition.name"
    )
    result = run("segments", "apply", folder, "--yes")
    assert result.exit_code == 1
    refusals = [line for line in result.stderr.splitlines() if line.startswith("refused")]
    assert [line.split(": ")[:2] for line in refusals] == [
        ["refused  bad.yaml", "clusters[0].conditions[0].operator"],
        ["refused  two.yaml", "segment_id"],
        ["refused  theirs.yaml", "segment_id"],
        ["refused  mine.yaml", "definition.name"],
    ]
    assert "fine" in api.segments
    assert "twice" in api.segments
    assert result.stdout.endswith("done: 2 created, 0 changed, 0 deleted, 4 refused\n")


def test_json_tells_what_was_done_and_what_was_refused(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("changed", name="old")
    api.add("extra")
    write(folder, "changed.yaml", definition(name="new"))
    write(folder, "bad.yaml", {"name": "x", "type": "standard"})
    result = run("segments", "apply", folder, "--yes", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["changed"] == ["changed"]
    assert answer["not_in_folder"] == ["extra"]
    assert answer["to_change"][0]["diff"].startswith("--- changed (version 1)\n+++ changed.yaml\n")
    assert answer["refused"] == [
        {
            "file": "bad.yaml",
            "segment_id": "bad",
            "code": "invalid_schema",
            "path": "clusters",
            "message": "a segment of type standard needs clusters; give them",
        }
    ]


def test_json_cannot_ask(run: Run, folder: Path) -> None:
    result = run("segments", "apply", folder, "--json")
    assert result.exit_code == 2
    assert "--yes or --dry-run" in result.stderr


def test_group_and_sharing_are_only_compared_where_the_file_has_them(
    run: Run, api: FakeApi, folder: Path
) -> None:
    api.add("a", name="x", group="2026", shared_with=["li@x.cn", "han@x.cn"])
    write(folder, "a.yaml", definition())
    assert run("segments", "apply", folder).stdout.endswith("nothing to do\n")
    write(folder, "a.yaml", definition(shared_with=["han@x.cn", "li@x.cn", "me@x.cn"], group="2026"))
    assert run("segments", "apply", folder).stdout.endswith("nothing to do\n")
    write(folder, "a.yaml", definition(group="default"))
    assert '-Group: "2026"\n+Group: default\n' in run("segments", "apply", folder, "--yes").stdout


def test_written_out_defaults_and_versions_make_no_difference(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("a", name="x")
    write(
        folder,
        "a.yaml",
        definition({**IS_SET, "not": False, "ignore_case": False}, version=1, created_by="z"),
    )
    result = run("segments", "apply", folder)
    assert result.exit_code == 0, result.stdout
    assert result.stdout.endswith("nothing to do\n")


def test_a_change_by_somebody_else_meanwhile_is_not_overwritten(run: Run, api: FakeApi, folder: Path) -> None:
    api.add("a", name="old")
    write(folder, "a.yaml", definition(name="new"))

    def change(request: Any) -> None:
        if request.method == "PUT":
            api.segments["a"]["version"] = 7

    api.intercept = change
    result = run("segments", "apply", folder, "--yes")
    assert result.exit_code == 1
    assert "somebody changed it" in result.stderr
    assert api.segments["a"]["name"] == "old"


def test_an_advanced_segment_is_calculated_on_request_before_what_refers_to_it(
    run: Run, api: FakeApi, folder: Path
) -> None:
    clusters = definition()["clusters"]
    write(
        folder,
        "push.yaml",
        {"name": "x", "type": "advanced", "parts": [{"relation": "include", "clusters": clusters}]},
    )
    write(folder, "all.yaml", refers("push"))
    result = run("segments", "apply", folder, "--yes", "--calculate")
    assert result.exit_code == 0
    assert api.writes() == [
        ("POST", "/segments"),
        ("POST", "/segments/push/calculate"),
        ("POST", "/segments"),
    ]
    api.segments.clear()
    assert "not calculated yet: push" in run("segments", "apply", folder, "--yes").stderr


def test_hidden_files_and_other_files_are_left_alone(run: Run, api: FakeApi, folder: Path) -> None:
    write(folder, "a.yaml", definition())
    write(folder, ".git/b.yaml", definition())
    (folder / "README.md").write_text("# Segments")
    run("segments", "apply", folder, "--yes")
    assert sorted(api.segments) == ["a"]


def test_a_folder_without_definitions_is_an_error_and_never_prunes(
    run: Run, api: FakeApi, folder: Path
) -> None:
    api.add("old")
    empty = run("segments", "apply", folder, "--prune", "--yes")
    assert empty.exit_code == 1
    assert "holds no definition" in empty.stderr
    missing = run("segments", "apply", folder / "none", "--prune", "--yes")
    assert "is not a folder" in missing.stderr
    assert "old" in api.segments


def test_a_dry_run_lists_what_the_worker_would_refuse(run: Run, api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\ntype: static\ngroup: nowhere\n")
    api.refusals["POST", "/check"] = problem(
        422, "unknown_reference", "Unknown", "there is no such group", path="definition.group"
    )
    result = run("segments", "apply", tmp_path, "--dry-run")
    assert result.exit_code == 1
    assert "definition.group" in result.stderr
    assert api.writes() == []


def test_a_dry_run_knows_what_will_have_been_saved_before(run: Run, api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\ntype: static\n")
    (tmp_path / "b.yaml").write_text(
        "name: b\ntype: standard\nclusters: [{match: all, conditions: [{segment: a}]}]\n"
    )
    refused = problem(
        422,
        "unknown_reference",
        "Unknown",
        "there is no segment a",
        path="definition.clusters[0].conditions[0].segment",
    )

    def intercept(request: Any) -> None:
        if b'"segment_id":"b"' in request.content:
            api.refusals["POST", "/check"] = refused

    api.intercept = intercept
    result = run("segments", "apply", tmp_path, "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert told["refused"] == []
    assert [one["segment_id"] for one in told["to_create"]] == ["a", "b"]


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (405, "method_not_allowed")])
def test_a_dry_run_goes_without_where_a_worker_cannot_tell(
    run: Run, api: FakeApi, tmp_path: Path, status: int, code: str
) -> None:
    (tmp_path / "a.yaml").write_text("name: a\ntype: static\n")
    api.refusals["POST", "/check"] = problem(status, code, "No")
    assert run("segments", "apply", tmp_path, "--dry-run").exit_code == 0
