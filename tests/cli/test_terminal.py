"""Text from other people on a terminal: no command prints characters that control the terminal."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import typer
from click.testing import Result
from rich.text import Text

from streamseg.cli import app
from streamseg.cli.terminal import TerminalConsole, echo, echo_json, json_output, visible, visible_json
from streamseg.errors import StreamsegError
from tests.cli.conftest import Run
from tests.cli.fake_api import CHANGES, ME, FakeApi, stream

HOSTILE = (
    "\x1b[2J\x1b]0;mine\x07\x9b31m\x08\r\x7f\x85\u202egnp\u202c\u2066\u2069\u200e\u200f\u061c\u2028\U000e0041"
)
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0041]")
ROOT = Path(__file__).parents[2]
COMMAND_FILES = [
    *ROOT.glob("streamseg/cli/*.py"),
    *ROOT.glob("agents/commands/*.py"),
    *ROOT.glob("agents/*/command.py"),
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 中文 e\u0301 👩‍👩‍👧 שלום\ttab\n", "plain 中文 e\u0301 👩‍👩‍👧 שלום\ttab\n"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x07\x00\r\x7f\x9b", "\\x07\\x00\\x0d\\x7f\\x9b"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_a_terminal_obeys_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_json_for_a_terminal_is_the_same_value() -> None:
    value = {HOSTILE: [HOSTILE, "中文"], "n": 1}
    shown = visible_json(orjson.dumps(value).decode())
    assert OBEYED.search(shown) is None
    assert orjson.loads(shown) == value


def test_a_console_shows_escapes_wherever_the_text_stands() -> None:
    out = io.StringIO()
    console = TerminalConsole(
        file=out, force_terminal=True, width=400, color_system="standard", highlight=False, markup=False
    )
    console.print(HOSTILE, style="red")
    console.print(Text(HOSTILE, "bold"))
    # Only rich's own styles are left.
    assert set(re.findall("\x1b[^m]*m", out.getvalue())) == {"\x1b[31m", "\x1b[1m", "\x1b[0m"}
    plain = re.sub("\x1b\\[[0-9]+m", "", out.getvalue())
    first, second = plain.splitlines()
    # A text of rich's own has lost the bell, the backspace and the carriage return before.
    assert first == visible(HOSTILE)
    assert second == visible(re.sub("[\x07\x08\r]", "", HOSTILE))


class Stream(io.TextIOWrapper):
    """Standard output that is a terminal, or is not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def written(self) -> bytes:
        data: bytes = self.buffer.getvalue()  # type: ignore[attr-defined]
        return data


@pytest.mark.parametrize("terminal", [True, False])
def test_what_programs_read_is_exact_but_on_a_terminal(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"name": HOSTILE}
    exact = orjson.dumps(value) + b"\n"
    for write in (lambda: echo_json(value), lambda: json_output().write(exact), lambda: echo(HOSTILE)):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stdout", stream)
        write()
        sys.stdout.flush()
        monkeypatch.undo()
        if terminal:
            assert OBEYED.search(stream.written.decode()) is None
        else:
            assert stream.written in (exact, HOSTILE.encode() + b"\n")


def test_every_command_of_other_packages_is_in_these_files() -> None:
    modules = {entry.module.replace(".", "/") for entry in entry_points(group="streamseg.commands")}
    files = {path.relative_to(ROOT).with_suffix("").as_posix() for path in COMMAND_FILES}
    assert "agents/commands/reset" in files
    assert modules <= {file.removesuffix("/__init__") for file in files}


@pytest.mark.parametrize("path", COMMAND_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_print_in_one_way(path: Path) -> None:
    if path.name != "terminal.py":
        direct = re.findall(
            r"(?:typer|click)\.(?:s?echo|confirm|prompt)|\bprint\(|(?<!Terminal)Console\(|sys\.std(?:out|err)\.(?:buffer|write)",
            re.sub(r"\.print\(|def \w+\(", "", path.read_text()),
        )
        assert direct == []


# -- every command over the API ---------------------------------------------------------------------------

# What a program decides by: the rest is text of somebody's making.
KEPT = {
    "type",
    "status",
    "relation",
    "match",
    "operator",
    "entered_at",
    "known_since",
    "next_change_at",
    "created_at",
    "updated_at",
    "since",
    "may_change_at",
    "at",
    "next_cursor",
    "change",
    "operations",
    "attribute",
    "kept",
    "timezone",
}


def spoilt(value: Any, key: str = "") -> Any:
    """A value with hostile text in all of its texts."""
    if isinstance(value, dict):
        named = {name: spoilt(item, name) for name, item in value.items()}
        return {**named, HOSTILE: HOSTILE} if key == "attributes" else named
    if isinstance(value, list):
        return value if key in KEPT else [spoilt(item, key) for item in value]
    return value + HOSTILE if isinstance(value, str) and key not in KEPT else value


class HostileApi(FakeApi):
    """Answers with hostile text in everything that is somebody's own."""

    def handle(self, request: httpx.Request) -> httpx.Response:
        answered = super().handle(request)
        if request.url.path.endswith("/changes"):
            return stream([(name, spoilt(data)) for name, data in CHANGES])
        if not answered.content:
            return answered
        return httpx.Response(answered.status_code, json=spoilt(answered.json()))


@pytest.fixture
def api() -> FakeApi:
    api = HostileApi()
    api.add("cn")
    api.add("list", type="static")
    api.groups["g"] = ME
    api.contacts["cn"] = ["c1", "c2"]
    return api


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "segments"
    folder.mkdir()
    definition = {
        "segment_id": f"new{HOSTILE}",
        "name": HOSTILE,
        "type": "standard",
        "clusters": [
            {"match": "all", "conditions": [{"attribute": HOSTILE, "operator": "eq", "value": HOSTILE}]}
        ],
    }
    (folder / "new.json").write_bytes(orjson.dumps(definition))
    (folder / "bad.json").write_bytes(orjson.dumps({**definition, HOSTILE: 1}))
    records = [
        {
            "topic": "segment-definitions",
            "timestamp": 1,
            "key": definition["segment_id"],
            "value": definition,
        },
        {
            "topic": "contact-updates",
            "timestamp": 2,
            "key": HOSTILE,
            "value": {"contact_id": HOSTILE, "attributes": {HOSTILE: HOSTILE}},
        },
        {"topic": "contact-updates", "timestamp": 3, "key": HOSTILE, "value": {HOSTILE: HOSTILE}},
    ]
    (tmp_path / "records.ndjson").write_bytes(b"\n".join(map(orjson.dumps, records)))
    (tmp_path / "ids.txt").write_text("c1\nc1\n")
    return {
        "folder": folder,
        "definition": folder / "new.json",
        "records": tmp_path / "records.ndjson",
        "ids": tmp_path / "ids.txt",
    }


COMMANDS: list[tuple[str, ...]] = [
    ("segments", "list"),
    ("segments", "show", "cn"),
    ("segments", "show", "cn", "--definition"),
    ("segments", "create", "{definition}"),
    ("segments", "edit", "cn", "{definition}"),
    ("segments", "copy", "cn"),
    ("segments", "delete", "cn", "--yes"),
    ("segments", "delete", "cn"),
    ("segments", "move", "cn", "--group", HOSTILE),
    ("segments", "share", "cn", "--with", HOSTILE),
    ("segments", "calculate", "cn"),
    ("segments", "contacts", "cn"),
    ("segments", "contacts", "cn", "--all"),
    ("segments", "explain", "cn", "c1"),
    ("segments", "preview", "{definition}"),
    ("segments", "preview", "{definition}", "--compare"),
    ("segments", "preview", "{definition}", "--contact", HOSTILE),
    ("segments", "changes", HOSTILE),
    ("segments", "versions", "cn"),
    ("segments", "versions", "cn", "2", "--since", "1"),
    ("segments", "revert", "cn", "1"),
    ("segments", "restore"),
    ("segments", "restore", HOSTILE, "--as", HOSTILE),
    ("segments", "recount", "cn"),
    ("segments", "apply", "{folder}", "--dry-run"),
    ("segments", "apply", "{folder}", "--yes"),
    ("segments", "show", HOSTILE),
    ("groups", "list"),
    ("groups", "create", HOSTILE),
    ("groups", "rename", "g", HOSTILE),
    ("groups", "delete", "g", "--yes"),
    ("groups", "delete", "g"),
    ("contacts", "search"),
    ("contacts", "search", HOSTILE),
    ("contacts", "timeline", "c1"),
    ("contacts", "segments", "c1"),
    ("segments", "growth", "cn"),
    ("contacts", "show", "c1"),
    ("contacts", "show", HOSTILE),
    ("contacts", "export", "c1"),
    ("contacts", "erase", HOSTILE),
    ("contacts", "erase", "c1", "--wait", "--yes"),
    ("lists", "import", "list", "{ids}"),
    ("replay", "{records}"),
    ("explain", "{records}", "--contact", HOSTILE, "--segment", f"new{HOSTILE}"),
    ("explain", "{records}", "--contact", HOSTILE, "--segment", HOSTILE),
]


def every_command() -> Iterator[tuple[str, ...]]:
    """The commands of the command line itself, groups entered."""
    root = typer.main.get_group(app)
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        yield from ((name, one) for one in below) if below else ((name,),)


def test_all_commands_are_tried() -> None:
    assert set(every_command()) == {
        command[: 2 if command[0] not in ("replay", "explain") else 1] for command in COMMANDS
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_output_has_what_a_terminal_obeys(
    run: Run, files: dict[str, Path], command: tuple[str, ...], lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamseg.cli.terminal._is_terminal", lambda *_, **__: True)
    language = ("--lang", lang) if command[0] != "replay" else ()
    given = (files[one[1:-1]] if one.startswith("{") else one for one in command)
    done: Result = run(*given, *language, input="n\n")
    assert done.exception is None or isinstance(done.exception, (SystemExit, StreamsegError))
    assert OBEYED.search(done.output.replace("\n", "")) is None, repr(done.output)
