"""Fixtures that run the command line against a fake API."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from streamseg.cli import app
from tests.cli.fake_api import FakeApi

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("STREAMSEG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def run(api: FakeApi) -> Run:
    """Run `streamseg` with these arguments against the fake API."""
    runner = CliRunner()

    def invoke(*arguments: object, input: str | None = None) -> Any:  # noqa: A002 - CliRunner's word
        transport = httpx.MockTransport(api.handle)
        return runner.invoke(app, [str(one) for one in arguments], input=input, obj=transport)

    return invoke
