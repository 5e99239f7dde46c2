"""All attacks that ship, in the order in which they are told."""

from collections.abc import Sequence

from dialogue.errors import UsageProblem, did_you_mean
from golden_set.attacks import (
    amounts,
    apology,
    claims,
    currency,
    cuts,
    echo,
    faults,
    injection,
    names,
    noise,
    nothing,
    praise,
    stuffing,
    style,
)
from golden_set.attacks.mutation import Mutation

CATALOGUE: tuple[Mutation, ...] = (
    *nothing.MUTATIONS,
    *praise.MUTATIONS,
    *style.MUTATIONS,
    *echo.MUTATIONS,
    *injection.MUTATIONS,
    *claims.MUTATIONS,
    *apology.MUTATIONS,
    *stuffing.MUTATIONS,
    *faults.MUTATIONS,
    *amounts.MUTATIONS,
    *cuts.MUTATIONS,
    *names.MUTATIONS,
    *currency.MUTATIONS,
    *noise.MUTATIONS,
)


def chosen(only: Sequence[str], attacks: Sequence[Mutation]) -> tuple[Mutation, ...]:
    """Return the attacks that are named, each by its own name or by its family's; all of them where none is named.

    Raises:
        UsageProblem: there is no such attack.
    """
    known = {attack.name for attack in attacks} | {attack.family.value for attack in attacks}
    for name in only:
        if name not in known:
            raise UsageProblem(f"no attack {name!r}{did_you_mean(name, known)}; `judge golden attack --list` names them all")
    return tuple(attack for attack in attacks if not only or attack.name in only or attack.family.value in only)
