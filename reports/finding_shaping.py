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
from reports.finding_log import lawful
from reports.seeded import Claim, Estimate, Floats, Verdict, above, below, kept, over_seeds, within
from reports.shaped_calls import ShapedCalls, Shaping, by_hand, paid_every_turn, paid_for, potential_based, shaped, values_seen, visits

SIDE_BY_SIDE = 64
EVERY = 100  # episodes between two looks at the policy
NEAR = 0.95  # of the best value, at two looks that follow each other
SAME_VALUE = 0.05  # share of the best value within which two values are the same
SAME_POLICY = 0.1  # share of the situations met by which policies may agree less than those of two seeds without shaping do
BONUS = 0.1
RANDOM = 16  # policies drawn to see whether their order is kept
NONE, IDEAL, HAND, NAIVE, KIND = (
    "no shaping",
    "potential: script's value",
    "potential: by hand",
    "naive: state every turn",
    "naive: empathy",
)
LEARNERS: Mapping[str, Callable[[], Learner]] = {
    "Q": lambda: TabularQ(envs=SIDE_BY_SIDE),
    "actor-critic": lambda: ActorCritic(envs=SIDE_BY_SIDE),
}
FASTER = "the mean ratio of episodes, by seeds, is below 1 with its whole 95 % interval"
ENDS_SAME = "the mean difference by seeds lies within 5 % of the best value with its whole 95 % interval"
ENDS_ALIKE = "by share of the situations met it agrees with no shaping at most 0.1 less than two seeds without shaping do (95 % interval)"
CHANGES = "the true value is more than 5 % of the best value lower, with its whole 95 % interval"


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
        reached: seeds that held 95 % of the best value within the episodes given.
        median: episodes after which they did, over all seeds; None where fewer than half did.
        ratio: of those episodes to the same seed's without shaping, as a geometric mean; who did not counts with the episodes given.
        final: true value at the end.
        apart: the same, less the same seed's without shaping.
        agrees: with the truly best policy; `with_unshaped`: with the same seed's without shaping (of no shaping: with the next seed's).
        curve: true value at each look.
    """

    reached: int
    median: float | None
    ratio: Estimate | None
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
    """One seed: when it held 95 % (None: never), the value at each look, the last greedy actions."""

    reached: int | None
    values: Floats
    actions: NDArray[np.intp]


def shapings(call: ExactCall) -> dict[str, Shaping]:
    """Return the rewards that are compared, by name."""
    none = np.zeros_like(by_hand())
    return {
        NONE: potential_based(NONE, none),
        IDEAL: potential_based(IDEAL, values_seen(call, lawful(script(), 0.2))),
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
    rewards, met = shapings(call), visits(call, best[1])
    exact = {name: exactly(call, shaping, best[1], restarts) for name, shaping in rewards.items()}
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
    near = np.array(values) >= NEAR * best
    held = (near[:-1] & near[1:]).nonzero()[0]
    return Run(EVERY * (int(held[0]) + 1) if held.size else None, np.array(values), actions)


def arm(runs: Sequence[Run], unshaped: Sequence[Run], wanted: NDArray[np.intp], met: Floats, episodes: int, own: bool) -> Arm:
    """Return what the seeds of a learner under a reward come to."""
    reached = sum(one.reached is not None for one in runs)
    middle = float(np.median([one.reached or math.inf for one in runs]))
    others = [*unshaped[1:], unshaped[0]] if own else unshaped
    curve = np.array([one.values for one in runs])
    return Arm(
        reached=reached,
        median=middle if math.isfinite(middle) else None,
        ratio=None if own else ratio(runs, unshaped, episodes),
        final=over_seeds(curve[:, -1]),
        apart=None if own else over_seeds(_apart(runs, unshaped)),
        agrees=over_seeds([agreement(one.actions, wanted, met) for one in runs]),
        with_unshaped=over_seeds([agreement(one.actions, other.actions, met) for one, other in zip(runs, others, strict=True)]),
        curve=[over_seeds(column) for column in curve.T],
    )


def ratio(runs: Sequence[Run], unshaped: Sequence[Run], episodes: int) -> Estimate:
    """Return the geometric mean of episodes to 95 % over the same seed's without shaping; never counts as all episodes."""
    logs = over_seeds(
        [math.log((one.reached or episodes) / (other.reached or episodes)) for one, other in zip(runs, unshaped, strict=True)]
    )
    low, high = (None if end is None else kept(math.exp(end)) for end in (logs.low, logs.high))
    return Estimate(kept(math.exp(logs.value or 0.0)), low, high, logs.n)


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
            apart = over_seeds(_apart(found[name], none))
            if not shaping.by_potential:
                lower = over_seeds([-value for value in _apart(found[name], none)])
                claims.append(Claim(f"{learner}, {name}: ends at a worse policy", CHANGES, lower, above(lower, SAME_VALUE * best)))
                continue
            figure = ratio(found[name], none, episodes)
            claims.append(Claim(f"{learner}, {name}: 95 % of the best value in fewer episodes", FASTER, figure, below(figure, 1.0)))
            claims.append(Claim(f"{learner}, {name}: ends at the same value", ENDS_SAME, apart, within(apart, SAME_VALUE * best)))
            own = [agreement(one.actions, other.actions, met) for one, other in zip(found[name], none, strict=True)]
            alike = over_seeds(np.array(own) - noise)
            claims.append(Claim(f"{learner}, {name}: ends at the same policy", ENDS_ALIKE, alike, above(alike, -SAME_POLICY)))
    return claims
