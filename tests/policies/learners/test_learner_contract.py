"""Every installed learner keeps the contract, on every kind of spaces that it declares."""

from importlib.metadata import entry_points

import pytest

from policies.contract import Learner
from tests.policies.learner_contract import LearnerContract
from tests.policies.toy_calls import KINDS

ONLINE = {"sb3"}  # learns by its own acting only, and its networks cannot grow: it says so
LEARNERS = {point.name: point for point in entry_points(group="judge.learners")}


def _applies(learner: type[Learner], kind: str) -> bool:
    return kind == "table" or (learner.vectors and (kind == "vectors" or learner.continuous))


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in sorted(LEARNERS) for kind in KINDS])
class TestInstalled(LearnerContract):
    @pytest.fixture(autouse=True)
    def _which(self, name: str, kind: str) -> None:
        self.made_by: type[Learner] = LEARNERS[name].load()
        self.kind = kind
        self.rounding = 1e-6 if self.made_by.vectors else 0.0  # networks and linear ones compute anew, tables look up
        self.logs = self.widens = name not in ONLINE
        if not _applies(self.made_by, kind):
            pytest.skip(f"{name} does not take {kind}, as it declares")

    def learner(self) -> Learner:
        return self.made_by()
