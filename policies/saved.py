"""Policies as files: policy.json holds what is served, and a manifest of what it was made of; read back, everything is checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dialogue.encoding import Encoding
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem, did_you_mean, listed
from judge.report_files import replace_whole
from policies.contract import Policy
from policies.linear_policy import LinearPolicy
from policies.network_policy import NetworkPolicy
from policies.table import TablePolicy

VERSION = 1
MEND = "mend it, or take the file as `judge train` wrote it"
KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (TablePolicy, LinearPolicy, NetworkPolicy)}
NUMBERS = ("probs", "values", "counts", "weights")  # arrays of a policy, where its kind has them
WRONG = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)  # what parts raise that were edited by hand
SHOWN = 40  # characters of a wrong value in a message


@dataclass(frozen=True, slots=True)
class Saved:
    """A policy, and its manifest.

    Attributes:
        manifest: JSON values: the learner and its parameters, environment or files with their hashes, steps, seed, judge ids, recipe,
            outcomes, calibration, rubric, what was allowed, counts. No dates: the same run writes the same bytes.
    """

    policy: Policy
    manifest: dict[str, Any]


def save_policy(policy: Policy, path: str | Path, manifest: Mapping[str, Any]) -> None:
    """Write a policy file, whole or not at all.

    Raises:
        UsageProblem: the place cannot be written.
        ValueError: the policy holds NaN or infinity, or is of a kind that cannot be read back.
    """
    if policy.kind not in KINDS:
        raise ValueError(f"policies of kind {policy.kind!r} cannot be read back; known kinds: {listed(KINDS)}")
    parts = {
        "version": VERSION,
        "kind": policy.kind,
        "manifest": dict(manifest),
        "spaces": spaces_as_data(policy.spaces),
        "policy": policy.as_data(),
    }
    lines = (f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False, allow_nan=False)}" for name, part in parts.items())
    replace_whole(Path(path), "{\n" + ",\n".join(lines) + "\n}\n")


def load_policy(path: str | Path) -> Policy:
    """Return the policy that a file holds.

    Raises:
        UsageProblem: as `load_saved`.
    """
    return load_saved(path).policy


def load_saved(path: str | Path) -> Saved:
    """Return the policy that a file holds, and its manifest.

    Raises:
        UsageProblem: there is no such file, or it holds anything but a whole policy of this version.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        data = json.loads(text, parse_constant=_no_number)
    except OSError as error:
        raise UsageProblem(f"cannot read the policy {path}: {error.strerror}; name a file that `judge train` wrote") from error
    except RecursionError as error:
        raise UsageProblem(f"{path} is not a policy file: it is nested too deeply") from error
    except ValueError as error:
        raise UsageProblem(f"{path} is not a policy file: it is not valid JSON ({error}); name a file that `judge train` wrote") from error
    try:
        return _read(data)
    except _Misfit as misfit:
        raise UsageProblem(f"{path} is not a policy file that can be used: {misfit}") from misfit


class _Misfit(Exception):
    """What of a policy file's content is wrong."""


def _read(data: Any) -> Saved:
    if not isinstance(data, dict) or ("kind" not in data and "policy" not in data):
        raise _Misfit("it has no 'kind' and 'policy'; name a file that `judge train` wrote")
    if data.get("version") != VERSION:
        raise _Misfit(
            f"its version is {data.get('version')!r}, this program reads version {VERSION}; train it again, or use the other program"
        )
    kind, manifest = data.get("kind"), data.get("manifest", {})
    if not isinstance(kind, str) or kind not in KINDS:
        raise _Misfit(f"its kind is {kind!r}{did_you_mean(str(kind), KINDS)}; known kinds: {listed(KINDS)}")
    if not isinstance(manifest, dict):
        raise _Misfit("its 'manifest' is not a table of keys and values")
    try:
        spaces = spaces_from_data(_part(data, "spaces"))
    except WRONG as error:
        raise _Misfit(f"its 'spaces' do not fit: {_why(error)}; {MEND}") from error
    part = _part(data, "policy")
    for name in NUMBERS:
        _check_numbers(name, part.get(name))
    try:
        policy: Policy = KINDS[kind].from_data(spaces, part)
        if isinstance(policy, TablePolicy):
            _check_table(policy)
        _try(policy)
    except WRONG as error:
        raise _Misfit(f"its 'policy' does not fit: {_why(error)}; {MEND}") from error
    return Saved(policy, manifest)


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a part that is a table of keys and values."""
    if name not in data:
        raise _Misfit(f"it has no {name!r}; {MEND}")
    if not isinstance(data[name], dict):
        raise _Misfit(f"its {name!r} is {_short(data[name])}, not a table of keys and values; {MEND}")
    part: dict[str, Any] = data[name]
    return part


def _check_numbers(name: str, given: Any) -> None:
    """See that a part is an array: NumPy's own words are of shapes and types, not of the file. Of a network the weights are a text."""
    if given is None or isinstance(given, str):
        return
    try:
        np.array(given, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Misfit(f"'{name}' of its 'policy' is not rows of numbers, equally many in each; {MEND}") from error


def _why(error: Exception) -> str:
    """Return in words what an error says of the file, so that nobody has to read Python."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    told = " ".join(str(error).split())
    return told if isinstance(error, ValueError) else f"a value in it is of the wrong kind ({told})"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _check_table(policy: TablePolicy) -> None:
    if policy.spaces.observations is None or policy.spaces.continuous:
        raise _Misfit("a table needs discrete observations and actions")
    shape = (policy.spaces.observations, len(policy.spaces.actions))
    for name, table in (("probs", policy.probs), ("values", policy.values), ("counts", policy.counts)):
        if table is None:
            continue
        if table.shape != shape:
            raise _Misfit(f"'{name}' has the shape {table.shape}, not {shape} (observations, actions)")
        if not np.isfinite(table).all():
            raise _Misfit(f"'{name}' holds a number that is not finite")
        if name != "values" and (table < 0).any():
            raise _Misfit(f"'{name}' holds a number below 0")
    off = np.abs(policy.probs.sum(1) - 1) > 1e-9
    if off.any():
        row = int(off.argmax())
        raise _Misfit(f"the probabilities of observation {row} sum to {policy.probs[row].sum():.12g}, not 1")


def _try(policy: Policy) -> None:
    """Act once, so that arrays which do not fit together are noticed here and not while a call is on the line."""
    spaces = policy.spaces
    seen = np.zeros(1, np.intp) if spaces.observations is not None else np.zeros((1, spaces.width))
    with np.errstate(all="ignore"):
        actions, probs = policy.act(seen, np.random.default_rng(0))
    expected = (1, len(spaces.actions)) if spaces.continuous else (1,)
    if actions.shape != expected or probs.shape != (1,) or not np.isfinite(probs).all():
        raise _Misfit(f"it gives actions of shape {actions.shape} with probabilities {probs.tolist()}; expected shape {expected}")


def spaces_as_data(spaces: Spaces) -> dict[str, Any]:
    """Return spaces as JSON values."""
    return {
        "actions": list(spaces.actions),
        "continuous": spaces.continuous,
        "observations": spaces.observations,
        "width": spaces.width,
        "encoding": spaces.encoding.as_data() if spaces.encoding else None,
    }


def spaces_from_data(data: Mapping[str, Any]) -> Spaces:
    """Return what `spaces_as_data` made JSON values of.

    Raises:
        KeyError, TypeError, ValueError: something else.
    """
    encoding = _encoding(data["encoding"]) if data["encoding"] is not None else None
    if not isinstance(data["actions"], list):
        raise ValueError(f"'actions' is {data['actions']!r}, not a list")
    actions, observations, width = tuple(data["actions"]), data["observations"], data["width"]
    if not actions or len(set(actions)) < len(actions) or not all(isinstance(action, str) for action in actions):
        raise ValueError(f"the actions {list(actions)} are not distinct names")
    if isinstance(observations, bool) or not isinstance(observations, int | None) or (observations is not None and observations < 1):
        raise ValueError(f"there cannot be {observations!r} observations")
    if isinstance(width, bool) or not isinstance(width, int) or width < 0 or not isinstance(data["continuous"], bool):
        raise ValueError(f"'width' is {width!r} and 'continuous' {data['continuous']!r}")
    if encoding and encoding.size != observations:
        raise ValueError(f"the encoding makes {encoding.size} observations, not {observations}")
    return Spaces(actions, data["continuous"], observations, width, encoding)


def _encoding(data: list[dict[str, Any]]) -> Encoding:
    encoding = Encoding.from_data(data)
    for field in encoding.fields:
        if not isinstance(field.name, str) or not field.size or not all(isinstance(value, str) for value in field.values):
            raise ValueError(f"the state field {field.name!r} has no values, or values that are no texts")
        if any(low >= high for low, high in pairwise(map(float, field.edges))):
            raise ValueError(f"the edges of the state field {field.name!r} do not rise")
    return encoding


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON has")
