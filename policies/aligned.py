"""A table policy over the observations of another place: a policy learned from a log acts in an environment whose states it knows."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem, listed
from policies.experience import Floats
from policies.table import TablePolicy

NEW = -1  # a value that the policy has never met


def aligned(policy: TablePolicy, spaces: Spaces) -> TablePolicy:
    """Return the policy as one over `spaces`: each observation acts as the one of the policy that it is part of.

    A value that the policy has never met (such as a stage that no logged call was in) acts by the policy's shares of actions overall.

    Args:
        policy: over an encoding whose fields `spaces` has too; it may look at fewer of them, and cut numbers into fewer buckets.
        spaces: with an encoding and the same actions, in any order.

    Raises:
        UsageProblem: the actions differ, one of the two has no encoding, a field is missing, or its buckets cut across each other.
    """
    mine, theirs = policy.spaces.encoding, spaces.encoding
    if mine is None or theirs is None:
        raise UsageProblem("which logged states the observations stand for is not known; a policy acts elsewhere only by its states")
    if sorted(policy.spaces.actions) != sorted(spaces.actions):
        raise UsageProblem(f"the policy acts by {listed(policy.spaces.actions)}, here the actions are {listed(spaces.actions)}")
    at = _places(mine, theirs)
    order = [policy.spaces.actions.index(action) for action in spaces.actions]
    counts = None if policy.counts is None else np.where(at[:, None] == NEW, 0, policy.counts[at])[:, order]
    values = None if policy.values is None else np.where(at[:, None] == NEW, 0.0, policy.values[at])[:, order]
    probs = np.where(at[:, None] == NEW, _overall(policy), policy.probs[at])[:, order]
    return TablePolicy(spaces, probs, values, counts)


def _overall(policy: TablePolicy) -> Floats:
    """Return the shares of actions over the observations as often as they were met; (actions,)."""
    met = np.ones(len(policy.probs)) if policy.counts is None or not policy.counts.any() else policy.counts.sum(1)
    shares: Floats = met @ policy.probs / met.sum()
    return shares


def _places(mine: Encoding, theirs: Encoding) -> NDArray[np.intp]:
    """Return which observation of `mine` each one of `theirs` is part of, NEW where a value is not known to it."""
    have = {field.name: at for at, field in enumerate(theirs.fields)}
    if missing := [field.name for field in mine.fields if field.name not in have]:
        raise UsageProblem(f"the policy looks at {listed(missing)}, which states have not here; they have {listed(have)}")
    digits = np.indices([field.size for field in theirs.fields]).reshape(len(theirs.fields), -1)
    at, known = np.zeros(theirs.size, np.intp), np.ones(theirs.size, bool)
    for field in mine.fields:
        place = have[field.name]
        here = np.array(_values(field, theirs.fields[place]))[digits[place]]
        known &= here != NEW
        at = at * field.size + here
    return np.where(known, at, NEW)


def _values(mine: Field, theirs: Field) -> Sequence[int]:
    """Return which value or bucket of `mine` each one of `theirs` is part of."""
    if bool(mine.edges) != bool(theirs.edges):
        raise UsageProblem(f"state {mine.name!r} is a number on one side and a category on the other")
    if not mine.edges:
        return [mine.values.index(value) if value in mine.values else NEW for value in theirs.values]
    if not set(mine.edges) <= set(theirs.edges):
        raise UsageProblem(
            f"the policy cuts {mine.name!r} at {listed(f'{edge:g}' for edge in mine.edges)}, here it is cut at "
            f"{listed(f'{edge:g}' for edge in theirs.edges)}; train it with --state {mine.name}:{':'.join(f'{e:g}' for e in theirs.edges)}"
        )
    return [bisect_right(mine.edges, lowest) for lowest in (float("-inf"), *theirs.edges)]
