"""Seeds of one's own from a seed that is given: `SeedSequence.spawn` would change the given one, so that it gives others the next time."""

import numpy as np


def child(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the child of this number, from 0: of a seed that has spawned nothing, the one that `spawn` would give."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number), pool_size=seed.pool_size)
