"""Simulated dialogues as transcripts: a policy acts, an environment that speaks answers; what they are worth is the judge's to say."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np

from dialogue.environments.contract import Spaces
from dialogue.environments.spoken import SpokenCall
from dialogue.errors import UsageProblem, listed
from dialogue.transcript import Transcript
from policies.contract import Policy
from policies.environments import known
from policies.options import typed
from policies.table import TablePolicy

PLACES = 4  # decimals of a continuous action, as it is taken and as it is logged
SPOKEN = {  # loaded only where they are named: Gymnasium takes its time
    "debt_call": EntryPoint("debt_call", "dialogue.environments.spoken_debt_call:SpokenDebtCall", "spoken"),
    "sales_call": EntryPoint("sales_call", "dialogue.environments.spoken_sales_call:SpokenSalesCall", "spoken"),
}
Chooser = Callable[[Any, np.random.Generator], tuple[Any, float]]


def make_spoken(env: str, options: Mapping[str, Any] | None = None) -> SpokenCall:
    """Return an environment that speaks.

    Raises:
        UsageProblem: there is no such environment, it has no words, or an option is wrong.
    """
    if env not in SPOKEN:
        if not env.startswith("gym:"):
            known(env)
        raise UsageProblem(f"{env} has no words, so there is nothing to write down; environments that speak: {listed(SPOKEN)}")
    maker = SPOKEN[env].load()
    call: SpokenCall = maker(**typed(maker, options or {}, f"the environment {env}"))
    return call


def simulate(
    policy: Policy, env: str, n: int, seed: int, options: Mapping[str, Any] | None = None, *, name: str | None = None, first: int = 0
) -> Iterator[Transcript]:
    """Return n simulated dialogues, made as they are asked for.

    The k-th depends on policy, environment, options, seed and k only, so a run can go on anywhere.

    Every agent turn has state, action and the action's probability. The density of a continuous action is no probability: actions are
    written as JSON arrays of four decimals, and `meta` has the list `densities` instead.

    Args:
        policy: who acts.
        env: an environment that speaks: `debt_call` or `sales_call`.
        n: how many.
        seed: of all chance, from 0.
        options: of the environment.
        name: of the policy, in ids and `meta`; None: its kind and the hash of what it holds. Give each policy a name of its own.
        first: number of the first dialogue.

    Raises:
        UsageProblem: there is no such environment, an option is wrong, or n or seed is too small.
    """
    if n < 1:
        raise UsageProblem(f"{n} dialogues cannot be simulated; at least 1")
    if seed < 0:
        raise UsageProblem(f"the seed {seed} is below 0; give a whole number from 0")
    made = rows(make_spoken(env, options), policy, env, range(first, first + n), seed, name or _name_of(policy), options)
    return map(Transcript.model_validate, made)


def rows(
    call: SpokenCall, policy: Policy, env: str, numbers: range, seed: int, name: str, options: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the dialogues of these numbers as JSON values, which are sooner written than made transcripts; see `simulate`."""
    spaces, choose = call.spaces, chooser(policy)
    about = {"env": env, "policy": name, "seed": seed}
    prefix = f"{env}-{name}-{seed}"
    if options:
        told = {key: str(value) for key, value in sorted(options.items())}
        about["options"] = told
        prefix += f"-{sha256(json.dumps(told).encode()).hexdigest()[:6]}"
    for number in numbers:
        rng = np.random.Generator(np.random.Philox(key=(seed, number)))  # streams of different keys are independent
        yield {"id": f"{prefix}-{number}", **_dialogue(call, choose, spaces, rng, about)}


def _dialogue(call: SpokenCall, choose: Chooser, spaces: Spaces, rng: np.random.Generator, about: Mapping[str, Any]) -> dict[str, Any]:
    begun = call.begin(rng)
    observation, state = begun.observation, begun.state
    turns: list[dict[str, Any]] = [{"role": "user", "text": begun.user}] if begun.user else []
    densities: list[float] = []
    total = 0.0
    while True:
        action, prob = choose(observation, rng)
        if spaces.continuous:
            action = np.round(action, PLACES)
            densities.append(prob)
        said = call.act(action)
        total += said.reward
        turn: dict[str, Any] = {"role": "agent", "text": said.agent, "state": state}
        if spaces.continuous:
            turn["action"] = json.dumps(action.tolist())
        else:
            turn["action"], turn["action_prob"] = spaces.actions[action], prob
        if said.signals:
            turn["signals"] = said.signals
        turns.append(turn)
        if said.user:
            turns.append({"role": "user", "text": said.user})
        if said.over:
            break
        observation, state = said.observation, said.state
    meta = {**about, **begun.meta, "return": round(float(total), 9)} | ({"densities": densities} if densities else {})
    return {"turns": turns, "outcome": said.outcome, "meta": meta}


def chooser(policy: Policy) -> Chooser:
    """Return a function from one observation to an action and its probability: what `policy.act` gives, of a table without its arrays."""
    if not isinstance(policy, TablePolicy):

        def acts(observation: Any, rng: np.random.Generator) -> tuple[Any, float]:
            actions, probs = policy.act(np.asarray(observation)[None], rng)
            return actions[0], float(probs[0])

        return acts

    rows, below = policy.probs.tolist(), policy.probs.cumsum(1).tolist()
    last = [max(at for at, prob in enumerate(row) if prob > 0) for row in rows]  # a row may sum to a little less than 1

    def looks_up(observation: int, rng: np.random.Generator) -> tuple[int, float]:
        action = min(bisect_right(below[observation], rng.random()), last[observation])
        return action, rows[observation][action]

    return looks_up


def _name_of(policy: Policy) -> str:
    return f"{policy.kind}-{sha256(json.dumps(policy.as_data()).encode()).hexdigest()[:8]}"
