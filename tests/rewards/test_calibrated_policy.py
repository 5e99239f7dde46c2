"""With a judge of pure noise, calibrated, the blended policy is the outcome-only policy; without calibration it often is not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from dialogue import Transcript
from dialogue.transcript import Role, Turn
from golden_set.audit.calibration import fit
from golden_set.audit.monotone import Labelled
from judge import Rating, Verdict, load_rubric
from judge.calibration import Calibration, Curve
from judge.rubric import Criterion, StateCriterion
from judge.verdict import JudgeId, TurnRatings
from rewards.blend import blend
from rewards.outcome import load_outcome_table
from rewards.recipe import load_recipe

RUBRIC, RECIPE, TABLE = load_rubric("collections"), load_recipe("blend"), load_outcome_table("collections")
JUDGE = JudgeId(provider="mine", model="noise", rubric=RUBRIC.name, rubric_hash=RUBRIC.hash, prompt_hash="1")
STATES = ("angry", "stalling", "willing")
ACTIONS = ("PROCEED", "EMPATHIZE", "OFFER_PLAN", "ASK_CLARIFY")
OUTCOMES = ("PAYMENT_SECURED", "PAYMENT_PLAN_AGREED", "CALLBACK_SCHEDULED", "HANGUP", "DNC_REQUESTED")
# How the borrower's state moves on an action (rows: STATES, then STATES again): better than it was, as it was, worse.
BETTER = np.array([[0.1, 0.6, 0.2, 0.3], [0.2, 0.3, 0.5, 0.6], [0.3, 0.4, 0.6, 0.3]])
# Chances of the outcomes by the state that the call ends in.
ENDS = np.array([[0.02, 0.05, 0.13, 0.60, 0.20], [0.05, 0.20, 0.45, 0.27, 0.03], [0.45, 0.35, 0.15, 0.05, 0.00]])
TURNS, EPISODES, AUDITED, SEEDS = 2, 240, 120, 100
SAID = tuple(Turn(role=role, text="…") for _ in range(TURNS) for role in (Role.AGENT, Role.USER))

Step = tuple[int, str, str]  # which turn, state, action
Policy = dict[tuple[int, str], str]


def scored(criterion: Criterion | StateCriterion, rng: np.random.Generator, count: int) -> np.ndarray:
    """Ratings that hang on nothing: any level is as likely; one turn in ten is called a violation."""
    scale = criterion.scale
    if scale.high == 1:
        return (rng.random(count) > 0.1).astype(float)
    return rng.integers(scale.low, scale.high + 1, count).astype(float)


def calls(rng: np.random.Generator) -> Iterator[tuple[list[Step], Transcript]]:
    """A log of calls under a policy that acts at random."""
    for number in range(EPISODES):
        state, steps = int(rng.integers(3)), []
        for turn in range(TURNS):
            action = int(rng.integers(4))
            steps.append((turn, STATES[state], ACTIONS[action]))
            chance, better = rng.random(), BETTER[state, action]
            state = min(state + 1, 2) if chance < better else state if chance < (1 + better) / 2 else max(state - 1, 0)
        outcome = OUTCOMES[int(np.searchsorted(np.cumsum(ENDS[state]), rng.random()))]
        yield steps, Transcript(id=str(number), turns=SAID, outcome=outcome)


def verdicts(rng: np.random.Generator) -> Iterator[Verdict]:
    turns = {c.name: scored(c, rng, EPISODES * TURNS).reshape(EPISODES, TURNS).tolist() for c in RUBRIC.turn_criteria}
    whole = {c.name: scored(c, rng, EPISODES).tolist() for c in RUBRIC.episode}
    for at in range(EPISODES):
        rated = ({name: Rating(value=values[at][turn], reason="") for name, values in turns.items()} for turn in range(TURNS))
        episode = {name: Rating(value=values[at], reason="") for name, values in whole.items()}
        yield Verdict(judge=JUDGE, turns=tuple(TurnRatings(turn=2 * k, ratings=r) for k, r in enumerate(rated)), episode=episode)


def audited(rng: np.random.Generator) -> Calibration:
    """What people's labels of 120 calls of five turns make of that judge; people agree with themselves within a call."""

    def curve(criterion: Criterion | StateCriterion, turns: int) -> Curve:
        episode = np.repeat(np.arange(AUDITED), turns)
        scale = criterion.scale
        mood, own = rng.normal(0, 0.25, AUDITED)[episode], rng.normal(0, 0.2, len(episode))
        human = np.clip(np.rint(scale.low + (scale.high - scale.low) * (0.6 + mood + own)), scale.low, scale.high)
        judge = scored(criterion, rng, len(episode))
        found = fit(Labelled(judge, human, np.ones(len(episode)), episode), scale).curve
        assert found is not None
        return found

    turn, whole = ({c.name: curve(c, n) for c in criteria} for criteria, n in ((RUBRIC.turn_criteria, 5), (RUBRIC.episode, 1)))
    return Calibration(judge=JUDGE, turn=turn, episode=whole, fitted_on=date(2026, 1, 1), audits=("a",))


def greedy(log: list[tuple[list[Step], float]]) -> Policy:
    """The action with the highest mean return, for every turn and state."""
    returns: dict[Step, list[float]] = defaultdict(list)
    for steps, total in log:
        for step in steps:
            returns[step].append(total)
    means = {step: sum(totals) / len(totals) for step, totals in returns.items()}
    best: Policy = {}
    for turn, state, action in sorted(means, key=lambda step: means[step]):
        best[turn, state] = action  # the last one stays: the highest
    return best


def policies(seed: int) -> Mapping[str, Policy]:
    """Learn from one log by outcome alone, and blended with the noise as it is and calibrated."""
    rng = np.random.default_rng(seed)
    calibration = audited(rng)
    logs: dict[str, list[tuple[list[Step], float]]] = {"outcome": [], "raw": [], "calibrated": []}
    for (steps, transcript), verdict in zip(calls(rng), verdicts(rng), strict=True):
        outcome = TABLE.outcome_of(transcript)
        assert outcome is not None
        logs["outcome"].append((steps, outcome.value))
        for way, said in (("raw", verdict), ("calibrated", calibration.apply(verdict))):
            total = blend(transcript, outcome, said, RUBRIC, RECIPE).total
            assert total is not None
            logs[way].append((steps, total))
    return {way: greedy(log) for way, log in logs.items()}


def test_calibrated_noise_leaves_the_policy_that_outcomes_alone_teach() -> None:
    learnt = [policies(seed) for seed in range(SEEDS)]
    same = {way: sum(each[way] == each["outcome"] for each in learnt) / SEEDS for way in ("raw", "calibrated")}
    print(same)
    assert same["calibrated"] >= 0.99
    assert same["raw"] <= 0.5  # or the problem would be too easy to tell the two apart
    assert len({tuple(sorted(each["outcome"].items())) for each in learnt}) > 1  # close calls are among them
