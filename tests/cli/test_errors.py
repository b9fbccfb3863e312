"""The errors of the commands over the API: one clear line, status 1, no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from streamseg.cli import app
from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi, problem


def test_a_problem_is_one_line_with_title_path_detail_and_remedy(run: Run, api: FakeApi) -> None:
    api.refusals["GET", "/segments"] = problem(401, "unauthorized", "Unauthorized", "the token is unknown")
    result = run("segments", "list")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: Unauthorized: the token is unknown; give a token with --token or STREAMSEG_API_TOKEN\n"
    )


def test_a_problem_is_told_in_chinese(run: Run, api: FakeApi) -> None:
    api.refusals["GET", "/segments"] = problem(401, "unauthorized", "未授权", "令牌无效")
    line = run("segments", "list", "--lang", "zh").stderr
    assert line == "错误：未授权: 令牌无效; 请用 --token 或 STREAMSEG_API_TOKEN 提供令牌\n"


def test_the_path_of_what_is_wrong_is_named(run: Run, api: FakeApi, tmp_path: Path) -> None:
    path = "definition.clusters[0].conditions[0].operator"
    api.refusals["POST", "/segments"] = problem(
        422, "invalid_schema", "Not of the required form", "must be one of eq, ne", path=path
    )
    file = tmp_path / "x.yaml"
    file.write_text("name: x\ntype: standard\n")
    assert f"{path}: must be one of eq, ne" in run("segments", "create", file).stderr


def test_with_json_a_problem_is_a_line_of_json(run: Run, api: FakeApi) -> None:
    result = run("segments", "show", "none", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr) == {
        "status": 404,
        "title": "Not found",
        "detail": "there is no segments/none",
        "code": "not_found",
    }


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("starting", 503, "try again in a moment"),
        ("timeout", 504, "check whether it took effect"),
        ("too_large", 413, "send less at once"),
        ("not_permitted", 403, "because"),
    ],
)
def test_what_to_do_follows_from_the_code(run: Run, api: FakeApi, code: str, status: int, told: str) -> None:
    api.refusals["GET", "/segments/cn"] = problem(status, code, "Refused", "because")
    assert told in run("segments", "show", "cn").stderr


@pytest.mark.parametrize(
    ("path", "told", "untold"),
    [
        ("segment_id", "`streamseg segments list`", "groups"),
        ("group", "`streamseg groups list`", "segments list"),
        ("contact_id", "a contact is known from its first record on", "list"),
        ("", "because", "list"),
    ],
)
def test_what_to_do_about_something_missing_is_about_that(
    run: Run, api: FakeApi, path: str, told: str, untold: str
) -> None:
    api.refusals["GET", "/contacts/c1"] = problem(404, "not_found", "Not found", "because", path=path)
    said = run("contacts", "show", "c1").stderr
    assert told in said
    assert untold not in said


def test_a_conflict_that_is_not_over_a_version_is_not_to_be_read_again(run: Run, api: FakeApi) -> None:
    api.refusals["GET", "/segments/cn"] = problem(
        409, "conflict", "In conflict", "there is one; take another"
    )
    assert run("segments", "show", "cn").stderr == "error: In conflict: there is one; take another\n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(502, text="<html>"), "HTTP 502 Bad Gateway"),
        (httpx.Response(599, text=""), "HTTP 599"),
        (httpx.Response(500, json=[]), "HTTP 500 Internal Server Error"),
        (httpx.Response(200, text="<html>"), "not as a streamseg worker does"),
    ],
)
def test_an_answer_that_is_no_workers_is_an_error(
    run: Run, api: FakeApi, answer: httpx.Response, told: str
) -> None:
    api.refusals["GET", "/segments/cn"] = answer
    result = run("segments", "show", "cn")
    assert result.exit_code == 1
    assert told in result.stderr


@pytest.mark.parametrize("failure", [httpx.ConnectError("Connection refused"), httpx.ReadTimeout("")])
def test_where_nothing_answers_it_says_how_to_start_a_worker(
    run: Run, api: FakeApi, failure: httpx.TransportError
) -> None:
    def fail(_: httpx.Request) -> None:
        raise failure

    api.intercept = fail
    result = run("segments", "list", "--url", "http://worker:1")
    assert result.exit_code == 1
    assert "no answer from http://worker:1" in result.stderr
    assert "start a worker with `streamseg worker`" in result.stderr
    assert "--url or STREAMSEG_API_URL" in result.stderr
    assert "请用 `streamseg worker` 启动" in run("segments", "list", "--lang", "zh").stderr
    assert json.loads(run("segments", "list", "--json").stderr)["code"] == "unreachable"


def test_a_refused_connection_is_told_without_a_traceback() -> None:
    result = CliRunner().invoke(app, ["groups", "list", "--url", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: no answer from http://127.0.0.1:1 (")


@pytest.mark.parametrize("url", ["worker:8080", "ftp://worker", "http://a:b", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    result = CliRunner().invoke(app, ["segments", "list", "--url", url])
    assert result.exit_code == 1
    assert "is not the address of a worker" in result.stderr


def test_token_and_account_go_to_the_api(run: Run, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    run("segments", "list", "--token", "t1", "--account", "li@x.cn")
    assert api.headers[-1]["Authorization"] == "Bearer t1"
    assert api.headers[-1]["X-Account"] == "li@x.cn"
    monkeypatch.setenv("STREAMSEG_API_TOKEN", "t2")
    monkeypatch.setenv("STREAMSEG_ACCOUNT", "han@x.cn")
    monkeypatch.setenv("STREAMSEG_LANG", "zh")
    run("segments", "list")
    assert api.headers[-1]["Authorization"] == "Bearer t2"
    assert api.headers[-1]["X-Account"] == "han@x.cn"
    assert api.headers[-1]["Accept-Language"] == "zh"


def test_an_account_may_have_a_chinese_name(run: Run, api: FakeApi) -> None:
    run("segments", "list", "--account", "李雷")
    assert (b"X-Account", "李雷".encode()) in api.headers[-1].raw


def test_an_account_that_no_header_can_hold_is_told(run: Run, api: FakeApi) -> None:
    result = run("segments", "list", "--account", "a\r\nX-Other: b")
    assert result.exit_code == 1
    assert "the account must be printable text" in result.stderr
    assert not api.requests


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.yaml", b"name: [", "line 1 column 8"),
        ("x.yaml", b"- a", "a definition is an object"),
        ("x.yaml", b"\xff", "byte 0 is not UTF-8"),
        ("x.yaml", b"name: a\nname: b\n", "the key name is there twice in line 2 column 1"),
        ("x.yaml", b"name: a\n---\nname: b\n", "expected a single document"),
        ("x.yaml", b"name: !!python/object:os.system x\n", "could not determine a constructor"),
        ("x.yaml", b"name: !!binary aGk=\n", "cannot be written as JSON"),
        ("x.yaml", b"? [a]\n: b\n", "cannot be written as JSON"),
        ("x.json", b"{", "Not valid JSON"),
    ],
)
def test_a_file_that_holds_no_definition_is_told(
    run: Run, api: FakeApi, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    result = run("segments", "preview", file)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not api.requests


def test_a_file_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    result = run("segments", "create", tmp_path / "none.yaml")
    assert result.exit_code == 1
    assert "cannot be read: No such file or directory" in result.stderr
