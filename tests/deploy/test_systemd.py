"""The systemd unit is one that systemd reads, and runs the worker that there is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
import typer

from agents.commands.state import state
from streamseg.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = FOLDER / "streamseg-worker@.service"
BACKUP = FOLDER / "streamseg-backup.service"
BOTH = ["settings.env", "backup.env"]
PROGRAM = "/opt/streamseg/bin/streamseg"


def verified(text: str, folder: Path, unit: Path = UNIT) -> str:
    """What systemd has against the unit; its program is replaced by one that exists here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit was not verified")
    path = folder / unit.name
    path.write_text(text.replace(PROGRAM, str(Path(sys.executable).with_name("streamseg"))), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=60)
    # The status is 0 also after warnings.
    return "\n".join(line for line in done.stderr.splitlines() if str(path) in line or unit.name in line)


def parsed(unit: Path) -> RawConfigParser:
    """The sections of a unit."""
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert verified(text, tmp_path) == ""
    assert "ProtectClok" in verified(text.replace("ProtectClock", "ProtectClok"), tmp_path)


def test_the_backup_runs_a_command_that_there_is_each_night_and_writes_where_it_may(tmp_path: Path) -> None:
    text = BACKUP.read_text(encoding="utf-8")
    assert verified(text, tmp_path, BACKUP) == ""
    (started,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    program, room, name, *arguments = started.removeprefix("ExecStart=").split()
    assert (program, room, name) == (PROGRAM, "state", "export")
    command = typer.main.get_command(state).commands["export"]  # type: ignore[attr-defined]
    to = command.make_context("export", arguments).params["to"]
    assert f"ReadWritePaths={to}" in text.splitlines()
    timer = BACKUP.with_suffix(".timer")
    assert "OnCalendar=" in timer.read_text(encoding="utf-8")


@pytest.mark.parametrize(("files", "user"), [(["settings.env"], "streamseg"), (BOTH, "streamseg-backup")])
def test_the_settings_are_those_of_a_login_with_files_of_one_folder(
    files: list[str], user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in files:
        for line in (FOLDER / file).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                monkeypatch.setenv(*line.split("=", 1))
    settings = Settings.read()
    assert settings.uses_ssl
    assert settings.sasl_username == user
    named = [getattr(settings, name) for name in Settings.model_fields if name.endswith("_file")]
    folders = {str(file.parent) for file in named if file is not None}
    assert folders == {"/etc/streamseg"}
    stop_ms = 1000 * int(parsed(UNIT)["Service"]["TimeoutStopSec"])
    assert settings.session_timeout_ms > stop_ms


def test_each_worker_has_its_own_folder_and_name() -> None:
    service = parsed(UNIT)["Service"]
    assert service["ExecStart"] == f"{PROGRAM} worker"
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    assert f"Environment=STREAMSEG_DATA_DIR=%S/{service['StateDirectory']}" in lines
    assert service["StateDirectory"].endswith("/%i")
    assert "Environment=STREAMSEG_INSTANCE_ID=%H-%i" in lines
