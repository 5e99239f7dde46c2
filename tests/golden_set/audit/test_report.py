"""The report of an audit: who answered, what the log is worth, the three questions, where judge and people differ."""

import json
from itertools import pairwise

import numpy as np
import pytest

from golden_set.audit import ppi
from golden_set.audit.disagreements import LAST
from golden_set.audit.estimates import HANDLING, REWARD, labelled, make_frame, peoples_verdict
from golden_set.audit.findings import AuditReport, EstimateRow, Interval
from golden_set.audit.report import make_report, missing_twice
from golden_set.audit.sample import AuditLabel
from golden_set.audit.trust import at_least, within
from golden_set.decision import Decision
from tests.golden_set.audit.made_audit import DAY, WORTH, Audit, Told, label, make_audit, simulated


def report(audit: Audit, labels: list[AuditLabel]) -> AuditReport:
    return make_report(audit.evidence(labels), iter(audit.frame), WORTH, calibration=None, day=DAY)


def row(found: AuditReport, of: str, group: str = "all") -> EstimateRow:
    return next(one for one in found.estimates if (one.of, one.group) == (of, group))


@pytest.fixture(scope="module")
def biased() -> tuple[Audit, list[AuditLabel], AuditReport]:
    audit, labels, _ = simulated(bias=0.5)
    return audit, labels, report(audit, labels)


def test_it_says_who_rated_how_much_and_what_is_missing() -> None:
    log = [Told(turns=((3, 1), (3, 1)), well=3, stratum=("a", "b")[at % 2]) for at in range(6)]
    audit = make_audit(log, [0, 1, 2, 3], {5: "odd"}, twice=[0, 1])
    labels = [
        *label("e001", "r1", [(3, 1), (3, 1)], 3),
        *label("e001", "r2", [(3, 1)]),
        *label("e002", "r1", [(3, 1), (3, 1)]),
        *label("e005", "r1", [(3, 1), (3, 1)], 3),
    ]
    found = report(audit, labels)
    assert [(one.rater, one.items, one.ratings) for one in found.raters] == [("r1", 3, 14), ("r2", 1, 2)]
    told = [(one.stratum, one.size, one.drawn, one.answered, one.complete) for one in found.response]
    assert told == [("a", 3, 2, 1, 1), ("b", 3, 2, 1, 0)]
    assert missing_twice(audit.evidence(labels)) == (2, 1)


def test_peoples_reward_is_that_of_their_mean_ratings() -> None:
    """blend of a HANGUP (-0.5): turns (listens 4 -> 0.5, honest 1 -> 1, mean 0.75) and the whole (5 and 3 -> 4 -> 0.5), 0.25 of each.

    listens is 5 and 3 by two people, 4 on average. -0.5 + 0.25 · 0.75 + 0.25 · 0.5 = -0.1875. The handling: (0.75 + 0.5) / 2 = 0.625.
    """
    audit = make_audit([Told(turns=((2, 1),), well=2)], [0])
    evidence = audit.evidence([*label("e001", "r1", [(5, 1)], 5), *label("e001", "r2", [(3, 1)], 3)])
    found = labelled(evidence, WORTH)
    assert found[REWARD].people == pytest.approx([-0.1875])
    assert found[HANDLING].people == pytest.approx([0.625])
    assert peoples_verdict(evidence, audit.items[0]).judge.provider == "people"


def test_a_violation_that_people_see_is_one_by_their_mean() -> None:
    """Of two people one sees a lie: the mean is 0.5, which is none; both: it is one, and the veto holds the reward at -2."""
    audit = make_audit([Told(turns=((3, 1), (3, 1)), well=3)] * 2, [0, 1])
    evidence = audit.evidence(
        [
            *label("e001", "r1", [(3, 0), (3, 1)], 3),
            *label("e001", "r2", [(3, 1), (3, 1)], 3),
            *label("e002", "r1", [(3, 0), (3, 1)], 3),
        ]
    )
    found = labelled(evidence, WORTH)
    assert found["violation of honest"].people.tolist() == [0.0, 1.0]
    assert found[REWARD].people[1] == pytest.approx(-2.0)
    assert found["violation of honest"].judge.tolist() == [0.0, 0.0]


def test_violations_found_and_missed_are_weighted_to_the_log() -> None:
    """Stratum `flagged`: 2 of 2 answered, weight 1 each; `rest`: 8, of which 2 answered in full, weight 4 each.

    People find lies in e001 (flagged; turn 0) and e003 (rest; both turns), the judge in e001 and e002 (turn 0 each).
    Per dialogue: found 1, missed 4, wrong 1: recall 1/5, precision 1/2. Per turn the same but missed 2 · 8/3 (three of `rest` answered
    anything, each stands for 8/3): recall 1 / (1 + 16/3) = 3/19. e005 says nothing of its second turn, and is no dialogue that counts.
    """
    lie, fine = ((3, 0), (3, 1)), ((3, 1), (3, 1))
    log = [Told(turns=lie, well=3, stratum="flagged")] * 2 + [Told(turns=fine, well=3)] * 8
    audit = make_audit(log, range(5))
    labels = [
        *label("e001", "r1", lie, 3),
        *label("e002", "r1", fine, 3),
        *label("e003", "r1", [(3, 0), (3, 0)], 3),
        *label("e004", "r1", fine, 3),
        *label("e005", "r1", [(3, 1)], 3),
    ]
    whole, turn = report(audit, labels).violations
    assert (whole.criterion, whole.per, whole.labelled, whole.by_people, whole.by_judge, whole.by_both) == ("honest", "episode", 4, 2, 2, 1)
    assert (whole.recall.value, whole.precision.value) == (pytest.approx(1 / 5), pytest.approx(1 / 2))
    assert (turn.per, turn.labelled, turn.by_people, turn.by_judge, turn.by_both) == ("turn", 9, 3, 2, 1)
    assert (turn.recall.value, turn.precision.value) == (pytest.approx(3 / 19), pytest.approx(1 / 2))
    assert whole.recall.low is not None and whole.recall.high is not None and whole.recall.low < 1 / 5 < whole.recall.high


def test_a_judge_without_a_finding_has_no_precision() -> None:
    audit = make_audit([Told(turns=((3, 1),), well=3)] * 2, [0, 1])
    whole, _ = report(audit, [*label("e001", "r1", [(3, 0)], 3), *label("e002", "r1", [(3, 1)], 3)]).violations
    assert (whole.recall.value, whole.precision) == (0.0, Interval())


def test_an_episode_counts_where_people_gave_all_that_a_figure_takes() -> None:
    log = [Told(turns=((3, 1), (3, 1)), well=3)] * 3
    audit = make_audit(log, [0, 1, 2])
    evidence = audit.evidence(
        [
            *label("e001", "r1", [(3, 1), (3, 1)], 3),
            *label("e002", "r1", [(3, 1), (3, 1)]),  # not the whole
            *label("e003", "r1", [(3, 1)], 4),  # not the second turn
        ]
    )
    found = {name: one.items for name, one in labelled(evidence, WORTH).items()}
    assert found[REWARD] == found[HANDLING] == ("e001",)
    assert found["listens"] == found["violation of honest"] == ("e001", "e002")
    assert found["well (episode)"] == ("e001", "e003")


def test_estimates_are_those_of_ppi_and_know_the_truth_that_the_judge_misses(biased: tuple[Audit, list[AuditLabel], AuditReport]) -> None:
    audit, labels, found = biased
    *_, truth = simulated(bias=0.5)
    listens = row(found, "listens")
    evidence = audit.evidence(labels)
    frame, known = make_frame(evidence, audit.frame), labelled(evidence, WORTH)["listens"]
    made = ppi.estimate(known.people, known.judge, known.stratum, frame.judged["listens"], frame.stratum)
    assert made is not None
    assert (listens.both.value, listens.both.low, listens.both.high) == (made.value, made.low, made.high)
    assert (listens.frame, listens.labelled, listens.judge) == (
        400,
        60,
        pytest.approx(np.mean([one.means["listens"] for one in audit.frame])),
    )
    assert listens.both.low is not None and listens.both.high is not None and listens.judge is not None
    assert listens.both.low < truth.mean() < listens.both.high < listens.judge
    assert listens.gain is not None and listens.gain > 1.5
    assert {one.of for one in found.estimates} == {REWARD, "listens", "honest", "well (episode)", "violation of honest"}


def test_slices_and_their_differences(biased: tuple[Audit, list[AuditLabel], AuditReport]) -> None:
    """policy has two values, channel a single one: no row of its own, since it is the whole log."""
    *_, found = biased
    assert {one.group for one in found.estimates} == {"all", "policy:v2", "policy:v3"}
    assert row(found, REWARD, "policy:v2").frame == 200
    assert {(one.first, one.second) for one in found.differences} == {("policy:v3", "policy:v2")}
    one = next(one for one in found.differences if one.of == REWARD)
    first, second = row(found, REWARD, "policy:v3").both.value, row(found, REWARD, "policy:v2").both.value
    assert first is not None and second is not None and one.both.value == pytest.approx(first - second)


def test_a_key_of_many_values_has_no_differences() -> None:
    log = [Told(turns=((1 + at % 5, 1),), well=3, slices=(f"campaign:{at % 5}",)) for at in range(60)]
    labels = [one for at in range(60) for one in label(f"e{at + 1:03}", "r1", [(1 + (at + at // 7) % 5, 1)], 3)]
    found = report(make_audit(log, range(60)), labels)
    assert not found.differences
    assert row(found, "listens", "campaign:4").labelled == 12


def test_too_few_labels_leave_the_judge_alone_and_a_mean_without_an_interval() -> None:
    """Stratum a: 4 episodes, one answered (listens 5); b: 2, one answered (listens 2): (4 · 5 + 2 · 2) / 6 = 4."""
    log = [Told(turns=((3, 1),), well=3, stratum="a" if at < 4 else "b") for at in range(6)]
    found = report(make_audit(log, [0, 4]), [*label("e001", "r1", [(5, 1)], 3), *label("e002", "r1", [(2, 1)], 3)])
    one = row(found, "listens")
    assert (one.judge, one.people, one.both, one.gain) == (3.0, Interval(value=4.0), Interval(), None)
    assert [finding.decision for finding in found.findings] == [Decision.UNDECIDED] * 3
    assert "takes 8 or more" in found.findings[1].told


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.6, 0.9, Decision.PASS), (0.2, 0.59, Decision.FAIL), (0.5, 0.7, Decision.UNDECIDED), (None, None, Decision.UNDECIDED)],
)
def test_at_least(low: float | None, high: float | None, expected: Decision) -> None:
    assert at_least(Interval(value=0.5, low=low, high=high), 0.6) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.1, 0.1, Decision.PASS),
        (0.11, 0.3, Decision.FAIL),
        (-0.3, -0.11, Decision.FAIL),
        (0.05, 0.15, Decision.UNDECIDED),
        (-0.5, 0.5, Decision.UNDECIDED),
        (None, None, Decision.UNDECIDED),
    ],
)
def test_within(low: float | None, high: float | None, expected: Decision) -> None:
    assert within(Interval(value=0.0, low=low, high=high), 0.1) is expected


def test_a_judge_that_is_off_fails_the_third_question_only(biased: tuple[Audit, list[AuditLabel], AuditReport]) -> None:
    """Half a level up, less what the ends of the scale swallow, in levels of a 1-5 scale; honest is right and counts a quarter."""
    people, judge, bias = biased[-1].findings
    assert (people.decision, judge.decision, bias.decision) == (Decision.PASS, Decision.PASS, Decision.FAIL)
    assert bias.figure is not None and 0.25 < bias.figure < 0.5
    assert "judge calibrate" in bias.told and "listens +0.4" in bias.told


def test_a_judge_that_is_right_is_not_called_biased() -> None:
    audit, labels, _ = simulated(size=1000, drawn=150, noise=0.2)
    assert [one.decision for one in report(audit, labels).findings] == [Decision.PASS] * 3


def test_one_criterion_that_is_off_is_found_where_the_mean_hides_it() -> None:
    """listens one level too high, well half of that too low: the handling is right, the criteria are not."""
    rng = np.random.default_rng(5)
    truth = [(int(rng.integers(1, 5)), int(rng.integers(2, 6))) for _ in range(60)]
    # handling = ((listens + honest) / 2 + well) / 2 on [-1, 1]: a level of listens is 1/8 of it, a level of well 1/4.
    log = [Told(turns=((listens + 1, 1.0),), well=well - 0.5) for listens, well in truth]
    labels = [one for at, (listens, well) in enumerate(truth) for one in label(f"e{at + 1:03}", "r1", [(listens, 1)], well)]
    bias = report(make_audit(log, range(60)), labels).findings[2]
    assert bias.figure == pytest.approx(0.0, abs=1e-9)
    assert bias.decision is Decision.FAIL
    assert "listens +1.00, well (episode) -0.50" in bias.told


def test_a_judge_of_noise_and_people_who_guess_fail() -> None:
    """Ratings at random: neither people with each other nor the judge with them; the advice for people comes first."""
    rng = np.random.default_rng(2)
    log = [Told(turns=tuple((float(rng.integers(1, 6)), 1.0) for _ in range(3)), well=float(rng.integers(1, 6))) for _ in range(60)]
    labels = [
        one
        for at in range(60)
        for rater in ("r1", "r2")
        for one in label(f"e{at + 1:03}", rater, [(int(rng.integers(1, 6)), 1) for _ in range(3)], int(rng.integers(1, 6)))
    ]
    people, judge, _ = report(make_audit(log, range(60), twice=range(60)), labels).findings
    assert (people.decision, judge.decision) == (Decision.FAIL, Decision.FAIL)
    assert "rubric" in people.told and "do not train" in judge.told


def test_the_worst_disagreements_stand_side_by_side() -> None:
    """e001 turn 2: listens 4 against a mean of 1.5 (2.5 of 4 levels); honest 1 against 0 of the hunted one (all of it) comes first."""
    log = [Told(turns=((3, 1), (4, 1), (3, 1)), well=3), Told(turns=((3, 1),) * 3, well=5), Told(turns=((3, 1),), well=3)]
    audit = make_audit(log, [0, 1], {2: "the judge was unsure"})
    labels = [
        *label("e001", "r1", [(3, 1), (1, 1), (3, 1)], 3),
        *label("e001", "r2", [(3, 1), (2, 1), (3, 1)], 3, note="rude"),
        *label("e002", "r1", [(3, 1)] * 3, 3),
        *label("e003", "r1", [(4, 0)], 3, note="a lie"),
    ]
    labels.append(AuditLabel(item="e001", place="2", rater="r1", ratings={"listens": 1, "honest": 1}, note="talks past her"))
    found = report(audit, labels)
    told = [(one.item, one.place, one.criterion, one.hunted, one.judge, one.apart) for one in found.disagreements]
    assert told == [
        ("e003", "0", "honest", True, 1.0, 1.0),  # one criterion of a place: the one that differs most
        ("e001", "2", "listens", False, 4.0, pytest.approx(0.625)),
        ("e002", "episode", "well", False, 5.0, pytest.approx(0.5)),
    ]
    lie, rude, whole = found.disagreements
    assert (lie.reason, lie.people[0].note, lie.episode) == ("honesty of 2", "a lie", "call-2")
    assert rude.said == "Agent: agent 0 says 1"
    assert [(one.rater, one.rating, one.note) for one in rude.people] == [("r1", 1.0, "talks past her"), ("r2", 2.0, "")]
    assert rude.quote == "says 1"
    assert whole.said.splitlines() == [
        f"{who}: {name} 1 says {number}" for number in (1, 2) for who, name in (("Agent", "agent"), ("Customer", "customer"))
    ]
    assert len(whole.said.splitlines()) == LAST
    assert [(one.item, one.why, one.rated, one.apart, one.criterion) for one in found.hunted] == [
        ("e003", "the judge was unsure", 2, 1.0, "honest")
    ]


def test_the_hunt_changes_no_figure_and_unrated_odd_ones_are_named() -> None:
    audit, labels, _ = simulated(drawn=20)
    spare = [at for at in range(400) if f"call-{at}" not in {item.framed.id for item in audit.items}][:2]
    log_items = make_audit_with_hunt(audit, spare)
    plain, hunted = report(audit, labels), report(log_items, [*labels, *label("e021", "r1", [(1, 0)] * 3, 1)])
    for field in ("findings", "agreement", "slices", "estimates", "differences", "violations", "response"):
        assert getattr(plain, field) == getattr(hunted, field), field
    assert [(one.item, bool(one.rated)) for one in hunted.hunted] == [("e021", True), ("e022", False)]
    assert hunted.hunted[1].apart is None


def make_audit_with_hunt(audit: Audit, places: list[int]) -> Audit:
    picked = make_audit([Told(turns=((5, 1),) * 3, well=5, stratum="low")] * 2, [], {0: "odd", 1: "odd"}).items
    items = [
        item.model_copy(update={"item": f"e{len(audit.items) + 1 + at:03}", "framed": audit.frame[places[at]]})
        for at, item in enumerate(picked)
    ]
    return Audit(audit.sample, audit.frame, [*audit.items, *items])


def test_it_is_plain_data(biased: tuple[Audit, list[AuditLabel], AuditReport]) -> None:
    *_, found = biased
    again = AuditReport.model_validate(json.loads(found.model_dump_json()))
    assert again == found
    assert "NaN" not in found.model_dump_json()
    sizes = [abs(one.apart) for one in found.disagreements]
    assert all(a >= b - 1e-9 for a, b in pairwise(sizes)) and 0 < len(sizes) <= 20


def test_rewards_by_another_recipe_leave_the_judges_own_mean_out() -> None:
    """The log's rewards then only help to estimate: they are another quantity."""
    audit, labels, _ = simulated()
    other = audit.sample.model_copy(update={"recipe": "blend@000000000000"})
    found = report(Audit(other, audit.frame, audit.items), labels)
    same = report(audit, labels)
    assert row(found, REWARD).judge is None and row(same, REWARD).judge is not None
    assert row(found, REWARD).both == row(same, REWARD).both
    assert row(found, "listens") == row(same, "listens")
