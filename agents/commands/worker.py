"""`streamseg worker`: run one worker until a signal stops it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop

from agents.api.recent_errors import RecentErrors
from agents.api.web_server import Listener
from agents.commands.frame import Bootstrap, errors_shown
from agents.kafka.broker_probe import BrokerProbe
from agents.metrics import Metrics
from agents.worker.data_folder import PRIVATE_UMASK, DataFolder
from agents.worker.garbage import free_ended_app, tune_collector
from agents.worker.life import live
from agents.worker.log_bounds import BrokerErrorsInALine, OnceAMinute
from agents.worker.log_format import set_up
from agents.worker.segment_app import SegmentApp
from streamseg.cli.terminal import echo
from streamseg.environment import unknown_variables
from streamseg.errors import StreamsegError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_NAME = "streamseg worker"
_QUIET = ("aiokafka", "faust", "mode", "aiohttp")


def worker(
    bootstrap: Bootstrap = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            help="The folder for this worker's state, of no other worker, e.g. /var/lib/streamseg. "
            "Default: STREAMSEG_DATA_DIR, else ./data.",
            show_default=False,
        ),
    ] = None,
    http_port: Annotated[
        int | None,
        typer.Option(
            "--http-port",
            metavar="PORT",
            help="The port for /health, /metrics and the API; 0 means any free port, e.g. --http-port 8081. "
            "Default: STREAMSEG_HTTP_PORT, else 8080.",
            show_default=False,
        ),
    ] = None,
    accept_empty_state: Annotated[
        bool | None,
        typer.Option(
            "--accept-empty-state",
            help="Go on although input was applied before and the changelog is empty: every contact begins "
            "again. Default: STREAMSEG_ACCEPT_EMPTY_STATE, else the worker refuses.",
            show_default=False,
        ),
    ] = None,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Run a worker: read contacts and events, evaluate segments, send membership changes.

    Start up to one worker for each partition, all with the same STREAMSEG_APPLICATION_ID; they share the
    partitions. SIGTERM or SIGINT stops a worker after a last checkpoint. Every setting can be given in the
    environment as STREAMSEG_ and its name. The topics must exist: `streamseg topics create`.

    The exit status is 0 after a stop and 1 after an error. A worker that is started again continues from its
    last checkpoint.

    Example: streamseg worker --bootstrap localhost:9092 --data-dir /tmp/worker-1 --http-port 0
    """
    number = _log_level(log_level)
    os.umask(PRIVATE_UMASK)
    given: dict[str, Any] = {
        "bootstrap_servers": bootstrap,
        "data_dir": data_dir,
        "http_port": http_port,
        "accept_empty_state": accept_empty_state,
    }
    with errors_shown(_NAME):
        settings = Settings.read(**{name: value for name, value in given.items() if value is not None})
    recent_errors = RecentErrors()
    _set_up_logging(number, settings.log_format, recent_errors)
    for sentence in unknown_variables(os.environ):
        _log.warning("%s", sentence)
    uvloop.run(_until_signalled(settings, recent_errors))


async def _live(settings: Settings, recent_errors: RecentErrors, stop: asyncio.Event) -> None:
    metrics, listener, probe = Metrics(), Listener(settings), BrokerProbe(settings)
    start_seconds = settings.start_timeout_ms / 1000

    def make_app(trouble: str | None) -> SegmentApp:
        first = trouble is None
        app = SegmentApp(
            settings,
            probe=probe,
            start_seconds=start_seconds if first else None,
            restarted_after=trouble,
            metrics=metrics,
            listener=listener,
            recent_errors=recent_errors,
        )
        if first:
            tune_collector()
        else:
            metrics.restarts.inc()
            free_ended_app()
        return app

    await live(settings, make_app, stop)


async def _until_signalled(settings: Settings, recent_errors: RecentErrors) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        with DataFolder(settings):
            await _live(settings, recent_errors, stop)
    except StreamsegError as error:
        echo(f"{_NAME}: {error}", err=True)
        _exit_at_once()
    except Exception as error:
        _log.critical("stopped by an error", exc_info=error)
        _exit_at_once()


def _exit_at_once() -> NoReturn:
    """End the process without waiting for threads and tasks that may never end after an error."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(1)


def _log_level(name: str) -> int:
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise typer.BadParameter(f"{name!r} is not a log level: debug, info, warning or error")
    return number


def _set_up_logging(number: int, log_format: str, recent_errors: RecentErrors) -> None:
    logging.basicConfig(level=number, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        set_up(handler, log_format, number)
        handler.addFilter(OnceAMinute(_QUIET))
        handler.addFilter(BrokerErrorsInALine())
    logging.getLogger().addHandler(recent_errors)
    # Below warnings, these libraries log only their own internals.
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
