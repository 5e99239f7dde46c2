"""What follows the colon in `--judge provider:…`: a model, and options after a question mark."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from dialogue.errors import UsageProblem, did_you_mean, listed

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model and how it is to be sampled; None is the provider's default."""

    model: str
    url: str | None = None
    temperature: float | None = None
    effort: str | None = None
    max_output_tokens: int | None = None
    logprobs: bool = False
    api: str | None = None
    echo: str | None = None

    @property
    def sampling(self) -> str:
        """What of the sampling was asked for, as it stands in a JudgeId."""
        names = ("temperature", "effort", "max_output_tokens", "logprobs", "api")
        given = ((name, getattr(self, name)) for name in names)
        told = (
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in given
            if value is not None and value is not False  # a temperature of 0 equals False
        )
        return " ".join(told) or "default"


def read_spec(provider: str, rest: str, options: tuple[str, ...], *, url: bool = False, efforts: tuple[str, ...] = EFFORTS) -> ModelSpec:
    """Return what `rest` asks for.

    Args:
        options: those that the provider's API has.
        url: whether an address belongs to it (`MODEL@http://…`).
        efforts: those that the provider's API knows.

    Raises:
        UsageProblem: no model, no address, an unknown option or a value that it cannot have.
    """
    name, _, query = rest.partition("?")
    address = None
    form = f"{provider}:MODEL{'@http://HOST/v1' if url else ''}"
    if url:
        at = max(name.rfind("@http://"), name.rfind("@https://"))
        name, address = (name[:at], name[at + 1 :]) if at >= 0 else (name.partition("@")[0], name.partition("@")[2])
        if "@" in address or "://" in name:
            raise UsageProblem(f"--judge {provider}: a key or password stands in the address; set COMPATIBLE_API_KEY instead")
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise UsageProblem(f"--judge {provider}:{name}: the server's address is {address!r}; expected {form}")
    if not name.strip():
        raise UsageProblem(f"--judge {provider}: which model? Expected {form}")
    given = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in options:
            raise UsageProblem(f"--judge {provider}: unknown option {key!r}{did_you_mean(key, options)}; allowed: {listed(options)}")
        given[key] = _value(provider, key, value, efforts)
    return ModelSpec(name, address, **given)  # type: ignore[arg-type]


def _value(provider: str, key: str, value: str, efforts: tuple[str, ...]) -> str | float | int | bool:
    problem = UsageProblem(
        f"--judge {provider}: option {key} is {value!r}; expected {listed(efforts) if key == 'effort' else _EXPECTED[key]}"
    )
    try:
        if key == "temperature":
            number = float(value)
            if not 0 <= number <= 2:
                raise problem
            return number
        if key == "max_output_tokens":
            whole = int(value)
            if whole < 1:
                raise problem
            return whole
    except ValueError:
        raise problem from None
    if key == "logprobs":
        if value.lower() not in TRUTHS:
            raise problem
        return TRUTHS[value.lower()]
    if (key == "effort" and value not in efforts) or (key == "api" and value not in ("responses", "chat")) or not value:
        raise problem
    return value


_EXPECTED = {
    "temperature": "a number from 0 to 2",
    "max_output_tokens": "a whole number from 1",
    "logprobs": "true or false",
    "api": "responses or chat",
    "echo": "the name under which the server answers",
}
