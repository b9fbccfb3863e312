"""The client of the API waits when the API has no room for a request."""

from __future__ import annotations

import httpx
import pytest

from streamseg.cli.client import Api, ApiError

REFUSED = {"code": "rate_limited", "title": "Too many requests a second", "detail": "wait"}


@pytest.mark.parametrize(
    ("given", "waited"), [({"Retry-After": "3"}, 3.0), ({}, 1.0), ({"Retry-After": "900"}, 10.0)]
)
def test_it_asks_again_after_the_time_it_was_told(given: dict[str, str], waited: float) -> None:
    answers = [httpx.Response(429, json=REFUSED, headers=given)] * 2 + [
        httpx.Response(200, json={"rows": []})
    ]
    slept: list[float] = []
    with Api(
        "http://worker", transport=httpx.MockTransport(lambda _: answers.pop(0)), sleep=slept.append
    ) as api:
        assert api.get("segments") == {"rows": []}
    assert slept == [waited, waited]


def test_it_gives_up_after_a_while() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(429, json=REFUSED))
    slept: list[float] = []
    with (
        Api("http://worker", transport=transport, sleep=slept.append) as api,
        pytest.raises(ApiError) as error,
    ):
        api.get("segments")
    assert (error.value.code, len(slept)) == ("rate_limited", 5)


def test_it_does_not_repeat_what_was_refused_otherwise() -> None:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(429, json={**REFUSED, "code": "too_many_requests"})
    )
    slept: list[float] = []
    with Api("http://worker", transport=transport, sleep=slept.append) as api, pytest.raises(ApiError):
        api.get("segments")
    assert slept == []
