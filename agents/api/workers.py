"""`GET /workers`: the condition of every worker, gathered by the one that is asked, for administrators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from agents.api.peers import Peers
from agents.api.requests import answer
from agents.catalogue.progress_reader import Peer, ProgressReader
from streamseg.json_text import Json

PATH = "/workers"
ONE = "/worker"
"""Where one worker describes itself to another."""

Condition = Callable[[], Json]
"""Returns the condition of this worker."""


class Workers:
    """Asks every worker that has told where it is. A worker that does not answer is listed with the
    reason."""

    def __init__(
        self,
        *,
        condition: Condition,
        peers: Peers,
        progress: ProgressReader,
        own: Callable[[], Peer],
    ) -> None:
        """`own` returns the address of this worker."""
        self._condition = condition
        self._peers = peers
        self._progress = progress
        self._own = own

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.get)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post(ONE, self.get_one)]

    async def get(self, request: web.Request) -> web.Response:
        own = self._own().url
        others = [peer for peer in self._progress.workers() if peer.url != own]
        answers = await asyncio.gather(*(self._peers.ask_one(request, peer, ONE) for peer in others))
        found = {own: _listed(own, self._condition())}
        for peer, given in zip(others, answers, strict=True):
            found[peer.url] = _listed(peer.url, given)
        return answer({"asked": own, "workers": [found[url] for url in sorted(found)]})

    async def get_one(self, _: web.Request) -> web.Response:
        return answer(self._condition())


def _listed(url: str, given: Json | str) -> Json:
    if isinstance(given, str):
        return {"url": url, "problem": given, "condition": None}
    return {"url": url, "problem": None, "condition": given}
