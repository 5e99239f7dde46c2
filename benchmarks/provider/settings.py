"""What the fake provider can be told, by its command line and by POST /control; how it obeys stands in the other files."""

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

# Faults of the wire, which any request can meet, and of the answer, which need a model that answers.
WIRE_FAULTS = ("rate_limit", "overloaded", "server_error", "bad_gateway", "cut_stream", "hang", "reset", "slow")
ANSWER_FAULTS = ("invalid_json", "wrong_schema", "refusal", "empty", "truncated", "wrong_model")
FAULTS = WIRE_FAULTS + ANSWER_FAULTS


def _option(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(slots=True)
class Settings:
    """Everything that can be set; each field is a flag (`--cache-min`) and a key of /control (`cache_min`)."""

    key: str = _option("", "the only API key that is let in; empty: any key that is not empty")
    seed: int = _option(0, "of the answers and of everything drawn by chance")
    latency: float = _option(0.0, "seconds before a model's answer")
    noise: float = _option(0.0, "probability per chosen value that it is drawn by chance")
    labels: str = _option("", "folder of golden cases, which are then rated as labelled; empty: ratings mean nothing")
    label_noise: float = _option(0.3, "standard deviation of those ratings, in levels of a 1-5 scale")
    label_drift: float = _option(0.0, "added to those ratings")
    cache_min: int = _option(1024, "tokens that a prompt needs to be cached")
    schema_in_prefix: bool = _option(True, "an answer's schema stands before the prompt: another schema is another prefix")
    rpm: int = _option(0, "model requests per window before 429; 0: no limit")
    rate_window: float = _option(60.0, "seconds of the window that rpm counts in")
    retry_after: float = _option(1.0, "seconds that an injected 429 asks to wait")
    slow_pause: float = _option(0.2, "seconds between two bytes of a slow answer")
    keep_bodies: bool = _option(False, "show the last 50 request bodies in /stats")
    rejects: list[str] = field(default_factory=list, metadata={"help": "dotted body parameters that the model refuses"})
    script: list[str] = field(
        default_factory=list,
        metadata={"help": "faults, or ok, for the next requests, one each; goes before the probabilities"},
    )
    batch_delay: float = _option(0.0, "seconds until a batch is done; its lines are answered one after the other till then")
    batch_expire: float = _option(0.0, "fraction of a batch's lines that expire")
    batch_error: float = _option(0.0, "fraction of a batch's lines that end in an error")
    batch_fail: float = _option(0.0, "probability that an OpenAI batch fails as a whole")
    rate_limit: float = _option(0.0, "probability of 429")
    overloaded: float = _option(0.0, "probability of 529 (anthropic) or 503 (openai)")
    server_error: float = _option(0.0, "probability of 500")
    bad_gateway: float = _option(0.0, "probability of 502 with a page of HTML")
    cut_stream: float = _option(0.0, "probability that the connection closes after half of the answer")
    hang: float = _option(0.0, "probability that no answer ever comes")
    reset: float = _option(0.0, "probability that the connection is reset before the answer")
    slow: float = _option(0.0, "probability that the answer trickles in byte by byte")
    invalid_json: float = _option(0.0, "probability that the answer is JSON cut off in the middle")
    wrong_schema: float = _option(0.0, "probability of an answer beside the schema: four ways in turn")
    refusal: float = _option(0.0, "probability that the model declines")
    empty: float = _option(0.0, "probability of an empty answer")
    truncated: float = _option(0.0, "probability that the answer stops at the token limit")
    wrong_model: float = _option(0.0, "probability that another model is named")

    def __post_init__(self) -> None:
        if unknown := set(self.script) - {*FAULTS, "ok"}:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        if any(not 0 <= getattr(self, name) <= 1 for name in FAULTS) or sum(getattr(self, name) for name in FAULTS) > 1 + 1e-9:
            raise ValueError("the faults' probabilities are not within 0..1, or come to more than 1")

    def update(self, values: Mapping[str, Any]) -> None:
        """Take over some settings, all of them or, where one is wrong, none.

        Raises:
            ValueError: an unknown name, a value of the wrong type, or one that makes no sense.
        """
        checked = {name: self._checked(name, value) for name, value in values.items()}
        Settings(**{**{each.name: getattr(self, each.name) for each in fields(self)}, **checked})
        for name, value in checked.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        """Return everything that is set, but for the key."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "key"}

    def _checked(self, name: str, value: Any) -> Any:
        kind = next((type(default(each)) for each in fields(self) if each.name == name), None)
        if kind is None:
            raise ValueError(f"no such setting: {name}")
        if kind is float and isinstance(value, (int, bool)):
            return float(value)
        if type(value) is not kind or (kind is list and not all(isinstance(item, str) for item in value)):
            raise ValueError(f"{name}: not a {kind.__name__}{' of strings' if kind is list else ''}")
        return list(value) if kind is list else value


def default(each: Any) -> Any:
    """Return a field's default value."""
    return each.default if each.default is not MISSING else each.default_factory()


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser a flag for each setting."""
    for each in fields(Settings):
        name, help_text, preset = "--" + each.name.replace("_", "-"), each.metadata["help"], default(each)
        if isinstance(preset, bool):
            parser.add_argument(name, action=argparse.BooleanOptionalAction, default=preset, help=help_text)
        elif isinstance(preset, list):
            parser.add_argument(name, type=_split, default=preset, metavar="NAME,…", help=help_text)
        else:
            parser.add_argument(name, type=type(preset), default=preset, metavar=type(preset).__name__.upper(), help=help_text)


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
