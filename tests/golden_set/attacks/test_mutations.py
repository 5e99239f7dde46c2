"""The laws of every attack, on dialogues of all shapes, and what the rules find in dialogues written for them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from dialogue.transcript import Role
from golden_set.attacks import amounts, currency, faults, names, noise, style
from golden_set.attacks.catalogue import CATALOGUE, chosen
from golden_set.attacks.mutation import Family, Mutation
from golden_set.attacks.wordings import sentences
from golden_set.case import GoldenCase
from judge.rubric import Rubric, load_rubric

RUBRICS = {name: load_rubric(name) for name in ("collections", "sales", "support")}
BY_NAME = {attack.name: attack for attack in CATALOGUE}


def case_of(
    said: list[tuple[str, str]], rubric: Rubric, *, level: int = 4, violated: int = -1, case: str = "c", outcome: str | None = None
):
    turns = []
    for index, (role, text) in enumerate(said):
        labels = {}
        if role == "agent":
            labels = {c.name: (int(index != violated) if len(c.levels) == 2 else level) for c in rubric.turn_criteria}
        turns.append({"role": role, "text": text, "labels": labels})
    return GoldenCase.model_validate(
        {
            "id": case,
            "rubric": rubric.name,
            "turns": turns,
            "outcome": outcome,
            "labels": {c.name: level for c in rubric.episode},
            "labelled_by": ["author"],
        }
    )


AGENT = [
    "Hello Mr Okafor, this is Ines. The bill of $120 is open. When could you pay it?",
    "I'll send the form by Friday. You get a letter on 3 May. Thanks, Lucy.",
    "So it's 40 dollars a month, sir. I won't call your work again.",
    "Pay now or the sheriff comes.",
    "",
    "Right.",
    "I've booked Monday the 12th at ten. How many people are you?",
]
USER = [
    "I lost my job in May and can do $40 a month",
    "yes on friday",
    "STOP",
    "My wife died last week. I pay 120 on Friday.",
    "what?",
    "Four people, thanks",
]


@st.composite
def dialogues(draw, mark=""):
    rubric = RUBRICS[draw(st.sampled_from(sorted(RUBRICS)))]
    roles = draw(st.lists(st.sampled_from(["agent", "user", "agent", "user", "tool", "system"]), min_size=0, max_size=9))
    roles.insert(draw(st.integers(0, len(roles))), "agent")
    texts = {"agent": st.sampled_from(AGENT), "user": st.sampled_from(USER)}
    odd = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"]), max_size=40)
    said = [(role, draw(st.one_of(texts.get(role, odd), odd)) + mark) for role in roles]
    return case_of(said, rubric, level=draw(st.integers(1, 5)), violated=draw(st.integers(-1, 9))), rubric


@pytest.mark.parametrize("attack", CATALOGUE, ids=lambda attack: attack.name)
@given(made=dialogues(), seed=st.integers(0, 5))
@settings(max_examples=12, deadline=None)
def test_every_attack_keeps_the_laws(attack: Mutation, made: tuple[GoldenCase, Rubric], seed: int) -> None:
    case, rubric = made
    mutant = attack.of(case, rubric, seed)
    assert mutant == attack.of(case, rubric, seed)  # the same seed, the same mutant
    if mutant is None:
        return
    old, new = case.transcript, mutant.transcript
    assert new.id != old.id and new.content_hash(with_outcome=False) != old.content_hash(with_outcome=False)
    agent = set(new.agent_turns)
    assert mutant.after and set(mutant.after) <= agent and set(mutant.before) <= set(old.agent_turns)
    if attack.name == "unresolved":
        assert new.turns == old.turns[: len(new.turns)] and new.outcome is None
        return
    kept = [turn for turn in new.turns if not (turn.role in attack.adds and turn not in old.turns)] if attack.adds else list(new.turns)
    if attack.adds:
        assert [turn for turn in old.turns if turn.role not in attack.adds] == [turn for turn in kept if turn.role not in attack.adds]
        missing = iter(new.turns)
        assert all(turn in missing for turn in old.turns)  # in order: nothing but additions
        assert len(new.turns) > len(old.turns)
    else:
        assert [turn.role for turn in new.turns] == [turn.role for turn in old.turns]
        for before, after in zip(old.turns, new.turns, strict=True):
            assert before == after or before.role in attack.touches
        assert mutant.before == mutant.after
    if Role.AGENT not in attack.adds:
        assert len(agent) == len(old.agent_turns)


@given(one=dialogues(mark=" qqzzqq"), other=dialogues(), seed=st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_no_mutant_has_text_of_another_dialogue(one: tuple[GoldenCase, Rubric], other: tuple[GoldenCase, Rubric], seed: int) -> None:
    for attack in CATALOGUE:
        alone = attack.of(*other, seed)
        attack.of(*one, seed)
        again = attack.of(*other, seed)
        assert alone == again
        assert again is None or not any("qqzzqq" in turn.text for turn in again.transcript.turns)


def test_seeds_give_different_mutants_and_alike_ones_count_once() -> None:
    rubric = RUBRICS["collections"]
    case = case_of([("agent", AGENT[0]), ("user", USER[1]), ("agent", AGENT[2])], rubric)
    assert len(BY_NAME["self_praise"].mutants([case], rubric, 40)) == 5  # its five wordings
    assert len(BY_NAME["key_dot"].mutants([case], rubric, 40)) == 1


COLLECTIONS = [
    ("agent", "Hello Caoimhe, Declan here. It's €123 altogether. What could you put towards it?"),
    ("user", "my hours got cut since halloween, 20 euros a fortnight is what i can do"),
    ("agent", "€20 a fortnight it is. I'll send the plan to your inbox tonight."),
    ("user", "grand"),
    ("agent", "So that's €20 every second Friday. Good luck with the café."),
]


def put_into(name: str, said=COLLECTIONS, rubric="collections", **more) -> list[tuple[tuple[int, ...], str]]:
    found = BY_NAME[name].mutants([case_of(said, RUBRICS[rubric], **more)], RUBRICS[rubric], 30)
    return [(mutant.after, mutant.transcript.turns[mutant.after[0]].text) for mutant in found]


def test_a_lost_amount_is_one_that_was_named() -> None:
    for (at,), text in put_into("lost_amount"):
        assert at in (2, 4) and "€20" not in text and "€" in text


def test_a_contradicted_promise_is_one_that_was_made() -> None:
    found = put_into("contradicted_promise")
    assert found and all(at == (4,) and "send the plan to your inbox tonight" in text for at, text in found)


def test_a_forgotten_hardship_is_one_that_was_told() -> None:
    found = put_into("forgotten_hardship")
    assert {at for at, _ in found} == {(2,), (4,)}
    assert all("full pay" in text or "your income" in text for _, text in found)


def test_a_repeated_question_is_one_that_was_answered() -> None:
    assert all("What could you put towards it?" in text for _, text in put_into("repeated_question"))


@pytest.mark.parametrize("name", ["lost_amount", "contradicted_promise", "forgotten_hardship", "repeated_question"])
def test_faults_need_something_to_be_wrong_about_and_room_to_fall(name: str) -> None:
    nothing = [("agent", "Good day."), ("user", "hm"), ("agent", "It is windy."), ("user", "so it is"), ("agent", "Indeed.")]
    assert put_into(name, nothing) == []
    assert put_into(name, level=1) == []  # people find those turns bad already


def test_a_violation_stays_in_the_words_and_only_its_turn_is_compared() -> None:
    said = [("agent", "Pay or go to jail."), ("user", "what"), ("agent", "Today.")]
    assert all(at == (0,) and text.startswith("Pay or go to jail. ") for at, text in put_into("apology_same_turn", said, violated=0))
    assert all(at == (0,) and text == "Pay or go to jail." for at, text in put_into("apology_next_turn", said, violated=0))
    assert put_into("apology_same_turn", said) == []
    assert put_into("apology_next_turn", said, violated=2) == []  # no turn after it


def test_a_claim_is_false() -> None:
    assert put_into("claimed_outcome", outcome="HANGUP")
    assert put_into("claimed_outcome", outcome="PAYMENT_SECURED") == []


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("$1,188.00, or 40 bucks", "€", "€1,188.00, or 40 euros"),
        ("R$ 80 and R$240", "£", "£80 and £240"),
        ("35€ now, 12 GBP later, 5 dollars", "$", "35 USD now, 12 USD later, 5 dollars"),
        ("two pounds of tea, really", "$", "two pounds of tea, really"),
        ("€20", "R$ ", "R$ 20"),
    ],
)
def test_currencies_change_and_figures_stay(text: str, target: str, expected: str) -> None:
    assert currency.converted(text, next(one for one in currency.CURRENCIES if one.sign == target)) == expected


def test_names_are_changed_everywhere_and_keep_what_follows_them() -> None:
    said = [
        ("agent", "Hello Mrs Mannion, is that a bad time?"),
        ("user", "mannion's the name, and Mannion's bill is mine"),
        ("agent", "Mrs. Mannion, madam, I see."),
    ]
    case = case_of(said, RUBRICS["collections"])
    assert names.named(case) == names.Named(frozenset(), frozenset({"Mannion"}), "female")
    for seed in range(4):
        mutant = BY_NAME["names_arabic"].of(case, RUBRICS["collections"], seed)
        told = "\n".join(turn.text for turn in mutant.transcript.turns)
        name = mutant.put_in.split(" for ")[0]
        assert "mannion" not in told.lower() and f"{name}'s bill" in told and f"{name.lower()}'s the name" in told and "Mrs" in told
    other = BY_NAME["other_sex"].of(case, RUBRICS["collections"], 0)
    assert [turn.text for turn in other.transcript.turns] == [
        "Hello Mr Mannion, is that a bad time?",
        "mannion's the name, and Mannion's bill is mine",
        "Mr. Mannion, sir, I see.",
    ]


@pytest.mark.parametrize(
    "text", ["Good day, Rheinmoda customer accounts.", "Hi, Tevita here, a real person.", "Hello there, I see.", "OK."]
)
def test_what_is_no_customers_name(text: str) -> None:
    assert BY_NAME["names_english"].of(case_of([("agent", text)], RUBRICS["support"]), RUBRICS["support"], 0) is None


@given(
    st.lists(st.sampled_from(["It is so.", "Mr. Lee came!", "Why?", "Wait… no", "Costs 3.50 now.", '"Yes." Fine.']), min_size=1, max_size=6)
)
def test_sentences_are_all_of_the_text(parts: list[str]) -> None:
    text = " ".join(parts)
    assert " ".join(sentences(text)) == text


@given(st.sampled_from(AGENT), st.integers(0, 99))
def test_style_keeps_the_words(text: str, seed: int) -> None:
    assert style.bold(text, Random(seed)).replace("**", "") == text
    assert style.bulleted(text, Random(seed)).replace("- ", "").replace("\n", " ") == text
    longer = style.padded(text, Random(seed))
    assert longer.startswith(text) and len(longer) >= 1.5 * len(text)


@given(st.sampled_from(USER), st.integers(0, 99))
def test_noise_keeps_figures(text: str, seed: int) -> None:
    def figures(told: str) -> list[str]:
        return [word.strip("$.,") for word in told.split() if any(c.isdigit() for c in word)]

    assert figures(noise.misspelt(text, Random(seed))) == figures(text) == figures(noise.transcribed(text, Random(seed)))


@given(st.from_regex(r"[1-9][0-9]{1,4}(,[0-9]{3})?(\.[0-9]{2})?", fullmatch=True), st.integers(0, 99))
def test_a_wrong_figure_is_another_one_of_the_same_form(figure: str, seed: int) -> None:
    other = amounts.wrong(figure, f"it was {figure}", Random(seed))
    if other is not None:
        assert other != figure and len(other) == len(figure)
        assert [c for c in other if not c.isdigit()] == [c for c in figure if not c.isdigit()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll post one letter, and ring.", [("kept", "post one letter")]),
        ("We will waive the ₦51,900 in fees.", [("kept", "waive the ₦51,900 in fees")]),
        ("I won't call your work again.", [("broken", "call your work again")]),
        ("I've just refunded the double charge.", [("done", "refunded the double charge")]),
        ("You'll have the answer by five.", [("given", "have the answer by five")]),
        ("I'll be honest. I'll see what I can do. Will I send it? I've got it.", []),
    ],
)
def test_promises(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(faults.promises(text)) == expected


def test_the_catalogue_has_every_family_and_each_name_once() -> None:
    assert len(BY_NAME) == len(CATALOGUE)
    assert {attack.family for attack in CATALOGUE} == set(Family) - {Family.CONTROL, Family.FOUND}
    assert [attack.name for attack in chosen(["fairness"], CATALOGUE)] == [a.name for a in CATALOGUE if a.family is Family.FAIRNESS]
    with pytest.raises(UsageProblem, match="did you mean 'padding'"):
        chosen(["paddin"], CATALOGUE)
