"""`streamseg worker` before it connects to a broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agents.worker.data_folder import DataFolder
from streamseg.settings import Settings

STREAMSEG = Path(sys.executable).parent / "streamseg"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STREAMSEG, "worker", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
    )


def test_help_says_how_to_start_and_stop_it() -> None:
    result = run("--help")
    assert result.returncode == 0
    for text in ("--bootstrap", "--data-dir", "--http-port", "SIGTERM", "streamseg topics create"):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"STREAMSEG_PARTITIONS": "none"}, "STREAMSEG_PARTITIONS: must be a valid integer"),
        ({"STREAMSEG_TIMEZONE": "Mars/Base"}, "STREAMSEG_TIMEZONE: 'Mars/Base' is not an IANA time zone"),
        ({"STREAMSEG_CHECKPOINT_RECORDS": "0"}, "STREAMSEG_CHECKPOINT_RECORDS: must be greater than 0"),
        (
            {"STREAMSEG_API_TOKENS": "secret"},
            "STREAMSEG_API_TOKENS is not read any more; make each token with",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(environment: dict[str, str], named: str) -> None:
    result = run(**environment)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"streamseg worker: {named}")


def test_without_a_broker_it_ends_with_a_reason(tmp_path: Path) -> None:
    result = run(
        *("--bootstrap", "127.0.0.1:1", "--data-dir", str(tmp_path), "--http-port", "0"),
        STREAMSEG_START_TIMEOUT_MS="1000",
    )
    assert result.returncode == 1
    assert "given up after 1 s" in result.stderr
    assert "no Kafka answered at 127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_is_in_use_ends_it_before_it_asks_any_broker(tmp_path: Path) -> None:
    with DataFolder(Settings(data_dir=tmp_path)):
        result = run("--bootstrap", "127.0.0.1:1", "--data-dir", str(tmp_path), "--http-port", "0")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("streamseg worker: another worker is running on the data folder")


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    result = run(
        *("--bootstrap", "127.0.0.1:1", "--data-dir", str(tmp_path), "--http-port", "0"),
        STREAMSEG_START_TIMEOUT_MS="1000",
        STREAMSEG_PARTITION="12",
    )
    assert (
        "STREAMSEG_PARTITION is not a setting and is not read; did you mean STREAMSEG_PARTITIONS?"
        in result.stderr
    )
