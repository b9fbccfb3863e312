"""`POST /window`: the instants between which a window lies now, for a page that draws it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from agents.api.requests import answer, read_model
from schemas.definitions import Window
from schemas.wire import WireModel
from streamseg.language.compiler import compile_window
from streamseg.settings import Settings
from streamseg.times import MIN_MS, NEVER_MS, format_ms

PATH: Final = "/window"


class WindowQuestion(WireModel):
    """A window of a definition, and the definition's time zone, if it has one."""

    window: Window
    timezone: str | None = None


class Windows:
    """The handler of /window. It reads no contact."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int]) -> None:
        """`now_ms` returns epoch ms."""
        self._settings = settings
        self._now_ms = now_ms

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.bounds)]

    async def bounds(self, request: web.Request) -> web.Response:
        asked = await read_model(request, WindowQuestion)
        window = compile_window(asked.window, asked.timezone, self._settings)
        now_ms = self._now_ms()
        first_ms, end_ms = window.bounds(now_ms)
        return answer(
            {
                "now": format_ms(now_ms),
                "first": _instant(first_ms),
                "end": _instant(end_ms),
                "timezone": asked.timezone or self._settings.timezone,
            }
        )


def _instant(at_ms: int) -> str | None:
    return None if at_ms <= MIN_MS or at_ms >= NEVER_MS else format_ms(at_ms)
