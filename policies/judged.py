"""The judge in the loop: rounds of calls that the learner itself makes, scored as `judge score` would, as a source of experience."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces, State
from dialogue.errors import UsageProblem
from dialogue.seeds import child
from dialogue.transcript import Transcript
from policies.contract import Learner, Policy
from policies.experience import Floats
from policies.logged import LogReader
from policies.simulation import make_spoken, simulate
from policies.source import Batch
from rewards.admission import Admission, Allowed
from rewards.scorer import Scorer

CALLS = 64  # in a round
Simulate = Callable[[Policy, int, int], Iterator[Transcript]]  # the policy that acts, how many calls, seed


@dataclass(frozen=True)
class Acting:
    """A learner as the policy that acts, exploring as it does; its chance is the learner's own, which its checkpoint holds."""

    kind: ClassVar[str] = "acting"
    learner: Learner
    spaces: Spaces

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return the learner's actions and their probabilities."""
        return self.learner.act(observations)

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities with which the learner's policy takes these actions."""
        return self.learner.policy().probs_of(observations, actions)

    def greedy(self) -> Self:
        """A learner acts as it explores.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the greedy policy is that of `learner.policy()`")

    def as_data(self) -> dict[str, Any]:
        """A learner on the way is kept by its checkpoint.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("save `learner.policy()`")


class JudgedSource:
    """One batch is a round: calls simulated with the learner as it is now, judged, admitted by law 3, padded to the longest.

    Going on from a state repeats an unfinished round: the same calls are made, and their verdicts found in the ledger, so that nothing
    is paid for twice.

    Args:
        spaces: of the environment, with an encoding of its logged states.
        simulate: makes calls.
        scorer: scores them.
        seed: of the calls.
        calls: how many a round has.
        allowed: by the command line, of what law 3 forbids; the share of a round that must have a reward.

    Raises:
        UsageProblem: the judge has no leave to produce rewards, or observations have no logged state.

    Attributes:
        round: how many rounds are done.
        turns: how many agent turns were judged (or, without a judge, given rewards) and learned from.
    """

    def __init__(
        self,
        spaces: Spaces,
        simulate: Simulate,
        scorer: Scorer,
        seed: np.random.SeedSequence,
        *,
        calls: int = CALLS,
        allowed: Allowed | None = None,
    ) -> None:
        if spaces.encoding is None or spaces.continuous:
            raise UsageProblem(
                "a judge in the loop needs an environment whose logged states are counted and whose actions have names, such as debt_call"
            )
        if calls < 1:
            raise UsageProblem(f"a round of {calls} calls is too short; at least 1")
        self.spaces, self._simulate, self._scorer, self._seed, self._calls = spaces, simulate, scorer, seed, calls
        self._allowed = allowed or Allowed()
        if not self._allowed.uncleared and not scorer.cleared:
            raise UsageProblem(
                f"no leave to produce rewards: {scorer.judge.id} (key {scorer.judge.id.key}) has none in {scorer.ledger}; "
                "run `judge golden check` on it, or allow it with --allow-uncleared"
            )
        self.round = self.turns = 0
        self.admission = Admission(self._allowed)
        self._spent: Counter[str] = Counter()  # of earlier processes
        self._terms: dict[str, float] = {}

    @classmethod
    def of(
        cls,
        env: str,
        options: Mapping[str, Any],
        scorer: Scorer,
        seed: np.random.SeedSequence,
        *,
        calls: int = CALLS,
        allowed: Allowed | None = None,
    ) -> Self:
        """Return the source that simulates calls of an environment that speaks.

        Raises:
            UsageProblem: there is no such environment, it has no words, or as the class says.
        """

        def make_calls(policy: Policy, n: int, seed: int) -> Iterator[Transcript]:
            return simulate(policy, env, n, seed, options, name="training")

        return cls(make_spoken(env, options).spaces, make_calls, scorer, seed, calls=calls, allowed=allowed)

    def next(self, learner: Learner) -> Batch:
        """Return the next round.

        Raises:
            UsageProblem: what law 3 forbids, or too many calls of the round have no reward.
        """
        coverage = self.admission.coverage
        before = coverage.admitted
        reader = LogReader(self.admission, self.spaces)
        acting = Acting(learner, self.spaces)
        calls = self._simulate(acting, self._calls, self._seed_of(self.round))
        sums: Counter[str] = Counter()
        named = (call.model_copy(update={"id": f"round {self.round + 1}: {call.id}"}) for call in calls)
        for record in self._scorer.score(named):
            reader.add(record)
            sums.update(record.episode.terms if record.episode.reward is not None else {})
        share = (coverage.admitted - before) / self._calls
        if share < self._allowed.min_coverage or coverage.admitted == before:
            raise UsageProblem(
                f"{coverage.admitted - before} of the {self._calls} calls of round {self.round + 1} have a reward, --min-coverage asks for "
                f"{self._allowed.min_coverage:.0%} ({coverage.told()}); what was judged is in {self._scorer.ledger}: "
                "go on with --resume once the judge answers, or lower --min-coverage"
            )
        self.admission.close(self._scorer.ledger if self._scorer.recipe.needs_verdict else None)
        log = reader.log()
        self._terms = {name: value / (coverage.admitted - before) for name, value in sums.items()}
        self.round += 1
        self.turns += int(log.lengths.sum())
        return Batch(replace(log.rollout(), on_policy=True), log.returns())

    def _seed_of(self, round_: int) -> int:
        """Return the seed of a round's calls."""
        return int(child(self._seed, round_).generate_state(1)[0])

    def terms(self) -> dict[str, float]:
        """Return the mean of each named term of the reward over the last round's calls."""
        return dict(self._terms)

    @property
    def spent(self) -> dict[str, Any]:
        """What was asked and paid for in all rounds: requests, tokens and `cost_usd`; None where a price is not known."""
        now = self._scorer.spent
        unknown = now["cost_usd"] is None or bool(self._spent["unpriced"])
        found = {name: self._spent[name] + (value or 0) for name, value in now.items()}
        return found | {"cost_usd": None if unknown else found["cost_usd"]}

    def manifest(self) -> dict[str, Any]:
        """Return who judged what, and what was left out, as JSON values; what was paid is no part of it, since a resumed run pays less."""
        return self._scorer.manifest | {
            "rounds": self.round,
            "calls_a_round": self._calls,
            "judged_turns": self.turns,
            "law3": self.admission.close(),
        }

    def state(self) -> State:
        """Return the cursor: the round, and what was counted so far."""
        admitted, spent = self.admission.state(), self.spent
        paid = {name: value for name, value in spent.items() if value is not None} | {"unpriced": int(spent["cost_usd"] is None)}
        return {
            "round": self.round,
            "turns": self.turns,
            "calls": self._calls,
            "entropy": self._seed.entropy,
            "admitted": admitted | {"seen": np.array(admitted["seen"], np.uint64)},
            "spent": paid,
            "terms": self._terms,
        }

    def restore(self, state: State) -> None:
        """Go on from there.

        Raises:
            UsageProblem: rounds of another length, or another seed.
        """
        if (state["calls"], state["entropy"]) != (self._calls, self._seed.entropy):
            raise UsageProblem(
                f"the training has rounds of {state['calls']} calls and the seed {state['entropy']}, not {self._calls} and "
                f"{self._seed.entropy}; go on with those, or train anew in another folder"
            )
        self.round, self.turns = state["round"], state["turns"]
        self.admission = Admission(self._allowed).restore(state["admitted"] | {"seen": state["admitted"]["seen"].tolist()})
        now = self._scorer.spent
        self._spent = Counter(state["spent"])
        self._spent.subtract({name: value for name, value in now.items() if value})  # what this process paid is in the meter already
        self._terms = dict(state["terms"])
