"""`streamseg demo`, as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from agents.console.page import BUILT

WAIT_SECONDS = 240.0
STREAMSEG = Path(sys.executable).parent / "streamseg"


def test_the_demonstration_shows_changes_and_goes_on_for_the_console() -> None:
    started = subprocess.Popen(
        [STREAMSEG, "demo", "--contacts", "200", "--events", "300", "--seconds", "600"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    end = threading.Timer(WAIT_SECONDS, started.kill)
    end.start()
    try:
        assert started.stdout is not None
        lines = iter(started.stdout.readline, "")
        before = [line for line in _until(lines, "nothing was recomputed") if line.strip()]
        assert any("entered" in line for line in before)
        address = next(lines)
        if (BUILT / "index.html").is_file():
            found = re.search(r"http://localhost:\d+", address)
            assert found is not None
            _check_page(found.group())
        else:
            assert "make console" in address
    finally:
        end.cancel()
        started.terminate()
        started.communicate(timeout=60)


def _until(lines: Iterator[str], text: str) -> Iterator[str]:
    for line in lines:
        yield line
        if text in line:
            return
    raise AssertionError(f"{text} was not printed")


def _check_page(url: str) -> None:
    """The page is there, the segments belong to whoever runs the demonstration, and new contacts come."""
    with httpx.Client(base_url=url, follow_redirects=True) as client:
        assert "streamseg" in client.get("/").text
        rows = client.get("/api/v1/segments?created_by=local").json()["rows"]
        assert {row["segment_id"] for row in rows} == {"cn-members", "points-1000", "push"}
        deadline = time.monotonic() + 60
        while client.get("/api/v1/contacts/c00203").status_code != 200:
            assert time.monotonic() < deadline, "no contact came"
            time.sleep(0.1)
