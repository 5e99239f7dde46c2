"""Nights of the monitor with a judge that drifts when it is told to: burn-in, alarm, confirmation, attribution, resumption, statuses."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dialogue import Transcript, UsageProblem
from golden_set import watch_command as module
from golden_set.baseline import Baseline, make_baseline
from golden_set.case import EPISODE, GoldenCase, agreed
from golden_set.history import Anchors, Cause, History, Night, Series, hash_of, load_history, save_history
from golden_set.nightly import episodes_of
from golden_set.sheet import Sheet, labels_as_marks
from golden_set.watch import Task, Unreached, Watched, watch
from golden_set.watch_command import watch_command
from golden_set.watch_report import WatchReport, make_report
from judge import JudgeFailure, JudgeId, Ledger, LocalJudge, Rating, Rubric, Verdict, load_rubric
from judge.calibration import Calibration, Curve
from judge.line import AnotherModel
from judge.verdict import FailureKind, TurnRatings

FIRST = date(2026, 1, 1)
QUIET = 18  # nights of the history that every drift here comes after
DULL = "an ordinary call"


@dataclass
class Moody:
    """Says what people say of a case (the middle, of other dialogues), with noise of its own every time, and moved by its mood."""

    cases: Sequence[GoldenCase]
    rubric: Rubric
    seed: int = 0
    noise: float = 0.3
    mood: Mapping[str, float] = field(default_factory=dict)
    on: Callable[[str, int], bool] = lambda name, asked: True  # whether the mood holds: dialogue, and how often it was asked before
    fails: Callable[[str], bool] = lambda name: False
    model: str = "moody-1"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = JudgeId(provider="mine", model=self.model, rubric="calls", rubric_hash=self.rubric.hash, prompt_hash="1")
        self._rng = np.random.default_rng([7, self.seed])
        self._labels = {case.id: case.places for case in self.cases}

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        before = self.asked.count(transcript.id)
        self.asked.append(transcript.id)
        if self.fails(transcript.id):
            return JudgeFailure(judge=self.id, kind=FailureKind.UNREACHABLE, detail="no line")

        def ratings(place: str, criteria: Sequence[Any]) -> dict[str, Rating]:
            found = {}
            for c in criteria:
                middle = (c.scale.low + c.scale.high) / 2
                value = agreed(self._labels[transcript.id][place][c.name]) if transcript.id in self._labels else middle
                value += self.mood.get(c.name, 0.0) if self.on(transcript.id, before) else 0.0
                value += self._rng.normal(0, self.noise) if c.scale.high > 1 else 0.0
                found[c.name] = Rating(value=float(np.clip(value, c.scale.low, c.scale.high)), reason="so it seems")
            return found

        turns = tuple(TurnRatings(turn=at, ratings=ratings(str(at), self.rubric.turn_criteria)) for at in transcript.agent_turns)
        return Verdict(judge=self.id, turns=turns, episode=ratings(EPISODE, self.rubric.episode))


@pytest.fixture(scope="module")
def cases() -> tuple[GoldenCase, ...]:
    rng = np.random.default_rng(3)
    turn = {"role": "agent", "labels": {"listens": 3, "honest": 1}}
    return tuple(
        GoldenCase.model_validate(
            {"id": f"c{k:02}", "rubric": "calls", "persona": ("angry", "calm")[k % 2], "labels": {"well": 3}, "labelled_by": ["me"]}
            | {"turns": [turn | {"text": f"{k} {at}", "labels": {"listens": int(rng.integers(2, 5)), "honest": 1}} for at in range(3)]}
        )
        for k in range(40)
    )


@pytest.fixture(scope="module")
def question() -> Rubric:
    levels = ("1", "2", "3", "4", "5")
    return Rubric.model_validate(
        {
            "name": "calls",
            "about": "How calls are handled.",
            "turn": [
                {"name": "listens", "question": "?", "levels": levels},
                {"name": "honest", "question": "?", "critical": True, "levels": ("no", "yes")},
            ],
            "episode": [{"name": "well", "question": "?", "levels": levels}],
        }
    )


@pytest.fixture(scope="module")
def moody(cases: tuple[GoldenCase, ...], question: Rubric) -> Callable[..., Moody]:
    return lambda **more: Moody(cases, question, **more)


def stream(night: int) -> tuple[Transcript, ...]:
    """Return today's production dialogues."""
    turns = [{"role": "agent", "text": DULL}, {"role": "user", "text": "ok"}, {"role": "agent", "text": DULL}]
    return tuple(
        Transcript.model_validate({"id": f"s{night}-{k}", "turns": [*turns, {"role": "user", "text": f"{night} {k}"}]}) for k in range(40)
    )


@pytest.fixture(scope="module")
def quiet(cases: tuple[GoldenCase, ...], moody: Callable[..., Moody]) -> History:
    """The history of eighteen quiet nights, with a second judge and a stream."""
    history = History()
    with Ledger(":memory:") as ledger:
        for night in range(QUIET):
            judge, second = moody(seed=night), moody(seed=1000 + night, model="other-1")
            task = Task(judge, cases, FIRST + timedelta(night), second=second, stream=stream(night))
            done = watch(task, history, ledger)
            assert not done.warnings
            history = done.history
            assert history.nights[-1].alarm is None
    return history


@pytest.fixture
def ledger() -> Any:
    with Ledger(":memory:") as book:
        yield book


def calibration_of(judge: JudgeId) -> Calibration:
    """Return a calibration of a judge, of one criterion."""
    curve = Curve(judged=(1, 5), human=(2, 4), labels=40, episodes=10, before=1.0, after=0.5, reliability=0.5)
    return Calibration(judge=judge, turn={"listens": curve}, episode={}, fitted_on=FIRST, audits=("a",))


Go = Callable[..., tuple[Watched, WatchReport]]


@pytest.fixture
def go(cases: tuple[GoldenCase, ...], quiet: History, ledger: Ledger) -> Go:
    """Watch for one more night."""

    def night(judge: Moody, history: History = quiet, *, offset: int = 0, **more: Any) -> tuple[Watched, WatchReport]:
        task = Task(judge, more.pop("cases", cases), FIRST + timedelta(len(quiet.nights) + offset), **more)
        done = watch(task, history, ledger)
        report = make_report(task, done)
        json.dumps(report.model_dump(mode="json"), allow_nan=False)
        return done, report

    return night


def test_the_burn_in_cannot_alarm_and_says_so(cases: tuple[GoldenCase, ...], moody: Callable[..., Moody], ledger: Ledger) -> None:
    history = History()
    for night in range(3):
        task = Task(moody(seed=night, mood={"listens": night / 2}), cases, FIRST + timedelta(night))
        done = watch(task, history, ledger)
        history = done.history
    report = make_report(task, done)
    assert (report.told, report.status) == ("burn-in 3 of 14: cannot alarm yet", 0)
    assert report.anchors[0].mean[2] and report.anchors[0].mean[2] > 3.5
    assert report.anchors[0].shift == (None, None, None)


def test_quiet_nights_after_it(quiet: History, go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    assert [night.anchors.episodes is None for night in quiet.nights] == [False] * 14 + [True] * (QUIET - 14)
    judge = moody(seed=50)
    ledger.clear(judge.id, "a check")
    _, report = go(judge)
    assert (report.told, report.status, report.alarm, report.burn_in) == ("no drift", 0, None, 14)
    path = report.anchors[0]
    assert (path.criterion, path.low, path.high, len(path.days)) == ("listens", 1, 5, QUIET + 1)
    assert path.shift[:14] == (None,) * 14 and all(abs(x or 0) < 0.15 for x in path.shift)
    assert ledger.cleared(judge.id)
    assert len(judge.asked) == 40  # each case once


def test_a_judge_that_moved_alone_is_judge_drift(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    judge = moody(seed=51, mood={"listens": 0.4})
    ledger.clear(judge.id, "a check")
    ledger.calibrate(calibration_of(judge.id))
    done, report = go(judge, second=moody(seed=1051, model="other-1"))
    assert report.status == 1 and report.alarm
    assert (report.alarm.cause, report.alarm.anchors, report.alarm.stream, report.alarm.voided) == (Cause.JUDGE, True, False, True)
    assert not ledger.cleared(judge.id)
    assert report.alarm.uncalibrated and ledger.calibration(judge.id) is None
    assert "listens moved by +0.4" in report.told or "listens moved by +0.3" in report.told
    assert len(judge.asked) == 40 * 6  # the night, and five fresh runs
    assert report.alarm.cases and all(case.criterion == "listens" and case.shift > 0.3 for case in report.alarm.cases)
    assert {(m.slice, m.criterion) for m in report.slices} >= {("persona:angry", "listens"), ("persona:calm", "listens")}
    assert all(m.criterion == "listens" for m in report.slices)
    assert any("golden check" in step for step in report.todo) and any("golden accept" in step for step in report.todo)
    assert report.anchors[0].again[-1] == pytest.approx(0.4, abs=0.1)
    # The next night the detectors begin anew, and a drift that stays is found again.
    _, later = go(moody(seed=52, mood={"listens": 0.4}), done.history, offset=1)
    assert later.status == 1 and later.alarms_before == (report.day,)


def test_a_small_drift_is_found_within_days(go: Go, quiet: History, moody: Callable[..., Moody]) -> None:
    history, alarms = quiet, []
    for night in range(7):
        done, report = go(moody(seed=60 + night, mood={"listens": -0.12}), history, offset=night)
        history = done.history
        alarms.append(report.status)
    assert 1 in alarms


@pytest.mark.parametrize(
    ("second_mood", "cause"),
    [
        ({"listens": 0.5}, Cause.READING),
        ({"well": -0.9}, Cause.READING),  # it moved, in whatever way
        (None, Cause.UNTOLD),
    ],
)
def test_what_moved_the_anchors(
    go: Go, moody: Callable[..., Moody], ledger: Ledger, second_mood: dict[str, float] | None, cause: Cause
) -> None:
    second = None if second_mood is None else moody(seed=1070, model="other-1", mood=second_mood)
    judge = moody(seed=70, mood={"listens": 0.5})
    ledger.clear(judge.id, "a check")
    ledger.calibrate(calibration_of(judge.id))
    _, report = go(judge, second=second)
    assert report.alarm and report.alarm.cause is cause
    held = cause is Cause.READING  # the judge did not move: what it reads did
    assert (ledger.calibration(judge.id) is not None, report.alarm.uncalibrated) == (held, not held)
    assert not ledger.cleared(judge.id) and report.todo


def test_a_second_judge_that_never_varies_moved_if_anything_moved(cases: tuple[GoldenCase, ...], moody: Callable[..., Moody]) -> None:
    causes = []
    for shift in (0.0, 0.02):
        history = History()
        for night in range(15):
            last = night == 14
            second = moody(model="fixed-1", noise=0.0, mood={"listens": shift if last else 0.0})
            judge = moody(seed=night, mood={"listens": 0.5 if last else 0.0})
            with Ledger(":memory:") as fresh:
                history = watch(Task(judge, cases[:10], FIRST + timedelta(night), second=second), history, fresh).history
        alarm = history.nights[-1].alarm
        causes.append(alarm.cause if alarm else None)
    assert causes == [Cause.JUDGE, Cause.READING]


def test_only_the_stream_moved(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    def only(name: str, _: int) -> bool:
        return name.startswith("s")

    judge = moody(seed=80, mood={"listens": -0.8}, on=only)
    ledger.clear(judge.id, "a check")
    ledger.calibrate(calibration_of(judge.id))
    second = moody(seed=1080, mood={"listens": -0.8}, on=only, model="other-1")
    done, report = go(judge, second=second, stream=stream(QUIET))
    assert report.status == 1 and report.alarm
    assert (report.alarm.cause, report.alarm.anchors, report.alarm.stream) == (Cause.STREAM, False, True)
    assert ledger.cleared(judge.id) and "clearance is kept" in report.todo[0]
    assert ledger.calibration(judge.id) and not report.alarm.uncalibrated
    path = report.stream[0]
    assert path.shift[-1] == pytest.approx(-0.8, abs=0.1) and path.second[-1] == pytest.approx(-0.8, abs=0.1)
    assert done.history.nights[-1].stream


def test_a_suspicion_that_fresh_runs_do_not_bear_out_is_withdrawn(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    judge = moody(seed=90, mood={"listens": 0.18}, on=lambda name, asked: asked == 0)  # one odd run
    ledger.clear(judge.id, "a check")
    _, report = go(judge)
    assert report.suspected and report.alarm is None and report.status == 0
    assert "withdrawn" in report.told
    assert report.together[-1] is not None and report.together[-1] < report.limits.suspicion
    assert ledger.cleared(judge.id)


def test_a_night_that_the_history_has_is_not_asked_again(go: Go, moody: Callable[..., Moody]) -> None:
    first, told = go(moody(seed=95, mood={"listens": 0.4}))
    again = moody(seed=96)
    second, retold = go(again, first.history)
    assert again.asked == [] and second.history == first.history and not second.fresh
    assert retold.model_copy(update={"fresh": True}) == told


def test_a_night_that_was_cut_off_adds_nothing_and_goes_on(go: Go, quiet: History, moody: Callable[..., Moody]) -> None:
    down = {f"c{k:02}" for k in range(5)}  # more than a tenth
    with pytest.raises(Unreached, match=r"failed for 5 of 40 .*unreachable.*nothing is added"):
        go(moody(seed=97, fails=lambda name: name in down))
    back = moody(seed=98)
    done, _ = go(back)
    assert sorted(back.asked) == sorted(down)  # the others' answers were in the ledger
    assert len(done.history.nights) == len(quiet.nights) + 1


def test_a_model_that_answers_under_another_name_is_not_the_judge(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    def renamed(name: str) -> bool:
        raise AnotherModel("asked 'moody-1', but 'moody-2' answered")

    with pytest.raises(Unreached, match=r"does not answer any more.*'moody-2' answered.*nothing is added"):
        go(moody(seed=104, fails=renamed))


def test_a_second_judge_that_fails_does_not_stop_the_night(go: Go, moody: Callable[..., Moody]) -> None:
    done, report = go(moody(seed=105, mood={"listens": 0.5}), second=moody(seed=1105, model="other-1", fails=lambda name: True))
    assert report.status == 1 and report.alarm and report.alarm.cause is Cause.UNTOLD
    assert done.warnings[0].startswith("the second judge: ") and done.history.nights[-1].second is None


def test_a_failure_is_no_number(go: Go, moody: Callable[..., Moody], cases: tuple[GoldenCase, ...], question: Rubric) -> None:
    sheet = Sheet()
    for case in cases:
        sheet.add(case.id, labels_as_marks(case))
    means = episodes_of(sheet, question, cases)["listens"]
    best = sorted(range(40), key=lambda k: -(means[k] or 0))[:4]  # without them, the plain mean is lower by a tenth
    _, report = go(moody(seed=99, fails=lambda name: int(name[1:]) in best))
    path = report.anchors[0]
    assert (report.answered, report.failed) == (36, 4)
    assert path.mean[-1] and path.mean[-2] and path.mean[-1] < path.mean[-2] - 0.05
    assert abs(path.shift[-1] or 1) < 0.08 and report.status == 0


def test_fresh_runs_that_fail_leave_the_night_open(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    judge = moody(seed=100, mood={"listens": 0.4})
    ledger.clear(judge.id, "a check")
    judge.fails = lambda name: judge.asked.count(name) > 1
    with pytest.raises(Unreached):
        go(judge)
    assert ledger.cleared(judge.id)


def test_another_judge_or_other_cases_are_another_series(
    go: Go, quiet: History, moody: Callable[..., Moody], cases: tuple[GoldenCase, ...]
) -> None:
    done, report = go(moody(seed=101, model="moody-2"))
    assert report.told == "burn-in 1 of 14: cannot alarm yet"
    assert "another judge than the history's" in done.warnings[0] and "moody-1" in done.warnings[0]
    assert done.history.nights[: len(quiet.nights)] == quiet.nights and len(done.history.series) == 2
    fewer, _ = go(moody(seed=102, model="moody-2"), done.history, cases=cases[:30], offset=1)
    assert "other cases than the history's" in fewer.warnings[0] and len(fewer.history.series) == 3
    back, report = go(moody(seed=103), fewer.history, offset=2)
    assert len(back.history.series) == 3 and report.told == "no drift" and not back.warnings  # the first series goes on


def test_a_newly_accepted_baseline_ends_an_alarm(go: Go, moody: Callable[..., Moody], ledger: Ledger) -> None:
    drifted = moody(seed=104, mood={"listens": 1.0})
    alarmed, report = go(drifted)
    assert report.alarm
    accepted = baseline_of(drifted, 10, by=1.0)
    ledger.clear(drifted.id, "a check")
    done, report = go(moody(seed=105, mood={"listens": 1.0}), alarmed.history, offset=1, baseline=accepted)
    assert "a baseline was accepted on" in done.warnings[0] and len(done.history.series) == 2
    assert (report.alarm, ledger.cleared(drifted.id)) == (None, True)
    later, _ = go(moody(seed=106, mood={"listens": 1.0}), done.history, offset=2, baseline=accepted)
    assert not later.warnings and len(later.history.series) == 2


def test_nights_go_forward(go: Go, moody: Callable[..., Moody]) -> None:
    with pytest.raises(UsageProblem, match="a night before it"):
        go(moody(), offset=-5)


def baseline_of(judge: Moody, runs: int, by: float = 0.0) -> Baseline:
    sheet = Sheet()
    for case in judge.cases:
        for _ in range(runs):
            marks = labels_as_marks(case)
            sheet.add(case.id, {place: {n: min(5.0, v + by) if n == "listens" else v for n, v in m.items()} for place, m in marks.items()})
    return make_baseline(judge.id, sheet, judge.cases, judge.rubric, day=FIRST, by="me", note="")


def test_a_baseline_is_pooled_with_the_burn_in_if_it_can_serve(
    cases: tuple[GoldenCase, ...], moody: Callable[..., Moody], ledger: Ledger
) -> None:
    found = {}
    for base, warned in (
        (None, None),
        (baseline_of(moody(), 10, by=0.2), None),
        (baseline_of(moody(), 3, by=0.2), "3 runs, fewer than 10"),
        (baseline_of(moody(model="moody-0"), 10, by=0.2), "another judge's"),
    ):
        history = History()
        for night in range(15):  # the ledger has the nights after the first round: all four see the same ratings
            done = watch(Task(moody(seed=night), cases[:15], FIRST + timedelta(night), base), history, ledger)
            history = done.history
            assert [warned in told for told in done.warnings] == ([True] if warned and night == 0 else []) if warned else not done.warnings
        moved = history.nights[-1].anchors.moved
        assert moved
        found[warned, base is None] = moved.criteria["listens"]
    without = found[None, True]
    assert found["3 runs, fewer than 10", False] == found["another judge's", False] == without
    # Ten runs of one day, 0.2 above the nights: the level rises by that day's share, which is more than a night's and less than ten's.
    assert 0.2 / 15 < without - found[None, False] < 0.2 * 10 / 24


# The command


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call the command in an empty folder with `cases.jsonl`."""
    turns = [{"role": "agent", "text": "Hello, this is Dana.", "labels": {}}, {"role": "user", "text": "I cannot pay."}]
    judge = LocalJudge(load_rubric("collections"))
    lines = []
    for k in range(8):
        said = [dict(turn) for turn in turns]
        said += [{"role": "agent", "text": f"I understand. Would ${20 + k} a month help?", "labels": {}}]
        case = {"id": f"k{k}", "rubric": "collections", "turns": said, "labelled_by": ["embedded"]}
        verdict = judge.verdict(Transcript.model_validate({"id": f"k{k}", "turns": said}))
        for turn in verdict.turns:
            said[turn.turn]["labels"] = {name: rating.value for name, rating in turn.ratings.items()}
        lines.append(json.dumps(case | {"labels": {name: rating.value for name, rating in verdict.episode.items()}}))
    (tmp_path / "cases.jsonl").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    app = typer.Typer()
    app.command()(watch_command)
    return lambda *args: CliRunner().invoke(app, ["--cases", "cases.jsonl", *args])


def test_a_missing_history_is_said_loudly_once(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = call("--day", "2026-02-01")
    assert first.exit_code == 3 and "no history at golden_set/history/collections.local.jsonl" in first.stderr
    assert "never fires" in first.stderr and "burn-in 1 of 14" in first.stdout
    assert call("--day", "2026-02-02").exit_code == 0
    assert len((tmp_path / "golden_set/history/collections.local.jsonl").read_text().splitlines()) == 3
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    begun = call("--begin", "--history", "mine.jsonl", "--day", "2026-02-01")
    assert begun.exit_code == 0 and "::warning title=judge golden watch::no history at mine.jsonl" in begun.stderr


def test_two_watches_on_one_file_lose_nothing(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    call("--begin", "--history", "h.jsonl", "--day", "2026-02-01")
    before = (tmp_path / "h.jsonl").read_text()
    read = module.load_history
    others = iter([None, read(tmp_path / "h.jsonl")])
    monkeypatch.setattr(module, "load_history", lambda path: next(others))  # somebody wrote while the night was rated
    ran = call("--begin", "--history", "h.jsonl", "--day", "2026-02-02")
    assert ran.exit_code == 2 or "was changed by another watch" in str(ran.exception)
    assert (tmp_path / "h.jsonl").read_text() == before


def test_an_alarm_ends_with_status_1_a_report_and_a_void_clearance(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    call("--day", "2026-02-01", "--history", "h.jsonl")
    history = load_history(Path("h.jsonl"))
    assert history
    series, one = history.series[0], history.nights[0]
    episodes = {name: tuple((v or 0) - 0.3 for v in values) for name, values in (one.anchors.episodes or {}).items()}
    lower = Anchors(judge=one.anchors.judge, means={}, episodes=episodes)
    past = tuple(one.model_copy(update={"day": date(2026, 1, day), "anchors": lower}) for day in range(1, 15))
    save_history(Path("h.jsonl"), History(series=(series,), nights=past))
    local = LocalJudge(load_rubric("collections"))
    with Ledger("judge-ledger.db") as ledger:
        ledger.clear(local.id, "a check")
        ledger.calibrate(calibration_of(local.id))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = call("--day", "2026-02-01", "--history", "h.jsonl", "--report", "out")
    assert ran.exit_code == 1, ran.output
    assert "ALARM: judge drift or reading" in ran.stdout and "the clearance of this judge is void" in ran.stdout
    assert "\nthe calibration of this judge is void\n" in ran.stdout
    assert "::error title=judge golden watch::ALARM" in ran.stderr
    data = json.loads((tmp_path / "out" / "golden-watch.json").read_text())
    assert (data["kind"], data["status"], data["alarm"]["voided"]) == ("golden-watch", 1, True)
    with Ledger("judge-ledger.db") as ledger:
        assert not ledger.cleared(local.id) and ledger.calibration(local.id) is None
        ledger.clear(local.id, "accepted anew")
    again = call("--day", "2026-02-01", "--history", "h.jsonl", "--json")  # told again, but what was cleared since is not voided
    assert again.exit_code == 1 and json.loads(again.stdout)["fresh"] is False
    with Ledger("judge-ledger.db") as ledger:
        assert ledger.cleared(local.id)


def test_a_judge_that_cannot_be_reached_ends_with_status_4_and_adds_nothing(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUDGE_MAX_RETRIES", "0")
    monkeypatch.setenv("COMPATIBLE_API_KEY", "none")
    ran = call("--judge", "compatible:m@http://127.0.0.1:9/v1", "--day", "2026-02-01", "--begin")
    assert ran.exit_code == 4, ran.output
    assert "nothing is added to the history" in ran.stderr
    assert not (tmp_path / "golden_set").exists()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--day", "soon"), "--day is 'soon'"),
        (("--second", "nobody"), "--second nobody: unknown judge"),
        (("--stream", "none.jsonl"), "none.jsonl"),
    ],
)
def test_wrong_options_are_refused(call: Callable[..., Any], args: tuple[str, ...], told: str) -> None:
    ran = call(*args)
    assert isinstance(ran.exception, UsageProblem) and told in str(ran.exception)


def test_the_stream_is_read_from_files(call: Callable[..., Any], tmp_path: Path) -> None:
    lines = [{"id": f"d{k}", "turns": [{"role": "agent", "text": "Pay now."}, {"role": "user", "text": f"No {k}."}]} for k in range(3)]
    (tmp_path / "today.jsonl").write_text("\n".join(map(json.dumps, lines)))
    ran = call("--begin", "--stream", "today.jsonl", "--json", "--day", "2026-02-01")
    assert ran.exit_code == 0
    report = json.loads(ran.stdout)
    assert len(report["stream"]) == len(report["anchors"]) and report["stream_burn_in"] == 1


def test_the_plan_asks_nothing(call: Callable[..., Any], tmp_path: Path) -> None:
    ran = call("--plan")
    assert ran.exit_code == 0 and "8 dialogues" in ran.stdout and not (tmp_path / "golden_set").exists()


def test_a_year_of_history_is_small(tmp_path: Path, cases: tuple[GoldenCase, ...], quiet: History) -> None:
    path = tmp_path / "h.jsonl"
    save_history(path, quiet)
    late = path.read_text().splitlines()[-1]
    assert len(late) < 2500 and path.stat().st_size < 100_000


def test_series_are_told_apart_by_judge_and_cases(quiet: History, cases: tuple[GoldenCase, ...], question: Rubric) -> None:
    assert isinstance(quiet.series[0], Series) and all(isinstance(night, Night) for night in quiet.nights)
    assert quiet.series[0].cases_hash == hash_of(cases, question)
