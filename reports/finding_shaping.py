"""Third finding: potential-based shaping is faster and ends at the same policy, naive shaping changes it; put to the test on the debt call.

In exact computation first (which policy is best under each reward, and what it is truly worth), then with learners, seed by seed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_policies import script
from dialogue.environments.call_words import Action
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact import local_optima
from dialogue.environments.exact_call import ExactCall
from policies.contract import Learner
from policies.learners.actor_critic import ActorCritic
from policies.learners.tabular_q import TabularQ
from policies.rollout import Rollouts
from policies.table import TablePolicy
from reports.finding_log import FLOOR, lawful
from reports.numerals import percent
from reports.seeded import Claim, Estimate, Floats, Verdict, above, below, kept, over_seeds
from reports.shaped_calls import ShapedCalls, Shaping, by_hand, paid_every_turn, paid_for, potential_based, shaped, values_seen, visits

SIDE_BY_SIDE = 64
EVERY = 100  # episodes between two looks at the policy
NEAR, GOOD = 0.95, 0.8  # of the best value, at two looks that follow each other: the published target, and one of ours
LOWER = 0.05  # share of the best value by which another policy is worse for sure
SAME_POLICY = 0.1  # share of the situations met by which policies may agree less than those of two seeds without shaping do
BONUS = 0.1
RANDOM = 16  # policies drawn to see whether their order is kept
NONE, IDEAL, SCRIPT, HAND = "no shaping", "potential: best policy's value", "potential: script's value", "potential: by hand"
NAIVE, KIND = "naive: state every turn", "naive: empathy"
LEARNERS: Mapping[str, Callable[[], Learner]] = {
    "Q": lambda: TabularQ(envs=SIDE_BY_SIDE),
    "Q, textbook": lambda: TabularQ(alpha=0.1, epsilon=0.1, envs=SIDE_BY_SIDE),
    "actor-critic": lambda: ActorCritic(envs=SIDE_BY_SIDE),
}
FASTER = "the mean ratio of episodes, by seeds of which one of the two came there, is below 1 with its whole 95% interval"
ENDS_ALIKE = "by share of the situations met it agrees with no shaping at most 0.1 less than two seeds without shaping do (95% interval)"
CHANGES = "the true value is more than 5% of the best value lower, with its whole 95% interval"


@dataclass(frozen=True, slots=True)
class Exactly:
    """What a shaped reward does, computed and not learned.

    Attributes:
        spread: how much the shaped less the true value differs between random policies: 0 where it is the same for all.
        true_value: of the policy that is best under the shaped reward, under the true one.
        agrees: with the truly best policy, as a share of the situations that policy meets.
    """

    spread: float
    true_value: float
    agrees: float


@dataclass(frozen=True, slots=True)
class Arm:
    """A learner under a reward.

    Attributes:
        reached: by share of the best value, how many seeds held it within the episodes given.
        median: episodes after which they did, over all seeds; None where fewer than half did.
        ratio: of those episodes to the same seed's without shaping, as a geometric mean; who did not counts with the episodes given,
            and a seed where neither did does not count.
        final: true value at the end; `apart` the same, less the same seed's without shaping.
        agrees: with the truly best policy; `with_unshaped`: with the same seed's without shaping (of no shaping: with the next seed's).
        curve: true value at each look.
    """

    reached: dict[str, int]
    median: dict[str, float | None]
    ratio: dict[str, Estimate] | None
    final: Estimate
    apart: Estimate | None
    agrees: Estimate
    with_unshaped: Estimate
    curve: list[Estimate]


@dataclass(frozen=True, slots=True)
class ShapingFinding:
    """What came out, by reward, and by learner and reward."""

    seeds: int
    episodes: int
    best: float
    exact: dict[str, Exactly]
    arms: dict[str, dict[str, Arm]]
    looks: list[int]
    claims: list[Claim]


@dataclass(frozen=True, slots=True)
class Run:
    """One seed: when it held each target (None: never), the value at each look, the last greedy actions."""

    reached: dict[float, int | None]
    values: Floats
    actions: NDArray[np.intp]


def shapings(call: ExactCall, best: Floats) -> dict[str, Shaping]:
    """Return the rewards that are compared, by name; `best` is the best memoryless policy."""
    none = np.zeros_like(by_hand())
    return {
        NONE: potential_based(NONE, none),
        IDEAL: potential_based(IDEAL, values_seen(call, lawful(best, FLOOR))),
        SCRIPT: potential_based(SCRIPT, values_seen(call, lawful(script(), FLOOR))),
        HAND: potential_based(HAND, by_hand()),
        NAIVE: paid_every_turn(NAIVE, by_hand()),
        KIND: paid_for(KIND, Action.EMPATHIZE, BONUS),
    }


def shaping_finding(
    call: ExactCall, best: tuple[float, Floats], seeds: Sequence[np.random.SeedSequence], episodes: int, restarts: int
) -> ShapingFinding:
    """Return the experiment's result.

    Args:
        call: exact values under the true reward.
        best: value and probabilities of the best memoryless policy.
        seeds: of the runs.
        episodes: of each run.
        restarts: of the search for the best policy under each shaped reward.
    """
    rewards, met = shapings(call, best[1]), visits(call, best[1])
    exact = {name: exactly(call, shaping, best[1], restarts) for name, shaping in rewards.items() if name != NONE}
    runs = {
        learner: {name: [run(make(), call, shaping, best[0], seed, episodes) for seed in seeds] for name, shaping in rewards.items()}
        for learner, make in LEARNERS.items()
    }
    wanted = best[1].argmax(1)
    arms = {
        learner: {name: arm(own, found[NONE], wanted, met, episodes, name == NONE) for name, own in found.items()}
        for learner, found in runs.items()
    }
    claims = list(_claims(runs, rewards, met, best[0], episodes, exact))
    looks = list(range(EVERY, episodes + 1, EVERY))
    return ShapingFinding(len(seeds), episodes, kept(best[0]), exact, arms, looks, claims)


def exactly(call: ExactCall, shaping: Shaping, best: Floats, restarts: int) -> Exactly:
    """Return what a shaped reward does to all policies, and to which one is best."""
    under, rng = shaped(call, shaping), np.random.default_rng(0)
    others = rng.dirichlet(np.ones(best.shape[1]), (RANDOM, len(best)))
    added = [under.value(probs) - call.value(probs) for probs in others]
    _, found = max(local_optima(under, restarts), key=lambda optimum: optimum[0])
    met = visits(call, best)
    return Exactly(kept(max(added) - min(added)), kept(call.value(found)), kept(agreement(found.argmax(1), best.argmax(1), met)))


def agreement(one: NDArray[np.intp], other: NDArray[np.intp], met: Floats) -> float:
    """Return in which share of the situations met two policies take the same action."""
    return float(met[one == other].sum() / met.sum())


def run(learner: Learner, call: ExactCall, shaping: Shaping, best: float, seed: np.random.SeedSequence, episodes: int) -> Run:
    """Return how a learner fares under a shaped reward, told by the exact value of its greedy policy under the true one."""
    chance, exploring = seed.spawn(2)
    source = Rollouts(ShapedCalls(make_debt_calls(SIDE_BY_SIDE), shaping), chance)
    learner.begin(source.spaces, exploring)
    ended, values = 0, []
    for look in range(EVERY, episodes + 1, EVERY):
        while ended < look:
            batch = source.next(learner)
            learner.partial_fit(batch.rollout)
            ended += batch.returns.size
        policy = learner.policy()
        assert isinstance(policy, TablePolicy)  # noqa: S101 - observations are discrete
        values.append(call.value(policy.greedy().probs))
        actions = policy.probs.argmax(1)
    return Run({share: _held(np.array(values) >= share * best) for share in (NEAR, GOOD)}, np.array(values), actions)


def _held(near: NDArray[np.bool_]) -> int | None:
    """Return after how many episodes a target was held first, at two looks that follow each other."""
    found = (near[:-1] & near[1:]).nonzero()[0]
    return EVERY * (int(found[0]) + 1) if found.size else None


def arm(runs: Sequence[Run], unshaped: Sequence[Run], wanted: NDArray[np.intp], met: Floats, episodes: int, own: bool) -> Arm:
    """Return what the seeds of a learner under a reward come to."""
    middle = {share: float(np.median([one.reached[share] or math.inf for one in runs])) for share in (NEAR, GOOD)}
    others = [*unshaped[1:], unshaped[0]] if own else unshaped
    curve = np.array([one.values for one in runs])
    return Arm(
        reached={percent(share): sum(one.reached[share] is not None for one in runs) for share in (NEAR, GOOD)},
        median={percent(share): value if math.isfinite(value) else None for share, value in middle.items()},
        ratio=None if own else {percent(share): ratio(runs, unshaped, episodes, share) for share in (NEAR, GOOD)},
        final=over_seeds(curve[:, -1]),
        apart=None if own else over_seeds(_apart(runs, unshaped)),
        agrees=over_seeds([agreement(one.actions, wanted, met) for one in runs]),
        with_unshaped=over_seeds([agreement(one.actions, other.actions, met) for one, other in zip(runs, others, strict=True)]),
        curve=[over_seeds(column) for column in curve.T],
    )


def ratio(runs: Sequence[Run], unshaped: Sequence[Run], episodes: int, share: float = NEAR) -> Estimate:
    """Return the geometric mean of the episodes to a target over the same seed's without shaping."""
    pairs = [(one.reached[share], other.reached[share]) for one, other in zip(runs, unshaped, strict=True)]
    logs = [math.log((one or episodes) / (other or episodes)) for one, other in pairs if one or other]
    if not logs:
        return Estimate(None)
    found = over_seeds(logs)
    value, low, high = (None if end is None else kept(math.exp(end)) for end in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.n)


def _apart(runs: Sequence[Run], unshaped: Sequence[Run]) -> list[float]:
    return [float(one.values[-1] - other.values[-1]) for one, other in zip(runs, unshaped, strict=True)]


def _claims(
    runs: Mapping[str, Mapping[str, Sequence[Run]]],
    rewards: Mapping[str, Shaping],
    met: Floats,
    best: float,
    episodes: int,
    exact: Mapping[str, Exactly],
) -> "list[Claim]":
    claims = []
    for name, shaping in rewards.items():
        if name != NONE:
            same = exact[name].spread <= 1e-9
            says = (
                f"{name}: the true order of policies is kept" if shaping.by_potential else f"{name}: the true order of policies is changed"
            )
            verdict = Verdict.HOLDS if same == shaping.by_potential else Verdict.FAILS
            rule = "computed exactly: shaped less true value is the same for 16 random policies, or is not"
            claims.append(Claim(says, rule, Estimate(exact[name].spread), verdict))
    for learner, found in runs.items():
        none = found[NONE]
        noise = [agreement(one.actions, other.actions, met) for one, other in zip(none, [*none[1:], none[0]], strict=True)]
        for name, shaping in rewards.items():
            if name == NONE:
                continue
            if not shaping.by_potential:
                lower = over_seeds([-value for value in _apart(found[name], none)])
                claims.append(Claim(f"{learner}, {name}: ends at a worse policy", CHANGES, lower, above(lower, LOWER * best)))
                continue
            figure = ratio(found[name], none, episodes)
            claims.append(Claim(f"{learner}, {name}: 95% of the best value in fewer episodes", FASTER, figure, below(figure, 1.0)))
            own = [agreement(one.actions, other.actions, met) for one, other in zip(found[name], none, strict=True)]
            alike = over_seeds(np.array(own) - noise)
            claims.append(Claim(f"{learner}, {name}: ends at the same policy", ENDS_ALIKE, alike, above(alike, -SAME_POLICY)))
    return claims
