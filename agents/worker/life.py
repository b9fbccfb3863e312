"""The life of a worker's process: one app after another, where trouble with the brokers ends one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError
from confluent_kafka import KafkaException

from agents.kafka.broker_trouble import in_words
from agents.partitions.checkpoint import ForeignWriteError
from agents.worker.segment_app import SegmentApp, run
from agents.worker.stall_guard import StoodStillError
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_LASTING_SECONDS = 120.0

# A second attempt would come to the same; or it is for a process without threads that hang.
_LASTING = (MessageSizeTooLargeError, IllegalStateError, StoodStillError)


async def live(settings: Settings, make_app: Callable[[str | None], SegmentApp], stop: asyncio.Event) -> None:
    """Run an app until `stop` is set; where trouble with the brokers ends it, run another one, which waits
    for the brokers and begins with what is on disk and in the changelog, as after a crash.

    `make_app` is told the trouble that ended the app before it, in words. Raises ConfigurationError with
    these where none has come to work within `start_timeout_ms`; else what ended an app otherwise, or what
    ended one that could not be stopped in time: its remains would be in the way."""
    pause, trouble = _FIRST_PAUSE_SECONDS, None
    came_to_work = asyncio.Event()
    started = time.monotonic()
    while True:
        app = make_app(trouble)
        began = time.monotonic()
        try:
            await run(app, stop, ready=came_to_work.set)
            return
        except Exception as error:
            if stop.is_set() or not app.ended or not _is_trouble(error):
                raise
            trouble = in_words(settings, error)
            waited = time.monotonic() - started
            if not came_to_work.is_set() and waited >= settings.start_timeout_ms / 1000:
                raise ConfigurationError(
                    f"{trouble} (given up after {waited:.0f} s, STREAMSEG_START_TIMEOUT_MS)"
                ) from error
            _log.warning("begins anew from the last checkpoint, in the same process, since %s", trouble)
        # An app that ends again and again although the brokers answer is to load nobody.
        lasted = time.monotonic() - began > _LASTING_SECONDS
        pause = _FIRST_PAUSE_SECONDS if lasted else min(2 * pause, _LONGEST_PAUSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
                return


def _is_trouble(error: BaseException) -> bool:
    """Whether an app was ended by its connections to the brokers, by what these refused for now, or because
    another worker wrote to its changelog."""
    causes = list(_causes(error))
    if any(isinstance(cause, _LASTING) for cause in causes):
        return False
    return any(
        isinstance(cause, KafkaError | KafkaException | ConnectionError | ForeignWriteError)
        for cause in causes
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
