"""Defaults from `judge.toml` (or `[tool.judge]` in pyproject.toml) and `JUDGE_*` variables; the command line wins over both."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialogue import datafile
from dialogue.errors import UsageProblem, did_you_mean, listed, nearest

FILE = "judge.toml"
PREFIX = "JUDGE_"


class Settings(BaseModel):
    """What commands take when the command line says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str = "local"
    rubric: str = "collections"
    recipe: str = "blend"
    outcomes: str | None = None  # None: the table named like the rubric, else `collections`
    ledger: str = "judge-ledger.db"
    format: str | None = None  # None: sniff
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    escalate: Annotated[int, Field(ge=1, le=100)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 32
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_retries: Annotated[int, Field(ge=0, le=20)] = 6
    rpm: Annotated[float, Field(gt=0)] | None = None
    tpm: Annotated[float, Field(gt=0)] | None = None
    budget_usd: Annotated[float, Field(ge=0)] | None = None
    max_requests: Annotated[int, Field(ge=0)] | None = None
    prices: str | None = None  # None: the shipped table


TEMPLATE = """\
# Settings of judge. Every line is optional; the command line wins over JUDGE_* variables, and they over this file.

# Who rates: "local" (embedded, no key), or a language model: "openai:MODEL", "openai-decisions:gpt-6-luna", "anthropic:MODEL",
# "compatible:MODEL@http://host/v1", "panel:FILE.toml", "replay:FILE". Keys come from OPENAI_API_KEY, ANTHROPIC_API_KEY or
# COMPATIBLE_API_KEY, or from the file that OPENAI_API_KEY_FILE (and so on) names; they have no place in this file.
# judge = "local"

# The question: a shipped rubric (judge rubric list) or a path to your own .toml.
# rubric = "collections"

# The terms of the reward: outcome, rlaif, blend, or a path to your own .toml.
# recipe = "blend"

# What endings are worth: a shipped table or a path. By default the one named like the rubric.
# outcomes = "collections"

# Where verdicts are kept, so that nothing is rated or paid for twice.
# ledger = "judge-ledger.db"

# The format of transcripts; by default each file is sniffed.
# format = "native"

# How often each transcript is rated (the verdict is the mean), and up to how often while a decision hangs on the spread.
# repeats = 1
# escalate = 5

# How language models are asked: requests in flight at most, seconds for one request, retries of one request, and caps on
# requests and tokens a minute.
# concurrency = 32
# timeout = 120
# max_retries = 6
# rpm = 500
# tpm = 200000

# Where a run stops asking; what is done is kept, and the next run goes on.
# budget_usd = 5.0
# max_requests = 10000

# The price table: by default the shipped one.
# prices = "my-prices.toml"
"""


def load_settings(folder: Path, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """Return the settings that hold in `folder`.

    Args:
        environ: the environment; `JUDGE_RUBRIC` and so on are read.
        overrides: what the command line gave; None means not given.

    Raises:
        UsageProblem: an unknown key or variable, or a value of the wrong kind.
    """
    given = _from_file(folder) | _from_environ(environ) | {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:  # a file's values were checked with their lines already
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        name = f"--{key.replace('_', '-')}" if overrides.get(key) is not None else f"{PREFIX}{key.upper()}"
        raise UsageProblem(f"{name} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


def _from_file(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if path.is_file():
        return datafile.load(path, Settings).model_dump(exclude_unset=True)
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        tool = tomllib.loads(text).get("tool", {})
        table = tool.get("judge", {}) if isinstance(tool, dict) else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}  # somebody else's file: other tools complain about it better than we can
    if not isinstance(table, dict):
        line = datafile.line_of(text, ["tool", "judge"])
        raise UsageProblem(f"{path}:{line}: [tool.judge] is {table!r}; expected one table of settings: {listed(Settings.model_fields)}")
    try:
        return Settings.model_validate(table).model_dump(exclude_unset=True)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        known = key in Settings.model_fields
        hint = f" is {table[key]!r}: {error.errors()[0]['msg']}" if known else did_you_mean(key, Settings.model_fields)
        line = datafile.line_of(text, ["tool", "judge", key])
        raise UsageProblem(
            f"{path}:{line}: [tool.judge] {'key' if known else 'unknown key'} {key!r}{hint}; allowed: {listed(Settings.model_fields)}"
        ) from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return settings from `JUDGE_*`; a variable that is nearly a setting is refused, others may be somebody else's."""
    found = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key in Settings.model_fields:
            found[key] = value
        elif meant := nearest(key, Settings.model_fields, cutoff=0.8):
            raise UsageProblem(f"unknown environment variable {name}; did you mean {PREFIX}{meant.upper()}?")
    return found
