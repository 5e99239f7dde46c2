"""Calibrations in the ledger: one judge's and no other's, the newest counts, what is void stays in the file."""

from datetime import date
from pathlib import Path

import pytest

from judge import JudgeId, Ledger
from judge.calibration import Calibration, Curve
from judge.pooling import Repeats

JUDGE = JudgeId(provider="p", model="m-1", rubric="calls", rubric_hash="r", prompt_hash="q", sampling="0.7")
OTHER = JUDGE.model_copy(update={"model": "m-2"})
MEAN, UP_TO = Repeats(3, 3).of(JUDGE), Repeats(1, 5).of(JUDGE)


def calibration(judge: JudgeId, day: int = 1) -> Calibration:
    curve = Curve(judged=(1, 5), human=(2, 4), labels=40, episodes=10, before=1.0, after=0.5, reliability=0.5, band=1.5)
    return Calibration(judge=judge, turn={"listens": curve}, episode={}, fitted_on=date(2026, 11, day), audits=("november",))


def test_what_was_stored_is_found_for_this_very_judge(tmp_path: Path) -> None:
    made = calibration(JUDGE)
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert (ledger.calibration(JUDGE), ledger.calibrations()) == (None, [])
        ledger.calibrate(made)
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert ledger.calibration(JUDGE) == made
        for field in JudgeId.model_fields:
            assert ledger.calibration(JUDGE.model_copy(update={field: "another"})) is None, field
        assert ledger.calibration(MEAN) is None


def test_the_newest_of_a_judge_counts_and_those_of_others_stand_beside_it() -> None:
    with Ledger(":memory:") as ledger:
        for made in (calibration(JUDGE, 1), calibration(OTHER, 2), calibration(JUDGE, 3)):
            ledger.calibrate(made)
        assert ledger.calibration(JUDGE) == calibration(JUDGE, 3)
        assert ledger.calibrations() == [(calibration(JUDGE, 3), True), (calibration(OTHER, 2), True)]


def test_a_void_calibration_is_none_until_there_is_another_and_stays_in_the_file() -> None:
    with Ledger(":memory:") as ledger:
        assert not ledger.void_calibration(JUDGE)  # there was none
        for day in (1, 2):
            ledger.calibrate(calibration(JUDGE, day))
        ledger.calibrate(calibration(OTHER))
        assert ledger.void_calibration(JUDGE)
        assert ledger.calibration(JUDGE) is None  # the older one does not come back
        assert ledger.calibration(OTHER) == calibration(OTHER)
        assert ledger.calibrations() == [(calibration(OTHER), True), (calibration(JUDGE, 2), False)]
        assert not ledger.void_calibration(JUDGE)  # it is void already
        ledger.calibrate(calibration(JUDGE, 3))
        assert ledger.calibration(JUDGE) == calibration(JUDGE, 3)
        kept = ledger._db.conn.execute("select voided_at is null from calibrations where judge_key = ? order by id", [JUDGE.key])
        assert [held for (held,) in kept] == [0, 0, 1]


@pytest.mark.parametrize(
    ("moved", "lost"),
    [(JUDGE, {JUDGE, MEAN, UP_TO}), (MEAN, {MEAN}), (OTHER, {OTHER}), (JUDGE.model_copy(update={"sampling": "0"}), set())],
    ids=["judge", "mean", "other", "stranger"],
)
def test_a_judge_that_moved_takes_the_calibrations_of_its_means_with_it(moved: JudgeId, lost: set[JudgeId]) -> None:
    all_of_them = (JUDGE, MEAN, UP_TO, OTHER)
    with Ledger(":memory:") as ledger:
        for judge in all_of_them:
            ledger.calibrate(calibration(judge))
        assert set(ledger.void_calibrations(moved)) == {calibration(judge).id for judge in lost}
        assert {judge for judge in all_of_them if ledger.calibration(judge) is None} == lost
        assert ledger.void_calibrations(moved) == []
