"""The text of a debt call: no gap anywhere, nobody's name or sum changes, the disclosure is said where it is made, personas stay hidden."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue import datafile
from dialogue.environments.call_words import ACTIONS, EVENTS, LIVE, SENTIMENTS
from dialogue.environments.debt_wording import DebtWording
from dialogue.environments.debt_words import AgentFile, debt_words
from dialogue.environments.spoken_debt_call import SpokenDebtCall
from dialogue.environments.wording import cut_short, slots_of
from dialogue.errors import UsageProblem

PERSONAS = ("anxious", "busy", "cooperative", "hostile", "sceptical", "made up")
MIRANDA = "attempt to collect a debt"


def wording(persona: str, seed: int = 0) -> DebtWording:
    return DebtWording(debt_words(), persona, np.random.default_rng(seed).random(128).tolist())


def sound(text: str) -> bool:
    """Whether a text has no gap, no slot left over, no doubled space, and begins and ends as a sentence may."""
    return not re.search(r"[{}]|  |\bNone\b|\s[.,?!]", text) and text == text.strip() and text[-1] in ".?!*—" and not text[0].islower()


def calls(n: int, seed: int = 0, weights: tuple[float, ...] = (0.5, 0.2, 0.15, 0.15)) -> Iterator[list[tuple[str, str, str, str, str]]]:
    """Simulated calls as lists of (stage, action, agent, customer, stage after); no plan before the disclosure."""
    call, rng = SpokenDebtCall(), np.random.default_rng(seed)
    for _ in range(n):
        state, steps = call.begin(rng).state, []
        while True:
            action = int(rng.choice(4, p=weights))
            if action == 2 and state["fsm"] not in ("NEGOTIATION", "COMMITMENT"):
                action = 0
            said = call.act(action)
            steps.append((state["fsm"], ACTIONS[action], said.agent, said.user, said.state["fsm"]))
            state = said.state
            if said.over:
                break
        yield steps


@pytest.mark.parametrize("persona", PERSONAS)
def test_every_situation_has_words_for_both_sides(persona: str) -> None:
    """Every stage, action, event, mood and pending objection, whether the model can come there or not."""
    for number, stage in enumerate(LIVE):
        for action in ACTIONS:
            for event in EVENTS:
                for before in SENTIMENTS[1::2]:
                    for after in SENTIMENTS[::2]:
                        for objecting in (False, True):
                            told = wording(persona, number)
                            said = told.exchange(stage, before, action, event, after, objecting)
                            assert all(map(sound, said)), (said, stage, action, event, objecting)


steps = st.tuples(*map(st.sampled_from, (LIVE, SENTIMENTS, ACTIONS, EVENTS, SENTIMENTS, (False, True))))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PERSONAS), st.integers(0, 2**32 - 1), st.lists(steps, min_size=1, max_size=20))
def test_any_order_of_events_renders_without_gaps(persona: str, seed: int, order: list[tuple[str, str, str, str, str, bool]]) -> None:
    """Also what the model never does, such as a plan that is accepted before any was offered."""
    told = wording(persona, seed)
    for step in order:
        said = told.exchange(*step)
        assert all(map(sound, said)), said


def test_one_call_has_one_person_and_sums_that_agree() -> None:
    """Every sum is the balance or a plan of it, plans only fall, and what is accepted and confirmed is what was offered last."""
    confirmed = 0
    for steps in calls(300, weights=(0.35, 0.15, 0.4, 0.1)):
        text = " ".join(said for step in steps for said in step[2:4])
        names = {name for name in debt_words().facts.first if re.search(rf"\b{name}\b", text)} - set(debt_words().facts.agent)
        assert len(names) <= 1
        offered: list[int] = []
        balance = 0
        for stage, action, agent, customer, after in steps:
            sums = [int(found.replace(",", "")) for found in re.findall(r"\$([\d,]+\d|\d)", agent + " " + customer)]
            balance = max([balance, *sums]) if stage != "NEGOTIATION" or not offered else balance
            if stage == "NEGOTIATION" and action == "OFFER_PLAN" and not agent.endswith("—"):
                found = re.search(r"(\d+) (?:monthly )?payments|for (\d+) months|over (\d+) months", agent)
                monthly = min(int(one.replace(",", "")) for one in re.findall(r"\$([\d,]+)", agent))
                if found:
                    assert monthly * int(next(filter(None, found.groups()))) == balance
                assert monthly <= min(offered, default=monthly)
                offered.append(monthly)
            if "COMMITMENT" in (stage, after):
                told = re.findall(r"\$([\d,]+)", agent + (" " + customer if after != "NEGOTIATION" else ""))
                assert {int(one.replace(",", "")) for one in told} <= {offered[-1], balance}, (agent, customer)
                confirmed += len(told)
    assert confirmed > 100


def test_the_disclosure_is_said_where_it_is_made_and_no_sum_before() -> None:
    made = 0
    for steps in calls(400, seed=1):
        disclosed = False
        for stage, action, agent, _, after in steps:
            here = MIRANDA in agent
            assert not (stage in ("OPENING", "VERIFY") and (here or "$" in agent or "debt" in agent)), agent
            if stage == "DISCLOSURE" and after == "NEGOTIATION":
                assert here and action == "PROCEED" and "$" in agent, agent
                made += 1
            elif stage == "DISCLOSURE" and after == "DISCLOSURE":
                assert not here and "$" not in agent, agent
            disclosed = disclosed or here
            assert disclosed or stage not in ("NEGOTIATION", "COMMITMENT")
    assert made > 200


@pytest.mark.parametrize("stage", ["OPENING", "VERIFY", "DISCLOSURE"])
def test_a_plan_before_the_disclosure_speaks_of_the_debt_without_it(stage: str) -> None:
    for seed in range(12):
        agent, customer = wording("busy", seed).exchange(stage, "neutral", "OFFER_PLAN", "VIOLATION", "neutral", False)
        assert "$" in agent and MIRANDA not in agent
        assert "$" not in customer


def test_an_interrupted_line_breaks_off() -> None:
    for seed in range(20):
        agent, _ = wording("hostile", seed).exchange("NEGOTIATION", "negative", "EMPATHIZE", "INTERRUPTS", "negative", False)
        assert agent.endswith("—") and len(agent.split()) >= 3
    assert cut_short("Good morning, this is Dana from Northline.", 0.999) == "Good morning, this is Dana—"  # two of seven words are lost
    assert cut_short("Good morning, this is Dana from Northline.", 0.0) == "Good morning, this—"
    assert cut_short("Go on.", 0.5) == "Go on—"


def test_empathy_takes_up_what_the_customer_said_and_pressing_does_not() -> None:
    """An objection is answered by words about it; PROCEED asks for the whole balance whatever was said."""
    words = debt_words()
    every = (*words.facts.reasons, *words.early)
    for seed in range(40):
        call = wording("anxious", seed)
        first = call.exchange("NEGOTIATION", "neutral", "PROCEED", "OBJECTS", "negative", True)
        issue = next(one for one in every if any(first[1].endswith(line.format_map(call.speaker)) for line in one.told))
        kind, _ = call.exchange("NEGOTIATION", "negative", "EMPATHIZE", "VENTS", "negative", True)
        assert any(kind.startswith(line.format_map(call.speaker)) for line in issue.sorry), (issue.name, kind)
        pressed, _ = call.exchange("NEGOTIATION", "negative", "PROCEED", "REFUSES", "negative", True)
        assert pressed in [line.format_map(call.speaker) for line in words.agent["NEGOTIATION"]["PROCEED"]["objecting"]]
        assert not any(line.format_map(call.speaker) in pressed for line in issue.sorry)


def test_nothing_is_said_twice_while_there_is_something_else() -> None:
    for seed in range(30):
        call = wording("hostile", seed)
        call.exchange("NEGOTIATION", "neutral", "PROCEED", "OBJECTS", "negative", True)
        said = [call.exchange("NEGOTIATION", "negative", "PROCEED", "REFUSES", "negative", True)[0] for _ in range(10)]
        assert len(set(said)) == 10


def test_personas_are_hidden_and_calls_vary() -> None:
    texts = [" ".join(said for step in steps for said in step[2:4]) for steps in calls(200, seed=3)]
    assert len(set(texts)) == 200
    assert not any(
        re.search(r"\b(anxious|busy|cooperative|hostile|sceptical|persona)\b", re.sub("If you're busy", "", text)) for text in texts
    )
    assert len({steps[0][2] for steps in calls(200, seed=4)}) > 150


def test_the_same_draws_say_the_same() -> None:
    assert list(calls(5, seed=9)) == list(calls(5, seed=9))
    assert list(calls(5, seed=9)) != list(calls(5, seed=10))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("{daytime}, this is {agent} calling", "{dayttime}, this is {agent} calling"), "expected slots that can be filled, not dayttime"),
        (("[OPENING.PROCEED]\nfirst", "[OPENING.PROCEED]\nfrist"), "expected one of ACCEPTS_PART, DRIFTS, EXPLAINS"),
        (("{daytime}, this", "{daytime, this"), "expected braces in pairs around the name of a slot"),
    ],
)
def test_a_wrong_data_file_is_refused_where_it_is_wrong(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    shipped = Path(__file__).parents[3] / "dialogue/environments/wording/debt_agent.toml"
    file = tmp_path / "agent.toml"
    text = shipped.read_text(encoding="utf-8")
    assert change[0] in text
    file.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(UsageProblem, match=re.escape(told)) as refused:
        datafile.load(file, AgentFile)
    assert str(refused.value).startswith(f"{file}:")


def test_slots_have_plain_names() -> None:
    assert slots_of("Good {daytime}, {first}.") == ["daytime", "first"]
    with pytest.raises(ValueError, match="expected braces in pairs around the name of a slot, not '0'"):
        slots_of("{0}")


def test_who_has_said_who_they_are_does_not_object_to_a_stranger() -> None:
    """That objection is raised before, and once there is talk of money it is one to paying a caller whom nobody can check."""
    words = debt_words()
    stranger = next(issue for issue in words.early if issue.becomes)
    raised = 0
    for seed in range(60):
        call = wording("sceptical", seed)
        _, said = call.exchange("VERIFY", "neutral", "PROCEED", "OBJECTS", "negative", True)
        raised += said.endswith(stranger.told)
        kind, _ = call.exchange("NEGOTIATION", "negative", "EMPATHIZE", "VENTS", "negative", True)
        if said.endswith(stranger.told):
            assert kind.startswith(tuple(line.format_map(call.speaker) for line in words.named[stranger.becomes].sorry))
        _, later = wording("sceptical", seed).exchange("DISCLOSURE", "neutral", "PROCEED", "OBJECTS", "negative", True)
        assert not later.endswith(stranger.told)
    assert 5 < raised < 55
