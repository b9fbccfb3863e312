"""`streamseg lists import`: contact ids from a file into a static segment."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi, problem


def batches(api: FakeApi) -> list[list[str]]:
    return [body["add"] for _, path, _, body in api.requests if path == "/contacts/lists"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "ids.txt"
    made.write_text("".join(f"c{number}\n" for number in range(10)))
    return made


def test_ids_are_sent_in_batches(run: Run, api: FakeApi, file: Path) -> None:
    result = run("lists", "import", "fair", file, "--batch", "4")
    assert result.exit_code == 0
    assert result.stdout == f"{file} -> fair: 10 read, 10 accepted, 0 rejected\n"
    assert [len(one) for one in batches(api)] == [4, 4, 2]
    assert api.requests[0][3] == {"segment_id": "fair", "add": ["c0", "c1", "c2", "c3"]}
    assert list(file.parent.iterdir()) == [file]


def test_batches_stay_below_what_the_api_takes(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("".join(f"{number:01000}\n" for number in range(2_000)))
    run("lists", "import", "fair", file, "--batch", "5000")
    assert sum(len(one) for one in batches(api)) == 2_000
    assert max(len(json.dumps(one)) for one in batches(api)) < 1 << 20


def test_contacts_can_be_taken_out_instead(run: Run, api: FakeApi, file: Path) -> None:
    run("lists", "import", "fair", file, "--remove")
    assert "add" not in api.requests[0][3]
    assert len(api.requests[0][3]["remove"]) == 10


def test_what_cannot_be_an_id_is_listed_with_its_line(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"\xef\xbb\xbfc1\r\n\r\n" + b"x" * 2_000 + b"\nc\xff\n c2 \nc1\n" + "联系人".encode())
    result = run("lists", "import", "fair", file)
    assert batches(api) == [["c1", "c2", "联系人"]]
    assert result.exit_code == 0
    assert result.stderr == "line 2: empty\nline 3: too long\nline 4: not valid UTF-8\nline 6: a duplicate\n"
    assert "7 read, 3 accepted, 4 rejected" in result.stdout
    chinese = run("lists", "import", "fair", file, "--lang", "zh")
    assert "第 2 行：为空" in chinese.stderr
    assert "读取 7，接受 3，拒绝 4" in chinese.stdout
    answer = json.loads(run("lists", "import", "fair", file, "--json").stdout)
    assert answer["accepted"] == 3
    assert answer["rejected"] == [
        {"line": 2, "reason": "empty"},
        {"line": 3, "reason": "too_long"},
        {"line": 4, "reason": "invalid_utf8"},
        {"line": 6, "reason": "duplicate"},
    ]


def test_only_the_first_rejected_lines_are_listed_in_a_terminal(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("c1\n" * 30)
    lines = run("lists", "import", "fair", file).stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 9 more; --json lists them all"


def test_a_column_of_a_csv_file_is_taken(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "visitors.csv"
    file.write_text(
        'name, contact_id\n"Li, Lei",c1\n"two\nlines",c2\nshort\n\nHan,c1\n', encoding="utf-8-sig"
    )
    result = run("lists", "import", "fair", file, "--column", "contact_id")
    assert batches(api) == [["c1", "c2"]]
    assert result.stderr == "line 5: empty\nline 7: a duplicate\n"


def test_a_column_that_is_not_there_is_an_error(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "visitors.csv"
    file.write_text("name,id\nLi,c1\n")
    result = run("lists", "import", "fair", file, "--column", "contact_id")
    assert result.exit_code == 1
    assert "has no column contact_id; it has name, id" in result.stderr
    assert not api.requests


def test_an_interrupted_import_goes_on_where_it_stopped(run: Run, api: FakeApi, file: Path) -> None:
    def fail_third(_: httpx.Request) -> None:
        if len(api.requests) == 3:
            raise httpx.ConnectError("refused")

    api.intercept = fail_third
    broken = run("lists", "import", "fair", file, "--batch", "4")
    assert broken.exit_code == 1
    assert "the same command goes on after line 8" in broken.stderr
    assert "no answer from" in broken.stderr
    assert file.with_name("ids.txt.import.json").exists()
    api.requests.clear()
    api.intercept = lambda _: None
    resumed = run("lists", "import", "fair", file, "--batch", "3")
    assert "continuing after line 8" in resumed.stderr
    assert batches(api) == [["c8"], ["c9"]]
    assert "10 read, 10 accepted, 0 rejected" in resumed.stdout
    assert list(file.parent.iterdir()) == [file]


def test_ctrl_c_leaves_an_import_that_can_go_on(run: Run, api: FakeApi, file: Path) -> None:
    def interrupt(_: httpx.Request) -> None:
        if len(api.requests) == 2:
            raise KeyboardInterrupt

    api.intercept = interrupt
    stopped = run("lists", "import", "fair", file, "--batch", "4")
    assert stopped.exit_code != 0
    assert "the same command goes on after line 4" in stopped.stderr


@pytest.mark.parametrize("change", ["file", "segment", "url", "remove"])
def test_another_import_does_not_go_on_with_it_unless_restarted(
    run: Run, api: FakeApi, file: Path, change: str
) -> None:
    api.intercept = lambda _: (_ for _ in ()).throw(KeyboardInterrupt) if len(api.requests) == 2 else None
    run("lists", "import", "fair", file, "--batch", "4")
    api.requests.clear()
    api.intercept = lambda _: None
    if change == "file":
        file.write_text("d1\n" + file.read_text())
    segment = "other" if change == "segment" else "fair"
    more = {"url": ["--url", "http://other:1"], "remove": ["--remove"]}.get(change, [])
    refused = run("lists", "import", segment, file, *more)
    assert refused.exit_code == 1
    assert "begin again with --restart" in refused.stderr
    assert not api.requests
    restarted = run("lists", "import", segment, file, *more, "--restart")
    assert restarted.exit_code == 0
    sent = api.requests[0][3]
    assert len(sent.get("add", sent.get("remove"))) == len(file.read_text().splitlines())


def test_a_state_file_that_cannot_be_read_is_an_error(run: Run, file: Path) -> None:
    file.with_name("ids.txt.import.json").write_text("{}")
    result = run("lists", "import", "fair", file)
    assert result.exit_code == 1
    assert "begin again with --restart" in result.stderr


def test_a_refusal_by_the_api_ends_it(run: Run, api: FakeApi, file: Path) -> None:
    api.refusals["POST", "/contacts/lists"] = problem(
        422,
        "unknown_reference",
        "Refers to something that does not exist",
        "fair is not static",
        path="segment_id",
    )
    result = run("lists", "import", "fair", file)
    assert result.exit_code == 1
    assert "segment_id: fair is not static" in result.stderr


def test_a_file_that_is_not_there_is_an_error(run: Run, tmp_path: Path) -> None:
    result = run("lists", "import", "fair", tmp_path / "none.txt")
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_an_empty_file_imports_nothing(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.touch()
    assert "0 read, 0 accepted, 0 rejected" in run("lists", "import", "fair", file).stdout
    assert not api.requests


@pytest.mark.parametrize("heading", ["contact_id", '"contact_id"', "﻿name, contact_id ,city"])
def test_a_heading_that_names_the_column_is_not_taken_for_a_contact(
    run: Run, api: FakeApi, tmp_path: Path, heading: str
) -> None:
    file = tmp_path / "ids.csv"
    rows = ["c1", "c2"] if "," not in heading else ["李雷,c1,北京", "韩梅梅,c2,上海"]
    file.write_text("\n".join([heading, *rows]))
    assert run("lists", "import", "fair", file).exit_code == 0
    assert batches(api) == [["c1", "c2"]]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("id,email\nc1,a@x.cn\n", "--column id;"),
        ("contact_id;email\nc1;a@x.cn\n", "--column contact_id;"),
        ("邮箱\t会员号\na@x.cn\tc1\n", "--column 会员号;"),
        ("email|name\na@x.cn|c1\n", "--column email;"),
        ("c1,a@x.cn\nc2,b@x.cn\n", "a file without a heading must get one"),
        ("Contact ID\nc1\n", "--column 'Contact ID',"),
        ("会员号\nc1\n", "--column 会员号,"),
        ("\ufeffid\r\nc1\r\n", "--column id,"),
    ],
)
def test_a_heading_that_is_not_named_becomes_no_contact(
    run: Run, api: FakeApi, tmp_path: Path, text: str, advice: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    refused = run("lists", "import", "fair", file)
    assert refused.exit_code == 1
    assert advice in refused.stderr
    assert "第一行" in run("lists", "import", "fair", file, "--lang", "zh").stderr
    assert not api.requests


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_column_that_is_named_is_found_whatever_parts_it(
    run: Run, api: FakeApi, tmp_path: Path, separator: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"name{separator}id\nLi{separator}c1\nHan{separator}c2\n")
    assert run("lists", "import", "fair", file, "--column", "id").exit_code == 0
    assert batches(api) == [["c1", "c2"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("text", ["c1\r\n联系人\r\n", "contact_id,name\r\nc1,x\r\n联系人,y\r\n"])
def test_utf_16_with_its_mark_is_read(
    run: Run, api: FakeApi, tmp_path: Path, encoding: str, text: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(text.encode(encoding))
    assert run("lists", "import", "fair", file).exit_code == 0
    assert batches(api) == [["c1", "联系人"]]


@pytest.mark.parametrize("content", ["c1\nc2\n".encode("utf-16-le"), b"\xff\xfea", "c1\n".encode("utf-32")])
def test_other_encodings_are_refused_clearly(run: Run, api: FakeApi, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    refused = run("lists", "import", "fair", file)
    assert refused.exit_code == 1
    assert "save it as UTF-8" in refused.stderr
    assert not api.requests


def test_ids_with_control_characters_are_left_out_and_listed(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("c1\nc\x1b[31m2\nc\u20283\nc\x7f\nc\x854\nc5\n")
    told = run("lists", "import", "fair", file).stderr
    assert batches(api) == [["c1", "c5"]]
    assert [line.split(": ")[1] for line in told.splitlines()] == ["has a control character"] * 4
