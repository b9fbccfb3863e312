"""A built wheel has the console in it, or is not built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents.console.page import BUILT

ROOT = Path(__file__).parents[3]
OPEN = """
import asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from agents.console.page import ConsolePage
from streamseg.settings import Settings

async def main():
    application = web.Application()
    ConsolePage(Settings()).mount(application)
    async with TestClient(TestServer(application)) as client:
        answered = await client.get("/")
        text = await answered.text()
        script = text.split('src="')[1].split('"')[0]
        print(answered.status, (await client.get(script)).status)

asyncio.run(main())
"""


def _checkout(folder: Path) -> Path:
    """A copy of what a package is built from."""
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("agents", "streamseg", "schemas"):
        left_out = shutil.ignore_patterns("__pycache__", "*.so", "static")
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    return folder


def _wheel(checkout: Path, into: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["wheel", "--quiet", "--no-deps", "--disable-pip-version-check", "--wheel-dir", str(into)]
    # The setuptools of this environment: an isolated build would fetch another one.
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--no-build-isolation", str(checkout)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_no_wheel_is_built_without_the_console(tmp_path: Path) -> None:
    done = _wheel(_checkout(tmp_path), tmp_path / "wheels")
    assert done.returncode != 0
    assert "make console" in done.stdout + done.stderr


def test_the_page_opens_from_an_installed_wheel(tmp_path: Path) -> None:
    if not (BUILT / "index.html").is_file():
        if os.environ.get("CI"):
            pytest.fail("the console is not built: make console")
        pytest.skip("the console is not built (make console): no wheel was tried")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copytree(BUILT, _checkout(checkout) / "agents" / "console" / "static")
    done = _wheel(checkout, tmp_path / "wheels")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=300)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)],
        check=True,
        timeout=900,
    )
    opened = subprocess.run([python, "-c", OPEN], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert opened.stdout.split() == ["200", "200"], opened.stderr
