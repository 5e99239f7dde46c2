"""RMSprop on one flat vector, and the clipping of its gradient, both as PyTorch computes them; momentum and centring are left out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float64 or float32


def clipped(gradient: Array, largest: float) -> float:
    """Scale the gradient, in place, so that its norm is at most `largest`; return the norm it had.

    As torch.nn.utils.clip_grad_norm_: times largest / (norm + 1e-6) where that is below 1.
    """
    norm = float(np.sqrt(gradient @ gradient))
    scale = largest / (norm + 1e-6)
    if scale < 1:
        gradient *= scale
    return norm


def rmsprop(parameters: Array, squares: Array, gradient: Array, rate: float, alpha: float = 0.99, eps: float = 1e-5) -> None:
    """Take one step down the gradient, each parameter by its own scale (Tieleman and Hinton 2012), in place.

    As torch.optim.RMSprop, whose eps stands outside of the root; Stable-Baselines3's A2C uses it with alpha 0.99 and eps 1e-5.

    Args:
        parameters: (n,), changed.
        squares: (n,) running mean of the squared gradient, 0 before the first step; changed.
        gradient: (n,); used up: it holds something else afterwards.
        rate: the learning rate.
        alpha: how much of the running mean is kept.
        eps: added to its root.
    """
    scale = gradient * gradient
    scale *= 1 - alpha
    squares *= alpha
    squares += scale
    np.sqrt(squares, out=scale)
    scale += eps
    gradient *= rate
    gradient /= scale
    parameters -= gradient
