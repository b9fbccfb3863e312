"""`GET /diagnosis`: what a worker does at this moment, for operators."""

from __future__ import annotations

from aiohttp import web

from agents.api.auth import may_operate
from agents.api.problems import ProblemError
from agents.api.recent_errors import RecentErrors
from agents.api.requests import answer
from agents.api.stacks import stacks
from streamseg.settings import Settings

PATH = "/diagnosis"


class Diagnosis:
    """Answers with the latest errors and the stacks of tasks and threads, without any data of contacts."""

    def __init__(self, settings: Settings, recent_errors: RecentErrors) -> None:
        self._settings = settings
        self._recent_errors = recent_errors

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.get)]

    async def get(self, request: web.Request) -> web.Response:
        if not may_operate(request, self._settings):
            raise ProblemError("not_permitted", "for operators only; they are named in STREAMSEG_OPERATORS")
        return answer({"errors": self._recent_errors.lines(), **stacks()})
