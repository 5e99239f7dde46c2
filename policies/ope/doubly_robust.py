"""Doubly robust estimators: importance sampling of what a model of the values gets wrong; the model itself is made elsewhere.

DR is unbiased whatever the model says, as long as the model an episode is judged by was not fitted on that episode (cross-fitting, as
in Chernozhukov et al. 2018): a good model only makes it vary less.
"""

from dataclasses import dataclass

import numpy as np

from policies.experience import Floats
from policies.ope.ratios import Ratios
from policies.ope.trajectories import Trajectories


@dataclass(frozen=True, slots=True)
class Modelled:
    """What a model says along the log's episodes, of the target policy. (T, N); 0 where no step was taken.

    Attributes:
        action: the value of what was done, Q(s, a).
        state: the value of where it was done, V(s) = Σ π(a|s) Q(s, a).
    """

    action: Floats
    state: Floats

    @property
    def after(self) -> Floats:
        """V of the next step's state; 0 after an episode's last step."""
        return np.concatenate([self.state[1:], np.zeros_like(self.state[:1])])


def direct(modelled: Modelled) -> Ratios:
    """Return DM: the mean of what the model says of the first states. Biased where the model is, without telling."""
    return Ratios.mean(modelled.state[0])


def doubly_robust(log: Trajectories, modelled: Modelled) -> Ratios:
    """Return DR: V(s₀) + Σₜ γᵗ w(t) (r(t) + γ V(s(t+1)) - Q(s(t), a(t))), averaged (Jiang and Li 2016)."""
    return Ratios.mean(modelled.state[0] + (log.discounts * log.weights * _errors(log, modelled)).sum(0))


def weighted_doubly_robust(log: Trajectories, modelled: Modelled) -> Ratios:
    """Return WDR: DR with every step's weights divided by their mean over the episodes (Thomas and Brunskill 2016).

    Their -wₜ Q(sₜ, aₜ) + wₜ₋₁ V(sₜ) is grouped here by weight, which is the same sum.
    """
    errors = (log.discounts * log.weights * _errors(log, modelled)).T
    ones = np.ones((log.n, 1))
    return Ratios(np.hstack([modelled.state[0][:, None], errors]), np.hstack([ones, log.weights.T]))


def _errors(log: Trajectories, modelled: Modelled) -> Floats:
    return log.rewards + log.discount * modelled.after - modelled.action
