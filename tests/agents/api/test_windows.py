"""`POST /window` says where a window lies now, in the time zone of its definition."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from aiohttp import ClientSession

from streamseg.settings import Settings
from tests.agents.api.served import served

SETTINGS = Settings(http_host="127.0.0.1", http_port=0)


def asked(body: dict[str, Any]) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        async with (
            served(SETTINGS) as (_, port),
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
    zone = ZoneInfo("America/New_York")
    now, first, end = (
        datetime.fromisoformat(found[name]).astimezone(zone) for name in ("now", "first", "end")
    )
    assert (first.day, first.hour, end.day, end.hour) == (1, 0, 1, 0)
    assert first <= now < end
    assert found["timezone"] == "America/New_York"


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
