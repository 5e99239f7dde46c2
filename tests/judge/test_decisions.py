"""The Decisions form: questions for every turn and criterion, and distributions over labels into ratings."""

import math
from typing import Any

import pytest
from openai.types import Decision

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from judge.chat import Trouble
from judge.contract import Body, Terms
from judge.decisions import MOST_LEVELS, MOST_QUESTIONS, DecisionModel, Decisions, make_decisions_judge
from judge.form import Question
from judge.models.spec import ModelSpec
from judge.reply import Malformed
from judge.rubric import Criterion, Rubric, StateCriterion, Unit, load_rubric
from judge.verdict import FailureKind, Rating
from judge.view import View, views

RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="Does the agent listen?", levels=("Not at all.", "Partly.", "Fully.")),
        Criterion(name="honest", question="Is the agent honest?", levels=("No.", "Yes.")),
    ),
    episode=(Criterion(name="well", question="Was it handled well?", levels=("Badly.", "Well.")),),
    state=StateCriterion(name="hope", question="How promising is it now?", levels=("Lost.", "Open.", "Agreed.")),
)
FORM = Decisions(RUBRIC, DecisionModel(ModelSpec("m")))
TRANSCRIPT = Transcript(
    id="d", turns=(Turn(role=Role.USER, text="Hello?"), Turn(role=Role.AGENT, text="Hello."), Turn(role=Role.AGENT, text="Bye."))
)
NAMES = ["a1.listens", "a1.honest", "a1.hope", "a2.listens", "a2.honest", "a2.hope", "episode.well"]


def asked(transcript: Transcript = TRANSCRIPT, rubric: Rubric = RUBRIC) -> list[Question]:
    form = Decisions(rubric, DecisionModel(ModelSpec("m")))
    return [question for view in views(transcript, rubric) for question in form.questions(transcript, view, "n" * 32, shared=False)]


def names(body: Body) -> list[str]:
    return [question["name"] for question in body["questions"]]


def score(name: str | None, **chances: float) -> Body:
    """Return an answer as the API gives it; labels are written `_3` here."""
    given = [{"label": label[1:], "probability": chance, "value": k} for k, (label, chance) in enumerate(chances.items())]
    return {"type": "score", "name": name, "score": 0.0, "confidence": 0.5, "probabilities": given}


def answers() -> list[Body]:
    """Return answers that are sure of 2, or of 1 where there are two levels."""
    return [score(name, _1=1.0) if name.endswith(("honest", "well")) else score(name, _1=0.0, _2=1.0, _3=0.0) for name in NAMES]


def reply(*given: Any, **update: Any) -> Body:
    usage = {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 90,
    }
    return {"answers": list(given), "model": "m-2026", "usage": usage} | update


def read(first: Any) -> Rating:
    """Return the rating that the answer to the first question becomes."""
    return FORM.read(asked()[0], reply(first, *answers()[1:])).part.turns[1]["listens"]


# Questions


def test_every_agent_turn_is_asked_by_every_criterion_and_then_the_episode() -> None:
    (question,) = asked()
    body = FORM.body(question)
    assert names(body) == NAMES
    assert body["questions"][0] == {
        "type": "score",
        "name": "a1.listens",
        "instructions": "Rate agent turn a1 of the transcript. Does the agent listen?",
        "levels": [
            {"label": "1", "description": "Not at all."},
            {"label": "2", "description": "Partly."},
            {"label": "3", "description": "Fully."},
        ],
    }
    assert body["questions"][1]["levels"] == [{"label": "0", "description": "No."}, {"label": "1", "description": "Yes."}]
    assert body["questions"][-1]["instructions"] == "Rate the episode as a whole. Was it handled well?"
    assert body["model"] == "m"


@pytest.mark.parametrize("name", ["collections", "conversation_quality", "sales", "support"])
def test_levels_are_the_sentences_of_the_rubric(name: str) -> None:
    rubric = load_rubric(name)
    (question,) = asked(TRANSCRIPT, rubric)
    found = [[level["description"] for level in asked["levels"]] for asked in FORM.body(question)["questions"]]
    assert found == [list(criterion.levels) for criterion in (*rubric.turn_criteria, *rubric.turn_criteria, *rubric.episode)]


def test_turn_by_turn_each_request_asks_for_one_turn() -> None:
    requests = asked(TRANSCRIPT, RUBRIC.model_copy(update={"unit": Unit.TURN}))
    assert [names(FORM.body(question)) for question in requests] == [NAMES[:3], NAMES[3:6], NAMES[6:]]


@pytest.mark.parametrize(
    ("criteria", "turns", "sizes"),
    [
        (50, 8, [MOST_QUESTIONS, 1]),  # 8 × 50 turns' and the episode's
        (50, 7, [351]),
        (50, 20, [400, 400, 201]),
        (1, 24, [25]),
    ],
)
def test_more_questions_than_a_request_takes_are_split(criteria: int, turns: int, sizes: list[int]) -> None:
    many = tuple(Criterion(name=f"c{k}", question="?", levels=("no", "yes")) for k in range(criteria))
    rubric = RUBRIC.model_copy(update={"turn": many, "state": None})
    transcript = Transcript(id="d", turns=(Turn(role=Role.AGENT, text="Hello."),) * turns)
    requests = asked(transcript, rubric)
    bodies = [FORM.body(question) for question in requests]
    assert [len(body["questions"]) for body in bodies] == sizes
    assert [name for body in bodies for name in names(body)] == [f"a{turn + 1}.c{k}" for turn in range(turns) for k in range(criteria)] + [
        "episode.well"
    ]
    # They share their whole input, which is worth a mark in the cache.
    assert len({str(body["input"]) for body in bodies}) == 1
    assert all(question.content.shared == (len(sizes) > 1) for question in requests)


@pytest.mark.parametrize(("shared", "marked"), [(False, []), (True, [0, 1])])
def test_cache_marks_stand_at_the_system_text_and_where_shared_at_the_last_blocks(shared: bool, marked: list[int]) -> None:
    (question,) = FORM.questions(TRANSCRIPT, views(TRANSCRIPT, RUBRIC)[0], "n" * 32, shared=shared)
    body = FORM.body(question)
    system, user = body["input"]
    assert "prompt_cache_breakpoint" in system["content"][0]
    assert [k for k, part in enumerate(user["content"]) if "prompt_cache_breakpoint" in part] == marked
    assert len(user["content"]) == 3  # up to turn 1, turn 2, the closing fence
    assert "prompt_cache_breakpoint" not in str(FORM.body(question, {"cache marks"}))
    assert FORM.body(question).keys() - FORM.body(question, {"cache marks"}).keys() == {"prompt_cache_options"}
    assert FORM.body(question).keys() - FORM.body(question, {"cache key"}).keys() == {"prompt_cache_key"}


def test_a_question_is_not_asked_again_and_a_decision_model_does_not_chat() -> None:
    assert FORM.again(asked()[0], reply(), "wrong") is None
    for talk in (FORM.model.body, FORM.model.read):
        with pytest.raises(TypeError, match="does not chat"):
            talk({})  # type: ignore[arg-type]


# Answers


def test_answers_are_as_the_sdk_knows_them() -> None:
    assert Decision.model_validate(reply(*answers(), {"type": "refusal", "name": None}), strict=True).answers[0].type == "score"


def test_every_question_becomes_a_rating() -> None:
    heard = FORM.read(asked()[0], reply(*answers()))
    assert heard.model == "m-2026"
    assert {turn: {name: rating.value for name, rating in ratings.items()} for turn, ratings in heard.part.turns.items()} == {
        1: {"listens": 2, "honest": 1, "hope": 2},
        2: {"listens": 2, "honest": 1, "hope": 2},
    }
    assert heard.part.episode["well"] == Rating(value=1, spread=0, reason="Well. (100% likely)")
    usage = FORM.model.usage(reply(*answers()))
    assert (usage.input_tokens, usage.cached_tokens, usage.written_tokens, usage.output_tokens) == (90, 60, 20, 0)


@pytest.mark.parametrize(
    ("answer", "mean", "spread", "reason"),
    [
        # 0.2 × 1 + 0.3 × 2 + 0.5 × 3 = 2.3; 0.2 × 1.3² + 0.3 × 0.3² + 0.5 × 0.7² = 0.338 + 0.027 + 0.245 = 0.61.
        (score("a1.listens", _1=0.2, _2=0.3, _3=0.5), 2.3, math.sqrt(0.61), "Fully. (50% likely)"),
        # In another order: labels count, not places.
        (score("a1.listens", _3=0.5, _1=0.2, _2=0.3), 2.3, math.sqrt(0.61), "Fully. (50% likely)"),
        (score("a1.listens", _2=1.0), 2.0, 0.0, "Partly. (100% likely)"),  # what is left out has no chance
        (score(None, _1=1.0), 1.0, 0.0, "Not at all. (100% likely)"),  # an answer need not repeat its name
        # Sums of 0.99 and 1.01 are rounding: the chances are scaled to 1. 0.33 / 0.99 = 1/3 each; 1/3 × (1 + 0 + 1).
        (score("a1.listens", _1=0.33, _2=0.33, _3=0.33), 2.0, math.sqrt(2 / 3), "Not at all. (33% likely)"),
        (score("a1.listens", _3=0.985), 3.0, 0.0, "Fully. (100% likely)"),
        (score("a1.listens", _1=0.505, _2=0.505), 1.5, 0.5, "Not at all. (50% likely)"),
        (score("a1.listens", _1=1, _2=0), 1.0, 0.0, "Not at all. (100% likely)"),  # whole numbers are numbers
    ],
)
def test_a_distribution_becomes_mean_spread_and_the_likeliest_level(answer: Body, mean: float, spread: float, reason: str) -> None:
    rating = read(answer)
    assert (rating.value, rating.spread) == pytest.approx((mean, spread))
    assert (rating.reason, rating.quote) == (reason, None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "the answer to a1.listens is a None named None"),
        ("score", "the answer to a1.listens is a None named None"),
        ({"type": "predicate", "name": "a1.listens", "probability": 0.5}, "the answer to a1.listens is a 'predicate' named 'a1.listens'"),
        (score("a1.honest", _2=1.0), "the answer to a1.listens is a 'score' named 'a1.honest'"),
        (score("listens", _2=1.0), "the answer to a1.listens is a 'score' named 'listens'"),
        (score("a1.listens", _0=1.0), "a1.listens: label '0' with probability 1.0; expected labels 1, 2, 3"),
        (score("a1.listens", _4=0.0, _2=1.0), "a1.listens: label '4' with probability 0.0; expected labels 1, 2, 3"),
        (score("a1.listens", _Partly=1.0), "a1.listens: label 'Partly' with probability 1.0; expected labels 1, 2, 3"),
        (score("a1.listens", _2=1.5), "a1.listens: label '2' with probability 1.5; expected labels 1, 2, 3"),
        (score("a1.listens", _2=-0.5), "a1.listens: label '2' with probability -0.5; expected labels 1, 2, 3"),
        (score("a1.listens", _2=math.nan), "a1.listens: label '2' with probability nan; expected labels 1, 2, 3"),
        (score("a1.listens", _2=True), "a1.listens: label '2' with probability True; expected labels 1, 2, 3"),
        (score("a1.listens", _2="1"), "a1.listens: label '2' with probability '1'; expected labels 1, 2, 3"),  # type: ignore[arg-type]
        (score("a1.listens", _1=0.4, _2=0.5), "a1.listens: the probabilities sum to 0.9"),
        (score("a1.listens", _1=0.5, _2=0.6), "a1.listens: the probabilities sum to 1.1"),
        (score("a1.listens", _2=0.975), "a1.listens: the probabilities sum to 0.975"),
        (score("a1.listens"), "a1.listens: the probabilities sum to 0"),
        (score("a1.listens") | {"probabilities": None}, "a1.listens: the probabilities sum to 0"),
        (score("a1.listens") | {"probabilities": {"2": 1.0}}, "a1.listens: the probabilities sum to 0"),
        (score("a1.listens") | {"probabilities": [0.0, 1.0, 0.0]}, "a1.listens: label None with probability None; expected labels 1, 2, 3"),
        (
            score("a1.listens") | {"probabilities": [{"label": 2, "probability": 1.0}]},
            "a1.listens: label 2 with probability 1.0; expected labels 1, 2, 3",
        ),
        (
            score("a1.listens") | {"probabilities": [{"label": ["2"], "probability": 1.0}]},
            "a1.listens: label ['2'] with probability 1.0; expected labels 1, 2, 3",
        ),
        (
            score("a1.listens") | {"probabilities": [{"label": {"2": 2}, "probability": 1.0}]},
            "a1.listens: label {'2': 2} with probability 1.0; expected labels 1, 2, 3",
        ),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_told(answer: Any, told: str) -> None:
    with pytest.raises(Malformed) as raised:
        read(answer)
    assert str(raised.value) == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no answers to 7 questions"),
        ({"answers": None}, "no answers to 7 questions"),
        ({"answers": {}}, "no answers to 7 questions"),
        (reply(), "0 answers to 7 questions"),
        (reply(*answers()[1:]), "6 answers to 7 questions"),
        (reply(*answers(), answers()[0]), "8 answers to 7 questions"),
    ],
)
def test_an_answer_for_every_question_and_no_more_is_expected(given: Body, told: str) -> None:
    with pytest.raises(Malformed, match=f"^{told}$"):
        FORM.read(asked()[0], given)


def test_answers_in_another_order_are_not_mistaken_for_each_other() -> None:
    given = answers()
    given[0], given[2] = given[2], given[0]
    with pytest.raises(Malformed, match=r"the answer to a1\.listens is a 'score' named 'a1\.hope'"):
        FORM.read(asked()[0], reply(*given))


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_one_declined_question_is_a_refusal_that_names_it(at: int) -> None:
    given = answers()
    given[at] = {"type": "refusal", "name": NAMES[at]}
    with pytest.raises(Trouble) as raised:
        FORM.read(asked()[0], reply(*given))
    assert (raised.value.kind, raised.value.detail) == (FailureKind.REFUSED, f"the model declined the question {NAMES[at]}")
    assert not raised.value.again
    assert raised.value.usage.input_tokens == 90


# The judge


def leveled(count: int, where: str) -> Rubric:
    levels = tuple(f"level {k}" for k in range(count))
    if where == "state":
        return RUBRIC.model_copy(update={"state": StateCriterion(name="long", question="?", levels=levels)})
    criterion = Criterion(name="long", question="?", levels=levels)
    return RUBRIC.model_copy(update={where: (*getattr(RUBRIC, where), criterion)})


@pytest.mark.parametrize("where", ["turn", "episode", "state"])
def test_a_scale_longer_than_the_api_takes_is_refused_before_anything_is_asked(where: str) -> None:
    with pytest.raises(UsageProblem, match="criterion 'long' has 11 levels; the Decisions API takes 10"):
        make_decisions_judge(leveled(MOST_LEVELS + 1, where), "m", Terms(environ={}))
    assert make_decisions_judge(leveled(MOST_LEVELS, where), "m", Terms(environ={})).id.model == "m"


def test_the_judge_is_named_after_the_model_that_answers() -> None:
    judge = make_decisions_judge(RUBRIC, "m?echo=m-2026", Terms(environ={}))
    assert (judge.id.provider, judge.id.model, judge.id.sampling) == ("openai-decisions", "m-2026", "default")
    assert judge.id != make_decisions_judge(RUBRIC, "m", Terms(environ={})).id
    for wrong in ("", "?echo=x", "m?temperature=0"):
        with pytest.raises(UsageProblem):
            make_decisions_judge(RUBRIC, wrong, Terms(environ={}))


def test_a_window_asks_only_for_the_turns_it_rates() -> None:
    seen = View(1, 2, 3, (2,), False)
    (question,) = FORM.questions(TRANSCRIPT, seen, "n" * 32, shared=False)
    assert names(FORM.body(question)) == NAMES[3:6]
