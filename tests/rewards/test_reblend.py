"""Rewards made again under other maps: the same as blending anew would give, whatever recipe, violation, outcome or length."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from judge.calibration import Calibration, Curve
from judge.ledger import Ledger
from judge.replicates import Maps, Replicates
from judge.rubric import Criterion, Rubric, StateCriterion
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict
from rewards.blend import blend
from rewards.outcome import load_outcome_table
from rewards.reblend import Reblend, judge_error
from rewards.recipe import OutcomeTerm, Place, RatingTerm, Recipe, ShapingTerm, Veto, load_recipe
from rewards.record import Calibrated, RewardRecord, make_record

RUBRIC = Rubric(
    name="calls",
    about="Calls.",
    turn=(
        Criterion(name="listens", question="?", levels=("1", "2", "3", "4", "5"), weight=2.0),
        Criterion(name="honest", question="?", levels=("no", "yes"), critical=True),
    ),
    episode=(Criterion(name="well", question="?", levels=("no", "neutral", "yes")),),
    state=StateCriterion(name="hope", question="?", levels=("none", "some", "much")),
)
JUDGE = JudgeId(provider="p", model="m-1", rubric="calls", rubric_hash=RUBRIC.hash, prompt_hash="q")
OUTCOMES = load_outcome_table("collections")
SCALES = {"listens": (1, 5), "honest": (0, 1), "hope": (1, 3), "well": (1, 3)}
RECIPES = (
    load_recipe("blend"),
    load_recipe("rlaif"),
    Recipe(
        name="everything",
        about="x",
        outcome=OutcomeTerm(weight=2.0, place=Place.DISCOUNTED),
        turns=RatingTerm(weight=0.7),
        episode=RatingTerm(weight=0.3),
        shaping=ShapingTerm(weight=0.5, initial=0.25),
        veto=Veto(cap=-1.0),
    ),
    Recipe(name="lenient", about="x", outcome=OutcomeTerm(place=Place.SPREAD), turns=RatingTerm(weight=0.7)),
)
Points = Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]


def points(rng: np.random.Generator) -> Points:
    """Return random rising maps of some of the criteria."""
    made = {}
    for name, (low, high) in SCALES.items():
        if rng.random() < 0.8:
            inner = np.sort(rng.choice(np.arange(low * 4 + 1, high * 4), 2, replace=False)) / 4
            made[name] = ((float(low), *inner.tolist(), float(high)), tuple(np.sort(rng.uniform(low, high, 4)).tolist()))
    return made


def calibration(maps: Points) -> Calibration:
    curves = {
        name: Curve(judged=judged, human=human, labels=40, episodes=20, before=1.0, after=0.5, reliability=0.5)
        for name, (judged, human) in maps.items()
    }
    turn = {name: curve for name, curve in curves.items() if name != "well"}
    return Calibration(
        judge=JUDGE,
        turn=turn,
        episode={"well": curves["well"]} if "well" in curves else {},
        fitted_on=date(2026, 11, 21),
        audits=("november",),
    )


def calls(rng: np.random.Generator, count: int) -> list[tuple[Transcript, Verdict]]:
    """Return calls of random length, outcome, signals and ratings."""
    made = []
    for number in range(count):
        turns: list[Turn] = []
        for _ in range(rng.integers(1, 6)):
            turns.append(Turn(role=Role.AGENT, text="x", state={"s": 1}, action="A", action_prob=0.5))
            signals = ("COMPLIANCE_VIOLATION",) if rng.random() < 0.08 else ()
            turns.append(Turn(role=Role.USER, text="y", signals=signals))
        outcome = rng.choice(np.array(["HANGUP", "PAYMENT_SECURED", "COMPLIANCE_VIOLATION", None], dtype=object))
        transcript = Transcript(id=f"c{number}", turns=tuple(turns), outcome=outcome)

        def rated(*names: str) -> dict[str, Rating]:
            found = {}
            for name in names:
                low, high = SCALES[name]
                found[name] = Rating(value=float(rng.integers(low * 2, high * 2 + 1) / 2), reason="so")
            return found

        ratings = tuple(TurnRatings(turn=at, ratings=rated("listens", "honest", "hope")) for at in transcript.agent_turns)
        made.append((transcript, Verdict(judge=JUDGE, turns=ratings, episode=rated("well"))))
    return made


def scored(told: list[tuple[Transcript, Verdict]], recipe: Recipe, maps: Points) -> list[RewardRecord]:
    fitting = calibration(maps)
    critical = {one.name: one for one in RUBRIC.turn if one.critical and recipe.veto}
    used = Calibrated(fitting.id, fitting.turn, fitting.episode, critical)
    names = {"rubric": str(RUBRIC), "recipe": str(recipe), "outcomes": str(OUTCOMES)}
    return [
        make_record(
            call,
            verdict,
            blend(call, OUTCOMES.outcome_of(call), fitting.apply(verdict), RUBRIC, recipe),
            cleared=True,
            calibrated=used,
            **names,
        )
        for call, verdict in told
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), recipe=st.sampled_from(RECIPES))
def test_it_is_what_blending_anew_would_give(seed: int, recipe: Recipe) -> None:
    rng = np.random.default_rng(seed)
    told, maps, others = calls(rng, 12), points(rng), points(rng)
    made = Reblend.of(scored(told, recipe, maps), RUBRIC, recipe)  # which sees for itself that the rewards as written come out
    turn, whole = ({name: one for name, one in others.items() if (name == "well") == kind} for kind in (False, True))
    anew = [turn.reward for record in scored(told, recipe, others) for turn in record.turns]
    assert made.under(turn, whole) == pytest.approx(np.array(anew), abs=1e-9)


def test_a_changed_reward_or_another_recipe_is_refused() -> None:
    records = scored(calls(np.random.default_rng(1), 5), RECIPES[0], {})
    first = records[2].turns[0]
    forged = records[2].model_copy(
        update={"turns": (first.model_copy(update={"reward": (first.reward or 0) + 0.1}), *records[2].turns[1:])}
    )
    with pytest.raises(UsageProblem, match="the rewards of 'c2' do not come out again"):
        Reblend.of([*records[:2], forged], RUBRIC, RECIPES[0])
    with pytest.raises(UsageProblem, match=r"'c0' was scored with the recipe blend@\w+, not rlaif@"):
        Reblend.of(records, RUBRIC, RECIPES[1])


def test_replicates_come_out_of_the_ledger(tmp_path: Path) -> None:
    """Two replicates: listens all 1 and all 5, that is -1 and +1 at 2/3 of the turns' mean; honest as the judge said."""
    told = calls(np.random.default_rng(2), 8)
    records = scored(told, RECIPES[3], {"listens": ((1.0, 5.0), (2.0, 4.0))})
    name = records[0].calibration or ""
    made = Replicates(calibration=name, turn={"listens": Maps(judged=(1.0, 5.0), human=((1.0, 1.0), (5.0, 5.0)))}, episode={})
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.calibrate_replicates(made)
        assert ledger.replicates(name) == made and ledger.replicates("another") is None
    error = judge_error(records, RUBRIC, RECIPES[3], tmp_path / "l.db")
    low, high = error.rewards()
    lengths = np.repeat([len(record.turns) for record in records], [len(record.turns) for record in records])
    assert (error.count, error.unmapped) == (2, ("honest",))
    assert high - low == pytest.approx(0.7 * 2 * (2 / 3) / lengths)


@pytest.mark.parametrize(
    ("calibrations", "recipe", "told"),
    [
        ((None,), RECIPES[0], "made without a calibration, so nothing tells how far the judge is off"),
        (("2026-11-21@a", "2026-11-22@b"), RECIPES[0], "made with 2 calibrations; score all with one"),
        (("2026-11-21@a",), RECIPES[0], "no replicates of the calibration 2026-11-21@a; `judge calibrate --day 2026-11-21`"),
        (("2026-11-21@a",), load_recipe("outcome"), "asks no judge: there is no judge error"),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, calibrations: tuple[str | None, ...], recipe: Recipe, told: str) -> None:
    records = scored(calls(np.random.default_rng(3), len(calibrations)), RECIPES[0], {})
    records = [record.model_copy(update={"calibration": name}) for record, name in zip(records, calibrations, strict=True)]
    with pytest.raises(UsageProblem) as refused:
        judge_error(records, RUBRIC, recipe, tmp_path / "none.db")
    assert told in str(refused.value)
    assert not (tmp_path / "none.db").exists()  # looking for a ledger makes none
