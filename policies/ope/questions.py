"""What `judge evaluate` and `judge deploy-check` have in common: rewards files in, episodes, their worlds and their range out."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dialogue.errors import UsageProblem, listed
from policies.experience import Floats
from policies.learned_from import Known, learned_from
from policies.ope.evaluation import Evaluator, Worlds
from policies.ope.scored import Episodes, Scored, read_scored
from policies.saved import load_saved
from rewards.admission import Admission, Allowed
from rewards.bounds import LONGEST, return_bounds
from rewards.provenance import outcomes_of, recipe_of, rubric_of
from rewards.reblend import judge_error, see_that_it_asks


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks of rewards files.

    Attributes:
        files: rewards files.
        discount: of a step.
        clip: a product of ratios counts so much at most.
        judge_error: whether other labels for the judge's calibration are part of the interval.
        made_with: files of rubric, recipe and outcomes, where the records' are not shipped ones.
        ledger: where clearances and replicates are looked up.
    """

    files: tuple[str, ...]
    allowed: Allowed
    discount: float
    clip: float | None
    judge_error: bool
    made_with: Mapping[str, str | None]
    ledger: str


class Answers:
    """The episodes that every policy can be evaluated on; files are read once for each policy, which sees their states its own way.

    Raises:
        UsageProblem: law 3, or a file or policy that cannot be used (see `read_scored`).

    Attributes:
        episodes: by policy; empty where there is not one episode for all.
        left_out: how many of the admitted are not used, by reason.
        manifest: what admission says of the files (law 3).
        seen: by policy, what it has learned from of the episodes.
    """

    def __init__(self, question: Question, specs: Sequence[str]) -> None:
        self.question = question
        if len(specs) > 1 and "-" in question.files:
            raise UsageProblem("stdin can be read once, and two policies need it twice; write the rewards to a file")
        found: dict[str, Scored] = {}
        self.seen: dict[str, Known] = {}
        for number, spec in enumerate(specs):
            admission = Admission(question.allowed)
            found[spec] = read_scored(question.files, spec, admission, keep=question.judge_error and number == 0)
            manifest = admission.close(question.ledger)
            if number == 0:
                self.manifest, self._sources = manifest, admission.sources
            self.seen[spec] = learned_from(load_saved(spec).manifest, question.files, admission.used) if spec.endswith(".json") else Known()
        self._records = found[specs[0]].records
        self.episodes = _shared({spec: one.episodes for spec, one in found.items()})
        self.left_out: Counter[str] = Counter()
        for one in found.values():
            self.left_out |= one.left_out  # the same episode may be left out for every policy: the larger count

    def evaluators(self) -> dict[str, Evaluator]:
        """Return one for each policy, all of the same episodes."""
        discount, clip = self.question.discount, self.question.clip
        return {spec: Evaluator(one.rollout, one.policy, discount, clip) for spec, one in self.episodes.items()}

    @property
    def used(self) -> int:
        """How many episodes every policy is evaluated on."""
        return len(next(iter(self.episodes.values())).ids) if self.episodes else 0

    @property
    def thin(self) -> str | None:
        """Why the episodes that can be used are too few of those there are, or None; whatever keeps one from being used, it is counted."""
        known, least = self.manifest["coverage"]["episodes"], self.question.allowed.min_coverage
        if not self.used:
            return "no episode can be used"
        told = f"{self.used:,} of {known:,} episodes can be used, where --min-coverage asks for {least:.0%}"
        return None if self.used >= least * known else f"{told}: those left out may have gone another way"

    def worlds(self) -> Worlds | None:
        """Return the rewards as they might have been; None where judge error is not asked for."""
        if not self.question.judge_error:
            return None
        made_with = self.question.made_with
        recipe = recipe_of(self._one("recipe"), made_with["recipe"])
        see_that_it_asks(recipe)
        rubric = rubric_of(self._one("rubric"), made_with["rubric"])
        error = judge_error(self._records, rubric, recipe, self.question.ledger)
        if error.unmapped:
            print(
                f"judge: no map of {listed(error.unmapped)}: the judge's error there is not in the interval (see `judge calibrate`)",
                file=sys.stderr,
            )
        episodes = next(iter(self.episodes.values()))

        def rewards() -> Iterator[Floats]:
            return (episodes.rewards(turns) for turns in error.rewards())

        return Worlds(rewards, error.count)

    def range(self) -> tuple[float, float]:
        """Return between which every return lies, by recipe and outcome table alone.

        Raises:
            UsageProblem: an episode is longer than that allows for.
        """
        made_with = self.question.made_with
        outcomes, recipe = outcomes_of(self._one("outcomes"), made_with["outcomes"]), recipe_of(self._one("recipe"), made_with["recipe"])
        longest = len(next(iter(self.episodes.values())).rollout.rewards)
        if longest > LONGEST:
            raise UsageProblem(
                f"an episode has {longest} agent turns; the range of returns is worked out for {LONGEST} at most: give it with --range"
            )
        return return_bounds(recipe, outcomes, self.question.discount)

    def _one(self, what: str) -> str:
        said = list(self._sources[what])
        if len(said) != 1:
            named = f"{len(said)} ({listed(said)})" if said else "no"
            raise UsageProblem(f"the rewards were made with {named} {what}; score all files with one judge and recipe for this")
        return said[0]


def _shared(found: Mapping[str, Episodes | None]) -> dict[str, Episodes]:
    """Return the episodes that every policy has, in the same order."""
    known = {spec: one for spec, one in found.items() if one is not None}
    if len(known) < len(found):
        return {}
    ids = set.intersection(*(set(one.ids) for one in known.values()))
    if not ids:
        return {}
    return {spec: one if len(ids) == len(one.ids) else one.among(ids) for spec, one in known.items()}


def range_of(text: str, returns: Floats) -> tuple[float, float]:
    """Return the range that `--range LOW:HIGH` gives.

    Raises:
        UsageProblem: it is not two rising numbers, or a return of the log lies outside.
    """
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = float("nan")
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageProblem(f"--range {text!r} is not two rising numbers; write LOW:HIGH, such as --range=-2.5:1.5")
    if returns.min() < low or returns.max() > high:
        raise UsageProblem(
            f"--range {text} does not hold the log's own returns, {returns.min():g} to {returns.max():g}; give what is possible at all"
        )
    return low, high
