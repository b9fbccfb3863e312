"""`GET /diagnosis` shows operators the latest errors and the stacks, and no data of contacts."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from mode import Service

from agents.api.recent_errors import RecentErrors
from agents.api.stacks import stacks
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of

SETTINGS = Settings(
    http_host="127.0.0.1",
    http_port=0,
    api_tokens_file=TOKENS_FILE,
)
SECRET = "c1-secret"  # noqa: S105 - stands for a contact's id


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of this test's own, which nothing else handles."""
    made = logging.getLogger("tests.diagnosis")
    made.propagate = False
    yield made
    made.handlers.clear()
    made.propagate = True


def asked(recent: RecentErrors, token: str, *, ending: bool = False) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        async with (
            served(SETTINGS, recent_errors=recent, ending=lambda: ending) as (_, port),
            ClientSession(f"http://127.0.0.1:{port}") as session,
            session.get("/api/v1/diagnosis", headers={"Authorization": f"Bearer {token}"}) as answer,
        ):
            return answer.status, orjson.loads(await answer.read())

    return asyncio.run(main())


@pytest.mark.parametrize("ending", [False, True])
def test_operators_see_errors_and_stacks_at_any_time(log: logging.Logger, ending: bool) -> None:
    recent = RecentErrors()
    log.addHandler(recent)
    log.warning("away for %d s", 5)
    status, found = asked(recent, token_of("otto"), ending=ending)
    assert status == 200
    assert [one["message"] for one in found["errors"]] == ["away for 5 s"]
    assert any("stacks.py" in thread["at"][-1] for thread in found["threads"])
    assert any("diagnosis.py" in place for task in found["tasks"] for place in task["at"])


def test_others_do_not() -> None:
    status, problem = asked(RecentErrors(), token_of("ann"))
    assert (status, problem["code"]) == (403, "not_permitted")


def test_errors_of_one_kind_are_one_line_with_the_latest_values(log: logging.Logger) -> None:
    recent = RecentErrors(kept=2)
    log.addHandler(recent)
    log.info("all is well")
    for number in range(3):
        log.warning("away for %d s", number)
    log.error("the first")
    log.warning("away for %d s", 7)
    assert [(one["message"], one["times"], one["level"]) for one in recent.lines()] == [
        ("the first", 1, "error"),
        ("away for 7 s", 4, "warning"),
    ]
    log.error("the second")
    assert [one["message"] for one in recent.lines()] == ["away for 7 s", "the second"]


def test_of_an_exception_come_class_and_place_and_not_its_text(log: logging.Logger) -> None:
    recent = RecentErrors()
    log.addHandler(recent)

    def look_up(contact_id: str) -> None:
        known: dict[str, int] = {}
        try:
            known[contact_id]
        except KeyError as error:
            raise RuntimeError(f"no contact {contact_id}") from error

    try:
        look_up(SECRET)
    except RuntimeError:
        log.exception("failed")
    (line,) = recent.lines()
    assert [one["class"] for one in line["raised"]] == ["RuntimeError", "KeyError"]
    assert line["raised"][0]["at"][-1].endswith("look_up")
    assert SECRET.encode() not in orjson.dumps(line)


@pytest.mark.parametrize("service_crashes", [True, False])
def test_messages_of_libraries_lose_the_text_of_exceptions(service_crashes: bool) -> None:
    """mode names the exception with which a service crashed, asyncio the one that no task waited for."""
    recent = RecentErrors()
    failed = KeyError(SECRET)

    class Crashing(Service):
        async def on_start(self) -> None:
            await self.crash(failed)

    async def fail() -> None:
        raise failed

    async def main() -> None:
        if service_crashes:
            try:
                raise failed
            except KeyError:
                await Crashing().start()
        else:
            task = asyncio.ensure_future(fail())
            await asyncio.wait([task])
            del task
            gc.collect()

    root = logging.getLogger()
    root.addHandler(recent)
    try:
        asyncio.run(main())
    finally:
        root.removeHandler(recent)
    (line,) = recent.lines()
    assert [one["class"] for one in line["raised"]] == ["KeyError"]
    assert SECRET.encode() not in orjson.dumps(line)


def test_a_circle_of_causes_is_shown_once(log: logging.Logger) -> None:
    recent = RecentErrors()
    log.addHandler(recent)
    first, second = ValueError(), KeyError()
    first.__cause__, second.__context__ = second, first
    log.error("failed", exc_info=first)
    (line,) = recent.lines()
    assert [one["class"] for one in line["raised"]] == ["ValueError", "KeyError"]


def test_a_stack_goes_from_the_outermost_call_to_where_a_task_waits() -> None:
    async def inner(contact_id: str) -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner(SECRET)

    async def main() -> Any:
        waiting = asyncio.create_task(outer(), name="waits")
        await asyncio.sleep(0)
        found = stacks()
        waiting.cancel()
        return found

    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="holds")
    thread.start()
    try:
        found = asyncio.run(main())
    finally:
        release.set()
        thread.join()
    (task,) = [one for one in found["tasks"] if one["name"] == "waits"]
    assert [place.rpartition(".")[2] for place in task["at"]][:2] == ["outer", "inner"]
    assert any(one["name"] == "holds" for one in found["threads"])
    assert SECRET.encode() not in orjson.dumps(found)
