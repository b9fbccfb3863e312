"""The data folder belongs to one worker at a time, and no other user can read it."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from agents.worker.data_folder import DataFolder
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "far" / "below")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_folder_that_is_in_use_is_refused_until_it_is_released(settings: Settings) -> None:
    first, second = DataFolder(settings), DataFolder(settings)
    with first:
        with pytest.raises(ConfigurationError, match="another worker is running on the data folder"):
            second.lock()
        second.release()
        with pytest.raises(ConfigurationError):
            second.lock()
    second.lock()
    second.release()


def test_applications_do_not_share_a_folder_either(settings: Settings) -> None:
    other = settings.model_copy(update={"application_id": "other"})
    with DataFolder(settings), pytest.raises(ConfigurationError):
        DataFolder(other).lock()


def test_a_worker_that_is_killed_leaves_no_lock_behind(settings: Settings) -> None:
    holding = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from agents.worker.data_folder import DataFolder;"
            "from streamseg.settings import Settings;"
            "DataFolder(Settings(data_dir=Path(sys.argv[1]))).lock(); print('locked', flush=True);"
            "sys.stdin.read()",
            str(settings.data_dir),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holding:
        assert holding.stdout is not None
        assert holding.stdout.readline() == "locked\n"
        with pytest.raises(ConfigurationError):
            DataFolder(settings).lock()
        holding.kill()
    with DataFolder(settings):
        pass


def test_what_other_users_could_read_they_no_longer_can(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    table = settings.data_dir / "v1" / "tables" / "contacts-0.db"
    table.mkdir(parents=True)
    state = table / "000004.sst"
    state.write_bytes(b"names and addresses")
    elsewhere = settings.data_dir / "notes.txt"
    elsewhere.write_bytes(b"somebody else's")
    for path in (settings.data_dir, table):
        path.chmod(0o755)
    for path in (state, elsewhere):
        path.chmod(0o644)
    with caplog.at_level(logging.INFO), DataFolder(settings):
        assert mode(settings.data_dir) == 0o700
        assert mode(table) == 0o700
        assert mode(state) == 0o600
        assert mode(elsewhere) == 0o644
    assert "other users could read" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO), DataFolder(settings):
        assert caplog.text == ""


def test_a_folder_where_everybody_may_make_files_is_left_as_it_is(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    settings.data_dir.chmod(0o1777)
    with DataFolder(settings):
        assert settings.data_dir.stat().st_mode & 0o7777 == 0o1777


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="STREAMSEG_DATA_DIR"):
        DataFolder(Settings(data_dir=blocked / "data")).lock()
