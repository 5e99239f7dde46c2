"""HTTP errors into troubles that say whether to wait, leave something out, or give up; and headers into seconds."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.chat import Trouble
from judge.models.wire import SHOWN, retry_after, seconds_until_more, trouble_of
from judge.verdict import FailureKind

KEY = "sk-test-0123456789abcdef"
RETRY = {"again": True}
THROTTLED = {"again": True, "throttled": True}
HOPELESS = {"hopeless": True}


def openai(message: str, param: str | None = None, code: str | None = None, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"message": message, "type": type, "param": param, "code": code}


def anthropic(message: str, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}


def what(trouble: Trouble) -> dict[str, Any]:
    """Return what of a trouble is not as usual."""
    found = {"again": trouble.again, "after": trouble.after, "throttled": trouble.throttled, "hopeless": trouble.hopeless}
    return {name: value for name, value in found.items() if value not in (False, None)}


CASES: list[Any] = [
    (401, openai("Incorrect API key provided.", code="invalid_api_key"), FailureKind.REJECTED, HOPELESS),
    (401, anthropic("invalid x-api-key", "authentication_error"), FailureKind.REJECTED, HOPELESS),
    (401, None, FailureKind.REJECTED, HOPELESS),
    (402, anthropic("Your credit balance is too low.", "billing_error"), FailureKind.REJECTED, HOPELESS),
    (403, openai("Country not supported.", code="unsupported_country"), FailureKind.REJECTED, HOPELESS),
    (404, openai("The model `gpt-7` does not exist.", code="model_not_found"), FailureKind.REJECTED, HOPELESS),
    (404, "<html>not found</html>", FailureKind.REJECTED, HOPELESS),
    (408, None, FailureKind.SERVER_ERROR, RETRY),
    (409, openai("Conflict."), FailureKind.SERVER_ERROR, RETRY),
    (413, anthropic("Request exceeds the maximum size.", "request_too_large"), FailureKind.TOO_LONG, {}),
    (413, "<html>413 Request Entity Too Large</html>", FailureKind.TOO_LONG, {}),
    (429, openai("Rate limit reached for requests.", code="rate_limit_exceeded", type="requests"), FailureKind.RATE_LIMITED, THROTTLED),
    (429, anthropic("Number of requests has exceeded your rate limit.", "rate_limit_error"), FailureKind.RATE_LIMITED, THROTTLED),
    (429, openai("You exceeded your current quota.", code="insufficient_quota", type="insufficient_quota"), FailureKind.REJECTED, HOPELESS),
    (429, openai("Check your plan and billing details."), FailureKind.REJECTED, HOPELESS),
    (400, anthropic("Your credit balance is too low to access the API."), FailureKind.REJECTED, HOPELESS),
    (429, "slow down", FailureKind.RATE_LIMITED, THROTTLED),
    (500, openai("The server had an error.", type="server_error"), FailureKind.SERVER_ERROR, RETRY),
    (500, anthropic("Internal server error", "api_error"), FailureKind.SERVER_ERROR, RETRY),
    (500, None, FailureKind.SERVER_ERROR, RETRY),
    (502, "<html>\n<h1>502 Bad Gateway</h1>\n</html>", FailureKind.SERVER_ERROR, RETRY),
    (503, openai("The engine is currently overloaded.", type="server_error"), FailureKind.SERVER_ERROR, THROTTLED),
    (504, "", FailureKind.SERVER_ERROR, RETRY),
    (529, anthropic("Overloaded", "overloaded_error"), FailureKind.SERVER_ERROR, THROTTLED),
    (599, None, FailureKind.SERVER_ERROR, RETRY),
    (400, openai("Your input exceeds the context window of this model.", code="context_length_exceeded"), FailureKind.TOO_LONG, {}),
    (400, openai("x", param="input", code="context_length_exceeded"), FailureKind.TOO_LONG, {}),
    (400, openai("x", param="input[1].content[0].text", code="string_above_max_length"), FailureKind.TOO_LONG, {}),
    (400, anthropic("prompt is too long: 208310 tokens > 200000 maximum"), FailureKind.TOO_LONG, {}),
    (400, openai("This model's maximum context length is 8192 tokens."), FailureKind.TOO_LONG, {}),
    (400, openai("Unsupported parameter.", param="temperature"), FailureKind.REJECTED, {}),
    (422, None, FailureKind.REJECTED, {}),
]


@pytest.mark.parametrize(("status", "body", "kind", "unusual"), CASES)
@pytest.mark.parametrize("wrapped", [False, True], ids=["inner", "whole"])
def test_a_status_says_what_to_do(status: int, body: Any, kind: FailureKind, unusual: dict[str, Any], wrapped: bool) -> None:
    trouble = trouble_of(status, {}, {"error": body} if wrapped and isinstance(body, dict) and "error" not in body else body, KEY)
    assert (trouble.kind, what(trouble)) == (kind, unusual)
    assert trouble.detail.startswith(f"status {status}")
    assert "\n" not in trouble.detail
    assert str(trouble) == trouble.detail


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (500, openai("It broke."), "status 500: It broke."),
        (500, {}, "status 500"),
        (500, None, "status 500"),
        (500, [1, 2], "status 500: [1, 2]"),
        (500, {"detail": "Not here."}, 'status 500: {"detail": "Not here."}'),
        (500, {"error": {"code": 7}}, 'status 500: {"error": {"code": 7}}'),
        (500, {"error": "It broke."}, "status 500: It broke."),
        (500, {"error": None}, 'status 500: {"error": null}'),
        (502, "<html>\n<h1>Bad   Gateway</h1>\n</html>", "status 502: <html> <h1>Bad Gateway</h1> </html>"),
        (500, openai("x" * 1000), "status 500: " + "x" * SHOWN),
        (401, openai("Wrong key."), "status 401: Wrong key.; check the key and what it may use"),
        (404, openai("No such model."), "status 404: No such model.; check the model's name and the server's address"),
        (429, openai("No.", code="insufficient_quota"), "status 429: No.; the account cannot pay for requests"),
    ],
)
def test_the_server_s_words_are_told_on_one_short_line(status: int, body: Any, detail: str) -> None:
    assert trouble_of(status, {}, body, KEY).detail == detail


@pytest.mark.parametrize(
    ("body", "refused", "other"),
    [
        # Where the server names the parameter, it is that one …
        (openai("Unsupported value.", param="prompt_cache_options.mode"), "prompt_cache_options", "temperature"),
        (openai("temperature is fine, this is not.", param="Text.Format"), "text.format", "temperature"),
        (openai("Unsupported parameter.", param="reasoning.effort"), "reasoning", "temperature"),
        # … else its message may.
        (openai("Unrecognized request argument supplied: prompt_cache_key"), "prompt_cache_key", "temperature"),
        (anthropic("temperature: Extra inputs are not permitted"), "temperature", "output_config"),
        (anthropic("output_config.format: Extra inputs are not permitted"), "output_config", "temperature"),
        ({"object": "error", "message": "Unknown field: Logprobs", "code": 400}, "logprobs", "temperature"),
        ("response_format is not supported", "response_format", "temperature"),
        ({"detail": [{"loc": ["body", "response_format"], "msg": "extra fields not permitted"}]}, "response_format", "temperature"),
        ({"detail": "Unknown field: top_logprobs"}, "logprobs", "temperature"),
    ],
)
def test_a_refused_parameter_is_named(body: Any, refused: str, other: str) -> None:
    trouble = trouble_of(400, {}, body, KEY)
    assert (trouble.kind, trouble.again, trouble.hopeless) == (FailureKind.REJECTED, False, False)
    assert trouble.refused is not None
    assert refused in trouble.refused
    assert other not in trouble.refused


@pytest.mark.parametrize("status", [401, 404, 408, 413, 429, 500, 503])
def test_no_other_status_speaks_of_parameters(status: int) -> None:
    assert trouble_of(status, {}, openai("Unsupported parameter.", param="temperature"), KEY).refused is None


@pytest.mark.parametrize(
    "words",
    [
        f"Incorrect API key provided: {KEY}.",
        "Incorrect API key provided: sk-proj-****************************abcd.",
        "Incorrect API key provided: sk-ant-api03-AbCdEf_012345.",
        "Authorization: Bearer eyJhbGciOi.secret-0123",
        f"{KEY} {KEY}\n{KEY}",
        "Rate limit reached for gpt-6-luna in organization org-AbCdEf0123456789 on requests.",
    ],
)
def test_keys_and_accounts_are_wiped_from_what_is_told(words: str) -> None:
    for status, body in [(401, openai(words)), (429, anthropic(words)), (500, words), (400, {"error": words})]:
        detail = trouble_of(status, {}, body, KEY).detail
        assert "[key]" in detail
        for secret in (KEY, "sk-", "abcd", "AbCdEf", "0123", "eyJ"):
            assert secret not in detail


def test_a_key_of_any_form_is_wiped() -> None:
    assert "hunter2hunter2" not in trouble_of(401, {}, "wrong key hunter2hunter2!", "hunter2hunter2").detail
    assert trouble_of(401, {}, "wrong key", None).detail == "status 401: wrong key; check the key and what it may use"


@pytest.mark.parametrize("before", range(SHOWN - 30, SHOWN + 1))
def test_no_part_of_a_key_is_told_where_the_words_are_cut(before: int) -> None:
    for key in ("hunter2-hunter2-hunter2", KEY):
        detail = trouble_of(400, {}, "x" * (before - 1) + f" {key} and so on", key).detail
        assert key[:3] not in detail
        assert len(detail) <= SHOWN + len("status 400: ")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "message", "param", "code", "type"]), inner),
    max_leaves=10,
)


@given(st.integers(400, 599), json_values | st.text(), st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text()))
def test_any_answer_to_any_status_is_a_trouble(status: int, body: Any, headers: dict[str, str]) -> None:
    trouble = trouble_of(status, headers, body, KEY)
    assert len(trouble.detail) < SHOWN + 100
    assert json.dumps(trouble.detail)
    assert not (trouble.again and (trouble.hopeless or trouble.refused is not None))


# Headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250.5"}, 0.2505),
        ({"retry-after-ms": "20", "retry-after": "7"}, 0.02),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),  # long past
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "7 seconds"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, None),  # a time of no place
        ({"retry-after": "Wed, 99 Foo 20155 99:99:99 GMT"}, None),
        ({"retry-after-ms": "soon"}, None),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "-5", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "inf"}, None),
        ({"retry-after-ms": "nan"}, None),
        ({"retry-after-ms": ""}, None),
    ],
)
def test_the_seconds_that_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_come_is_so_many_seconds_away() -> None:
    at = datetime.now(UTC) + timedelta(seconds=90)
    seconds = retry_after({"retry-after": format_datetime(at, usegmt=True)})
    assert seconds == pytest.approx(90, abs=5)


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [(429, {"retry-after": "7"}, 7.0), (503, {"retry-after-ms": "20"}, 0.02), (500, {"retry-after": "soon"}, None)],
)
def test_a_trouble_carries_the_wait(status: int, headers: dict[str, str], after: float | None) -> None:
    assert trouble_of(status, headers, None, KEY).after == after


@given(st.one_of(st.text(), st.text("0123456789.eE+-: GMTJanWed,", max_size=30)))
def test_any_header_is_seconds_or_nothing(value: str) -> None:
    for seconds in (
        retry_after({"retry-after": value}),
        seconds_until_more({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": value}),
    ):
        assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "10s"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10s"}, 10),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1.5s"}, 1.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "0m3s"}, 3),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 60),  # no longer than a minute
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3s"}, 60),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "5s",
            },
            5,
        ),
        ({"x-ratelimit-remaining-tokens": "0"}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "soon"}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": ""}, 0),
        ({"x-ratelimit-remaining-tokens": "none", "x-ratelimit-reset-tokens": "5s"}, 0),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2020-01-01T00:00:00Z"}, 0),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2999-01-01T00:00:00Z"}, 60),
        ({"anthropic-ratelimit-requests-remaining": "5", "anthropic-ratelimit-requests-reset": "2999-01-01T00:00:00Z"}, 0),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2999-01-01T00:00:00"}, 0),  # of no place
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "soon"}, 0),
        ({"anthropic-ratelimit-tokens-remaining": "0"}, 0),
    ],
)
def test_for_how_long_the_headers_say_that_nothing_more_is_taken(headers: dict[str, str], seconds: float) -> None:
    assert seconds_until_more(headers) == pytest.approx(seconds)


def test_the_moment_from_which_anthropic_takes_more_is_so_many_seconds_away() -> None:
    at = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    headers = {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": at}
    assert seconds_until_more(headers) == pytest.approx(30, abs=5)
