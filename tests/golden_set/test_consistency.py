"""Tau-b of bootstrap samples, all at once, beside SciPy's of each sample written out."""

import numpy as np
import pytest
from scipy import stats

from golden_set.agreement import weights
from golden_set.consistency import drawn_taus


@pytest.mark.parametrize(("count", "digits"), [(5, 0), (20, 0), (40, 2)])
def test_taus_of_draws_are_scipys_to_the_last_bit(count: int, digits: int) -> None:
    """Rounded, so that there are ties; of five cases some draws are all ties, where tau is not defined."""
    rng = np.random.default_rng(count)
    one = np.round(rng.normal(size=count), digits)
    other = np.round(one + rng.normal(size=count), digits)
    draws = weights(count)[:100]
    picked = [np.repeat(np.arange(count), row.astype(int)) for row in draws]
    theirs = np.array([stats.kendalltau(one[at], other[at]).statistic for at in picked])
    assert np.isnan(theirs).any() == (count == 5)
    assert np.array_equal(drawn_taus(one, other, draws), theirs, equal_nan=True)
