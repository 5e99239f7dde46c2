"""The study of prompt sensitivity: judges whose sensitivity is known, the fake provider over the wire, plans, failures, statuses."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist, variance
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from dialogue import Transcript
from dialogue.errors import UsageProblem
from dialogue.transcript import Role
from golden_set.case import Band, GoldenCase, GoldenTurn
from golden_set.decision import Decision
from golden_set.sensitivity import Plan, choose, run
from golden_set.sensitivity_command import prompts_of, sensitivity_command
from golden_set.sensitivity_report import KIND, FlipsFound, MeasureFound, SensitivityReport
from golden_set.series import today
from golden_set.wording import PLAIN, Arm
from golden_set.workbench import Workbench
from judge import JudgeFailure, JudgeId, Ledger, LocalJudge, Rating, Rubric, Terms, Verdict, load_rubric
from judge.rubric import Criterion
from judge.verdict import FailureKind, TurnRatings
from tests.provider import VENDORS, Provider

ELEVEN = tuple(f"level {k}" for k in range(1, 12))
RUBRIC = Rubric(
    name="wide",
    about="A wide scale.",
    turn=(
        Criterion(name="listens", question="?", levels=ELEVEN),
        Criterion(name="helps", question="?", levels=ELEVEN),
        Criterion(name="honest", question="?", critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="?", levels=ELEVEN),),
)
OUTCOMES = ("PAID", "HANGUP", None)


def cases(count: int, rubric: Rubric = RUBRIC, rounds: int = 3) -> tuple[GoldenCase, ...]:
    """Return cases whose labels do not matter here."""
    made = []
    for k in range(count):
        turns = []
        for turn in range(rounds):
            turns.append(GoldenTurn(role=Role.USER, text=f"user {k} says {turn}"))
            labels = {criterion.name: 1 for criterion in rubric.turn_criteria}
            turns.append(GoldenTurn(role=Role.AGENT, text=f"agent {k} says {turn} and more", labels=labels))
        made.append(
            GoldenCase(
                id=f"c{k:03}",
                rubric=rubric.name,
                turns=tuple(turns),
                outcome=OUTCOMES[k % 3],
                labels={criterion.name: 1 for criterion in rubric.episode},
                band=(Band.POOR, Band.FAIR, Band.GOOD)[k % 3],
                labelled_by=("me",),
            )
        )
    return tuple(made)


def never(transcript: Transcript, rubric: Rubric) -> bool:
    """Never fail."""
    return False


@dataclass
class Sensitive:
    """Rates 6 + item + prompt + item·prompt + run, each a normal number drawn from the names of what it belongs to.

    `spread` has their standard deviations; `moved` adds to the ratings of one wording, by its `about`.
    """

    rubric: Rubric = RUBRIC
    spread: tuple[float, float, float, float] = (1.2, 0.0, 0.0, 0.0)
    moved: dict[str, float] = field(default_factory=dict)
    fails: Callable[[Transcript, Rubric], bool] = never

    def __post_init__(self) -> None:
        self.id = JudgeId(provider="mine", model="sensitive-1", rubric=self.rubric.name, rubric_hash=self.rubric.hash, prompt_hash="1")

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        if self.fails(transcript, self.rubric):
            return JudgeFailure(judge=self.id, kind=FailureKind.MALFORMED, detail="?")

        def rating(criterion: Criterion, place: str) -> Rating:
            item, prompt = (transcript.id, place, criterion.name), (self.rubric.hash, criterion.name)
            parts = (item, prompt, (*item, *prompt), (*item, *prompt, repeat))
            by = sum(sd * normal(part) for sd, part in zip(self.spread, parts, strict=True))
            if criterion.critical:
                return Rating(value=float(by > -1.2), reason="r")
            value = 6 + by + self.moved.get(self.rubric.about, 0.0)
            return Rating(value=min(11.0, max(1.0, value)), reason="r")

        turns = tuple(TurnRatings(turn=at, ratings={c.name: rating(c, str(at)) for c in self.rubric.turn}) for at in transcript.agent_turns)
        return Verdict(judge=self.id, turns=turns, episode={c.name: rating(c, "episode") for c in self.rubric.episode})


def normal(of: tuple[object, ...]) -> float:
    """Return a standard normal number that is the same for the same names."""
    number = int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:7], "big")
    return NormalDist().inv_cdf((number + 0.5) / 2**56)


def wordings(count: int = 5) -> str:
    """Return a file of paraphrases of RUBRIC, named w1…"""
    parts = ['rubric = "wide"']
    for k in range(1, count + 1):
        parts.append(f'[[paraphrase]]\nname = "w{k}"\nabout = "wording {k}"')
        for name in ("turn.listens", "turn.helps", "episode.well"):
            parts.append(f'[paraphrase.{name}]\nquestion = "{k}?"\nlevels = {json.dumps([f"{k} {level}" for level in ELEVEN])}')
        parts.append(f'[paraphrase.turn.honest]\nquestion = "{k}?"\nlevels = ["{k} no", "{k} yes"]')
    return "\n".join(parts)


Study = Callable[..., SensitivityReport]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Run a study with a judge made by keyword arguments of `Sensitive`."""
    path = tmp_path / "wide.toml"
    path.write_text(wordings())

    def ask(
        arms: tuple[Arm, ...] = (Arm.PARAPHRASES,), count: int = 60, runs: int = 2, ledger: Ledger | None = None, **more: Any
    ) -> SensitivityReport:
        def make(rubric: Rubric) -> Sensitive:
            return Sensitive(rubric, **more)

        with ledger or Ledger(":memory:") as book:
            bench = Workbench("mine", make(RUBRIC), RUBRIC, cases(count), book, Terms(environ={}), make)
            prompts, skipped = prompts_of(bench, arms, path, 0)
            return run(Plan(bench.cases, prompts, runs, 0, today(), skipped), bench)

    return ask


def measure(report: SensitivityReport, name: str, of: str = "turn") -> MeasureFound:
    return next(found for found in report.measures if (found.name, found.of) == (name, of))


def flips(found: tuple[FlipsFound, ...], beginning: str) -> FlipsFound:
    return next(one for one in found if one.what.startswith(beginning))


# Judges whose sensitivity is known


def test_a_judge_with_known_components_is_found_out(study: Study) -> None:
    report = study(spread=(1.2, 0.4, 0.5, 0.3))
    assert [found.name for found in report.measures] == ["listens", "helps", "honest", "turn mean", "well", "handling"]
    for name, of, places in (("listens", "turn", "135"), ("helps", "turn", "135"), ("well", "episode", ["episode"])):
        found = measure(report, name, of)
        # What was drawn for these items and prompts is known: its variances are what the study should find.
        items = [1.2 * normal((f"c{k:03}", place, name)) for k in range(60) for place in places]
        prompts = [0.4 * normal((asked.judge.rubric_hash, name)) for asked in report.prompts]
        parts = found.variances
        truth = ((parts.item, variance(items), 0.3), (parts.prompt, variance(prompts), 0.5), (parts.item_prompt, 0.25, 0.2))
        for part, true, within in (*truth, (parts.residual, 0.09, 0.2)):
            assert part.value == pytest.approx(true, rel=within)
            assert part.low is not None
            assert part.high is not None
            assert part.low < part.value < part.high
        assert sum((parts.shares or {}).values()) == pytest.approx(1)
        assert found.phi.value == pytest.approx(
            parts.item.value / sum(v.value or 0 for v in (parts.item, parts.prompt, parts.item_prompt, parts.residual))
        )
    assert report.decision is not Decision.PASS
    assert report.reached
    assert not report.deterministic


def test_the_cheapest_design_that_reaches_the_target_is_recommended(study: Study) -> None:
    report = study(spread=(1.2, 0.3, 0.6, 0.3))
    listens = measure(report, "listens")
    assert [(d.prompts, d.runs) for d in listens.designs] == [(p, r) for p in range(1, 6) for r in range(1, 6)]
    assert listens.recommended is not None
    assert (listens.recommended.phi or 0) >= 0.80
    cheaper = [d for d in listens.designs if d.ratings < listens.recommended.ratings]
    assert cheaper
    assert all((d.phi or 0) < 0.80 for d in cheaper)
    if report.recommended:
        assert report.recommended.ratings >= listens.recommended.ratings


def test_a_judge_that_cannot_be_helped_fails_and_no_design_is_recommended(study: Study) -> None:
    report = study(spread=(0.2, 0.3, 1.0, 1.0))
    assert report.decision is Decision.FAIL
    assert report.recommended is None
    assert "no design of up to 5 prompts and 5 runs reaches Φ 0.80 on every measure" in report.notes
    signs = flips(report.learning, "sign")
    assert (signs.prompts.value or 0) > 0.3


def test_a_judge_that_hardly_heeds_its_prompt_passes(study: Study) -> None:
    report = study(spread=(1.2, 0.05, 0.1, 0.1), count=40)
    assert measure(report, "listens").decision is Decision.PASS
    assert flips(report.flips, "handling").same.met


def test_one_wording_that_lifts_everything_is_named_and_changes_no_advantage(study: Study) -> None:
    report = study(spread=(1.2, 0.0, 0.0, 0.2), moved={"wording 3": 0.8})
    listens = measure(report, "listens")
    # 0.8 of ten steps are 0.32 of the four steps of 1 to 5.
    assert listens.range_of_five == pytest.approx(0.32, abs=0.05)
    assert not listens.range_met
    shifts = {one.prompt: next(s for s in one.shifts if (s.measure, s.of) == ("listens", "turn")) for one in report.compared}
    assert set(shifts) == {"w1", "w2", "w3", "w4", "w5"}
    for name, shift in shifts.items():
        true = 0.8 if name == "w3" else 0.0
        assert shift.mean == pytest.approx(true, abs=0.1)
        assert shift.se is not None
        assert shift.mean == pytest.approx(true, abs=4 * shift.se)
    signs = flips(report.learning, "sign")
    assert signs.prompts.value == pytest.approx(signs.runs.value, abs=0.02)
    ranks = flips(report.learning, "order of two episodes")
    assert ranks.prompts.value == pytest.approx(ranks.runs.value, abs=0.02)


def test_what_prompts_turn_around_is_told_beside_what_noise_does(study: Study) -> None:
    report = study(spread=(1.2, 0.0, 0.7, 0.2), count=45)
    for found in (*report.learning[:2], flips(report.flips, "listens")):
        assert found.runs.value is not None
        assert found.excess.low is not None
        assert (found.prompts.value or 0) > found.runs.value
        assert found.excess.low > 0
        assert found.same.value == pytest.approx(1 - (found.prompts.value or 0))
    assert [found.items for found in report.learning] == [135, 990, 2 * 105]  # 15 cases with each outcome; those without share none


def test_presentations_are_compared_with_the_plain_prompt(study: Study) -> None:
    report = study(arms=(Arm.CRITERION_ORDER, Arm.LETTERS), spread=(1.2, 0.3, 0.3, 0.2), count=20)
    assert [(one.prompt, one.arm) for one in report.compared] == [("reversed", "criterion-order"), ("shuffled", "criterion-order")]
    assert report.skipped == {
        "letters": "only chat models are shown levels in an order and with marks; decision models take ordered levels"
    }
    assert report.decision is Decision.UNDECIDED
    assert report.measures == report.flips == report.learning == ()
    for one in report.compared:
        assert set(one.phi) == {"turn/listens", "turn/helps", "turn/honest", "turn/turn mean", "episode/well", "episode/handling"}
        assert all(value is None or 0 <= value <= 1 for value in one.prompt_share.values())
    assert len({asked.judge_key for asked in report.prompts}) == 3


def test_a_killed_study_goes_on_and_a_finished_one_asks_nothing(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "ledger.db"
    one = study(count=12, ledger=Ledger(str(path)), spread=(1.0, 0.1, 0.1, 0.1))

    def refuses(transcript: Transcript, rubric: Rubric) -> bool:
        raise AssertionError("it was asked again")

    assert study(count=12, ledger=Ledger(str(path)), spread=(1.0, 0.1, 0.1, 0.1), fails=refuses) == one


# A judge that does not vary


def test_the_local_judge_does_not_move_by_construction(tmp_path: Path) -> None:
    rubric = load_rubric("support")
    with Ledger(":memory:") as book:
        bench = Workbench("local", LocalJudge(rubric), rubric, cases(14, rubric), book, Terms(environ={}), LocalJudge)
        prompts, skipped = prompts_of(bench, tuple(Arm), None, 0)
        report = run(Plan(bench.cases, prompts, 2, 0, today(), skipped), bench)
    assert set(report.skipped) == {"criterion-order", "level-order", "letters", "unit"}
    assert report.deterministic
    assert any("by construction" in note for note in report.notes)
    assert any("deterministic" in note for note in report.notes)
    for found in report.measures:
        parts = found.variances
        assert [parts.prompt.value, parts.item_prompt.value, parts.residual.value] == [0, 0, 0]
        assert found.phi.value in (1, None)
        assert found.range == 0
    for one in report.compared:
        assert all(shift.mean == 0 for shift in one.shifts)
        assert all(flip.prompts.value in (0, None) for flip in one.flips)
    text = report.model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text


# Choosing


def test_cases_are_chosen_by_band_in_its_proportion() -> None:
    every = cases(30)
    chosen = choose(every, 10, seed=4)
    assert [sum(case.band is band for case in chosen) for band in (Band.POOR, Band.FAIR, Band.GOOD)] in ([4, 3, 3], [3, 4, 3], [3, 3, 4])
    assert chosen == choose(every, 10, seed=4) != choose(every, 10, seed=5)
    assert sorted(chosen, key=lambda case: case.id) == list(chosen)
    assert choose(every, 30, seed=4) == choose(every, 99, seed=0) == every


# Failures


@pytest.mark.parametrize(("failing", "reached"), [(2, True), (3, False)])
def test_cases_that_fail_are_left_out_and_counted_and_too_many_end_it(study: Study, failing: int, reached: bool) -> None:
    def fails(transcript: Transcript, rubric: Rubric) -> bool:
        return rubric.about == "wording 2" and int(transcript.id[1:]) < failing

    report = study(count=20, fails=fails, spread=(1.2, 0.1, 0.1, 0.1))
    assert (report.lost, report.reached) == (failing, reached)
    assert {measure.items for measure in report.measures} == {20 - failing, 3 * (20 - failing)}
    asked = {one.name: one for one in report.prompts}
    assert (asked["w2"].asked, asked["w2"].failed, asked["w2"].failed_cases) == (40, 2 * failing, failing)
    assert asked["w2"].failures == {"malformed": 2 * failing}
    assert asked[PLAIN].failed == 0
    if not reached:
        assert report.decision is Decision.UNDECIDED


def test_a_judge_that_never_answers_gives_a_report_without_numbers(study: Study) -> None:
    report = study(count=6, fails=lambda transcript, rubric: True)
    assert (report.reached, report.decision, report.measures, report.compared) == (False, Decision.UNDECIDED, (), ())
    assert report.lost == 6
    json.loads(report.model_dump_json())


# The command, over the wire

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in an empty folder with ten cases of the rubric `collections` in cases.jsonl."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith((*VENDORS, "JUDGE_", "GITHUB_")):
            monkeypatch.delenv(name)
    rubric = load_rubric("collections")
    lines = [case.model_dump_json() for case in cases(12, rubric, rounds=2)]
    (tmp_path / "cases.jsonl").write_text("\n".join(lines))
    app = typer.Typer()
    app.command()(sensitivity_command)
    return lambda *args: CliRunner().invoke(app, ["--cases", "cases.jsonl", *args])


@pytest.fixture
def wired(command: Command, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command with a judge that asks the fake provider."""
    for name, value in provider.environ.items():
        monkeypatch.setenv(name, value)
    provider.set(keep_bodies=True)
    return lambda *args: command("--judge", "openai:model-1", *args)


def test_every_arm_over_the_wire_is_what_the_plan_said(wired: Command, provider: Provider, tmp_path: Path) -> None:
    planned = wired("--episodes", "6", "--plan", "--json")
    assert planned.exit_code == 0, planned.output
    assert provider.asked() == 0
    plan = json.loads(planned.stdout)
    requests = {prompt["name"]: prompt["requests"] for prompt in plan["prompts"]}
    # Six cases twice: one request each, or, turn by turn, one for either turn and one for the episode.
    assert requests.pop("turn by turn") == 36
    assert set(requests.values()) == {12}
    assert len(requests) == 10
    done = wired("--episodes", "6", "--json", "--report", "out")
    assert done.exit_code in (0, 1, 3), done.output
    report = SensitivityReport.model_validate_json(done.stdout)
    assert provider.asked() == plan["total"]["requests"] == report.usage.requests == 36 + 120
    assert json.loads((tmp_path / "out" / f"{KIND}.json").read_text()) == report.model_dump(mode="json")
    assert not report.skipped
    assert [one.failed for one in report.prompts] == [0] * 11
    assert len({one.judge_key for one in report.prompts}) == 11
    by_name = {one.prompt: one for one in report.compared}
    # The fake model chooses among the options of a schema by its transcript alone: words, order of criteria and letters do not
    # matter to it. Options that are listed the other way round do.
    for name, one in by_name.items():
        moved = name in ("best first", "turn by turn")
        assert any(shift.mean != 0 for shift in one.shifts) is moved, name
    assert wired("--episodes", "6", "--json").stdout == done.stdout
    assert provider.asked() == report.usage.requests


def test_letters_and_levels_shown_best_first_are_asked_for_and_read(wired: Command, provider: Provider) -> None:
    report = SensitivityReport.model_validate_json(wired("--json", "--arms", "letters", "--episodes", "2").stdout)
    assert [one.arm for one in report.prompts] == [None, Arm.LETTERS]
    enums = [body["text"]["format"]["schema"]["$defs"]["turn"]["properties"]["acknowledges"]["enum"] for body in provider.bodies()]
    assert enums == [[1, 2, 3, 4, 5]] * 4 + [list("ABCDE")] * 4
    assert all(shift.mean == 0 for shift in report.compared[0].shifts)
    wired("--json", "--arms", "level-order", "--episodes", "2")
    assert provider.bodies()[-1]["text"]["format"]["schema"]["$defs"]["turn"]["properties"]["acknowledges"]["enum"] == [5, 4, 3, 2, 1]


def test_a_noisy_model_is_told_from_a_sensitive_one(wired: Command, provider: Provider) -> None:
    provider.set(noise=0.5)
    done = wired("--arms", "paraphrases", "--json")
    report = SensitivityReport.model_validate_json(done.stdout)
    assert done.exit_code in (1, 3)
    assert not report.deterministic
    signs = flips(report.learning, "sign")
    assert (signs.runs.value or 0) > 0.1
    assert signs.excess.low is not None
    assert signs.excess.high is not None
    assert signs.excess.low < 0 < signs.excess.high


def test_a_decision_model_is_not_asked_for_other_presentations_of_levels(
    command: Command, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in provider.environ.items():
        monkeypatch.setenv(name, value)
    done = command("--judge", "openai-decisions:model-1", "--arms", "level-order,letters,criterion-order,unit", "--episodes", "3", "--json")
    report = SensitivityReport.model_validate_json(done.stdout)
    assert set(report.skipped) == {"level-order", "letters"}
    assert [one.name for one in report.prompts] == [PLAIN, "reversed", "shuffled", "turn by turn"]
    assert done.exit_code == 3


def test_a_judge_that_fails_too_often_has_a_status_of_its_own(wired: Command, provider: Provider) -> None:
    provider.set(refusal=0.5)
    done = wired("--arms", "paraphrases")
    assert done.exit_code == 4, done.output
    assert "ratings failed (" in done.stdout
    assert "refused" in done.stdout


def test_the_text_says_what_was_found(command: Command) -> None:
    done = command("--arms", "paraphrases,letters")
    assert done.exit_code in (0, 3), done.output
    for words in (
        "local/cues-1 on collections@",
        "12 cases, 6 prompts, 2 runs",
        "share of the variance of a rating",
        "sign of a turn's advantage",
        "not asked: letters (the local judge reads no prompt)",
        "by construction",
        "cheapest design for every measure",
    ):
        assert words in done.stdout, words
    assert done.stdout.splitlines()[-1].startswith(("PASS: ", "UNDECIDED: "))


def test_a_plan_in_words_asks_nothing(wired: Command, provider: Provider) -> None:
    done = wired("--plan", "--arms", "letters")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "12 cases × 2 prompts × 2 runs"
    assert "in all 48 requests" in done.stdout
    assert provider.asked() == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--arms", "paraphrase"], r"unknown arm 'paraphrase' \(did you mean 'paraphrases'\?\); allowed: paraphrases, criterion-order"),
        (["--arms", " , "], "--arms names nothing"),
        (["--paraphrases", "none.toml"], "none.toml"),
    ],
)
def test_options_that_are_wrong_are_told(command: Command, args: list[str], told: str) -> None:
    done = command(*args)
    assert isinstance(done.exception, UsageProblem)
    with pytest.raises(UsageProblem, match=told):
        raise done.exception


def test_a_rubric_of_your_own_needs_paraphrases_or_other_arms(command: Command, tmp_path: Path, root: Path) -> None:
    text = (root / "judge/rubrics/collections.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.replace('name = "collections"', 'name = "mine"', 1), encoding="utf-8")
    lines = (tmp_path / "cases.jsonl").read_text().replace('"rubric":"collections"', '"rubric":"mine"')
    (tmp_path / "cases.jsonl").write_text(lines)
    done = command("--rubric", "mine.toml")
    assert isinstance(done.exception, UsageProblem)
    assert "--paraphrases FILE.toml" in str(done.exception)
    assert command("--rubric", "mine.toml", "--arms", "letters").exit_code == 3
    shipped = (root / "golden_set/paraphrases/collections.toml").read_text(encoding="utf-8")
    copied = shipped.replace('rubric = "collections"', 'rubric = "mine"').replace('rubric_hash = "4e751537eceaf21e"\n', "")
    (tmp_path / "words.toml").write_text(copied, encoding="utf-8")
    assert command("--rubric", "mine.toml", "--paraphrases", "words.toml").exit_code in (0, 3)
