"""The life of a worker's process: when trouble with the brokers ends an app, the next app is started."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError
from confluent_kafka import KafkaException

from agents.kafka.broker_trouble import in_words
from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.checkpoint import ForeignWriteError
from agents.worker.segment_app import SegmentApp, run
from agents.worker.stall_guard import StoodStillError
from streamseg.errors import ConfigurationError, StreamsegError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

# The same process must not try again after these errors: a second attempt would fail in the same way, or
# threads of this process may hang.
_LASTING = (MessageSizeTooLargeError, IllegalStateError, StoodStillError)


class NotStoppedError(StreamsegError):
    """The worker was told to stop, and a part of it still runs. The process must not wait for that part."""


async def live(
    settings: Settings,
    make_app: Callable[[str | None], SegmentApp],
    stop: asyncio.Event,
    *,
    pacing: Pacing = DEFAULT_PACING,
) -> None:
    """Run an app until `stop` is set. When trouble with the brokers ends the app, run another one, which
    waits for the brokers and starts from the disk and the changelog, as after a crash.

    `make_app` gets the trouble that ended the previous app, in words (None for the first app). Nothing here
    refers to that app any more.

    Raises ConfigurationError with these words if no app has come to work within `start_timeout_ms`. Raises
    the error of an app that ended for another reason, or that could not be stopped in time, since its remains
    would disturb the next app. Raises NotStoppedError if the last app could not be stopped in time."""
    pause, trouble = pacing.first_pause_seconds, None
    came_to_work = asyncio.Event()
    started = time.monotonic()
    while True:
        app = make_app(trouble)
        began = time.monotonic()
        try:
            await run(app, stop, ready=came_to_work.set)
        except Exception as error:
            if stop.is_set() or not app.ended or not _is_trouble(error):
                raise
            trouble = in_words(settings, error)
            waited = time.monotonic() - started
            if not came_to_work.is_set() and waited >= settings.start_timeout_ms / 1000:
                raise ConfigurationError(
                    f"{trouble} (given up after {waited:.0f} s, STREAMSEG_START_TIMEOUT_MS)"
                ) from error
            _log.warning("starts again from the last checkpoint, in the same process, since %s", trouble)
        else:
            if app.ended:
                return
            raise NotStoppedError(
                "a part of the worker did not end in time; the process ends without it, and what was not "
                "saved is done again"
            )
        # Otherwise this frame would keep the app until the next one is made.
        del app
        # The pauses grow, so that an app that ends again and again does not load the brokers.
        lasted = time.monotonic() - began > pacing.lasting_seconds
        pause = pacing.first_pause_seconds if lasted else min(2 * pause, pacing.longest_pause_seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
                return


def _is_trouble(error: BaseException) -> bool:
    """Return whether an app ended because its connections to the brokers failed, because the brokers refused
    a request for now, or because another worker wrote to its changelog."""
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
