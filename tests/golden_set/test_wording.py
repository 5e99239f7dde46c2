"""Paraphrases and presentations: what ships fits its rubric and keeps its direction; files that do not fit are told why."""

import re
from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from golden_set.wording import Arm, paraphrases, presentations, shipped_paraphrases
from judge.rubric import Criterion, LevelsShown, Marks, Rubric, StateCriterion, Unit, load_rubric

SHIPPED = ["collections", "sales", "support"]
RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="Does it listen?", weight=0.7, levels=("no", "partly", "yes")),
        Criterion(name="honest", question="Is it honest?", weight=0.3, critical=True, levels=("no", "yes")),
        Criterion(name="kind", question="Is it kind?", levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="Well?", levels=("no", "yes")),),
    state=StateCriterion(name="hope", question="Hope?", levels=("lost", "open", "won")),
)
FILE = """\
rubric = "calls"
[[paraphrase]]
name = "other"
about = "Handling of calls."
[paraphrase.turn.listens]
question = "Is there listening?"
levels = ["none", "some", "much"]
[paraphrase.turn.honest]
question = "Is all of it honest?"
levels = ["not so", "so"]
[paraphrase.turn.kind]
question = "Is there kindness?"
levels = ["not so", "so"]
[paraphrase.episode.well]
question = "Was it well?"
levels = ["not so", "so"]
[paraphrase.state.hope]
question = "What hope is there?"
levels = ["none", "undecided", "agreed"]
"""


def criteria(rubric: Rubric) -> tuple[Criterion | StateCriterion, ...]:
    return (*rubric.turn_criteria, *rubric.episode)


def texts(rubric: Rubric) -> list[str]:
    return [rubric.about, *(text for criterion in criteria(rubric) for text in (criterion.question, *criterion.levels))]


# What ships


def test_three_rubrics_have_paraphrases() -> None:
    assert list(shipped_paraphrases()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_five_paraphrases_say_everything_in_other_words(name: str) -> None:
    rubric = load_rubric(name)
    found = paraphrases(rubric, None)
    assert len(found) == 5
    assert len({prompt.name for prompt in found}) == len({prompt.rubric.hash for prompt in found} | {rubric.hash}) - 1 == 5
    for prompt in found:
        assert prompt.arm is Arm.PARAPHRASES
        assert [(c.name, c.scale) for c in criteria(prompt.rubric)] == [(c.name, c.scale) for c in criteria(rubric)]
        assert [(c.weight, c.critical) for c in prompt.rubric.turn] == [(c.weight, c.critical) for c in rubric.turn]
        assert Rubric.model_validate(prompt.rubric.model_dump()) == prompt.rubric
        assert not set(texts(prompt.rubric)) & set(texts(rubric)), prompt.name


NEUTRAL = re.compile(
    "neutral|in between|neither|ordinary|not applicable|none (stated|raised)|there has been no|no limit|no objection|"
    "has not (stated|raised)|have (set|raised) no|all right|adequate|sufficient|open|undetermined",
    re.IGNORECASE,
)
WORST = re.compile(
    r"\b(no|not|none|nothing|wrong|incorrect|ignore[sd]?|disregard|miss|violat|breach|lost|gone|bungled|botched|mishandled|rude|past|"
    "overrid|rides|raise[sd]?|heats|more|increases|dead end|hard|cost|imposed|put to effort|belittl|misunderstood)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_paraphrase_turns_a_scale_around_or_moves_its_middle(name: str) -> None:
    """Words cannot be proved; this finds a list of levels that was turned over, or two that changed places."""
    for prompt in paraphrases(load_rubric(name), None):
        for criterion in criteria(prompt.rubric):
            where = (prompt.name, criterion.name)
            assert WORST.search(criterion.levels[0]), where
            if len(criterion.levels) == 5:
                plain = next(c for c in criteria(load_rubric(name)) if c.name == criterion.name)
                assert bool(NEUTRAL.search(plain.levels[2])) <= bool(NEUTRAL.search(criterion.levels[2])), where


def test_what_a_violation_is_stays_complete() -> None:
    for prompt in paraphrases(load_rubric("collections"), None):
        violation = next(c for c in prompt.rubric.turn if c.critical).levels[0].lower()
        for sign in ("threat", "arrest", "garnishment", "ruin", "harass", "insult", "false", "contact"):
            assert sign in violation, (prompt.name, sign)
    for prompt in paraphrases(load_rubric("sales"), None):
        violation = next(c for c in prompt.rubric.turn if c.critical).levels[0].lower()
        for sign in (r"promise", r"deadline", r"term", r"disparage|runs somebody down", r"coerc|forces"):
            assert re.search(sign, violation), (prompt.name, sign)


# Files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.toml"


def test_a_paraphrase_of_your_own_keeps_everything_but_the_words(path: Path) -> None:
    path.write_text(FILE)
    (found,) = paraphrases(RUBRIC.model_copy(update={"unit": Unit.TURN}), path)
    assert found.name == "other"
    assert found.rubric.unit is Unit.TURN
    assert texts(found.rubric)[:4] == ["Handling of calls.", "Is there listening?", "none", "some"]
    assert [(c.name, c.weight, c.critical) for c in found.rubric.turn] == [
        ("listens", 0.7, False),
        ("honest", 0.3, True),
        ("kind", 1.0, False),
    ]
    assert found.rubric.state is not None
    assert found.rubric.state.levels == ("none", "undecided", "agreed")


def test_a_rubric_of_your_own_is_told_how_to_write_paraphrases() -> None:
    with pytest.raises(
        UsageProblem, match=r"(?s)no paraphrases of the rubric 'calls' ship .*--paraphrases FILE\.toml.*paraphrase\.turn\.listens.*--arms"
    ):
        paraphrases(RUBRIC, None)


@pytest.mark.parametrize(
    ("replaced", "by", "told"),
    [
        ('rubric = "calls"', 'rubric = "sales"', "paraphrases of the rubric 'sales', not of 'calls'"),
        (
            'rubric = "calls"',
            'rubric = "calls"\nrubric_hash = "123456789abc"',
            "were compared with calls@123456789abc, but the rubric is now @",
        ),
        (
            "[paraphrase.turn.kind]",
            "[paraphrase.turn.kindly]",
            r"other\.turn words honest, kindly, listens; expected listens, honest, kind",
        ),
        ('["none", "some", "much"]', '["none", "much"]', r"other\.turn\.listens has 2 levels; the rubric has 3, worst first"),
        ('["none", "some", "much"]', '["none", "none", "much"]', "same sentence"),
        ("[paraphrase.state.hope]", "[paraphrase.state.hop]", r"other\.state words hop; expected hope"),
        ('name = "other"', 'name = "plain"', "the name 'plain' is taken"),
        ('about = "Handling of calls."', "", r"2: .*about' is missing"),
    ],
)
def test_a_file_that_does_not_fit_is_told_why(path: Path, replaced: str, by: str, told: str) -> None:
    assert FILE.count(replaced) == 1
    path.write_text(FILE.replace(replaced, by))
    with pytest.raises(UsageProblem, match=told):
        paraphrases(RUBRIC, path)


def test_the_hash_names_the_text_and_not_how_it_is_shown(path: Path) -> None:
    path.write_text(f'rubric_hash = "{RUBRIC.hash[:12]}"\n{FILE}')
    shown = RUBRIC.model_copy(update={"unit": Unit.TURN, "marks": Marks.LETTERS, "levels_shown": LevelsShown.BEST_FIRST})
    assert len(paraphrases(shown, path)) == 1
    with pytest.raises(UsageProblem, match="write the new rubric_hash"):
        paraphrases(RUBRIC.model_copy(update={"about": "Something else."}), path)


# Presentations


@pytest.mark.parametrize(
    ("arm", "names", "changes"),
    [
        (Arm.LEVEL_ORDER, ["best first"], {"levels_shown": LevelsShown.BEST_FIRST}),
        (Arm.LETTERS, ["letters"], {"marks": Marks.LETTERS}),
        (Arm.UNIT, ["turn by turn"], {"unit": Unit.TURN}),
    ],
)
def test_a_presentation_changes_one_thing_and_changes_it_back(arm: Arm, names: list[str], changes: dict[str, object]) -> None:
    (shown,) = presentations(RUBRIC, arm, 0)
    assert [shown.name] == names
    assert shown.rubric == RUBRIC.model_copy(update=changes)
    assert shown.rubric.hash != RUBRIC.hash
    (back,) = presentations(shown.rubric, arm, 0)
    assert back.rubric == RUBRIC


def test_criteria_are_reversed_and_shuffled_with_everything_that_is_theirs() -> None:
    one, other = presentations(RUBRIC, Arm.CRITERION_ORDER, 3)
    assert one.rubric.turn == RUBRIC.turn[::-1]
    assert set(other.rubric.turn) == set(RUBRIC.turn)
    assert other.rubric.turn not in (RUBRIC.turn, RUBRIC.turn[::-1])
    assert presentations(RUBRIC, Arm.CRITERION_ORDER, 3) == [one, other]


@pytest.mark.parametrize(("count", "names"), [(1, []), (2, ["reversed"]), (3, ["reversed", "shuffled"])])
def test_there_are_as_many_orders_as_there_are(count: int, names: list[str]) -> None:
    rubric = RUBRIC.model_copy(update={"turn": RUBRIC.turn[:count]})
    assert [prompt.name for prompt in presentations(rubric, Arm.CRITERION_ORDER, 0)] == names
