"""Section 8: `streamseg replay` as a command: its options, output, order and exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from streamseg.cli import app
from tests.engine.cases import EVERYBODY, case
from tests.engine.story import Line, event, segment, tick, told, update

RECENT = {"event": "buy", "window": {"last": "P1D"}}
STORY = [
    segment(RECENT),
    segment(EVERYBODY, of="all"),
    event("05-01 10:00", "buy", id_="e-1"),
    update("05-01 11:00", {"name": "李雷"}, of="c2"),
    tick("05-01 12:00"),
]
PROGRAM = [sys.executable, "-c", "from streamseg.cli import main; main()", "replay"]
Run = Callable[..., Result]


def as_text(lines: list[Any]) -> bytes:
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def read(text: str) -> list[Any]:
    return [orjson.loads(line) for line in text.splitlines()]


def changes(result: Result) -> list[str]:
    return [told(change) for change in read(result.stdout)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Replays lines (or raw bytes) written to a file, with the given options."""
    monkeypatch.delenv("STREAMSEG_TIMEZONE", raising=False)

    def replayed(lines: list[Line] | bytes, *options: str) -> Result:
        file = tmp_path / "records.ndjson"
        file.write_bytes(lines if isinstance(lines, bytes) else as_text(lines))
        return CliRunner().invoke(app, ["replay", str(file), *options])

    return replayed


def test_changes_are_printed_one_a_line(run: Run) -> None:
    result = run(STORY)
    assert (result.exit_code, result.stderr) == (0, "")
    found = read(result.stdout)
    assert [told(change) for change in found] == [
        "05-01 10:00 all entered (behavior_event)",
        "05-01 10:00 s entered (behavior_event)",
        "05-01 11:00 c2 all entered (contact_update)",
    ]
    assert found[1] == {
        "change_id": "s|c1|1777600800000|1",
        "segment_id": "s",
        "segment_version": 1,
        "contact_id": "c1",
        "change": "entered",
        "sequence": 1,
        "effective_at": "2026-05-01T02:00:00.000Z",
        "reason": {"kind": "behavior_event", "ref": "e-1"},
    }


def test_changes_are_what_is_emitted_unless_said_otherwise(run: Run) -> None:
    assert run(STORY).stdout == run(STORY, "--emit", "changes").stdout


@pytest.mark.parametrize(
    ("until", "exits"),
    [
        case("a time before the exit", "2026-05-02T01:59:59.999Z", False),
        case("its very instant", "2026-05-02T02:00:00Z", True),
        case("a naive time in Shanghai", "2026-05-02T10:00:00", True),
        case("a date alone", "2026-05-03", True),
        case("milliseconds", "1777687200000", True),
        case("a time of the past", "2020-01-01", False),
    ],
)
def test_until_runs_the_clock_on(run: Run, until: str, exits: bool) -> None:
    result = run(STORY, "--until", until)
    assert result.exit_code == 0
    assert ("05-02 10:00 s exited (time)" in changes(result)) is exits


def test_until_settles_a_definition_after_the_last_record_first(run: Run) -> None:
    lines = [event("05-01", "buy"), segment(RECENT, at="05-01 12:00")]
    assert [told(change) for change in read(run(lines, "--until", "2026-06-01").stdout)] == [
        "05-01 12:00 s entered (definition)",
        "05-02 s exited (time)",
    ]


def test_members_are_printed_by_segment_and_contact(run: Run) -> None:
    lines = [*STORY, update("05-01 13:00", {"subscribed": False}, of="c0")]
    result = run(lines, "--emit", "members")
    assert read(result.stdout) == [
        {"segment_id": name, "contact_id": contact, "entered_at": entered, "sequence": 1}
        for name, contact, entered in [
            ("all", "c0", "2026-05-01T05:00:00.000Z"),
            ("all", "c1", "2026-05-01T02:00:00.000Z"),
            ("all", "c2", "2026-05-01T03:00:00.000Z"),
            ("global-unsubscribed", "c0", "2026-05-01T05:00:00.000Z"),
            ("s", "c1", "2026-05-01T02:00:00.000Z"),
        ]
    ]


def test_members_are_those_of_the_end(run: Run) -> None:
    result = run([*STORY, event("05-05", "buy")], "--emit", "members", "--until", "2026-05-05T12:00:00")
    sequences = {
        one["segment_id"]: one["sequence"] for one in read(result.stdout) if one["contact_id"] == "c1"
    }
    assert sequences == {"all": 1, "s": 3}


def test_explanations_are_printed_for_every_contact_and_segment(run: Run) -> None:
    result = run(STORY, "--emit", "explain")
    found = read(result.stdout)
    names = ["all", "email-unsubscribed", "global-unsubscribed", "mobile-unsubscribed", "s"]
    assert [(one["contact_id"], one["segment_id"]) for one in found] == [
        (contact, name) for contact in ("c1", "c2") for name in names
    ]
    assert [one["segment_id"] for one in found if one["member"]] == ["all", "s", "all"]
    assert found[4]["next_change_at"] == "2026-05-02T02:00:00.000Z"


def test_the_time_zone_is_that_of_naive_times_and_of_calendars(run: Run) -> None:
    lines = [event("05-01 10:00", "email_unsubscribe"), tick("05-09")]
    naive = {**lines[0], "timestamp": "2026-05-01T10:00:00"}
    naive["value"] = {**naive["value"], "occurred_at": "2026-05-01T10:00:00"}
    for zone, midnight in (("Asia/Shanghai", "05-02"), ("Europe/London", "05-02 07:00")):
        result = run([naive, lines[1]], "--timezone", zone)
        assert changes(result) == [f"{midnight} email-unsubscribed entered (unsubscribe_window)"]


def test_standard_input_is_read_for_a_dash(run: Run) -> None:
    result = CliRunner().invoke(app, ["replay", "-", "--until", "2026-06-01"], input=as_text(STORY))
    assert (result.exit_code, result.stdout) == (0, run(STORY, "--until", "2026-06-01").stdout)


def test_the_state_in_a_folder_changes_nothing(run: Run, tmp_path: Path) -> None:
    result = run(STORY, "--until", "2026-06-01", "--state", str(tmp_path / "state"))
    assert (result.exit_code, result.stdout) == (0, run(STORY, "--until", "2026-06-01").stdout)
    assert (tmp_path / "state").is_dir()


def test_dead_letters_go_to_standard_error_with_their_line(run: Run) -> None:
    bad = event("05-01 10:30", "buy", {"n": 1}, id_="e-2")
    bad["value"]["occurred_at"] = "2026-05-01T12:00:00"
    lines = [*STORY[:3], bad, segment({"segment": "nowhere"}, of="t"), {"topic": "nothing"}, *STORY[3:]]
    result = run(lines)
    assert result.exit_code == 0
    assert changes(result) == changes(run(STORY))
    letters = read(result.stderr)
    assert [(one["line"], one["code"], one["path"]) for one in letters] == [
        (4, "occurred_in_future", "occurred_at"),
        (5, "unknown_reference", "clusters[0].conditions[0].segment"),
        (6, "invalid_schema", "topic"),
    ]
    assert letters[0]["topic"] == "behavior-events"
    assert all(one["message"] for one in letters)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        case("a key that is no text", {"key": 7}, "key"),
        case("an unknown field", {"headers": {}}, "headers"),
        case("an unknown topic", {"topic": "segment-commands"}, "topic"),
        case("a record beside a tick", {"tick": "2026-05-03T00:00:00+08:00"}, "key"),
    ],
)
def test_a_refused_line_moves_the_clock(run: Run, fields: Line, path: str) -> None:
    result = run([*STORY[:3], {**update("05-03", of="c3"), **fields}])
    assert changes(result) == [*changes(run(STORY[:3])), "05-02 10:00 s exited (time)"]
    (letter,) = read(result.stderr)
    assert (letter["line"], letter["code"], letter["path"]) == (4, "invalid_schema", path)
    assert letter["timestamp"] == "2026-05-02T16:00:00.000Z"


@pytest.mark.parametrize("command", ["replay", "explain"])
def test_a_file_may_be_a_pipe(command: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(as_text(STORY),), daemon=True)
    writer.start()
    asked = [] if command == "replay" else ["--contact", "c1", "--segment", "s", "--json"]
    result = CliRunner().invoke(app, [command, str(pipe), *asked])
    writer.join(10)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "behavior_event" in result.stdout if command == "replay" else '"member": true' in result.stdout


def test_a_file_may_be_standard_input_by_its_name(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "records.ndjson"
    expected = run(STORY).stdout
    program = [*PROGRAM, "/dev/stdin"]
    with subprocess.Popen(["cat", file], stdout=subprocess.PIPE) as source:
        result = subprocess.run(program, stdin=source.stdout, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


@pytest.mark.parametrize("blank", [b"\n", b"  \n", b"\r\n"])
def test_blank_lines_are_passed_over_and_counted(run: Run, blank: bytes) -> None:
    bad = as_text([{"topic": "nothing"}])
    result = run(as_text(STORY[:1]) + blank + as_text(STORY[1:]) + blank + bad)
    assert (result.exit_code, changes(result)) == (0, changes(run(STORY)))
    assert read(result.stderr)[0]["line"] == len(STORY) + 3


@pytest.mark.parametrize(
    "broken",
    [
        case("a line that is cut off", b'{"topic": "behavior-events"'),
        case("words", b"hello\n"),
        case("no UTF-8", b"\xff\xfe{}\n"),
        case("two objects on a line", b"{} {}\n"),
        case("an array that was not closed", b"[1,\n"),
        case("an array of records", as_text([STORY])),
        case("a number", b"5\n"),
        case("null", b"null\n"),
    ],
)
def test_a_file_that_is_no_ndjson_ends_with_2_after_what_came_before(run: Run, broken: bytes) -> None:
    result = run(as_text(STORY) + broken)
    assert result.exit_code == 2
    assert result.stdout == run(STORY).stdout
    assert f"line {len(STORY) + 1}" in result.stderr


@pytest.mark.parametrize("text", [as_text([STORY]), b"[\n" + as_text(STORY[:1])])
def test_a_file_that_is_one_array_is_refused_with_what_to_do(run: Run, text: bytes) -> None:
    result = run(text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 1 is a JSON array; write each of its objects on a line of its own" in result.stderr


@pytest.mark.parametrize(
    ("name", "why"), [("nothing.ndjson", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path, name: str, why: str) -> None:
    file = f"{tmp_path}/{name}"
    result = CliRunner().invoke(app, ["replay", file])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{file} cannot be read: {why}\n"


@pytest.mark.parametrize(
    "options",
    [("--timezone", "Mars/Olympus"), ("--until", "soon"), ("--emit", "everything"), ("--emit",)],
)
def test_an_option_that_is_wrong_ends_with_2_and_prints_nothing(run: Run, options: tuple[str, ...]) -> None:
    result = run(STORY, *options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_an_empty_file_gives_nothing(run: Run) -> None:
    result = run(b"")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_changes_are_ordered_by_when_they_took_effect_then_arrival_then_contact_and_segment(run: Run) -> None:
    lines = [
        segment(RECENT, of="b"),
        segment(RECENT, of="a"),
        event("05-01 10:00", "buy", of="c2"),
        event("05-01 10:00", "buy", of="c1"),
        event("05-03 10:00", "buy", of="c3"),
    ]
    found = read(run(lines).stdout)
    assert [told(change) for change in found] == [
        "05-01 10:00 c2 a entered (behavior_event)",
        "05-01 10:00 c2 b entered (behavior_event)",
        "05-01 10:00 a entered (behavior_event)",
        "05-01 10:00 b entered (behavior_event)",
        "05-02 10:00 a exited (time)",
        "05-02 10:00 b exited (time)",
        "05-02 10:00 c2 a exited (time)",
        "05-02 10:00 c2 b exited (time)",
        "05-03 10:00 c3 a entered (behavior_event)",
        "05-03 10:00 c3 b entered (behavior_event)",
    ]
    assert [change["effective_at"] for change in found] == sorted(change["effective_at"] for change in found)


def test_changes_of_one_erasure_are_ordered_by_segment(run: Run) -> None:
    # The event occurred after the erasure, so the contact is known again at once.
    erased = update("05-01 11:00", stated="05-01 09:00", deleted=True)
    bought = {"event": "buy"}
    lines = [segment(bought, of="a"), segment(bought, of="b"), event("05-01 10:00", "buy"), erased]
    assert changes(run(lines))[2:] == [
        "05-01 11:00 a exited (deletion)",
        "05-01 11:00 a entered (behavior_event)",
        "05-01 11:00 b exited (deletion)",
        "05-01 11:00 b entered (behavior_event)",
    ]


def test_two_processes_print_the_same_bytes(tmp_path: Path) -> None:
    many = [segment(RECENT, EVERYBODY, of=f"s{number}", at="05-03") for number in range(20)]
    file = tmp_path / "records.ndjson"
    file.write_bytes(as_text([*STORY, *many]))

    def printed(emit: str, seed: str) -> bytes:
        command = [*PROGRAM, str(file), "--emit", emit]
        # The order of a set of texts differs from process to process.
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment).stdout

    for emit in ("changes", "members", "explain"):
        assert printed(emit, "1") == printed(emit, "2") != b""
