"""The judge in the loop: rounds of the learner's own calls, judged; what failed is left out, and nothing is paid for twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialogue import Transcript
from dialogue.errors import UsageProblem
from judge import JudgeFailure, Ledger, LocalJudge
from judge.settings import Settings
from judge.verdict import FailureKind, Usage, Verdict
from policies.checkpoint import opened, sealed
from policies.judged import JudgedSource
from policies.learners.actor_critic import ActorCritic
from policies.training import Training
from rewards.admission import Allowed
from rewards.scorer import Scorer, make_scorer
from tests.policies.learner_contract import same

SEED = np.random.SeedSequence(2)


class Paid(LocalJudge):
    """Rates as the local judge does, for a cent a call; of every `failing`-th transcript it cannot say anything."""

    failing = 0
    asked = 0

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:  # type: ignore[override]
        type(self).asked += 1
        if self.failing and self.asked % self.failing == 0:
            return JudgeFailure(judge=self.id, kind=FailureKind.TIMED_OUT, detail="no answer")
        verdict = await super().rate(transcript, repeat)
        assert isinstance(verdict, Verdict)
        return verdict.model_copy(update={"usage": Usage(requests=1, cost_usd=0.01)})


def scorer(tmp_path: Path, *, failing: int = 0, cleared: bool = True, recipe: str = "blend") -> Scorer:
    made = make_scorer(Settings(ledger=str(tmp_path / "ledger.db"), recipe=recipe), {})
    judge = type("PaidHere", (Paid,), {"failing": failing, "asked": 0})(made.judge.rubric)
    if cleared:
        with Ledger(made.ledger) as book:
            book.clear(judge.id, "test")
    return Scorer(judge, made.ledger, made.recipe, made.outcomes, made.repeats, made.terms)


def source(scores: Scorer, **options: Any) -> JudgedSource:
    return JudgedSource.of("debt_call", {}, scores, SEED, **({"calls": 12} | options))


def training(scores: Scorer, state: Any = None, **options: Any) -> Training:
    made = source(scores, **options)
    if state:
        made.restore(state["source"])
    run = Training(ActorCritic(), made, np.random.SeedSequence(1))
    if state:
        run.restore(state["training"])
    return run


def rounds(run: Training, count: int) -> None:
    asked = iter(range(1, 100))
    run.run(stopped=lambda: next(asked) == count)


def test_a_round_is_the_learners_own_calls_as_scored(tmp_path: Path) -> None:
    given = source(scorer(tmp_path))
    learner = ActorCritic().begin(given.spaces, SEED)
    batch = given.next(learner)
    rollout = batch.rollout
    assert rollout.on_policy
    assert rollout.mask is not None
    assert rollout.rewards.shape[1] == 12
    assert (given.round, given.turns) == (1, rollout.steps)
    np.testing.assert_array_equal(rollout.probs[rollout.mask], 0.25)  # it has learned nothing yet, and acts uniformly
    assert given.spaces.encoding is not None
    assert (rollout.observations[0] // (5 * 4) == 0).all()  # each begins in OPENING
    np.testing.assert_allclose(batch.returns, (rollout.rewards * rollout.mask).sum(0), atol=1e-9)
    assert set(given.terms()) >= {"outcome", "turns", "episode"}
    assert sum(given.terms().values()) == pytest.approx(batch.returns.mean())
    learner.partial_fit(rollout)
    second = given.next(learner)
    probs = learner.policy().probs_of(second.rollout.observations, second.rollout.actions)
    np.testing.assert_allclose(probs[second.rollout.mask], second.rollout.probs[second.rollout.mask])


def test_stopped_and_resumed_equals_never_stopped_and_nothing_is_rated_twice(tmp_path: Path) -> None:
    first_place, second_place = tmp_path / "a", tmp_path / "b"
    whole = training(scorer(first_place))
    rounds(whole, 4)
    scores = scorer(second_place)
    part = training(scores)
    rounds(part, 2)
    tree = opened(sealed({"source": part.source.state(), "training": part.state()}), Path("checkpoint"))
    rounds(part, 1)  # a third round is judged, and then the process dies
    asked = type(scores.judge).asked
    again = scorer(second_place)
    resumed = training(again, tree)
    rounds(resumed, 2)
    assert same(resumed.learner.state(), whole.learner.state())
    assert same(resumed.source.state()["admitted"], whole.source.state()["admitted"])
    assert type(again.judge).asked <= 12  # only the fourth round: the third one's verdicts are in the ledger
    assert asked <= 36


def test_failures_are_left_out_and_counted(tmp_path: Path) -> None:
    given = source(scorer(tmp_path, failing=4), allowed=Allowed(min_coverage=0.7))
    learner = ActorCritic().begin(given.spaces, SEED)
    batch = given.next(learner)
    failed = given.admission.coverage.reasons["judge_failed"]
    assert failed >= 2
    assert batch.rollout.rewards.shape[1] == 12 - failed
    assert given.manifest()["law3"]["coverage"]["left_out"] == {"judge_failed": failed}
    given = source(scorer(tmp_path / "b", failing=4))
    with pytest.raises(UsageProblem, match=r"of the 12 calls of round 1 have a reward, --min-coverage asks for 90% \(the judge failed: "):
        given.next(learner)


def test_a_judge_without_leave_is_not_asked(tmp_path: Path) -> None:
    scores = scorer(tmp_path, cleared=False)
    with pytest.raises(UsageProblem, match=r"no leave to produce rewards: local/.*judge golden check.*--allow-uncleared"):
        source(scores)
    assert type(scores.judge).asked == 0
    given = source(scores, allowed=Allowed(uncleared=True))
    given.next(ActorCritic().begin(given.spaces, SEED))
    assert given.manifest()["law3"]["allowed"]["uncleared"] is True


def test_a_recipe_of_outcomes_asks_nobody(tmp_path: Path) -> None:
    scores = scorer(tmp_path, cleared=False, recipe="outcome")
    given = source(scores)
    given.next(ActorCritic().begin(given.spaces, SEED))
    assert type(scores.judge).asked == 0
    assert given.manifest()["judge"] is None


def test_what_was_paid_is_carried_on(tmp_path: Path) -> None:
    scores = scorer(tmp_path)
    given = source(scores)
    learner = ActorCritic().begin(given.spaces, SEED)
    given.next(learner)
    scores.terms.meter.spent += Usage(requests=5, cost_usd=0.5)  # as a model's calls are metered
    state = given.state()
    fresh = scorer(tmp_path)
    other = source(fresh)
    other.restore(state)
    assert (other.spent["requests"], other.spent["cost_usd"]) == (5, 0.5)
    fresh.terms.meter.spent += Usage(requests=1, cost_usd=0.25)
    assert (other.spent["requests"], other.spent["cost_usd"]) == (6, 0.75)
    fresh.terms.meter.spent += Usage(requests=1, cost_usd=None)
    assert other.spent["cost_usd"] is None
    last = source(scorer(tmp_path))
    last.restore(other.state())
    assert last.spent["cost_usd"] is None  # a price that was not known stays unknown


def test_what_cannot_be(tmp_path: Path) -> None:
    scores = scorer(tmp_path)
    with pytest.raises(UsageProblem, match="whose actions have names"):
        JudgedSource.of("sales_call", {}, scores, SEED)
    with pytest.raises(UsageProblem, match="has no words"):
        JudgedSource.of("gym:Taxi-v3", {}, scores, SEED)
    with pytest.raises(UsageProblem, match="a round of 0 calls is too short"):
        source(scores, calls=0)
    with pytest.raises(UsageProblem, match="the training has rounds of 12 calls and the seed 2, not 6 and 2"):
        source(scores, calls=6).restore(source(scores).state())
