"""What the providers' HTTP answers mean: an error becomes a `Trouble`, headers seconds to wait, logprobs tokens. No SDK, no prompt."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from judge.chat import Token, Trouble
from judge.keys import wiped
from judge.verdict import FailureKind

SHOWN = 300  # characters of a server's message
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LENGTH_SIGNS = ("context_length", "context window", "maximum context", "too long", "too many tokens", "string_above_max_length")
_QUOTA_SIGNS = ("insufficient_quota", "billing", "credit balance")


def trouble_of(status: int, headers: Mapping[str, str], body: Any, key: str | None) -> Trouble:
    """Return what an HTTP status other than 200 means, with the server's words, wiped of the key."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    error = error if isinstance(error, dict) else {"message": error}
    said = str(error.get("message") or (body if isinstance(body, str) else json.dumps(body) if body else ""))
    parameter = error.get("param")
    # Signs are looked for before wiping; only what is shown is wiped.
    signs = " ".join(str(part) for part in (parameter, error.get("code"), error.get("type"), said) if part).lower()
    told = wiped(" ".join(said.split()), key)[:SHOWN]  # in this order: half a key is not recognised
    detail = f"status {status}" + (f": {told}" if told else "")
    after = retry_after(headers)
    if any(sign in signs for sign in _QUOTA_SIGNS) and status in (400, 402, 403, 429):
        return Trouble(FailureKind.REJECTED, f"{detail}; the account cannot pay for requests", hopeless=True)
    match status:
        case 401 | 403:
            return Trouble(FailureKind.REJECTED, f"{detail}; check the key and what it may use", hopeless=True)
        case 404:
            return Trouble(FailureKind.REJECTED, f"{detail}; check the model's name and the server's address", hopeless=True)
        case 429:
            return Trouble(FailureKind.RATE_LIMITED, detail, again=True, after=after, throttled=True)
        case 503 | 529:
            return Trouble(FailureKind.SERVER_ERROR, detail, again=True, after=after, throttled=True)
        case 408 | 409 | 425:
            return Trouble(FailureKind.SERVER_ERROR, detail, again=True, after=after)
        case 413:
            return Trouble(FailureKind.TOO_LONG, detail)
        case _ if status >= 500:
            return Trouble(FailureKind.SERVER_ERROR, detail, again=True, after=after)
    if any(sign in signs for sign in _LENGTH_SIGNS):
        return Trouble(FailureKind.TOO_LONG, detail)
    return Trouble(FailureKind.REJECTED, detail, refused=str(parameter).lower() if parameter else signs)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait (`retry-after-ms`, or `retry-after` as seconds or a date), or None."""
    if re.fullmatch(r"[ \t]*\d+(\.\d+)?[ \t]*", millis := headers.get("retry-after-ms", "")):
        return float(millis) / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        if re.fullmatch(r"[ \t]*\d+(\.\d+)?[ \t]*", value):
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def seconds_until_more(headers: Mapping[str, str]) -> float:
    """Return for how long the rate-limit headers say that no further request is taken: 0 while some remain."""
    longest = 0.0
    for what in ("requests", "tokens"):
        left = headers.get(f"x-ratelimit-remaining-{what}")
        if left == "0":
            longest = max(longest, _duration(headers.get(f"x-ratelimit-reset-{what}", "")))
        left = headers.get(f"anthropic-ratelimit-{what}-remaining")
        if left == "0":
            longest = max(longest, _until(headers.get(f"anthropic-ratelimit-{what}-reset", "")))
    return min(longest, 60.0)


def _duration(text: str) -> float:
    """Return the seconds of a duration such as `6m0s` or `120ms`."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def _until(moment: str) -> float:
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else 0.0


def tokens_of(entries: Any) -> tuple[Token, ...]:
    """Return an answer's tokens from OpenAI's logprobs; None gives none."""
    return tuple(
        Token(str(token["token"]), tuple((str(top["token"]), float(top["logprob"])) for top in token.get("top_logprobs") or ()))
        for token in entries or ()
    )
