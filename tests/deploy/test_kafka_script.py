"""deploy/kafka.sh where no broker is needed: its help, and what it says when something is amiss."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka.sh"


def call(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.fixture
def tools_without(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: what the script needs, save Java and Maven."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (
        "bash",
        "env",
        "sed",
        "dirname",
        "head",
        "awk",
        "mkdir",
        "mktemp",
        "ps",
        "grep",
        "cat",
        "cut",
    ):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def fake_java(tools_without: Path) -> Path:
    java = tools_without / "java"
    java.write_text("#!/usr/bin/env bash\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    return tools_without


def test_help_names_every_command_and_tool() -> None:
    told = call("--help")
    assert told.returncode == 0
    for word in (
        "fetch",
        "start DIR",
        "--port",
        "--listener",
        "--properties",
        "stop DIR",
        "status DIR",
        "console TOOL",
        "JAVA_HOME",
    ):
        assert word in told.stdout
    for tool in ("kafka-topics", "kafka-console-producer", "kafka-console-consumer", "kafka-get-offsets"):
        assert tool in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which command?"),
        (["restart"], "unknown command 'restart'"),
        (["start"], "start needs a folder"),
        (["start", "x", "--porto", "1"], "unknown option '--porto'"),
        (["start", "x", "--port", "nine"], "'nine' is not a port"),
        (["start", "x", "--port", "70000"], "'70000' is not a port"),
        (["start", "x", "--port"], "is not a port"),
        (["start", "x", "--listen", "0.0.0.0"], "--listen takes"),  # noqa: S104  # it is to be refused
        (["start", "x", "--listener", "SECURE:9094"], "--listener takes NAME:PROTOCOL:PORT"),
        (["start", "x", "--listener", "SECURE:TLS:9094"], "--listener takes NAME:PROTOCOL:PORT"),
        (["start", "x", "--properties", "/nowhere"], "cannot read '/nowhere'"),
        (["stop"], "stop needs a folder"),
        (["status"], "status needs a folder"),
        (["console"], "console needs a tool"),
        (["console", "kafka-nonsense"], "unknown tool 'kafka-nonsense'"),
    ],
)
def test_misuse_is_told_on_stderr_with_status_2(arguments: list[str], said: str) -> None:
    told = call(*arguments)
    assert told.returncode == 2
    assert said in told.stderr
    assert told.stdout == ""


def test_a_folder_without_a_broker_has_status_3(tmp_path: Path) -> None:
    told = call("status", tmp_path)
    assert told.returncode == 3
    assert "no broker runs" in told.stderr
    assert told.stdout == ""


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for command in ("stop", "status"):
        told = call(command, tmp_path / "none")
        assert told.returncode == 1
        assert "there is no folder" in told.stderr


def test_stopping_what_does_not_run_is_no_error(tmp_path: Path) -> None:
    assert call("stop", tmp_path).returncode == 0


def test_a_pid_that_belongs_to_another_program_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "kafka.pid").write_text(str(os.getpid()))
    assert call("status", tmp_path).returncode == 3
    assert call("stop", tmp_path).returncode == 0, "and this process still runs"


def test_a_machine_without_java_is_told_so(tmp_path: Path, tools_without: Path) -> None:
    told = call("start", tmp_path / "k", PATH=str(tools_without), JAVA_HOME="")
    assert told.returncode == 1
    assert "no Java" in told.stderr


def test_a_java_that_is_too_old_is_told_so(tmp_path: Path, fake_java: Path) -> None:
    (fake_java / "java").write_text("#!/usr/bin/env bash\necho 'openjdk version \"11.0.2\"' >&2\n")
    told = call("start", tmp_path / "k", PATH=str(fake_java), JAVA_HOME="")
    assert told.returncode == 1
    assert "needs Java 17 or newer" in told.stderr
    assert "is 11" in told.stderr


def test_a_machine_without_maven_is_told_so(tmp_path: Path, fake_java: Path) -> None:
    told = call("fetch", PATH=str(fake_java), JAVA_HOME="", STREAMSEG_KAFKA_JARS=str(tmp_path / "jars"))
    assert told.returncode == 1
    assert "no mvn" in told.stderr


def test_jars_that_are_there_are_not_fetched_again(tmp_path: Path, fake_java: Path) -> None:
    (tmp_path / "complete").touch()
    told = call("fetch", tmp_path, PATH=str(fake_java), JAVA_HOME="")
    assert told.returncode == 0, "Maven is not asked: there is none"


def test_a_port_that_is_taken_is_told_so(tmp_path: Path, fake_java: Path) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "complete").touch()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = call(
            "start", tmp_path / "k", "--port", port,
            PATH=str(fake_java), JAVA_HOME="", STREAMSEG_KAFKA_JARS=str(tmp_path / "jars"),
        )  # fmt: skip
    assert told.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in told.stderr
    assert told.stdout == ""
