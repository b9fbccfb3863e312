"""Tokens: the file has no secret, is read again when it changes, and each token may do what its role says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from typer.testing import CliRunner

from agents.api.roles import Role, check_rights
from agents.api.tokens import Tokens
from agents.commands.tokens import tokens as tokens_command
from streamseg.catalogue.state import Catalogue
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import token_of, write_tokens

SECONDS = 30.0
READER, COUNTER, EDITOR, ADMIN = (token_of(name) for name in ("reader", "counter", "editor", "admin"))
TOKENS: dict[str, str | tuple[str, Role]] = {
    READER: ("reader", Role.READ),
    COUNTER: ("reader", Role.READ),
    EDITOR: "editor",
    ADMIN: ("admin", Role.ADMIN),
}
Ask = Callable[..., Awaitable[tuple[int, Any]]]


# -- the file ------------------------------------------------------------------------------------------------


def made(*options: str) -> dict[str, str]:
    result = CliRunner().invoke(tokens_command, ["new", "--json", *options])
    assert result.exit_code == 0, result.output
    found: dict[str, str] = orjson.loads(result.stdout)
    return found


def test_a_new_token_is_known_by_the_line_that_is_printed_with_it(tmp_path: Path) -> None:
    first = made("--account", "安", "--role", "edit")
    second = made("--account", "安", "--role", "admin", "--contacts")
    assert first["token"] != second["token"]
    path = tmp_path / "tokens.yaml"
    path.write_text(f"# two\n{first['line']}\n{second['line']}\n")
    known = Tokens(path)
    assert [known.find(one["token"].encode())[1:4] for one in (first, second)] == [  # type: ignore[index]
        ("安", Role.EDIT, False),
        ("安", Role.ADMIN, True),
    ]


def test_what_is_printed_for_people_has_the_same_parts() -> None:
    result = CliRunner().invoke(tokens_command, ["new", "--account", "ann", "--role", "read"])
    token, line = result.stdout.splitlines()
    assert token.startswith("streamseg_")
    assert line.startswith('- {"id":')
    assert CliRunner().invoke(tokens_command, ["new", "--account", " ", "--role", "read"]).exit_code == 2
    assert CliRunner().invoke(tokens_command, ["new", "--account", "a", "--role", "all"]).exit_code == 2


def test_a_token_has_256_random_bits_and_its_line_has_none_of_them() -> None:
    one = made("--account", "ann", "--role", "edit")
    _, token_id, secret = one["token"].split("_", 2)
    assert len(secret) == 43
    assert secret not in one["line"]
    assert f'"id":"{token_id}"' in one["line"]
    assert len({made("--account", "a", "--role", "read")["token"].split("_", 2)[2] for _ in range(20)}) == 20


def test_a_token_is_known_only_whole(tmp_path: Path) -> None:
    known = Tokens(write_tokens(tmp_path / "tokens.yaml", TOKENS))
    for token in (
        b"",
        b"\xff",
        EDITOR[:-1].encode(),
        f"{EDITOR}x".encode(),
        b"streamseg_editor_other",
        b"editor",
    ):
        assert known.find(token) is None, token
    assert known.find(EDITOR.encode()) is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("two: ben\n", "`streamseg tokens new`"),
        ("{", "cannot be read as YAML or JSON"),
        ("text", "must be a list of lines"),
        ("- streamseg_a_secret", "token 1 is not as `streamseg tokens new` prints it"),
        ('- {"id": "a", "account": "", "role": "edit", "key": "secret"}', ": account, key"),
        ('- {"id": "a", "account": "a", "role": "secret", "key": "' + "k" * 43 + '"}', ": role"),
    ],
)
def test_another_form_is_refused_without_showing_it(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        Tokens(path)
    assert told in str(error.value)
    assert str(error.value).startswith("STREAMSEG_API_TOKENS_FILE: ")
    assert "secret" not in str(error.value)
    assert "ben" not in str(error.value)


def test_two_lines_with_one_id_are_refused(tmp_path: Path) -> None:
    path = write_tokens(tmp_path / "tokens.yaml", {EDITOR: "editor"})
    path.write_text(f"{path.read_text()}\n{path.read_text()}")
    with pytest.raises(ConfigurationError, match="token 2 has the id editor of another one"):
        Tokens(path)


def test_a_file_that_cannot_be_read_leaves_the_tokens_before_in_force(tmp_path: Path) -> None:
    path = write_tokens(tmp_path / "tokens.yaml", {EDITOR: "editor"})
    told: list[bool] = []
    known = Tokens(path, told.append)
    assert not known.look()
    path.write_text("- half")
    assert not known.look()
    assert known.find(EDITOR.encode()) is not None
    path.unlink()
    assert not known.look()
    assert known.find(EDITOR.encode()) is not None
    write_tokens(path, {ADMIN: "admin"})
    assert known.look()
    assert known.find(EDITOR.encode()) is None
    assert known.find(ADMIN.encode()) is not None
    assert told == [True, True, False]


# -- what roles may do ---------------------------------------------------------------------------------------


def at_a_worker(path: Path, do: Callable[[Ask], Awaitable[None]]) -> None:
    """Let callers ask a worker with an empty catalogue and these tokens."""

    async def main() -> None:
        settings = Settings(data_dir=path.parent, http_host="127.0.0.1", http_port=0, api_tokens_file=path)
        catalogue_topic = SimpleNamespace(catalogue=Catalogue())
        async with (
            served(settings, catalogue_topic=catalogue_topic) as (_, port),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):

            async def ask(
                token: str, method: str, path: str, body: Any = None, **headers: str
            ) -> tuple[int, Any]:
                headers["Authorization"] = f"Bearer {token}"
                url = f"/api/v1{path}"
                async with session.request(method, url, json=body, headers=headers) as answer:
                    return answer.status, orjson.loads(await answer.read() or b"null")

            await do(ask)

    asyncio.run(main())


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    return write_tokens(tmp_path / "tokens.yaml", TOKENS, without_contacts=(COUNTER,))


DRAFT = {"definition": {"type": "static", "name": "s"}, "contact_id": "c1"}


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("GET", "/segments", None, ()),
        ("GET", "/groups", None, ()),
        ("GET", "/deleted-segments", None, ()),
        ("GET", "/session", None, ()),
        ("HEAD", "/contacts/c1", None, (COUNTER,)),
        ("GET", "/contacts/c1", None, (COUNTER,)),
        ("GET", "/contacts", None, (COUNTER,)),
        ("GET", "/contacts/c1/timeline", None, (COUNTER,)),
        ("GET", "/segments/s/contacts", None, (COUNTER,)),
        ("GET", "/segments/s/contacts/c1/explain", None, (COUNTER,)),
        ("GET", "/changes?recent=x", None, (COUNTER,)),
        ("POST", "/preview", DRAFT, (COUNTER,)),
        ("POST", "/segments", {}, (COUNTER, READER)),
        ("PUT", "/segments/s", {}, (COUNTER, READER)),
        ("DELETE", "/segments/s", None, (COUNTER, READER)),
        ("POST", "/batch/delete", {}, (COUNTER, READER)),
        ("POST", "/groups", {}, (COUNTER, READER)),
        ("POST", "/contacts/lists", {}, (COUNTER, READER)),
        ("POST", "/verify", {}, (COUNTER, READER, EDITOR)),
        ("GET", "/diagnosis", None, (COUNTER, READER, EDITOR)),
        ("GET", "/nothing", None, ()),
    ],
)
def test_a_role_may_do_what_it_is_for(
    tokens_file: Path, method: str, path: str, body: Any, refused: tuple[str, ...]
) -> None:
    async def do(ask: Ask) -> None:
        for token in TOKENS:
            # What is not refused may fail for other reasons: this worker has no partitions.
            status, found = await ask(token, method, path, body)
            if token in refused:
                assert status == 403
                assert method == "HEAD" or found["code"] == "not_permitted"
            else:
                assert status not in (401, 403), (token, found)

    at_a_worker(tokens_file, do)


def test_a_refusal_says_what_is_missing_in_both_languages(tokens_file: Path) -> None:
    async def do(ask: Ask) -> None:
        for language, told in (("en", "it needs the role edit"), ("zh", "需要角色 edit")):
            _, problem = await ask(READER, "POST", "/groups", {"group": "g"}, **{"Accept-Language": language})
            assert told in problem["detail"]
            assert "streamseg tokens new --role edit" in problem["detail"]

    at_a_worker(tokens_file, do)


def test_a_page_is_told_what_its_user_may_do(tokens_file: Path) -> None:
    async def do(ask: Ask) -> None:
        shown = [(await ask(token, "GET", "/session"))[1] for token in TOKENS]
        assert [(one["role"], one["contacts"]) for one in shown] == [
            ("read", True),
            ("read", False),
            ("edit", True),
            ("admin", True),
        ]
        for token, operations in (
            (COUNTER, ["view_conditions"]),
            (READER, ["view_contacts", "view_conditions"]),
        ):
            _, listed = await ask(token, "GET", "/segments")
            built_in = listed["rows"][0]
            assert [one for one in built_in["operations"] if one in operations] == built_in["operations"]

    at_a_worker(tokens_file, do)


def test_only_an_administrator_acts_for_another_account(tokens_file: Path) -> None:
    async def do(ask: Ask) -> None:
        status, shown = await ask(ADMIN, "GET", "/session", **{"X-Account": "editor"})
        assert (status, shown["account"], shown["role"]) == (200, "editor", "admin")
        assert (await ask(EDITOR, "GET", "/session", **{"X-Account": "editor"}))[0] == 200
        status, problem = await ask(EDITOR, "GET", "/session", **{"X-Account": "admin"})
        assert (status, problem["code"], problem["path"]) == (403, "not_permitted", "X-Account")

    at_a_worker(tokens_file, do)


def test_a_route_without_a_right_is_noticed() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    check_rights([web.get("/segments", handler), web.post("/batch/{command:move|delete}", handler)])
    with pytest.raises(RuntimeError, match="POST /forgotten"):
        check_rights([web.post("/forgotten", handler)])


# -- rotation ------------------------------------------------------------------------------------------------


def test_tokens_come_and_go_without_a_restart_and_streams_end_with_them(tokens_file: Path) -> None:
    async def main() -> None:
        settings = Settings(
            data_dir=tokens_file.parent, http_host="127.0.0.1", http_port=0, api_tokens_file=tokens_file
        )
        scheduler = SimpleNamespace(has=lambda _: False, owned=list)
        async with (
            served(
                settings,
                catalogue_topic=SimpleNamespace(catalogue=Catalogue()),
                progress=SimpleNamespace(peer=lambda _: None),
                scheduler=scheduler,
            ) as (_, port),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):

            async def status(token: str) -> int:
                headers = {"Authorization": f"Bearer {token}"}
                async with session.get("/api/v1/segments", headers=headers) as answer:
                    return answer.status

            watching = await session.get(
                "/api/v1/changes?recent=0", headers={"Authorization": f"Bearer {EDITOR}"}
            )
            assert watching.status == 200
            assert await watching.content.readline() == b": watching\n"
            new = token_of("editor", "-2")
            fresh = tokens_file.with_suffix(".new")
            write_tokens(fresh, {new: "editor"})
            assert await status(new) == 401
            fresh.replace(tokens_file)
            deadline = time.monotonic() + SECONDS
            while await status(new) != 200:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert await status(EDITOR) == 401
            async with asyncio.timeout(SECONDS):
                await watching.content.read()
            assert watching.content.at_eof()

    asyncio.run(main())
