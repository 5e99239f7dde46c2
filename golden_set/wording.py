"""The same rubric in other words (hand-checked paraphrases, as data) and in other presentations: what a judge should not notice."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from dialogue.errors import UsageProblem, listed
from judge.rubric import Criterion, Levels, LevelsShown, Marks, Name, Rubric, Sentence, StateCriterion, Unit

PLAIN = "plain"
PLAIN_CHOICES = {"unit": Unit.DIALOGUE, "levels_shown": LevelsShown.WORST_FIRST, "marks": Marks.NUMBERS}


class Arm(StrEnum):
    """What of a prompt is changed."""

    PARAPHRASES = "paraphrases"
    CRITERION_ORDER = "criterion-order"  # of the turn's criteria
    LEVEL_ORDER = "level-order"  # best first instead of worst first, each with its own mark
    LETTERS = "letters"  # A to E instead of 1 to 5
    UNIT = "unit"  # one request a turn, instead of one a dialogue


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rubric as a judge is shown it; another rubric hash, hence another JudgeId. `arm` is None for the rubric as it is."""

    name: str
    arm: Arm | None
    rubric: Rubric


class Wording(BaseModel):
    """One criterion in other words, worst level first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Sentence
    levels: Levels


class Paraphrase(BaseModel):
    """A whole rubric in other words: every criterion by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    about: Sentence
    turn: dict[str, Wording]
    episode: dict[str, Wording] = {}
    state: dict[str, Wording] = {}


class ParaphraseFile(BaseModel):
    """What `paraphrases/<rubric>.toml` holds. `rubric_hash` says which text people compared the paraphrases with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rubric: Name
    rubric_hash: Annotated[str, Field(pattern="^[0-9a-f]{12,64}$")] | None = None
    paraphrase: Annotated[tuple[Paraphrase, ...], Field(min_length=1, max_length=50)]


def shipped_paraphrases() -> dict[str, Path]:
    """Return the packaged paraphrases by the rubric's name."""
    return datafile.shipped("golden_set", "paraphrases")


def paraphrases(rubric: Rubric, path: Path | None) -> list[Prompt]:
    """Return the paraphrases of a rubric, of a file or, without one, those that ship.

    Raises:
        UsageProblem: there are none, or they do not fit the rubric.
    """
    shipped = shipped_paraphrases()
    path = path or shipped.get(rubric.name)
    if path is None:
        raise UsageProblem(
            f"no paraphrases of the rubric {rubric.name!r} ship (there are some of {listed(shipped)}); write a file and name it with "
            f'--paraphrases FILE.toml: rubric = "{rubric.name}", then for each paraphrase a [[paraphrase]] with name and about, and '
            f"[paraphrase.turn.{rubric.turn[0].name}] with question and levels for every criterion (so for episode and state), worst "
            f"level first; or choose other arms with --arms ({listed([arm for arm in Arm if arm is not Arm.PARAPHRASES])})"
        )
    found = datafile.load(path, ParaphraseFile)
    if found.rubric != rubric.name:
        raise UsageProblem(f"{path}: paraphrases of the rubric {found.rubric!r}, not of {rubric.name!r}; name others with --paraphrases")
    plain = rubric.model_copy(update=PLAIN_CHOICES).hash
    if found.rubric_hash and not plain.startswith(found.rubric_hash):
        raise UsageProblem(
            f"{path}: these paraphrases were compared with {rubric.name}@{found.rubric_hash[:12]}, but the rubric is now @{plain[:12]}; "
            "compare them with the new text, change what differs and write the new rubric_hash, or name others with --paraphrases"
        )
    prompts: list[Prompt] = []
    for paraphrase in found.paraphrase:
        if paraphrase.name == PLAIN or paraphrase.name in [prompt.name for prompt in prompts]:
            raise UsageProblem(f"{path}: the name {paraphrase.name!r} is taken; every paraphrase needs its own, and none is {PLAIN!r}")
        prompts.append(Prompt(paraphrase.name, Arm.PARAPHRASES, _reworded(rubric, paraphrase, path)))
    return prompts


def _reworded(rubric: Rubric, paraphrase: Paraphrase, path: Path) -> Rubric:
    state = (rubric.state,) if rubric.state else ()
    parts: dict[str, Any] = {}
    for part, criteria in (("turn", rubric.turn), ("episode", rubric.episode), ("state", state)):
        parts[part] = _all_reworded(criteria, getattr(paraphrase, part), f"{path}: {paraphrase.name}.{part}")
    parts["state"] = parts["state"][0] if state else None
    return rubric.model_copy(update={"about": paraphrase.about, **parts})


def _all_reworded(
    criteria: Sequence[Criterion | StateCriterion], wordings: Mapping[str, Wording], where: str
) -> tuple[Criterion | StateCriterion, ...]:
    names = [criterion.name for criterion in criteria]
    if set(wordings) != set(names):
        raise UsageProblem(f"{where} words {listed(sorted(wordings)) or 'nothing'}; expected {listed(names) or 'nothing'}")
    for criterion in criteria:
        count = len(wordings[criterion.name].levels)
        if count != len(criterion.levels):
            raise UsageProblem(f"{where}.{criterion.name} has {count} levels; the rubric has {len(criterion.levels)}, worst first")
    return tuple(criterion.model_copy(update=dict(wordings[criterion.name])) for criterion in criteria)


def presentations(rubric: Rubric, arm: Arm, seed: int) -> list[Prompt]:
    """Return the rubric in the other presentations of an arm: words, numbers and polarity stay as they are."""
    if arm is Arm.CRITERION_ORDER:
        return _reordered(rubric, seed)
    best, worst = LevelsShown.BEST_FIRST, LevelsShown.WORST_FIRST
    changed: tuple[str, str, StrEnum]
    if arm is Arm.LEVEL_ORDER:
        changed = ("best first", "levels_shown", best) if rubric.levels_shown is worst else ("worst first", "levels_shown", worst)
    elif arm is Arm.LETTERS:
        changed = ("letters", "marks", Marks.LETTERS) if rubric.marks is Marks.NUMBERS else ("numbers", "marks", Marks.NUMBERS)
    elif arm is Arm.UNIT:
        changed = ("turn by turn", "unit", Unit.TURN) if rubric.unit is Unit.DIALOGUE else ("whole dialogue", "unit", Unit.DIALOGUE)
    else:
        raise ValueError(f"{arm} are no presentations")
    name, field, value = changed
    return [Prompt(name, arm, rubric.model_copy(update={field: value}))]


def _reordered(rubric: Rubric, seed: int) -> list[Prompt]:
    """Return the rubric with its turn criteria reversed and, where there are orders left, shuffled."""
    orders = {"reversed": rubric.turn[::-1]}
    if len(rubric.turn) > 2:
        shuffled = list(rubric.turn)
        rng = random.Random(seed)  # noqa: S311 (an order is no secret)
        while tuple(shuffled) in (rubric.turn, rubric.turn[::-1]):
            rng.shuffle(shuffled)
        orders["shuffled"] = tuple(shuffled)
    return [Prompt(name, Arm.CRITERION_ORDER, rubric.model_copy(update={"turn": turn})) for name, turn in orders.items() if len(turn) > 1]
