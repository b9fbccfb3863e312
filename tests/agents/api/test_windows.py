"""`POST /window` says where a window lies now, in the time zone of its definition."""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from aiohttp import ClientSession

from streamseg.settings import Settings
from streamseg.times import parse_timestamp_ms
from tests.agents.api.served import served

SETTINGS = Settings(http_host="127.0.0.1", http_port=0)
NOW_MS = parse_timestamp_ms("2026-05-20T12:00:00-04:00", ZoneInfo("UTC"))
"""What the worker's clock shows. The clock of the machine may be wrong."""


def asked(body: dict[str, Any]) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        async with (
            served(SETTINGS, now_ms=lambda: NOW_MS) as (_, port),
            ClientSession(f"http://127.0.0.1:{port}") as session,
            session.post("/api/v1/window", json=body) as answered,
        ):
            return answered.status, orjson.loads(await answered.read())

    return asyncio.run(main())


def test_a_period_begins_at_midnight_of_its_zone() -> None:
    status, found = asked(
        {"window": {"period": {"unit": "month", "from": 0, "to": 0}}, "timezone": "America/New_York"}
    )
    assert status == 200
    assert found == {
        "now": "2026-05-20T16:00:00.000Z",
        "first": "2026-05-01T04:00:00.000Z",
        "end": "2026-06-01T04:00:00.000Z",
        "timezone": "America/New_York",
    }


def test_an_open_bound_is_null_and_the_zone_the_configured_one() -> None:
    status, found = asked({"window": {"between": [None, "2026-05-01"]}})
    assert (status, found["first"], found["end"]) == (200, None, "2026-04-30T16:00:00.000Z")
    assert found["timezone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"window": {"last": "P9999D"}}, "window.last"),
        ({"window": {"last": "P1D"}, "timezone": "Mars/Base"}, "timezone"),
        ({"window": {}}, "window"),
    ],
)
def test_what_a_definition_may_not_have_is_refused_with_its_path(body: dict[str, Any], path: str) -> None:
    status, problem = asked(body)
    assert (status, problem["path"]) == (422, path)
