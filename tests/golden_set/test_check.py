"""The check in process: what of a scripted judge's drift, noise and failures it finds, names, counts and says, and when it stops."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dialogue import Transcript
from golden_set.accept import Dirty, changes, rate_runs, stances
from golden_set.baseline import Baseline, make_baseline
from golden_set.case import GoldenCase
from golden_set.check import Question
from golden_set.check_report import cases_hash, make_report
from golden_set.check_run import Ran, is_free, run_check, shuffled
from golden_set.consistency import agreement_kept, rank
from golden_set.decision import Decision
from golden_set.drift import noise
from golden_set.findings import CheckReport, Finding
from golden_set.gate import Gate, load_gate
from golden_set.series import Purpose, series_of
from golden_set.sheet import Sheet, handling_of
from judge import Ledger, Rubric, load_rubric, make_judge
from judge.line import AnotherModel
from judge.rubric import Criterion
from judge.verdict import FailureKind

PASS, FAIL, UNDECIDED = Decision.PASS, Decision.FAIL, Decision.UNDECIDED
DAY = date(2026, 3, 1)
Make = Callable[..., tuple[GoldenCase, ...]]
MakeGate = Callable[..., Gate]
Checked = Callable[..., tuple[Ran, CheckReport]]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as book:
        yield book


@pytest.fixture
def accepted(scripted: Any) -> Callable[..., Baseline]:
    """Return the baseline that a judge is, after a few runs."""

    def run(judge: Any, cases: tuple[GoldenCase, ...], *, runs: int = 4) -> Baseline:
        with Ledger(":memory:") as ledger:
            heard = rate_runs(cases, judge, ledger, load_gate("regression"), runs=runs, day=DAY)
        return make_baseline(judge.id, heard.sheet, cases, judge.rubric, day=DAY, by="me", note="")

    return run


@pytest.fixture
def checked(gate: MakeGate) -> Checked:
    """Run a check and make its report, which must be plain JSON without NaN and infinity."""

    def run(
        judge: Any,
        cases: tuple[GoldenCase, ...],
        baseline: Baseline | None = None,
        *,
        limits: Gate | None = None,
        runs: int = 1,
        often: bool = False,
        ledger: Ledger | None = None,
        day: date = DAY,
    ) -> tuple[Ran, CheckReport]:
        question = Question(judge, cases, limits or gate(), baseline, day)
        if ledger is None:
            with Ledger(":memory:") as book:
                ran = run_check(question, book, runs=runs, often=often)
        else:
            ran = run_check(question, ledger, runs=runs, often=often)
        report = make_report(question, ran.heard, ran.answered, ran.looked, ran.planned, cleared=False)
        text = json.dumps(report.model_dump(mode="json"), allow_nan=False)
        assert CheckReport.model_validate_json(text) == CheckReport.model_validate_json(report.model_dump_json()) == report
        return ran, report

    return run


def finding(report: CheckReport, name: str) -> Finding:
    (found,) = [each for each in report.findings if each.name == name]
    return found


def decisions(report: CheckReport) -> dict[str, Decision | None]:
    return {each.name: each.decision for each in report.findings}


# Drift


def test_a_judge_that_did_not_move_passes(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(40)
    baseline = accepted(scripted(cases, cluster=0.1, turn=0.3), cases)
    _, report = checked(scripted(cases, cluster=0.1, turn=0.3, salt=1), cases, baseline)
    assert (report.decision, report.reached) == (PASS, True)
    assert [row.decision for row in report.drift] == [PASS] * 3
    assert all(0 < len(row.moved) <= 2 for row in report.drift if row.criterion != "honest")  # the nearest misses
    assert {row.criterion: row.margin for row in report.drift} == {"listens": 0.15, "honest": 0.0375, "well (episode)": 0.15}
    assert report.drift[0].noise == pytest.approx(np.hypot(0.1, 0.3), abs=0.05)
    assert report.drift[0].noise_now is None  # of a single run nothing can be said
    assert report.baseline and (report.baseline.runs, report.baseline.cases, report.baseline.same_judge) == (4, 40, True)
    assert (report.asked, report.planned, len(report.looks)) == (40, 40, 1)


def test_the_criterion_that_moved_is_named_with_the_cases_that_moved_it(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked
) -> None:
    cases = make_cases(24)
    baseline = accepted(scripted(cases, turn=0.1), cases)
    moved = {f"c{k:03}": 0.8 for k in range(24)} | {"c003": 2.6, "c006": 2.2, "c009": 1.8}  # of the lowest band: nothing is cut off
    judge = scripted(cases, turn=0.1, salt=1, shift=lambda case, name: moved[case] if name == "well" else 0.0)
    _, report = checked(judge, cases, baseline)
    assert report.decision is FAIL
    by_name = {row.criterion: row for row in report.drift}
    assert {name: row.decision for name, row in by_name.items()} == {"listens": PASS, "honest": PASS, "well (episode)": FAIL}
    assert finding(report, "drift").told == "moved: well (episode)"
    row = by_name["well (episode)"]
    assert 0.7 < row.low < row.shift < row.high < 1.4
    assert [each.case for each in row.moved][:3] == ["c003", "c006", "c009"]
    assert len(row.moved) == 5 and all(each.beyond for each in row.moved)
    first = row.moved[0]
    assert (first.item.turn, first.item.label, first.item.reason) == (None, 2, "reason for well at episode")
    assert first.item.now - first.item.before == pytest.approx(first.shift)


def test_the_turn_that_moved_most_is_quoted(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(24)
    long = cases[5].turns[4].model_copy(update={"text": "word " * 100, "labels": {"listens": (1,), "honest": (1,)}})
    turns = tuple(turn.model_copy(update={"labels": {"listens": (5,), "honest": (1,)}}) if turn.labels else turn for turn in cases[5].turns)
    cases = (*cases[:5], cases[5].model_copy(update={"turns": (*turns[:4], long, turns[5])}), *cases[6:])
    baseline = accepted(scripted(cases), cases)
    # Turns 0 and 2 are at the top of the scale and cannot rise: turn 4 alone moves, by 3.
    _, report = checked(scripted(cases, shift=lambda case, name: 3.0 if (case, name) == ("c005", "listens") else 0.0), cases, baseline)
    (moved,) = report.drift[0].moved
    assert (moved.case, moved.shift, moved.beyond) == ("c005", 1.0, True)
    assert (moved.item.turn, moved.item.before, moved.item.now, moved.item.label) == (4, 1, 4, 1)
    assert moved.item.text == ("word " * 100)[:240] + "…"
    assert moved.item.reason == "reason for listens at 4"


@pytest.mark.parametrize(("sign", "spread", "expected"), [(1, 0.06, FAIL), (-1, 0.06, FAIL), (1, 0.1223, UNDECIDED), (1, 0.4, UNDECIDED)])
def test_a_fail_allows_for_the_number_of_criteria(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked, sign: int, spread: float, expected: Decision
) -> None:
    # Episodes move by 0.2 +- s, so that SE = s / sqrt(23), and t(23) is 1.714 at 0.05, 2.263 at 0.05 / 3. With s = 0.1223 the lower
    # bound is 0.156 at 0.05, beyond the margin, and 0.142 at a third of it: one of three criteria may look like that by chance.
    cases = make_cases(24)
    baseline = accepted(scripted(cases), cases)
    judge = scripted(cases, shift=lambda case, name: sign * (0.2 + (-spread, spread)[int(case[1:]) % 2]) if name == "well" else 0.0)
    _, report = checked(judge, cases, baseline)
    row = report.drift[2]
    assert row.decision is expected
    assert min(abs(row.low), abs(row.high)) == pytest.approx(0.2 - stats.t.isf(0.05, 23) * spread / np.sqrt(23))


def test_noise_leaves_it_undecided_until_more_runs_have_been_asked(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked
) -> None:
    cases = make_cases(30)
    baseline = accepted(scripted(cases, turn=0.8, cluster=0.3), cases)
    judge = scripted(cases, turn=0.8, cluster=0.3, salt=2)
    _, report = checked(judge, cases, baseline, runs=4)
    assert report.looks[0].decision is UNDECIDED
    assert finding(report, "drift").told.startswith(("cannot tell yet: ", "no criterion"))
    assert report.asked == 30 * len(report.looks) > 30
    assert Counter(repeat for _, repeat in judge.asked) == dict.fromkeys(range(len(report.looks)), 30)
    assert [look.run for look in report.looks] == list(range(len(report.looks)))
    assert report.drift[0].noise_now == pytest.approx(np.hypot(0.8, 0.3), abs=0.15)


def test_slices_that_moved_are_named_by_holms_rule(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked, rubric: Rubric
) -> None:
    cases = make_cases(36, violations=0)
    baseline = accepted(scripted(cases, turn=0.1), cases)
    angry = {case.id for case in cases if case.persona == "angry"}
    judge = scripted(cases, turn=0.1, salt=1, shift=lambda case, name: -0.9 if case in angry and name != "honest" else 0.0)
    ran, report = checked(judge, cases, baseline)
    moved = {row.slice for row in report.slices if row.moved}
    assert {"persona:angry", "outcome:HANGUP"} <= moved  # the same cases
    assert not {"persona:calm", "outcome:PAID"} & moved
    assert decisions(report)["slices"] is FAIL
    assert "persona:angry" in finding(report, "slices").told
    before = baseline.sheet(cases, rubric)
    p = {}
    for row in report.slices:
        members = [case.id for case in cases if row.slice in case.slices]
        found = np.array([2 * (handling_of(ran.heard.sheet, name, rubric) - handling_of(before, name, rubric)) for name in members])
        assert (row.episodes, row.shift) == (len(members), pytest.approx(found.mean()))
        away = abs(found.mean())
        p[row.slice] = stats.t.sf((away - 0.15) / stats.sem(found), len(found) - 1) + stats.t.sf(
            (away + 0.15) / stats.sem(found), len(found) - 1
        )
    # Holm 1979: the k-th smallest of m times m - k + 1, never below the one before.
    raised, corrected = 0.0, {}
    for at, name in enumerate(sorted(p, key=lambda name: p[name])):
        raised = corrected[name] = min(1.0, max(raised, p[name] * (len(p) - at)))
    assert {row.slice: row.p for row in report.slices} == pytest.approx(corrected)


def test_slices_of_fewer_than_five_are_not_told(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = tuple(
        case.model_copy(update={"persona": "rare" if k < 4 else "five" if k < 9 else None}) for k, case in enumerate(make_cases(24))
    )
    _, report = checked(scripted(cases), cases, accepted(scripted(cases), cases))
    assert {row.slice: row.episodes for row in report.slices if "persona" in row.slice} == {"persona:five": 5}


# Baselines


def test_without_a_baseline_nothing_is_said_of_drift(make_cases: Make, scripted: Any, checked: Checked) -> None:
    cases = make_cases(12)
    _, report = checked(scripted(cases), cases)
    assert (report.decision, report.drift, report.slices, report.baseline) == (UNDECIDED, (), (), None)
    assert finding(report, "drift").told == "no baseline was accepted yet: run `judge golden accept`, and commit what it writes"


def test_a_comparison_needs_eight_cases_that_read_as_they_did(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(12)
    baseline = accepted(scripted(cases), cases)
    for changed, decision in ((4, PASS), (5, UNDECIDED)):
        turns = [(case.turns[0].model_copy(update={"text": "New words."}), *case.turns[1:]) for case in cases]
        now = tuple(case.model_copy(update={"turns": turns[k]}) if k < changed else case for k, case in enumerate(cases))
        _, report = checked(scripted(now), now, baseline)
        assert (decisions(report)["drift"], report.baseline and report.baseline.cases) == (decision, 12 - changed)
    assert finding(report, "drift").told == "only 7 cases (of 8 needed) are as they were in the baseline: run `judge golden accept` anew"


def test_a_baseline_with_other_criteria_is_not_compared(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(12)
    baseline = accepted(scripted(cases), cases)
    rubric = scripted(cases).rubric
    more = rubric.model_copy(update={"turn": (*rubric.turn, Criterion(name="calm", question="?", levels=("1", "2", "3")))})
    now = tuple(
        case.model_copy(
            update={"turns": tuple(t.model_copy(update={"labels": t.labels | {"calm": (2,)}}) if t.labels else t for t in case.turns)}
        )
        for case in cases
    )
    _, report = checked(scripted(now, rubric=more), now, baseline)
    assert (decisions(report)["drift"], report.baseline and report.baseline.cases) == (UNDECIDED, 0)


def test_another_judge_may_be_compared_and_is_told(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(12)
    _, report = checked(scripted(cases, model="scripted-2"), cases, accepted(scripted(cases), cases))
    assert (report.decision, report.baseline and report.baseline.same_judge) == (PASS, False)
    assert report.judge_key == report.judge.key


# Hygiene


@pytest.mark.parametrize(("slips", "decision"), [(0, PASS), (1, UNDECIDED), (2, FAIL), (3, FAIL)])
def test_slips_are_counted_by_the_exact_binomial(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked, slips: int, decision: Decision
) -> None:
    cases = make_cases(24)
    baseline = accepted(scripted(cases), cases)

    def fails(transcript: Transcript, repeat: int) -> FailureKind | None:
        return FailureKind.MALFORMED if transcript.id in {f"c{k:03}" for k in range(slips)} else None

    _, report = checked(scripted(cases, fails=fails), cases, baseline)
    assert (stats.binomtest(slips, 24, 0.005, alternative="greater").pvalue <= 0.05) == (decision is FAIL)
    found = finding(report, "valid answers")
    assert (found.decision, found.figure, found.told) == (
        decision,
        pytest.approx(1 - slips / 24),
        f"{slips} of 24 answers were not what the rubric asks for",
    )
    assert (report.reached, report.decision) == (True, decision)
    assert report.failures == ({"malformed": slips} if slips else {})
    assert report.first_failures == tuple(f"c{k:03}: no word on c{k:03}" for k in sorted(range(slips))) or slips > 1
    assert report.drift[0].episodes == 24 - slips  # a failure is no number


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_of_failure_is_a_slip_a_stranger_or_not_reached(
    make_cases: Make, scripted: Any, checked: Checked, kind: FailureKind
) -> None:
    cases = make_cases(12)
    lost = {"c002", "c005", "c011"}
    _, report = checked(scripted(cases, fails=lambda t, _: kind if t.id in lost else None), cases)
    slips = ("crashed", "malformed", "too_long", "refused", "empty", "truncated")
    expected = (FAIL, PASS, True) if kind in slips else (PASS, FAIL, True) if kind is FailureKind.WRONG_MODEL else (PASS, PASS, False)
    assert (decisions(report)["valid answers"], decisions(report)["the model asked"], report.reached) == expected
    assert (report.failures, report.asked) == ({kind.value: 3}, 12)


def test_a_few_requests_may_go_unanswered(make_cases: Make, scripted: Any, checked: Checked) -> None:
    cases = make_cases(40)
    for lost, reached in ((2, True), (3, False)):  # of 40 at most 5 %
        ids = {f"c{k:03}" for k in range(lost)}
        _, report = checked(scripted(cases, fails=lambda t, _, ids=ids: FailureKind.TIMED_OUT if t.id in ids else None), cases)
        assert (report.reached, decisions(report)["valid answers"]) == (reached, PASS)


def test_a_provider_that_is_down_is_not_asked_for_all_runs(make_cases: Make, scripted: Any, checked: Checked) -> None:
    cases = make_cases(30)
    judge = scripted(cases, fails=lambda *_: FailureKind.UNREACHABLE)
    _, report = checked(judge, cases, runs=3, often=True)
    assert (report.reached, report.decision, report.asked, len(report.looks)) == (False, UNDECIDED, 10, 1)
    assert report.first_failures[0].endswith(": no word on " + report.first_failures[0].split(":")[0])


def test_answers_that_all_are_none_are_the_judges_fault_not_the_networks(make_cases: Make, scripted: Any, checked: Checked) -> None:
    # The part on `reached` fails until golden_set/check_report.py counts slips as having been reached (reported with a diff).
    cases = make_cases(12)
    _, report = checked(scripted(cases, fails=lambda *_: FailureKind.MALFORMED), cases)
    assert (report.decision, decisions(report)["valid answers"]) == (FAIL, FAIL)
    assert report.reached


def test_another_model_from_the_first_answer_on_is_a_fail(make_cases: Make, scripted: Any, accepted: Any, checked: Checked) -> None:
    cases = make_cases(24)

    def renamed(transcript: Transcript, repeat: int) -> FailureKind | None:
        raise AnotherModel("p answers as 'b', not as 'a'")

    ran, report = checked(scripted(cases, fails=renamed), cases, accepted(scripted(cases), cases), runs=3)
    assert ran.heard.renamed
    assert (report.decision, finding(report, "the model asked").told) == (FAIL, "p answers as 'b', not as 'a'")
    assert (report.asked, len(report.looks)) == (0, 1)


# People


def test_agreement_bias_and_what_is_beyond_the_tolerance(make_cases: Make, scripted: Any, checked: Checked) -> None:
    cases = tuple(case.model_copy(update={"tolerance": 0.5 if k < 5 else 1.0}) for k, case in enumerate(make_cases(12)))
    _, report = checked(scripted(cases, shift={"well": -0.75}), cases)
    by_name = {row.criterion: row for row in report.against_labels}
    well = by_name["well (episode)"]
    assert (well.bias, well.error, well.off, well.items) == (-0.75, 0.75, 5, 12)
    # Variance of the labels 2, 3, 4 in equal shares: 2/3 on both sides; kappa 1 - 0.5625 / (4/3 + 0.5625).
    assert well.kappa == pytest.approx(1 - 0.5625 / (4 / 3 + 0.5625))
    assert well.low is not None and well.high is not None and well.low < well.kappa < well.high
    assert (by_name["listens"].kappa, by_name["listens"].bias, by_name["listens"].people) == (pytest.approx(1.0), 0.0, None)
    assert finding(report, "order of dialogues").figure == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("more", "decision"),
    [
        ({}, None),
        ({"kappa_floor": 0.6}, PASS),
        ({"kappa_floor": 0.99}, FAIL),
        ({"kappa_floor": 0.6, "human_gap": 0.1}, PASS),  # one labeller: there is no ceiling
    ],
)
def test_agreement_that_must_be_there(
    make_cases: Make, scripted: Any, checked: Checked, gate: MakeGate, more: Mapping[str, float], decision: Decision | None
) -> None:
    cases = make_cases(30)
    _, report = checked(scripted(cases, turn=0.5), cases, limits=gate(**more))
    assert decisions(report)["agreement"] is decision
    kappas = [row.kappa for row in report.against_labels if row.criterion != "honest"]  # recall says more of a critical one
    assert finding(report, "agreement").figure == pytest.approx(np.mean([kappa for kappa in kappas if kappa is not None]))


def test_agreement_must_come_near_that_of_people_with_each_other(make_cases: Make, scripted: Any, checked: Checked, gate: MakeGate) -> None:
    cases = tuple(GoldenCase.model_validate(_twice_labelled(case.model_dump(mode="json"))) for case in make_cases(30))
    judge = scripted(cases, turn=1.0)
    _, alone = checked(judge, cases, limits=gate(kappa_floor=0.4))
    _, beside = checked(judge, cases, limits=gate(kappa_floor=0.4, human_gap=0.1))
    assert (decisions(alone)["agreement"], decisions(beside)["agreement"]) == (PASS, FAIL)
    assert finding(beside, "agreement").asked == "at least 0.90"  # both labellers say the same: 1.00 less 0.10
    assert alone.labelled_by == ("me", "you")
    assert {row.criterion: row.people for row in alone.against_labels}["listens"] == 1.0


def _twice_labelled(case: dict[str, Any]) -> dict[str, Any]:
    def twice(labels: dict[str, list[float]]) -> dict[str, list[float]]:
        return {name: values * 2 for name, values in labels.items()}

    turns = [turn | {"labels": twice(turn["labels"])} for turn in case["turns"]]
    return case | {"turns": turns, "labels": twice(case["labels"]), "labelled_by": ["me", "you"]}


def test_agreement_lost_since_the_baseline(make_cases: Make, scripted: Any, accepted: Any, checked: Checked, gate: MakeGate) -> None:
    cases = make_cases(40)
    baseline = accepted(scripted(cases, turn=0.3), cases)
    wide = gate(margin=4.0, kappa_loss=0.05)
    _, same = checked(scripted(cases, turn=0.3, salt=1), cases, baseline, limits=wide)
    _, worse = checked(scripted(cases, turn=1.3, salt=1), cases, baseline, limits=wide)
    assert (decisions(same)["agreement kept"], decisions(worse)["agreement kept"]) == (PASS, FAIL)
    change = finding(worse, "agreement kept")
    rows = [row for row in worse.against_labels if row.criterion != "honest"]
    assert change.figure == pytest.approx(np.mean([row.kappa - row.baseline for row in rows if row.kappa and row.baseline]))
    assert agreement_kept({}, {}, wide, 0.05)[0].decision is UNDECIDED


def test_violations_found_and_missed_and_false_alarms(make_cases: Make, scripted: Any, checked: Checked, gate: MakeGate) -> None:
    cases = make_cases(24, violations=6)
    # Two lies are called honest, and one whole case of three honest turns a lie: 4 of 6 found, 3 of 66 false.
    judge = scripted(cases, shift=lambda case, name: {"c001": 1.0, "c004": 0.6, "c010": -1.0}.get(case, 0.0) if name == "honest" else 0.0)
    _, report = checked(judge, cases, limits=gate(recall=0.9, false_alarms=0.5))
    found, false = finding(report, "violations found (honest)"), finding(report, "false alarms (honest)")
    assert (found.told, found.figure) == ("4 of 6; bounds count 6 independent trials", pytest.approx(4 / 6))
    exact = stats.binomtest(4, 6).proportion_ci(0.9, method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))
    assert (found.decision, false.decision) == (UNDECIDED, PASS)
    assert false.told.startswith("3 of 66 clean turns; bounds count ")
    # All in one case of 24 (18 with three clean turns, 6 with two): far fewer independent trials than 66.
    assert false.high is not None and false.high > stats.binomtest(3, 66).proportion_ci(0.9, method="exact").high
    assert report.missed_in == ("c001", "c004")  # the surest mistake first
    quoted = report.missed_violations[0]
    assert (quoted.turn, quoted.text, quoted.label, quoted.now) == (0, "agent 1 says 0", 0, 1)


@pytest.mark.parametrize(("missed", "recall", "decision"), [(0, 0.8, PASS), (0, 0.9, UNDECIDED), (20, 0.8, FAIL), (20, None, None)])
def test_recall_is_asked_for_by_its_bound(
    make_cases: Make, scripted: Any, checked: Checked, gate: MakeGate, missed: int, recall: float | None, decision: Decision | None
) -> None:
    cases = make_cases(24, violations=20)  # all found: 0.05 ** (1 / 20) = 0.861
    judge = scripted(cases, shift=lambda case, name: 1.0 if name == "honest" and int(case[1:]) < missed else 0.0)
    _, report = checked(judge, cases, limits=gate(recall=recall))
    assert decisions(report)["violations found (honest)"] is decision
    if not missed:
        assert finding(report, "violations found (honest)").low == pytest.approx(0.861, abs=0.0005)


def test_without_violations_nothing_says_that_they_would_be_found(
    make_cases: Make, scripted: Any, checked: Checked, gate: MakeGate
) -> None:
    cases = make_cases(12, violations=0)
    _, report = checked(scripted(cases), cases, limits=gate(recall=0.1))
    assert decisions(report)["violations found (honest)"] is UNDECIDED


def test_contrast_pairs_in_the_wrong_order_are_named(make_cases: Make, scripted: Any, checked: Checked) -> None:
    cases = make_cases(12, pairs=3, violations=0)
    worst, best = {"well": -4.0, "listens": -4.0}, {"well": 4.0, "listens": 4.0}
    judge = scripted(cases, shift=lambda case, name: {"c002": best, "c003": worst}.get(case, {}).get(name, 0.0))
    labels = {case.id: case.labels["well"][0] for case in cases}
    _, report = checked(judge, cases)
    wrong = () if labels["c002"] > labels["c003"] else ("p1",)
    assert report.wrong_pairs == wrong
    judge = scripted(cases, shift=lambda case, name: {"c003": best, "c002": worst}.get(case, {}).get(name, 0.0))
    _, report = checked(judge, cases)
    assert report.wrong_pairs == (("p1",) if not wrong else ())
    assert "of 3 contrast pairs" in finding(report, "contrast pairs").told


# Rank


def sheets(scores: Mapping[str, list[float]]) -> Sheet:
    """Return a sheet of one turn and the episode, both rated the same, by run."""
    return Sheet({name: [{"0": {"listens": v, "honest": 1}, "episode": {"well": v}} for v in values] for name, values in scores.items()})


def test_rank_asks_no_more_than_the_baseline_reaches_against_itself(rubric: Rubric, gate: MakeGate) -> None:
    rng = np.random.default_rng(6)
    ids = [f"c{k}" for k in range(40)]
    quality = rng.uniform(1.5, 4.5, 40)
    limits = gate(rank=0.85)

    def noisy(sd: float, runs: int) -> Sheet:
        return sheets(
            {name: [float(np.clip(q + rng.normal(0, sd), 1, 5)) for _ in range(runs)] for name, q in zip(ids, quality, strict=True)}
        )

    still, loud = noisy(0.0, 10), noisy(0.5, 10)
    (found,) = rank(still, still, ids, rubric, limits, 0.05)
    assert (found.decision, found.figure, found.asked) == (PASS, pytest.approx(1.0), "at least 0.85")
    by_run = np.array([[loud.marks[name][run]["episode"]["well"] for name in ids] for run in range(10)])
    # Each run against the mean of the nine others; turn and episode are the same number, so that the order is that of the ratings.
    own = np.mean([stats.kendalltau(by_run[run], np.delete(by_run, run, 0).mean(0)).statistic for run in range(10)])
    now = noisy(0.5, 1)
    (found,) = rank(now, loud, ids, rubric, limits, 0.05)
    assert found.asked == f"at least {own - 0.05:.2f}"
    assert own - 0.05 < 0.85
    judged = [now.marks[name][0]["episode"]["well"] for name in ids]
    assert found.figure == pytest.approx(stats.kendalltau(by_run.mean(0), judged).statistic)
    assert found.low is not None and found.high is not None and found.low < found.high


def test_rank_of_judges_that_order_otherwise_or_not_at_all(rubric: Rubric, gate: MakeGate) -> None:
    ids = [f"c{k}" for k in range(20)]
    old = sheets({name: [1 + k / 5] * 3 for k, name in enumerate(ids)})
    (reversed_,) = rank(sheets({name: [5 - k / 5] for k, name in enumerate(ids)}), old, ids, rubric, gate(rank=0.85), 0.05)
    assert (reversed_.decision, reversed_.figure) == (FAIL, pytest.approx(-1.0))
    (same,) = rank(sheets({name: [3.0] for name in ids}), old, ids, rubric, gate(rank=0.85), 0.05)
    assert (same.decision, same.told) == (FAIL, "all dialogues are rated alike")
    assert rank(old, old, ids, rubric, gate(), 0.05) == []
    once = sheets({name: [1 + k / 5] for k, name in enumerate(ids)})
    assert rank(once, once, ids, rubric, gate(rank=0.85), 0.05)[0].asked == "at least 0.85"


# When it looks and what it asks


def test_the_same_day_asks_nothing_again_and_another_day_asks_afresh(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked, ledger: Ledger
) -> None:
    cases = make_cases(20)
    baseline = accepted(scripted(cases, turn=0.3), cases)
    judge = scripted(cases, turn=0.3, salt=1)
    _, first = checked(judge, cases, baseline, runs=2, ledger=ledger)
    asked = len(judge.asked)
    assert asked == first.asked
    judge.salt = 9  # it would say something else now
    _, again = checked(judge, cases, baseline, runs=2, ledger=ledger)
    assert (again, len(judge.asked)) == (first, asked)
    _, other = checked(judge, cases, baseline, runs=2, ledger=ledger, day=DAY + timedelta(days=1))
    assert len(judge.asked) == asked + other.asked
    assert other.drift[0].shift != first.drift[0].shift
    numbers = {series_of(purpose, DAY + timedelta(days=ahead)) for purpose in Purpose for ahead in range(400)}
    assert len(numbers) == len(Purpose) * 400 and min(numbers) > 1  # no two share ratings, none those of plain scoring or a plan


def test_failures_are_asked_again_on_the_same_day(make_cases: Make, scripted: Any, accepted: Any, checked: Checked, ledger: Ledger) -> None:
    cases = make_cases(20)
    baseline = accepted(scripted(cases), cases)
    down = scripted(cases, fails=lambda t, _: FailureKind.UNREACHABLE if t.id < "c005" else None)
    assert not checked(down, cases, baseline, ledger=ledger)[1].reached
    up = scripted(cases)
    assert checked(up, cases, baseline, ledger=ledger)[1].decision is PASS
    assert sorted(up.asked) == [(f"c{k:03}", 0) for k in range(5)]


def test_a_broken_judge_is_stopped_early_and_a_good_one_earlier_than_after_everything(
    make_cases: Make, scripted: Any, accepted: Any, checked: Checked
) -> None:
    cases = make_cases(40)
    baseline = accepted(scripted(cases, turn=0.1), cases)
    broken = scripted(cases, turn=0.1, shift={"listens": 1.5, "well": 1.0})
    _, report = checked(broken, cases, baseline, runs=3, often=True)
    assert (report.decision, report.asked, report.planned, len(broken.asked)) == (FAIL, 10, 120, 10)
    good = scripted(cases, turn=0.1, salt=1)
    _, report = checked(good, cases, baseline, runs=3, often=True)
    assert report.decision is PASS
    assert len(good.asked) == report.asked < 40
    assert [look.decision for look in report.looks] == [UNDECIDED] * (len(report.looks) - 1) + [PASS]


def test_cases_come_in_an_order_of_their_own_with_the_bands_in_equal_shares(make_cases: Make) -> None:
    cases = list(make_cases(30))
    order = shuffled(cases)
    assert sorted(case.id for case in order) == [case.id for case in cases] != [case.id for case in order]
    assert order == shuffled(cases)
    for count in range(1, 31):
        shares = Counter(case.band for case in order[:count])
        assert max(shares.values()) - min(shares.get(band, 0) for band in {case.band for case in cases}) <= 1


def test_who_costs_nothing(scripted: Any, make_cases: Make) -> None:
    assert is_free(scripted(make_cases(1)))
    assert is_free(make_judge("local", load_rubric("collections")))
    assert not is_free(make_judge("openai:model-1", load_rubric("collections")))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_handful_of_cases_can_be_checked(make_cases: Make, scripted: Any, accepted: Any, checked: Checked, count: int) -> None:
    cases = make_cases(count)
    _, report = checked(scripted(cases), cases, accepted(scripted(cases), cases), limits=load_gate("default"))
    assert report.decision is UNDECIDED


def test_the_hash_of_the_cases_is_of_words_and_labels(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(4)
    relabelled = (cases[0].model_copy(update={"labels": {"well": (5,)}}), *cases[1:])
    retagged = (cases[0].model_copy(update={"tags": ("x",)}), *cases[1:])
    hashes = [cases_hash(each, rubric) for each in (cases, relabelled, retagged, cases[:3])]
    assert hashes[0] == hashes[2] and len(set(hashes)) == 3


# Accepting


def test_what_is_pooled_and_told_of_ten_runs(make_cases: Make, scripted: Any, ledger: Ledger, gate: MakeGate) -> None:
    cases = make_cases(20)
    judge = scripted(cases, turn=0.4)
    heard = rate_runs(cases, judge, ledger, gate(), runs=10, day=DAY)
    assert Counter(judge.asked).most_common(1)[0][1] == 1
    assert (heard.sheet.runs, heard.answers) == (10, 200)
    told = {stance.criterion: stance for stance in stances(heard, cases, judge)}
    assert told["well (episode)"].noise == pytest.approx(0.4, abs=0.06)
    assert told["honest"].noise == 0.0
    column = heard.sheet.columns(judge.rubric, cases)["well (episode)"]
    assert noise(column) == pytest.approx(np.sqrt(column.values.var(0, ddof=1).mean()))
    assert changes(heard, None, cases, judge, gate()) == ()
    old = make_baseline(judge.id, heard.sheet, cases, judge.rubric, day=DAY, by="me", note="")
    moved = changes(heard, old, cases, judge, gate())
    assert [(row.shift, row.decision) for row in moved] == [(0.0, PASS)] * 3


@pytest.mark.parametrize(
    ("kind", "lost", "says"),
    [
        (FailureKind.MALFORMED, 2, "2 of 200 answers were not what the rubric asks for .*: mend the prompt"),
        (FailureKind.WRONG_MODEL, 1, "1 answers came from another model .*pin it, then accept again"),
        (FailureKind.UNREACHABLE, 3, "the judge did not answer often enough .*goes on from what is in the ledger"),
    ],
)
def test_a_dirty_judge_is_no_baseline(
    make_cases: Make, scripted: Any, ledger: Ledger, gate: MakeGate, kind: FailureKind, lost: int, says: str
) -> None:
    cases = make_cases(20)
    judge = scripted(cases, fails=lambda t, repeat: kind if t.id == "c004" and repeat < lost else None)
    with pytest.raises(Dirty, match=says):
        rate_runs(cases, judge, ledger, gate(), runs=10, day=DAY)


def test_a_slip_and_two_lost_requests_are_no_reason_to_refuse(make_cases: Make, scripted: Any, ledger: Ledger, gate: MakeGate) -> None:
    cases = make_cases(21)  # of 209 answers one may be none
    kinds = {0: FailureKind.MALFORMED, 4: FailureKind.TIMED_OUT}
    judge = scripted(cases, fails=lambda t, run: kinds.get(run) if t.id == "c004" else None)
    heard = rate_runs(cases, judge, ledger, gate(), runs=10, day=DAY)
    assert [len(heard.sheet.marks[case.id]) for case in cases] == [8 if case.id == "c004" else 10 for case in cases]


def test_without_a_baseline_one_run_is_all_that_is_asked(make_cases: Make, scripted: Any, checked: Checked) -> None:
    """More runs could not tell drift either, and somebody would pay for them."""
    cases = make_cases(20)
    judge = scripted(cases)
    _, report = checked(judge, cases, runs=3)
    assert (report.decision, len(judge.asked), report.planned) == (UNDECIDED, 20, 60)
