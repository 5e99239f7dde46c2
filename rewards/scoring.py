"""Transcripts in, reward records out: asks the judge through the ledger, blends, and keeps input order."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from dialogue.errors import InputProblem
from dialogue.reader import Found, Reject
from dialogue.transcript import Transcript
from judge.batch import rate_all
from judge.calibration import Calibration
from judge.contract import Judge
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.verdict import JudgeFailure, Verdict
from rewards.blend import blend
from rewards.outcome import OutcomeTable, load_outcome_table
from rewards.recipe import Recipe, load_recipe
from rewards.record import UNCALIBRATED, Calibrated, RewardRecord, make_record


def score(
    transcripts: Iterable[Transcript],
    judge: Judge,
    ledger: Ledger | None = None,
    *,
    recipe: Recipe | None = None,
    outcomes: OutcomeTable | None = None,
    repeats: Repeats | None = None,
    calibrated: bool = True,
) -> Generator[RewardRecord, None, None]:
    """Yield one record for every transcript, in order, holding only a chunk of them in memory.

    Where the ledger has a calibration of this very judge (the same JudgeId, the number of repeats included), ratings are mapped to
    the scale of people before they are blended, and the record names it. The veto follows the map: the calibrated rating of a
    yes-or-no criterion is the probability that people would say yes, so that below one half people would more probably than not
    call it a violation, and an episode is held down for that, not for a flag that people mostly find false.

    Args:
        ledger: where verdicts are kept and found again; by default in memory, for this call only.
        recipe: `blend` by default. A recipe that needs no verdict asks no judge.
        outcomes: the `collections` table by default.
        repeats: how often each transcript is rated; once by default.
        calibrated: whether a calibration is used if it fits.

    Raises:
        UsageProblem: the recipe needs what the rubric does not have.
        InputProblem: an outcome that the table refuses (filter with `accepted` to reject instead).
    """
    recipe = recipe or load_recipe("blend")
    outcomes = outcomes or load_outcome_table("collections")
    recipe.check(judge.rubric)
    made_by = {"rubric": str(judge.rubric), "recipe": str(recipe), "outcomes": str(outcomes)}
    fitting: Calibration | None = None
    maps = UNCALIBRATED

    def record(transcript: Transcript, answer: Verdict | JudgeFailure | None, *, cleared: bool) -> RewardRecord:
        verdict = answer if isinstance(answer, Verdict) else None
        if verdict and fitting:
            verdict = fitting.apply(verdict)
        reward = blend(transcript, outcomes.outcome_of(transcript), verdict, judge.rubric, recipe)
        return make_record(transcript, answer, reward, cleared=cleared, calibrated=maps, **made_by)

    if not recipe.needs_verdict:
        for transcript in transcripts:
            yield record(transcript, None, cleared=True)
        return
    times = repeats or Repeats()
    own = ledger or Ledger(":memory:")
    try:
        cleared = own.cleared(judge.id)  # a mean of its ratings means what a single one means, with less noise
        # But it varies less by chance than a single one: a map that was fitted to single ratings does not fit means.
        if calibrated and (fitting := own.calibration(times.of(judge.id))):
            critical = {criterion.name: criterion for criterion in judge.rubric.turn if criterion.critical and recipe.veto}
            maps = Calibrated(fitting.id, fitting.turn, fitting.episode, critical)
        with closing(rate_all(transcripts, judge, own, repeats=times)) as rated:
            for transcript, answer in rated:
                yield record(transcript, answer, cleared=cleared)
    finally:
        if ledger is None:
            own.close()


def accepted(found: Iterable[Found], outcomes: OutcomeTable, on_reject: Callable[[Reject], None]) -> Iterator[Transcript]:
    """Yield the transcripts whose outcome the table knows; hand the others to `on_reject` with their line."""
    for item in found:
        try:
            outcomes.outcome_of(item.transcript)
        except InputProblem as problem:
            on_reject(item.reject(problem))
        else:
            yield item.transcript
