"""Limits how many requests each account sends to a worker: a token bucket for each one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.problems import ProblemError
from agents.api.roles import CALLER
from streamseg.settings import Settings

_KEPT: Final = 1_000
"""The number of buckets from which full ones are dropped: a full one is like that of a new account."""


class _Bucket(NamedTuple):
    level: float
    at_s: float


class Rates:
    """The buckets of all accounts. Each holds `burst` requests, and gets `per_second` more each second."""

    def __init__(self, per_second: float, burst: int, now_s: Callable[[], float] = time.monotonic) -> None:
        """`now_s` returns the s of any clock that never goes back."""
        self._per_second = per_second
        self._burst = burst
        self._now_s = now_s
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, account: str) -> float:
        """Take one request from the account's bucket and return 0. If there is none, take nothing and return
        the time in s until there is one."""
        now_s = self._now_s()
        level = self._level(self._buckets.get(account), now_s)
        if level < 1:
            return (1 - level) / self._per_second
        self._buckets[account] = _Bucket(level - 1, now_s)
        if len(self._buckets) > _KEPT:
            self._buckets = {
                name: one for name, one in self._buckets.items() if self._level(one, now_s) < self._burst
            }
        return 0

    def _level(self, bucket: _Bucket | None, now_s: float) -> float:
        if bucket is None:
            return self._burst
        return min(self._burst, bucket.level + (now_s - bucket.at_s) * self._per_second)


def limited(settings: Settings) -> Middleware:
    """Return a middleware that refuses requests of an account beyond its rate. It counts by the account of
    the token, also if an administrator acts for others."""
    rates = Rates(settings.api_requests_per_second, settings.api_request_burst)

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if settings.api_requests_per_second and CALLER in request:
            wait_s = rates.wait_s(request[CALLER].sender)
            if wait_s:
                raise ProblemError(
                    "rate_limited",
                    "this account sends too many requests; wait as long as Retry-After says",
                    retry_after_s=math.ceil(wait_s),
                )
        return await handler(request)

    return limit
