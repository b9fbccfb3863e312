"""Asks other workers for the partitions that they own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

import aiohttp

from agents.api.partitions import LocalPartitions
from agents.api.problems import ProblemError, RelayedError
from agents.api.tls import peers_context
from agents.catalogue.progress_reader import Peer, ProgressReader
from streamseg.json_text import Json, dumps, loads
from streamseg.settings import Settings

_RETRY_SECONDS = 0.1
_LOOK_SECONDS = 5.0
_UNAUTHORIZED = 401
_NOT_HERE = 421


class Headed(Protocol):
    """The part of a caller's request that other workers need: its headers, for the language."""

    @property
    def headers(self) -> Mapping[str, str]: ...


class _ElsewhereError(Exception):
    """A partition is not at the expected worker; it must be looked up again."""


class Peers:
    """Asks for each partition the worker that owns it now. While partitions move, it asks again until the
    timeout."""

    def __init__(self, settings: Settings, local: LocalPartitions, progress: ProgressReader) -> None:
        self._settings = settings
        self._seconds = settings.command_timeout_ms / 1000
        self._local = local
        self._progress_reader = progress
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=self._seconds)
        connector = aiohttp.TCPConnector(ssl=peers_context(self._settings))
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        request: Headed,
        numbers: list[int],
        here: Callable[[list[int]], Awaitable[Json]],
        path: str,
        body: Json,
    ) -> list[Json]:
        """Return the answers for partitions: of `here` for those at work in this worker; for the others, the
        owners' answers to a POST of `body` and their partitions to `path` below /internal/v1.

        Raises ProblemError `timeout`, and RelayedError for problems of other workers.
        """
        moved: Exception | None = None
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    try:
                        return await self._ask_once(request, numbers, here, path, body)
                    except (_ElsewhereError, aiohttp.ClientConnectionError) as error:
                        moved = error
                        await asyncio.sleep(_RETRY_SECONDS)
        except TimeoutError as error:
            problem = f"no answer within {self._seconds:g} s; ask for less, or try again later"
            if moved is not None:
                problem = f"not all partitions are at work: {moved}"
            raise ProblemError("timeout", problem) from error

    async def ask_one(self, request: Headed, peer: Peer, path: str) -> Json | str:
        """Return a worker's answer to a POST to `path` below /internal/v1; if there is none after a few
        seconds, the reason in words."""
        try:
            async with asyncio.timeout(min(self._seconds, _LOOK_SECONDS)):
                return await self._post(request, peer, path, {})
        except _ElsewhereError:
            return "another worker answers at this address"
        except RelayedError as error:
            return f"it answered with status {error.status}"
        except TimeoutError:
            return "it does not answer"
        except aiohttp.ClientError:
            return "it cannot be reached"

    async def _ask_once(
        self,
        request: Headed,
        numbers: list[int],
        here: Callable[[list[int]], Awaitable[Json]],
        path: str,
        body: Json,
    ) -> list[Json]:
        owned: dict[Peer, list[int]] = {}
        for number in numbers:
            if not self._local.has(number):
                peer = self._progress_reader.peer(number)
                if peer is None:
                    raise _ElsewhereError(f"nobody has reported partition {number}")
                owned.setdefault(peer, []).append(number)
        mine = [number for number in numbers if self._local.has(number)]
        asked = [
            self._post(request, peer, path, {**body, "partitions": theirs}) for peer, theirs in owned.items()
        ]
        if mine:
            asked.append(self._here(here, mine))
        return await _all_or_none(asked)

    async def _here(self, here: Callable[[list[int]], Awaitable[Json]], numbers: list[int]) -> Json:
        try:
            return await here(numbers)
        except ProblemError as error:
            if error.code == "not_here":
                raise _ElsewhereError(error.detail) from error
            raise

    async def _post(self, request: Headed, peer: Peer, path: str, body: Json) -> Json:
        if self._session is None:
            raise RuntimeError("the API was not started")
        headers = {"Authorization": f"Bearer {peer.secret}", "Content-Type": "application/json"}
        if "Accept-Language" in request.headers:
            headers["Accept-Language"] = request.headers["Accept-Language"]
        url = f"{peer.url}/internal/v1{path}"
        async with self._session.post(url, data=dumps(body), headers=headers) as response:
            data = await response.read()
            if response.status in (_NOT_HERE, _UNAUTHORIZED):
                # Another worker may have started at the address of one that ended.
                raise _ElsewhereError(f"{peer.url} has it no longer")
            if response.status != 200:
                raise RelayedError(response.status, data)
            answer: Json = loads(data)
            return answer


async def _all_or_none(asked: list[Coroutine[Any, Any, Json]]) -> list[Json]:
    """Return all results. If one fails, or the caller disconnects, all others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
