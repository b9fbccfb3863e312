"""The life of a worker's process: one app after another, where trouble with the brokers ends one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError
from confluent_kafka import KafkaException

from agents.watch import StoodStillError
from agents.worker import SegmentApp, run

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_LASTING_SECONDS = 120.0

# A second attempt would come to the same; or it is for a process without threads that hang.
_LASTING = (MessageSizeTooLargeError, IllegalStateError, StoodStillError)


async def live(make_app: Callable[[bool], SegmentApp], stop: asyncio.Event) -> None:
    """Run an app until `stop` is set; where trouble with the brokers ends it, run another one, which waits
    for the brokers and begins with what is on disk and in the changelog, as after a crash.

    `make_app` is told whether it is the first. Raises what ended an app otherwise, or what ended one that
    could not be stopped in time: its remains would be in the way."""
    pause, first = _FIRST_PAUSE_SECONDS, True
    while True:
        app = make_app(first)
        began = time.monotonic()
        try:
            await run(app, stop)
            return
        except Exception as error:
            if stop.is_set() or not app.ended or not _is_trouble(error):
                raise
            _log.warning("begins anew from the last checkpoint, in the same process, after %r", error)
        first = False
        # An app that ends again and again although the brokers answer is to load nobody.
        lasted = time.monotonic() - began > _LASTING_SECONDS
        pause = _FIRST_PAUSE_SECONDS if lasted else min(2 * pause, _LONGEST_PAUSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
                return


def _is_trouble(error: BaseException) -> bool:
    """Whether an app was ended by its connections to the brokers, or by what these refused for now."""
    causes = list(_causes(error))
    if any(isinstance(cause, _LASTING) for cause in causes):
        return False
    return any(isinstance(cause, KafkaError | KafkaException | ConnectionError) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
