"""An account may send so many requests a second, and the others are not affected."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.api import rates
from agents.api.rates import Rates
from streamseg.catalogue.state import Catalogue
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_quiet_account_may_send_a_burst_and_then_waits_for_each_request() -> None:
    clock = Clock()
    one = Rates(2.0, 3, clock)
    assert [one.wait_s("ann") for _ in range(4)] == [0, 0, 0, 0.5]
    assert one.wait_s("ben") == 0
    clock.now_s += 0.25
    assert one.wait_s("ann") == 0.25
    clock.now_s += 0.25
    assert [one.wait_s("ann"), one.wait_s("ann")] == [0, 0.5]
    clock.now_s += 1_000
    assert [one.wait_s("ann") for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 8), st.integers(1, 5))
def test_no_more_pass_in_any_time_than_burst_and_rate_allow(
    pauses: list[float], per_second: int, burst: int
) -> None:
    clock = Clock()
    one = Rates(per_second, burst, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now_s += pause
        if one.wait_s("ann") == 0:
            passed.append(clock.now_s)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            allowed = burst + (passed[last] - passed[first]) * per_second
            assert last - first + 1 <= allowed + 1e-6


def test_accounts_that_are_quiet_again_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_KEPT", 10)
    clock = Clock()
    one = Rates(1.0, 1, clock)
    for number in range(100):
        clock.now_s += 1
        assert one.wait_s(f"account-{number}") == 0
    assert len(one) <= 10


def test_a_request_too_many_is_refused_and_says_when_to_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(
            data_dir=tmp_path,
            http_host="127.0.0.1",
            http_port=0,
            api_tokens_file=TOKENS_FILE,
            api_requests_per_second=0.01,
            api_request_burst=2,
        )
        async with (
            served(settings, catalogue_topic=SimpleNamespace(catalogue=Catalogue())) as (_, port),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):

            async def ask(account: str, **headers: str) -> aiohttp.ClientResponse:
                headers["Authorization"] = f"Bearer {token_of(account)}"
                return await session.get("/api/v1/groups", headers=headers)

            assert [(await ask("ann")).status for _ in range(2)] == [200, 200]
            refused = await ask("ann")
            assert refused.status == 429
            assert int(refused.headers["Retry-After"]) in range(90, 101)
            assert (await refused.json(content_type=None))["code"] == "rate_limited"
            assert (await ask("ben")).status == 200
            # An administrator's requests count as the administrator's own, for whomever they are.
            found = [(await ask("otto", **{"X-Account": name})).status for name in ("a", "b", "c")]
            assert found == [200, 200, 429]
            # What is open to everybody, and probes, are not limited.
            for path in ("/api/v1/openapi.json", "/health"):
                for _ in range(4):
                    assert (await session.get(path)).status == 200
            metrics = await (await session.get("/metrics")).text()
            assert 'streamseg_api_refusals_total{code="rate_limited"} 2.0' in metrics
            assert "otto" not in metrics

    asyncio.run(main())


def test_zero_means_no_limit(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(
            data_dir=tmp_path,
            http_host="127.0.0.1",
            http_port=0,
            api_requests_per_second=0,
            api_request_burst=1,
        )
        async with (
            served(settings, catalogue_topic=SimpleNamespace(catalogue=Catalogue())) as (_, port),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            for _ in range(5):
                assert (await session.get("/api/v1/groups")).status == 200

    asyncio.run(main())
