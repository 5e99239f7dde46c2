"""Look into a policy file, or ask it for an action."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from dialogue.encoding import Encoding
from dialogue.environments.contract import Spaces
from dialogue.errors import InputProblem, UsageProblem, did_you_mean, listed
from policies.policy_table import Row, rows_of, table_lines
from policies.prompting import book_for, load_book
from policies.saved import Saved, load_saved
from policies.table import TablePolicy

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
HEAD = ("learner", "env", "recipe", "seed", "steps", "episodes")  # of a manifest, in this order, where it has them
EXAMPLE = '--state \'{"fsm": "NEGOTIATION", "sentiment": "negative", "turn": 5}\''


@app.command()
def show(
    policy: Annotated[Path, typer.Argument(metavar="POLICY.json", help="What `judge train` wrote.")],
    state_filter: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Only such states, as fsm=NEGOTIATION or turn=5; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what a policy does in each state: value, probability and count of every action; * what it does most."""
    saved = load_saved(policy)
    spaces = saved.policy.spaces
    tabular = spaces.observations is not None and not spaces.continuous
    if state_filter and not tabular:
        raise UsageProblem(f"--state-filter {state_filter[0]!r}: this policy has no table of states; leave it out")
    rows, unseen = rows_of(saved.policy, state_filter or ()) if tabular else ([], 0)
    if as_json:
        told = {"kind": saved.policy.kind, "actions": list(spaces.actions), "manifest": saved.manifest, "unseen": unseen}
        print(json.dumps(told | {"states": [_as_data(row, spaces.actions) for row in rows]}, ensure_ascii=False))
        return
    for line in _head(saved):
        print(line)
    if not tabular:
        what = f"vectors of {spaces.width} numbers" if spaces.observations is None else f"{spaces.observations:,} states"
        print(f"observes {what}, acts by {'numbers for ' if spaces.continuous else ''}{listed(spaces.actions)}: there is no table to show")
        return
    print()
    for line in table_lines(rows, spaces.actions):
        print(line)
    parts = ["value"] * (rows[0].values is not None) + ["probability"] + ["count"] * (rows[0].counts is not None) if rows else []
    print(
        f"{chr(10) if rows else ''}{len(rows):,} states" + (f" ({', '.join(parts)}; * what it does most)" if rows else "") + _unseen(unseen)
    )


@app.command()
def act(
    policy: Annotated[Path, typer.Argument(metavar="POLICY.json", help="What `judge train` wrote.")],
    state: Annotated[str, typer.Option(help="The state as JSON or as fsm=NEGOTIATION,turn=5; a JSON list where it observes vectors.")],
    greedy: Annotated[bool, typer.Option("--greedy", help="Do what it does most instead of drawing an action.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draw.  [default: another one each time]")] = None,
    prompts: Annotated[str | None, typer.Option(help="Prompts, shipped or a .toml of your own.  [default: what fits]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Ask a policy what to do in a state: the action, its probability, and the prompt for the language model."""
    saved = load_saved(policy)
    spaces = saved.policy.spaces
    seen, described = _observation(state, spaces)
    acting = saved.policy.greedy() if greedy else saved.policy
    actions, probs = acting.act(seen, np.random.default_rng(seed))
    prob = float(probs[0])
    if spaces.continuous:
        places = dict(zip(spaces.actions, map(float, actions[0]), strict=True))
        if as_json:
            print(json.dumps({"action": places, "density": prob, "prompt": None}, ensure_ascii=False))
            return
        print("action   " + ", ".join(f"{name} {value:.4f}" for name, value in places.items()) + f"\ndensity  {prob:.4g}")
        return
    action = spaces.actions[int(actions[0])]
    book = load_book(prompts) if prompts else book_for(saved.manifest, spaces.actions)
    prompt = book.prompt_for(action, described) if book else None
    tried = _tried(saved, seen)
    if as_json:
        print(json.dumps({"action": action, "probability": prob, "prompt": prompt, "seen": tried}, ensure_ascii=False))
        return
    print(f"action       {action}\nprobability  {prob:.4f}\nprompt       {prompt or _no_prompt(action, book.name if book else None)}")
    if tried == 0:
        typer.echo("judge: training never met this state", err=True)


def _observation(text: str, spaces: Spaces) -> tuple[Any, dict[str, Any]]:
    """Return what `--state` says, as an observation and as a logged state.

    Raises:
        UsageProblem: it is neither JSON nor pairs, or no state that the policy knows.
    """
    value = _parsed(text)
    if spaces.observations is None:
        numbers = isinstance(value, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        if not numbers or len(value) != spaces.width or not np.isfinite(value).all():
            got = f"a list of {len(value)}" if isinstance(value, list) else repr(value)
            raise UsageProblem(f"--state is {got}; this policy observes a JSON list of {spaces.width} numbers")
        return np.array([value], float), {}
    if spaces.encoding is None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < spaces.observations:
            raise UsageProblem(f"--state is {value!r}; this policy observes a number from 0 to {spaces.observations - 1}")
        return np.array([value]), {}
    if not isinstance(value, dict):
        raise UsageProblem(f"--state is {value!r}; expected {_fields(spaces.encoding)}, such as {EXAMPLE}")
    return np.array([_index(value, spaces.encoding)]), value


def _index(state: Mapping[str, Any], encoding: Encoding) -> int:
    names = [field.name for field in encoding.fields]
    for name in names:
        if name not in state:
            near = next((key for key in state if key not in names and did_you_mean(key, [name])), None)
            told = f"; did you mean {name!r} by {near!r}?" if near else ""
            raise UsageProblem(f"--state has no {name!r}{told}; expected {_fields(encoding)}")
    try:
        return encoding.index(state)
    except InputProblem as problem:
        raise UsageProblem(f"--state: {problem}") from problem


def _parsed(text: str) -> Any:
    """Return the JSON value that a text is, or what `fsm=NEGOTIATION,turn=5` says."""
    try:
        return json.loads(text)
    except ValueError as error:
        if "=" not in text or text.lstrip()[:1] in "{[":
            raise UsageProblem(f"--state {text!r} is not JSON ({error}); write {EXAMPLE}, or fsm=NEGOTIATION,turn=5") from error
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not name or name in found:
            raise UsageProblem(f"--state {text!r}: {part!r} is no FIELD=VALUE, or names its field twice; write {EXAMPLE}")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _fields(encoding: Encoding) -> str:
    return "the fields " + listed(
        f"{field.name} (a number)" if field.edges else f"{field.name} ({listed(field.values[:4])}{', …' if field.size > 4 else ''})"
        for field in encoding.fields
    )


def _tried(saved: Saved, seen: Any) -> int | None:
    """Return how often training met the observation, or None where nobody counted."""
    counted = isinstance(saved.policy, TablePolicy) and saved.policy.counts is not None
    return int(saved.policy.counts[seen[0]].sum()) if counted else None  # type: ignore[attr-defined]


def _no_prompt(action: str, book: str | None) -> str:
    where = f"the prompts {book!r} have none for {action}" if book else "no shipped prompts have all of this policy's actions"
    return f"none: {where}; give a file with --prompts"


def _head(saved: Saved) -> list[str]:
    manifest = saved.manifest
    named = [f"{name} {manifest[name]}" for name in HEAD if name in manifest]
    lines = [", ".join([f"{saved.policy.kind} policy", *named])]
    law = manifest.get("law3")
    if isinstance(law, dict):
        judges = [f"{judge['provider']}/{judge['model']} ({judge['leave']})" for judge in law.get("judges", [])]
        lines += [f"judged by {listed(judges)}"] if judges else []
        given = [name for name, value in law.get("allowed", {}).items() if value is True]
        lines += [f"allowed: {listed(given)}"] if given else []
    return lines


def _unseen(count: int) -> str:
    return f"; {count:,} more were never met in training" if count else ""


def _as_data(row: Row, actions: tuple[str, ...]) -> dict[str, Any]:
    told = {}
    for k, action in enumerate(actions):
        told[action] = {
            "value": None if row.values is None else row.values[k],
            "probability": row.probs[k],
            "count": None if row.counts is None else row.counts[k],
        }
    return {"observation": row.observation, "state": row.state, "best": actions[row.best], "actions": told}
