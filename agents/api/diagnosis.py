"""`GET /diagnosis`: what a worker does at this moment, for administrators."""

from __future__ import annotations

from aiohttp import web

from agents.api.recent_errors import RecentErrors
from agents.api.requests import answer
from agents.api.stacks import stacks

PATH = "/diagnosis"


class Diagnosis:
    """Answers with the latest errors and the stacks of tasks and threads, without any data of contacts."""

    def __init__(self, recent_errors: RecentErrors) -> None:
        self._recent_errors = recent_errors

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.get)]

    async def get(self, request: web.Request) -> web.Response:
        return answer({"errors": self._recent_errors.lines(), **stacks()})
