"""First finding: with 100 episodes a bandit beats tabular Q, with 10,000 Q beats the bandit; put to the test on the debt call.

Every learner has a fresh start on every seed and meets the same customers. Eight calls run side by side, and the learner learns after
every turn of theirs until 300 calls have ended, from then on after every eighth: what it has learned by then hardly depends on it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact_call import ExactCall
from policies.contract import Learner
from policies.learners.epsilon_greedy import EpsilonGreedy
from policies.learners.tabular_q import TabularQ
from policies.rollout import Rollouts
from policies.table import TablePolicy
from reports.seeded import Claim, Estimate, Floats, above, over_seeds

SIDE_BY_SIDE, CLOSELY = 8, 300
MARKS = (30, 100, 300, 1000, 3000, 10_000)
Q, TEXTBOOK, CONTEXT, FREE = "Q", "Q, textbook", "bandit", "bandit without context"
LEARNERS: Mapping[str, Callable[[], Learner]] = {
    CONTEXT: lambda: EpsilonGreedy(steps=1, envs=SIDE_BY_SIDE),
    FREE: lambda: EpsilonGreedy(context=False, steps=1, envs=SIDE_BY_SIDE),
    Q: lambda: TabularQ(steps=1, envs=SIDE_BY_SIDE),
    TEXTBOOK: lambda: TabularQ(alpha=0.1, epsilon=0.1, steps=1, envs=SIDE_BY_SIDE),
}
RULE = "the mean difference by seeds is above zero with its whole 95% interval"


@dataclass(frozen=True, slots=True)
class BanditFinding:
    """What came out.

    Attributes:
        marks: after how many episodes.
        seeds: how many.
        values: by learner and mark, the exact value of the greedy policy.
        differences: by `one − other` and mark, seed by seed.
        claims: the first two are the finding's own, in the reading in which a bandit has no context; the others in the other reading.
    """

    marks: tuple[int, ...]
    seeds: int
    values: dict[str, list[Estimate]]
    differences: dict[str, list[Estimate]]
    claims: list[Claim]


def bandit_finding(call: ExactCall, seeds: Sequence[np.random.SeedSequence], marks: tuple[int, ...] = MARKS) -> BanditFinding:
    """Return the experiment's result.

    Args:
        call: exact values of the call, under the true reward.
        seeds: of the runs.
        marks: after how many episodes the value is taken, rising.
    """
    found = {name: np.array([learned(make(), call, seed, marks) for seed in seeds]) for name, make in LEARNERS.items()}
    values = {name: [over_seeds(column) for column in rows.T] for name, rows in found.items()}
    pairs = [(one, other) for one in (FREE, CONTEXT) for other in (Q, TEXTBOOK)]
    differences = {f"{one} − {other}": [over_seeds(column) for column in (found[one] - found[other]).T] for one, other in pairs}
    few, many = marks.index(100) if 100 in marks else 0, len(marks) - 1
    claims = []
    for bandit in (FREE, CONTEXT):
        for at, better, worse in ((few, bandit, Q), (many, Q, bandit)):
            figure = over_seeds(found[better][:, at] - found[worse][:, at])
            claims.append(Claim(f"After {marks[at]:,} episodes {better} beats {worse}", RULE, figure, above(figure)))
    return BanditFinding(marks, len(seeds), values, differences, claims)


def learned(learner: Learner, call: ExactCall, seed: np.random.SeedSequence, marks: tuple[int, ...]) -> Floats:
    """Return what the learner's greedy policy is worth, exactly, after each number of episodes."""
    chance, exploring = seed.spawn(2)
    source = Rollouts(make_debt_calls(SIDE_BY_SIDE), chance)
    learner.begin(source.spaces, exploring)
    episodes, values = 0, []
    for mark in marks:
        while episodes < mark:
            if episodes >= CLOSELY:
                learner.set_params(steps=8)
            batch = source.next(learner)
            learner.partial_fit(batch.rollout)
            episodes += batch.returns.size
        policy = learner.policy()
        assert isinstance(policy, TablePolicy)  # noqa: S101 - observations are discrete
        values.append(call.value(policy.greedy().probs))
    return np.array(values)
