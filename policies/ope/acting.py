"""A policy in an environment, one whole episode in every column: how it does there is measured, and logs of known origin are made."""

from typing import Any

import numpy as np

from dialogue.environments.contract import BatchEnv
from dialogue.errors import UsageProblem
from dialogue.seeds import child
from policies.contract import Policy
from policies.experience import Rollout

LONGEST = 100_000  # steps; an episode that lasts longer is taken not to end


def act_out(env: BatchEnv, policy: Policy, seed: np.random.SeedSequence) -> Rollout:
    """Return the first episode of every column, with the probability of every action; the mask leaves out what came after it.

    Each column counts once, however long it lasts. Taking all episodes that end within so many steps would count short ones too often.

    Args:
        seed: the environment takes one child of it, the policy another: two policies of one seed meet the same callers.

    Raises:
        UsageProblem: an episode does not end.
    """
    surroundings, own = child(seed, 0), child(seed, 1)
    rng = np.random.default_rng(own)
    observations, going = env.reset(surroundings), np.ones(env.n, bool)
    steps: list[tuple[Any, ...]] = []
    masks = []
    while going.any():
        if len(steps) == LONGEST:
            raise UsageProblem(f"an episode has not ended after {LONGEST:,} steps; give the environment a time limit")
        actions, probs = policy.act(observations, rng)
        step = env.step(actions)
        steps.append((observations, actions, probs, *step))
        masks.append(going)
        going = going & ~(step.terminated | step.truncated)
        observations = env.observations
    seen, actions, probs, following, rewards, terminated, truncated = (np.stack(part) for part in zip(*steps, strict=True))
    mask = np.stack(masks)
    return Rollout(
        seen,
        actions,
        np.where(mask, probs, np.nan),
        np.where(mask, rewards, 0.0),
        following,
        terminated & mask,
        truncated & mask,
        mask,
        on_policy=False,
    )
