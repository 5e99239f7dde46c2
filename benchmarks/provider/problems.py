"""What goes wrong, as each vendor words it; not when."""

from typing import Any

Json = dict[str, Any]


class Problem(Exception):
    """A request that is not answered.

    Args:
        status: of the HTTP answer.
        message: for people.
        param: the body parameter (dotted) that is to blame.
        code: OpenAI's word for it; Anthropic has none.
        retry_after: seconds that the client shall wait.
    """

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.retry_after = status, message, param, code, retry_after

    def body(self, *, anthropic: bool, request_id: str) -> Json:
        """Return the JSON that the vendor sends."""
        if anthropic:
            kind = _ANTHROPIC_TYPES.get(self.status, "invalid_request_error")
            return {"type": "error", "error": {"type": kind, "message": self.message}, "request_id": request_id}
        kind = _OPENAI_TYPES.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
_OPENAI_TYPES = {429: "requests", 500: "server_error", 503: "server_error"}


def injected(fault: str, *, anthropic: bool, model: str, retry_after: float) -> Problem:
    """Return the problem that a fault stands for: rate_limit, overloaded or server_error."""
    if fault == "rate_limit":
        return Problem(429, f"Rate limit reached for {model}.", code="rate_limit_exceeded", retry_after=retry_after)
    if fault == "overloaded":
        return Problem(529, "Overloaded") if anthropic else Problem(503, "The engine is currently overloaded, please try again later.")
    return Problem(500, "Internal server error" if anthropic else "The server had an error while processing your request.")


def rejected(param: str, *, anthropic: bool) -> Problem:
    """Return the problem of a parameter that the model does not take."""
    if anthropic:
        return Problem(400, f"{param}: this model does not support it")
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    return Problem(400, message, param=param, code="unsupported_parameter")


def wrong_key(key: str, *, anthropic: bool) -> Problem:
    """Return the problem of a key that is missing or unknown; the message repeats the key, so that clients must scrub it."""
    if not key:
        return Problem(401, "x-api-key header is required" if anthropic else "You didn't provide an API key.")
    return Problem(401, f"invalid x-api-key: {key}" if anthropic else f"Incorrect API key provided: {key}.", code="invalid_api_key")
