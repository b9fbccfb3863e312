"""The API's representation of a segment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiohttp.test_utils import make_mocked_request

from agents.api.auth import note_caller
from agents.api.catalogue_view import CatalogueView
from agents.api.roles import Caller, Role
from streamseg.catalogue.adoption import adopt
from streamseg.catalogue.state import Catalogue
from streamseg.settings import Settings
from tests.catalogue.catalogues import ANN, BEN, Json, standard


def told(definition: Json, account: str) -> Any:
    """The segment of a definition that operators wrote."""
    catalogue = Catalogue()
    catalogue.apply(adopt(catalogue, "s", {**definition, "version": 1, "created_by": ANN}))
    view = CatalogueView(
        Settings(),
        commands=None,  # type: ignore[arg-type]
        catalogue_topic=SimpleNamespace(catalogue=catalogue),  # type: ignore[arg-type]
        now_ms=lambda: 0,
    )
    request = make_mocked_request("GET", "/segments/s")
    note_caller(request, Caller(account, account, Role.EDIT, contacts=True))
    return view.segment(request, "s")


def test_a_group_that_nobody_made_is_the_default_one_in_the_definition_too() -> None:
    segment = told(standard("s", group="unheard of"), ANN)
    assert (segment["group"], segment["definition"]["group"]) == ("default", "default")


def test_only_the_owner_is_told_with_whom_it_is_shared() -> None:
    shared = standard("s", shared_with=[BEN])
    for account, accounts in ((ANN, [BEN]), (BEN, [])):
        segment = told(shared, account)
        assert (list(segment["shared_with"]), segment["definition"]["shared_with"]) == (accounts, accounts)


def test_what_a_definition_does_not_say_is_not_told_as_its_own() -> None:
    definition = told(standard("s"), ANN)["definition"]
    assert definition == {**standard("s"), "version": 1, "created_by": ANN}
