"""The API of a worker: all handlers and middlewares combined."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from mode import Service

from agents.api.audit import Audit
from agents.api.auth import OPEN_PATHS, authentication, peers_only
from agents.api.catalogue_view import CatalogueView
from agents.api.change_feed import ChangeFeed
from agents.api.changes import Changes
from agents.api.comparing import Comparing
from agents.api.contact_calendar import ContactCalendar
from agents.api.contact_search import ContactSearch
from agents.api.contacts import Contacts
from agents.api.counted import counted
from agents.api.diagnosis import PATH as DIAGNOSIS
from agents.api.diagnosis import Diagnosis
from agents.api.drafts import Drafts
from agents.api.groups import Groups
from agents.api.local_past import LocalPast
from agents.api.members import Members
from agents.api.openapi import description
from agents.api.origins import own_pages_only
from agents.api.partitions import LocalPartitions
from agents.api.past import Past
from agents.api.peers import Peers
from agents.api.personal_data import PersonalData
from agents.api.preconditions import tagged
from agents.api.preview import Preview
from agents.api.problems import ProblemError, RelayedError, problems
from agents.api.rates import limited
from agents.api.recent_errors import RecentErrors
from agents.api.requests import answer
from agents.api.roles import check_rights, permitted
from agents.api.segments import Segments
from agents.api.sessions import Sessions
from agents.api.signing_in import SigningIn
from agents.api.timeline import Timeline
from agents.api.tls import scheme
from agents.api.tokens import Tokens
from agents.api.turns import LatestOnly, Turns
from agents.api.verification import Verification
from agents.api.versions import Versions
from agents.api.vocabulary import Vocabulary
from agents.api.windows import Windows
from agents.api.workers import ONE as OWN_CONDITION
from agents.api.workers import PATH as WORKERS
from agents.api.workers import Condition, Workers
from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.command_client import CommandClient
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.progress_reader import Peer, ProgressReader
from agents.kafka.batch_producer import BatchProducer
from agents.metrics import Metrics
from agents.partitions.scheduler import TaskScheduler
from streamseg.errors import RejectedError
from streamseg.settings import Settings

BASE = "/api/v1"
INTERNAL = "/internal/v1"

_AT_ANY_TIME = (*OPEN_PATHS, f"{BASE}{DIAGNOSIS}", f"{BASE}{WORKERS}", f"{INTERNAL}{OWN_CONDITION}")
"""What is answered also while the worker starts or ends."""

_LOOK_SECONDS = 1.0
"""How often the file of tokens is looked at, in s."""

_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to


class Api(Service):
    """The API. It is mounted before the worker is ready, and answers once this service has started."""

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        commands: CommandClient,
        catalogue_topic: CatalogueTopic,
        definition_topic: DefinitionTopic,
        progress: ProgressReader,
        scheduler: TaskScheduler,
        batch_producer: BatchProducer,
        port: Callable[[], int],
        metrics: Metrics,
        ending: Callable[[], bool],
        recent_errors: RecentErrors,
        condition: Condition,
        now_ms: Callable[[], int],
        **kwargs: Any,
    ) -> None:
        """`ending` returns whether the worker is being stopped, `condition` the worker's condition, `now_ms`
        the time by which it decides (epoch ms). Raises ConfigurationError if the tokens cannot be read."""
        super().__init__(**kwargs)
        self._settings = settings
        self._port = port
        self._metrics = metrics
        self._ending = ending
        self._tokens = Tokens(settings.api_tokens_file, metrics.tokens_unreadable.set)
        self._audit = Audit(batch_producer, metrics, base=BASE, now_ms=now_ms)
        self._sessions = Sessions(self._tokens)
        self._secret = secrets.token_urlsafe()
        self.answers = False
        """Whether everything that answers are made from has been read."""
        local = LocalPartitions(scheduler, settings)
        self.comparing = Comparing(local, settings)
        """Compares contacts of this worker's partitions. It shares the worker's time with the questions of
        callers."""
        self._peers = peers = Peers(settings, local, progress)
        view = CatalogueView(settings, commands, catalogue_topic, now_ms)
        # A page requests several things about a contact at the same time: such questions wait for one
        # another.
        turns = Turns(settings.command_timeout_ms / 1000, metrics.questions.labels("short"))
        long_turns = Turns(0, metrics.questions.labels("long"))
        past = LocalPast(local, settings)
        members = Members(settings, view=view, local=local, past=past, peers=peers, turns=turns)
        earlier = Past(settings, view, past, peers, turns)
        preview = Preview(
            settings,
            view=view,
            drafts=Drafts(settings, view, definition_topic),
            local=local,
            peers=peers,
            latest=LatestOnly(Turns(settings.command_timeout_ms / 1000, metrics.questions.labels("long"))),
        )
        contacts = Contacts(
            settings,
            view=view,
            local=local,
            peers=peers,
            progress=progress,
            definition_topic=definition_topic,
            batch_producer=batch_producer,
            turns=turns,
        )
        verification = Verification(
            settings, view=view, local=local, comparing=self.comparing, peers=peers, turns=long_turns
        )
        personal = PersonalData(
            settings, local=local, peers=peers, batch_producer=batch_producer, turns=turns
        )
        search = ContactSearch(settings, local, peers, turns)
        calendar = ContactCalendar(settings, local, peers, turns)
        timeline = Timeline(settings, view=view, local=local, past=past, peers=peers, turns=turns)
        self._feed = ChangeFeed(settings.partitions, local, peers)
        changes = Changes(view, self._feed, metrics.questions.labels("watching"))
        vocabulary = Vocabulary(settings, local, peers, turns)
        workers = Workers(condition=condition, peers=peers, progress=progress, own=lambda: self.peer)
        self._routes = [
            web.get("/openapi.json", self.openapi),
            *SigningIn(self._tokens, self._sessions).routes(),
            *Segments(view).routes(),
            *members.routes(),
            *Versions(view).routes(),
            *Groups(view).routes(),
            *contacts.routes(),
            *personal.routes(),
            *search.routes(),
            *timeline.routes(),
            *earlier.routes(),
            *calendar.routes(),
            *preview.routes(),
            *verification.routes(),
            *vocabulary.routes(),
            *Diagnosis(recent_errors).routes(),
            *workers.routes(),
            *Windows(settings, now_ms).routes(),
            *changes.routes(),
        ]
        check_rights(self._routes)
        self._internal_routes = [
            *members.internal_routes(),
            *contacts.internal_routes(),
            *personal.internal_routes(),
            *search.internal_routes(),
            *timeline.internal_routes(),
            *earlier.internal_routes(),
            *calendar.internal_routes(),
            *preview.internal_routes(),
            *verification.internal_routes(),
            *vocabulary.internal_routes(),
            *changes.internal_routes(),
            *workers.internal_routes(),
        ]

    @property
    def peer(self) -> Peer:
        """The address and the secret by which other workers ask this one."""
        return Peer(self.url, self._secret)

    @property
    def url(self) -> str:
        """The address at which other workers reach this one."""
        if self._settings.advertised_url is not None:
            return self._settings.advertised_url.rstrip("/")
        host = self._settings.http_host
        if host in _ANYWHERE:
            # Without tokens the API refuses other hosts anyway.
            host = socket.gethostname() if self._tokens.are_asked else "127.0.0.1"
        return f"{scheme(self._settings)}://{f'[{host}]' if ':' in host else host}:{self._port()}"

    def mount(self, application: web.Application) -> None:
        """Add the API, and the endpoints for other workers, to the worker's web server."""
        pages = own_pages_only(self._settings, tokens=self._tokens.are_asked)
        counting = counted(self._metrics)
        counted_refusals = problems(lambda code: self._metrics.api_refusals.labels(code).inc())
        # A refusal between workers is counted by the worker that the caller asked.
        uncounted_refusals = problems(lambda _: None)
        accounts = authentication(self._tokens, self._sessions)
        for base, routes, guards in (
            (
                BASE,
                self._routes,
                [
                    counting,
                    counted_refusals,
                    pages,
                    accounts,
                    limited(self._settings),
                    self._audit.middleware(),
                    permitted(BASE),
                    tagged,
                ],
            ),
            (INTERNAL, self._internal_routes, [uncounted_refusals, peers_only(self._secret)]),
        ):
            mounted = web.Application(
                middlewares=[*guards, self._ready], client_max_size=self._settings.max_record_bytes
            )
            mounted.add_routes(routes)
            # The web server waits at its end for all answers, and these go on until they are closed.
            mounted.on_shutdown.append(self._end_watching)
            application.add_subapp(base, mounted)

    @property
    def _ready(self) -> Any:
        @web.middleware
        async def ready(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path in _AT_ANY_TIME:
                return await handler(request)
            if self._ending():
                raise _ending()
            if not self.answers:
                raise ProblemError("starting", "the worker has not read all topics yet; try again soon")
            try:
                return await handler(request)
            except (ProblemError, RelayedError, RejectedError, TimeoutError, web.HTTPException):
                raise
            except Exception as error:
                # The parts that the answer needs may be stopped already.
                if self._ending():
                    raise _ending() from error
                raise

        return ready

    async def _end_watching(self, _: web.Application) -> None:
        await self._feed.close()

    async def on_start(self) -> None:
        await self._peers.start()
        self.answers = True

    @Service.task
    async def _follow_tokens(self) -> None:
        while not self.should_stop:
            await self.sleep(_LOOK_SECONDS)
            if await asyncio.to_thread(self._tokens.look):
                # A caller whose token is gone may not go on watching; the others connect again.
                self._feed.end_watching()

    async def on_stop(self) -> None:
        self.answers = False
        await self._peers.stop()

    async def openapi(self, request: web.Request) -> web.Response:
        return answer(description())


def _ending() -> ProblemError:
    return ProblemError("ending", "the worker is ending; ask another one, or this one again in a moment")
