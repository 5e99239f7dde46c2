"""Second finding: PROCEED and EMPATHIZE look alike under outcome-only reward, under judge reward empathy is clearly better; from a log.

The values are those of acting so once in the state and going on as the log did: means over every visit of what the call earned from there
on, with intervals from resampling whole calls. Under the outcome they are computed exactly as well. The judge is the embedded one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dialogue.environments.call_model import CallModel
from dialogue.environments.call_words import ACTIONS, LAST_TURN, OUTCOMES, Action
from dialogue.environments.exact_call import ExactCall, exact_call
from policies.contract import PASSES, Learner
from policies.learners.actor_critic import ActorCritic
from policies.learners.pessimistic import Pessimistic
from policies.logged import Log
from policies.table import TablePolicy
from reports.finding_log import BLEND, FULL, NO_VETO, OUTCOME, OWN, PLACE, RLAIF, STATE, Judged, Visits, behaviour
from reports.seeded import Claim, Estimate, Floats, Verdict, above, kept, within

PAIR = (Action.PROCEED, Action.EMPATHIZE)
PUBLISHED = {OUTCOME: (-0.3, -0.3), BLEND: (-0.5, 0.1)}
MARGIN = 0.2  # a third of the published difference under the judge, .6: nearer is alike, farther is clearly better
ENDINGS_APART = 0.15  # shares of an ending that are nearer are the same way of ending
DRAWS = 2000
SIMULATED, WEIGHT = "outcome + 0.1 × simulated judge", 0.1
REWARDS = (OUTCOME, BLEND, NO_VETO, RLAIF, FULL)
LEARNERS: Mapping[str, Callable[[], Learner]] = {
    "actor-critic": lambda: ActorCritic(envs=256),
    "pessimistic": lambda: Pessimistic(envs=256),
    "pessimistic, discount 0.95": lambda: Pessimistic(gamma=0.95, envs=256),
}
ALIKE = "the difference EMPATHIZE − PROCEED lies within ±0.2 with its whole 95% interval"
BETTER = "the difference EMPATHIZE − PROCEED is above 0.2 with its whole 95% interval"
ENDS = "no way of ending differs by 0.15 or more in its share, with the whole 95% interval of each"


@dataclass(frozen=True, slots=True)
class Served:
    """What a learner made of the log does in the state, by action, and what its greedy policy is truly worth; first of who acted."""

    learner: str
    recipe: str
    acts: dict[str, float]
    true_value: float


@dataclass(frozen=True, slots=True)
class JudgeFinding:
    """What came out.

    Attributes:
        calls, rated: simulated, and rated by the judge.
        visits: of the state, by action.
        worth: by reward and action; `apart` by reward: EMPATHIZE − PROCEED.
        exact: the same for the rewards that can be computed.
        endings: shares, by action and ending; `endings_apart` their differences, `exact_endings` as computed.
        vetoed: share of the visits after which the judge held the call down for a violation, by action; there is none in truth.
        served: by learner and recipe.
    """

    state: dict[str, str | int]
    judge: str
    calls: int
    rated: int
    whole: int
    visits: dict[str, int]
    worth: dict[str, dict[str, Estimate]]
    apart: dict[str, Estimate]
    exact: dict[str, dict[str, float]]
    endings: dict[str, dict[str, Estimate]]
    endings_apart: dict[str, Estimate]
    exact_endings: dict[str, dict[str, float]]
    vetoed: dict[str, Estimate]
    served: list[Served]
    claims: list[Claim]


def judge_finding(model: CallModel, log: Judged, seed: np.random.SeedSequence) -> JudgeFinding:
    """Return the experiment's result.

    Args:
        model: of the debt call, for exact values.
        log: of calls that `behaviour` led.
        seed: of resampling and learners.
    """
    resampling, learning = seed.spawn(2)
    found = log.visits
    columns = {name: found.earned[name] for name in (*REWARDS, OWN)}
    columns |= {str(ending): (found.endings == at).astype(float) for at, ending in enumerate(OUTCOMES)}
    columns["vetoed"] = found.vetoed.astype(float)
    means, apart = resampled(found, columns, np.random.default_rng(resampling))
    endings = [str(ending) for ending in OUTCOMES if any(means[str(ending)][action].value for action in PAIR)]
    exact_endings = {ending: exact_q(model, _only(at)) for at, ending in enumerate(map(str, OUTCOMES)) if ending in endings}
    call = exact_call(model)
    return JudgeFinding(
        state=dict(STATE),
        judge=log.judge,
        calls=log.calls,
        rated=log.rated,
        whole=log.logs[OUTCOME].episodes,
        visits={str(action): int((found.actions == at).sum()) for at, action in enumerate(ACTIONS)},
        worth={name: means[name] for name in (*REWARDS, OWN)},
        apart={name: apart[name] for name in (*REWARDS, OWN)},
        exact={OUTCOME: exact_q(model), SIMULATED: exact_q(model, handling=WEIGHT)},
        endings={str(action): {ending: means[ending][action] for ending in endings} for action in PAIR},
        endings_apart={ending: apart[ending] for ending in endings},
        exact_endings={str(action): {ending: exact_endings[ending][action] for ending in endings} for action in PAIR},
        vetoed=means["vetoed"],
        served=list(_served(log.logs, call, learning)),
        claims=[*_claims(apart, endings), *_exact_claims(exact_q(model), {ending: exact_endings[ending] for ending in endings})],
    )


def resampled(
    found: Visits, columns: Mapping[str, Floats], rng: np.random.Generator
) -> tuple[dict[str, dict[str, Estimate]], dict[str, Estimate]]:
    """Return the mean of every column by action, and EMPATHIZE − PROCEED, with percentile intervals from resampling whole calls."""
    calls, rows = int(found.calls.max()) + 1, np.column_stack(list(columns.values()))
    cells = found.calls * len(ACTIONS) + found.actions
    counts = np.bincount(cells, minlength=calls * len(ACTIONS)).reshape(calls, -1).astype(float)
    sums = np.stack([np.bincount(cells, column, calls * len(ACTIONS)).reshape(calls, -1) for column in rows.T], axis=2)
    drawn = rng.multinomial(calls, np.full(calls, 1 / calls), DRAWS).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        point = sums.sum(0) / counts.sum(0)[:, None]
        means = np.einsum("bc,cam->bam", drawn, sums, optimize=True) / (drawn @ counts)[:, :, None]
    one, other = (ACTIONS.index(action) for action in PAIR)
    by_action = {
        name: {str(action): _interval(point[at, m], means[:, at, m], int(counts[:, at].sum())) for at, action in enumerate(ACTIONS)}
        for m, name in enumerate(columns)
    }
    pairs = int(min(counts[:, one].sum(), counts[:, other].sum()))
    apart = {
        name: _interval(point[other, m] - point[one, m], means[:, other, m] - means[:, one, m], pairs) for m, name in enumerate(columns)
    }
    return by_action, apart


def _interval(point: float, draws: Floats, n: int) -> Estimate:
    if n < 2 or not np.isfinite(point):
        return Estimate(None if not np.isfinite(point) else kept(point), n=n)
    low, high = np.nanquantile(draws, (0.025, 0.975))
    return Estimate(kept(point), kept(low), kept(high), n)


def exact_q(model: CallModel, worth: Floats | None = None, handling: float = 0.0) -> dict[str, float]:
    """Return what each action is worth in the state under the behaviour policy, computed."""
    values = exact_call(model, worth, handling).q_values(behaviour())[PLACE]
    return {str(action): kept(value) for action, value in zip(ACTIONS, values, strict=True)}


def _only(ending: int) -> Floats:
    """Return a worth of 1 for one ending and 0 for all others: what it earns is how likely that ending is."""
    worth = np.zeros((len(OUTCOMES), LAST_TURN + 1))
    worth[ending] = 1.0
    return worth


def _served(logs: Mapping[str, Log], call: ExactCall, seed: np.random.SeedSequence) -> "list[Served]":
    acts = {str(action): kept(prob) for action, prob in zip(ACTIONS, behaviour()[PLACE], strict=True)}
    found = [Served("who acted", "", acts, kept(call.value(behaviour())))]
    for recipe, log in logs.items():
        for name, make in LEARNERS.items():
            learner = make()
            chance, order = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key).spawn(2)  # the same for all
            policy = learned(learner, log, chance, order)
            acts = {str(action): kept(prob) for action, prob in zip(ACTIONS, policy.probs[PLACE], strict=True)}
            found.append(Served(name, recipe, acts, kept(call.value(policy.greedy().probs))))
    return found


def learned(learner: Learner, log: Log, chance: np.random.SeedSequence, order: np.random.SeedSequence) -> TablePolicy:
    """Return what a learner makes of a log, in as many passes as it wants, as `judge train --from` does."""
    learner.begin(log.spaces, chance)
    rng = np.random.default_rng(order)
    for _ in range(int(getattr(learner, "passes", PASSES))):
        shuffled = rng.permutation(log.episodes)
        for begin in range(0, log.episodes, learner.envs):
            learner.partial_fit(log.rollout(shuffled[begin : begin + learner.envs]))
    policy = learner.policy()
    assert isinstance(policy, TablePolicy)  # noqa: S101 - observations are discrete
    return policy


def _claims(apart: Mapping[str, Estimate], endings: list[str]) -> list[Claim]:
    claims = [Claim("Under the outcome alone both are alike", ALIKE, apart[OUTCOME], within(apart[OUTCOME], MARGIN))]
    for name in (BLEND, NO_VETO, RLAIF, FULL):
        claims.append(Claim(f"Under {name}, EMPATHIZE is clearly better", BETTER, apart[name], above(apart[name], MARGIN)))
    verdicts = {ending: within(apart[ending], ENDINGS_APART) for ending in endings}
    worst = max(endings, key=lambda ending: abs(apart[ending].value or 0.0))
    whole = (
        Verdict.FAILS
        if Verdict.FAILS in verdicts.values()
        else Verdict.HOLDS
        if set(verdicts.values()) == {Verdict.HOLDS}
        else Verdict.UNSHOWN
    )
    return [*claims, Claim(f"The calls end the same way (farthest apart: {worst})", ENDS, apart[worst], whole)]


def _exact_claims(outcome: Mapping[str, float], endings: Mapping[str, Mapping[str, float]]) -> list[Claim]:
    """Return what can be said without chance, as the environment is known."""
    one, other = map(str, PAIR)
    gap = outcome[other] - outcome[one]
    shares = {ending: values[other] - values[one] for ending, values in endings.items()}
    worst = max(shares, key=lambda ending: abs(shares[ending]))

    def nearer(value: float, margin: float) -> Verdict:
        return Verdict.HOLDS if abs(value) < margin else Verdict.FAILS

    return [
        Claim("Computed exactly: under the outcome alone both are alike", "within ±0.2", Estimate(kept(gap)), nearer(gap, MARGIN)),
        Claim(
            f"Computed exactly: the calls end the same way (farthest apart: {worst})",
            "within ±0.15",
            Estimate(kept(shares[worst])),
            nearer(shares[worst], ENDINGS_APART),
        ),
    ]
