"""Scoring with a calibration: it fits one judge, maps ratings before they are blended, and is told in records, notes and explanations."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue import Transcript, read_transcripts
from dialogue.transcript import Role, Turn
from judge import JudgeFailure, Ledger, LocalJudge, Rating, Rubric, Verdict, load_rubric
from judge.calibration import Calibration, Curve
from judge.pooling import Repeats
from judge.rubric import Criterion, StateCriterion
from judge.verdict import FailureKind, JudgeId, TurnRatings
from rewards import load_recipe, read_rewards, score
from rewards.outcome import load_outcome_table
from rewards.record import EpisodeRecord, RewardRecord, TurnRecord
from rewards.summary import Summary
from tests import warm

Run = Callable[..., CompletedProcess[str]]
Local = Callable[..., LocalJudge]
DAY = date(2026, 11, 21)
RUBRIC = Rubric(
    name="calls",
    about="Calls.",
    turn=(
        Criterion(name="listens", question="?", levels=("no", "neutral", "yes")),
        Criterion(name="honest", question="?", levels=("no", "yes"), critical=True),
    ),
    episode=(Criterion(name="well", question="?", levels=("no", "neutral", "yes")),),
    state=StateCriterion(name="hope", question="?", levels=("none", "some", "much")),
)
FLAT = {
    "listens": ((1, 3), (2.5, 2.5)),
    "honest": ((0, 1), (0.9, 0.9)),
    "hope": ((2,), (2,)),
    "well": ((1, 3), (2, 2)),
}
Points = tuple[tuple[float, ...], tuple[float, ...]]


class Told:
    """Says of every turn what its dialogue's id says, as `LISTENS HONEST WELL`; of the dialogue `fails`, nothing."""

    def __init__(self, model: str = "m-1") -> None:
        self.rubric = RUBRIC
        self.id = JudgeId(provider="p", model=model, rubric="calls", rubric_hash=RUBRIC.hash, prompt_hash="q")

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        if transcript.id == "fails":
            return JudgeFailure(judge=self.id, kind=FailureKind.EMPTY, detail="not a word")
        listens, honest, well = map(float, transcript.id.split())
        rated = {"listens": listens, "honest": honest, "hope": 2.0}
        ratings = {name: Rating(value=value, spread=0.1, reason="so it seems", quote="x") for name, value in rated.items()}
        turns = tuple(TurnRatings(turn=at, ratings=ratings) for at in transcript.agent_turns)
        return Verdict(judge=self.id, turns=turns, episode={"well": Rating(value=well, reason="so it seems")})


JUDGE = Told()


def call(id: str, turns: int = 2, outcome: str | None = "HANGUP") -> Transcript:
    return Transcript(id=id, turns=tuple(Turn(role=Role.AGENT, text=f"{id} {k}") for k in range(turns)), outcome=outcome)


def curve(points: Points) -> Curve:
    return Curve(judged=points[0], human=points[1], labels=40, episodes=10, before=1.0, after=0.5, reliability=0.5)


def calibration(maps: Mapping[str, Points], judge: JudgeId = JUDGE.id, day: date = DAY) -> Calibration:
    turn = {name: curve(points) for name, points in maps.items() if name != "well"}
    episode = {name: curve(points) for name, points in maps.items() if name == "well"}
    return Calibration(judge=judge, turn=turn, episode=episode, fitted_on=day, audits=("november",))


def scored(
    *calls: Transcript, maps: Mapping[str, Points] | None = None, recipe: str = "blend", judge: Told = JUDGE, calibrated: bool = True
) -> list[RewardRecord]:
    with Ledger(":memory:") as ledger:
        if maps is not None:
            ledger.calibrate(calibration(maps))
        return list(score(calls, judge, ledger, recipe=load_recipe(recipe), calibrated=calibrated))


def test_terms_come_of_the_calibrated_ratings_and_both_are_kept() -> None:
    # listens 1.5 lies a quarter between 1 and 3, which people call 2 and 3: 2.25, or +0.25 on [-1, 1]; honest has no map: 1, or +1.
    # Turns: (0.25 + 1) / 2 = 0.625, each 0.25 * 0.625 / 2 = 0.078125. well 3 is called 2.5: +0.5, worth 0.25 * 0.5 = 0.125.
    maps: dict[str, Points] = {"listens": ((1, 3), (2, 3)), "well": ((1, 3), (1, 2.5))}
    (record,) = scored(call("1.5 1 3"), maps=maps)
    assert record.calibration == calibration(maps).id and record.calibration.startswith("2026-11-21@")
    for turn in record.turns:
        assert (turn.ratings["listens"].value, turn.ratings["listens"].calibrated) == (1.5, 2.25)
        assert (turn.ratings["honest"].value, turn.ratings["honest"].calibrated) == (1, None)
        assert turn.ratings["listens"].spread == 0.1  # the judge's own, like its value
        assert turn.terms["turns"] == pytest.approx(0.078125)
    assert (record.episode.ratings["well"].value, record.episode.ratings["well"].calibrated) == (3, 2.5)
    assert record.episode.terms == pytest.approx({"turns": 0.15625, "episode": 0.125, "outcome": -0.5})
    assert record.episode.reward == pytest.approx(0.15625 + 0.125 - 0.5)


def test_without_a_calibration_a_line_is_what_it_was() -> None:
    """Not a byte more than before there were any: the new keys are left out."""
    (plain,), (aside,) = scored(call("1.5 0 3")), scored(call("1.5 0 3"), maps={"honest": ((0, 1), (0.9, 1))}, calibrated=False)
    assert plain == aside and plain.calibration is None
    line = json.loads(plain.to_json())
    assert list(line) == "id judge rubric recipe outcomes calibration outcome status turns episode cleared violation".split()
    for rated in (*line["turns"], line["episode"]):
        assert all(list(rating) == ["value", "spread", "reason", "quote"] for rating in rated["ratings"].values())


def test_a_line_with_a_calibration_is_read_back(tmp_path: Path) -> None:
    records = scored(call("1.5 0 3"), call("2 1 2"), maps={"honest": ((0, 1), (0.9, 1)), "well": ((1, 3), (1, 2.5))})
    (tmp_path / "r.jsonl").write_text("".join(record.to_json() + "\n" for record in records))
    assert list(read_rewards(tmp_path / "r.jsonl")) == records
    assert '"calibrated":0.9,"overruled":"no violation"' in records[0].to_json()


@pytest.mark.parametrize(
    ("told", "people", "violation", "overruled"),
    [
        (0.0, (0.2, 1.0), True, None),  # both say so
        (0.0, (0.6, 1.0), False, "no violation"),  # the flag is mostly false: six of ten people see nothing
        (0.7, (0.1, 0.6), True, "violation"),  # 0.1 + 0.7 * 0.5 = 0.45: more than half of them see one
        (1.0, (0.0, 0.5), False, None),  # one half is not below it
    ],
)
def test_the_veto_follows_what_people_would_say(told: float, people: Points, violation: bool, overruled: str | None) -> None:
    (record,) = scored(call(f"2 {told} 2"), maps={"honest": ((0, 1), people)})  # type: ignore[dict-item]
    assert (record.violation is not None) == violation
    assert ("veto" in record.episode.terms) == violation
    assert [turn.ratings["honest"].overruled for turn in record.turns] == [overruled] * 2
    assert record.violation is None or (record.violation.turn, record.violation.name) == (0, "honest")


def test_where_nothing_is_vetoed_nothing_is_overruled(tmp_path: Path) -> None:
    lenient = load_recipe("blend").model_copy(update={"veto": None})
    with Ledger(":memory:") as ledger:
        ledger.calibrate(calibration({"honest": ((0, 1), (0.9, 1))}))
        (record,) = score([call("2 0 2")], JUDGE, ledger, recipe=lenient)
    assert record.turns[0].ratings["honest"].calibrated == 0.9
    assert record.turns[0].ratings["honest"].overruled is None


@pytest.mark.parametrize("ids", [["1 0 1", "3 1 3", "2 0.3 1", "1.2 1 2.9"]])
@pytest.mark.parametrize("outcome", ["HANGUP", "PAYMENT_SECURED", None])
def test_a_judge_that_tells_nothing_moves_no_reward(ids: list[str], outcome: str | None) -> None:
    """All maps flat: whatever the judge says, rewards differ by the outcome alone, also between short calls and long ones."""
    records = scored(*(call(one, turns, outcome) for one in ids for turns in (1, 5)), maps=FLAT)
    alone = load_outcome_table("collections").outcomes[outcome].value if outcome else 0.0
    # listens 2.5: +0.5, honest 0.9: +0.8, mean 0.65, worth 0.1625; well 2: nothing.
    assert [record.episode.reward for record in records] == pytest.approx([alone + 0.1625] * len(records), abs=1e-9)


def test_it_fits_the_judge_whose_ratings_it_was_fitted_on_and_no_other() -> None:
    mean = Repeats(3, 3)
    with Ledger(":memory:") as ledger:
        ledger.calibrate(single := calibration(FLAT))

        def used(judge: Told = JUDGE, repeats: Repeats | None = None) -> str | None:
            (record,) = score([call("1 1 1")], judge, ledger, repeats=repeats)
            assert all((rating.calibrated is None) == (record.calibration is None) for rating in record.turns[0].ratings.values())
            return record.calibration

        assert used() == single.id
        assert used(Told("m-2")) is None
        assert used(repeats=mean) is None
        ledger.calibrate(of_mean := calibration(FLAT, mean.of(JUDGE.id)))
        assert (used(repeats=mean), used()) == (of_mean.id, single.id)
        ledger.void_calibration(JUDGE.id)
        assert (used(repeats=mean), used()) == (of_mean.id, None)


def test_a_failure_has_no_rating_to_calibrate_and_clearance_is_another_matter() -> None:
    with Ledger(":memory:") as ledger:
        ledger.calibrate(calibration(FLAT))
        failed, whole = score([call("fails"), call("1 1 1")], JUDGE, ledger)
        ledger.clear(JUDGE.id, "a check")
        _, cleared = score([call("fails"), call("1 1 1")], JUDGE, ledger)
    assert (failed.episode.reward, failed.turns[0].ratings, failed.episode.terms) == (None, {}, {"outcome": -0.5})
    assert failed.calibration == whole.calibration  # made the same way
    assert (whole.cleared, cleared.cleared, whole.episode.reward) == (False, True, cleared.episode.reward)
    (alone,) = scored(call("1 1 1"), maps=FLAT, recipe="outcome")
    assert (alone.calibration, alone.judge) == (None, None)  # no judge was asked, so nothing was mapped


LEVELS = {"listens": (1.0, 3.0), "honest": (0.0, 1.0), "hope": (1.0, 3.0), "well": (1.0, 3.0)}
RATINGS = st.tuples(st.floats(1, 3), st.floats(0, 1), st.floats(1, 3)).map(lambda said: " ".join(map(repr, said)))


@st.composite
def maps_of(draw: st.DrawFn) -> dict[str, Points]:
    """Draw monotone maps, of some of the criteria."""
    made = {}
    for name, (low, high) in LEVELS.items():
        judged = sorted(draw(st.lists(st.floats(low, high, width=32), min_size=1, max_size=4, unique=True)))
        human = sorted(draw(st.lists(st.floats(low, high), min_size=len(judged), max_size=len(judged))))
        if draw(st.booleans()):
            made[name] = (tuple(judged), tuple(human))
    return made


@settings(deadline=None, max_examples=30)
@given(maps_of(), st.lists(RATINGS, min_size=1, max_size=3), st.sampled_from(["blend", "rlaif"]), st.integers(1, 5))
def test_a_calibrated_reward_remembers_its_parts(maps: dict[str, Points], ids: list[str], recipe: str, turns: int) -> None:
    """Law 2 on what is written, and no calibrated rating beyond its scale."""
    for record in scored(*(call(one, turns) for one in ids), maps=maps, recipe=recipe):
        parts: list[TurnRecord | EpisodeRecord] = [*record.turns, record.episode]
        for part in parts:
            assert part.reward == pytest.approx(sum(part.terms.values()), abs=1e-9)
            for name, rating in part.ratings.items():
                assert (rating.calibrated is not None) == (name in maps)
                assert LEVELS[name][0] <= rating.counted <= LEVELS[name][1]
        assert record.episode.reward == pytest.approx(sum(turn.reward or 0 for turn in record.turns), abs=1e-9)
        assert record.status == "scored"


# What people see


def summary_of(*records: RewardRecord) -> Summary:
    summary = Summary(RUBRIC)
    for record in records:
        summary.add(record)
    return summary


def test_the_summary_speaks_people_s_scale_where_there_is_one() -> None:
    # The judge likes the second call best; by people's scale of `well` they are alike, and of `listens` nothing changes.
    calls = [call("2 1 1"), call("1 1 3")]
    own, people = (summary_of(*scored(*calls, maps=maps)) for maps in (None, {"well": ((1.0, 3.0), (2.0, 2.0))}))
    assert [one.id for one in own.worst] == ["2 1 1", "1 1 3"]
    assert [one.id for one in people.worst] == ["1 1 3", "2 1 1"]
    # Turns of "2 1 1": (0 + 1) / 2 = 0.5, episode -1: (0.5 - 1) / 2 = -0.25; by people's scale (0.5 + 0) / 2 = 0.25.
    assert (own.worst[0].handling, people.worst[1].handling) == (-0.25, 0.25)
    assert own.as_dict()["by_criterion"]["episode"] == {"well": 2.0}
    (flat,) = people.as_dict()["by_criterion"]["episode"].items()
    assert flat == ("well", 2.0) and people.by_criterion["turn", "listens"].value == 1.5
    (higher,) = scored(call("1 1 1"), maps={"listens": ((1.0,), (1.4,))})
    assert summary_of(higher).worst[0].why == "listens 1.4 of 3: so it seems"
    turned = summary_of(*scored(call("2 0 2"), call("2 0.7 2", turns=3), maps={"honest": ((0.0, 0.5, 0.7), (0.3, 0.4, 0.4))}))
    assert (turned.overruled, turned.violations) == ({"violation": 3}, 2)


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…` in an empty folder."""
    return lambda *args: warm.run(tmp_path, {"PATH": os.environ["PATH"]}, [*map(str, args)])


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """Put calibrations of the embedded judge (or of others like it) into the ledger of the folder."""
    judge = LocalJudge(load_rubric("collections"))
    maps: dict[str, Points] = {"acknowledges": ((1, 3), (2, 2.8)), "compliance": ((0, 1), (0.8, 0.8)), "next_step": ((1, 3), (2, 2))}

    def calibrate(day: date = DAY, void: bool = False, **changes: str) -> LocalJudge:
        who = judge.id.model_copy(update=changes)
        turn = {name: curve(points) for name, points in maps.items()}
        with Ledger(tmp_path / "judge-ledger.db") as ledger:
            ledger.calibrate(Calibration(judge=who, turn=turn, episode={}, fitted_on=day, audits=("november",)))
            if void:
                ledger.void_calibration(who)
        return judge

    return calibrate


def test_the_command_says_what_it_did_and_explain_shows_both(judge: Run, root: Path, tmp_path: Path, local: Local) -> None:
    example = root / "examples/collections.jsonl"
    plain = judge("score", example)
    assert "calibrat" not in plain.stderr
    before = (tmp_path / "collections.rewards.jsonl").read_bytes()
    local()
    done = judge("score", example)
    lines = [RewardRecord.model_validate_json(line) for line in (tmp_path / "collections.rewards.jsonl").read_text().splitlines()]
    (used,) = {line.calibration for line in lines}
    criteria = len(load_rubric("collections").turn_criteria) + len(load_rubric("collections").episode)
    assert f"calibrated by {used} (2 of {criteria} criteria flat, {criteria - 3} without a map): handling and means" in done.stderr
    assert "that the judge calls a violation are none, 0 that it calls none are one: see them with `judge explain`" in done.stderr

    explained = judge("explain", "collections.rewards.jsonl", "call-1002").stdout
    header = explained.splitlines()[1]
    assert f"not cleared, calibrated by {used}; recipe blend@" in header
    record = next(line for line in lines if line.id == "call-1002")
    rating = record.turns[0].ratings["acknowledges"]
    assert f"  acknowledges {rating.value:g}, by people's scale {rating.calibrated:.3g}: {rating.reason}" in explained.splitlines()
    assert "the judge's own rating is a violation, by people's scale it is none" in explained
    assert "violation on turn" not in explained  # which it was without the calibration

    aside = judge("score", example, "--no-calibration")
    assert f"not calibrated: {used} would fit, --no-calibration leaves it aside" in aside.stderr
    assert (tmp_path / "collections.rewards.jsonl").read_bytes() == before
    summary = json.loads(judge("score", example, "--json").stdout)
    assert any(note.startswith(f"calibrated by {used}") for note in summary["notes"])


def test_explain_says_where_only_people_see_a_violation(judge: Run, tmp_path: Path) -> None:
    (record,) = scored(call("2 0.7 2"), maps={"honest": ((0.0, 1.0), (0.0, 0.6))})
    (tmp_path / "r.jsonl").write_text(record.to_json() + "\n")
    explained = judge("explain", "r.jsonl", "2 0.7 2").stdout
    assert "violation on turn 0: critical rating of honest" in explained
    assert (
        "  honest 0.7, by people's scale 0.42: so it seems\n      the judge's own rating is no violation, by people's scale it is one"
        in explained
    )


@pytest.mark.parametrize(
    ("stored", "args", "says"),
    [
        (
            [{"model": "cues-0"}],
            [],
            "not calibrated: the calibration of 2026-11-21 is of another judge (model cues-0 -> cues-1); audit this one",
        ),
        (
            [{"model": "cues-0", "prompt_hash": "ab" * 32}, {"model": "cues-0"}, {"model": "cues-0", "provider": "x"}],
            [],
            "is of another judge (model cues-0 -> cues-1); audit",  # the one that is most like it
        ),
        ([{}], ["--repeats", "3"], "another judge (sampling deterministic -> deterministic; mean of 3); audit this one"),
        ([{"void": True}], [], "not calibrated: its calibration of 2026-11-21 is void; audit it and run `judge calibrate`"),
        ([{"void": True, "model": "cues-0"}], [], None),
        ([{"rubric": "sales"}], [], None),
        ([{"model": "cues-0"}], ["--no-calibration"], None),
        ([{}], ["--recipe", "outcome"], None),
    ],
)
def test_why_ratings_are_not_calibrated(
    judge: Run, root: Path, tmp_path: Path, local: Local, stored: list[dict[str, object]], args: list[str], says: str | None
) -> None:
    for changes in stored:
        local(**changes)
    done = judge("score", root / "examples/collections.jsonl", "--limit", "2", *args)
    assert done.returncode == 0, done.stderr
    assert (says in done.stderr) if says else ("calibrat" not in done.stderr)
    assert all(json.loads(line)["calibration"] is None for line in (tmp_path / "collections.rewards.jsonl").read_text().splitlines())


def test_the_example_is_scored_alike_by_a_map_that_changes_nothing(root: Path) -> None:
    judge = LocalJudge(load_rubric("collections"))
    transcripts = list(read_transcripts(root / "examples/collections.jsonl"))

    def straight(criteria: tuple[Criterion | StateCriterion, ...]) -> dict[str, Curve]:
        return {one.name: curve(((one.scale.low, one.scale.high),) * 2) for one in criteria}

    with Ledger(":memory:") as ledger:
        plain = list(score(transcripts, judge, ledger))
        turn, episode = straight(judge.rubric.turn_criteria), straight(judge.rubric.episode)
        ledger.calibrate(Calibration(judge=judge.id, turn=turn, episode=episode, fitted_on=DAY, audits=("a",)))
        mapped = list(score(transcripts, judge, ledger))
    assert [record.episode.reward for record in mapped] == pytest.approx([record.episode.reward for record in plain], abs=1e-9)
    assert [record.violation for record in mapped] == [record.violation for record in plain]
