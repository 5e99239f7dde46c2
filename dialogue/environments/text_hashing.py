"""Texts as vectors by feature hashing: signed counts of words and word pairs, no model and nothing to download; meaning is not seen."""

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def embed(texts: Sequence[str], width: int = 384, fading: float = 0.8) -> NDArray[np.float64]:
    """Return the vector of a dialogue: signed hashing (Weinberger et al. 2009) of words and word pairs, of length 1.

    A word or pair falls on the place that its BLAKE2b hash says, with the sign that the hash says, so vectors are the same on every
    machine, now and later. Texts without any word give zeros.

    Args:
        texts: what was said, the latest last.
        width: length of the vector.
        fading: each text counts this much less than the one after it.
    """
    made = np.zeros(width)
    for back, text in enumerate(reversed(texts)):
        words = _WORD.findall(text.casefold())
        for term in (*words, *(f"{first} {second}" for first, second in pairwise(words))):
            number = int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "big")
            made[(number >> 1) % width] += fading**back * (1 if number & 1 else -1)
    length = np.sqrt(made @ made)
    return made / length if length else made
