"""Simulated dialogues: reproducible one by one, logged as the policy acted, and told apart by the local judge."""

from collections import defaultdict
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import chi2

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript
from judge.local import LocalJudge
from judge.rubric import load_rubric
from judge.verdict import mean_unit
from policies.behaviour import BlindPolicy, make_behaviour
from policies.environments import make_env
from policies.simulation import chooser, simulate
from policies.table import TablePolicy

SPACES = make_env("debt_call", 1).spaces
ENCODING = SPACES.encoding
assert ENCODING is not None


def drawn_policy(seed: int) -> TablePolicy:
    """Other probabilities in every observation; nothing is offered before the disclosure."""
    probs = np.random.default_rng(seed).dirichlet(np.ones(4), SPACES.observations)
    for index in range(len(probs)):
        if ENCODING.labels(index)["fsm"] in ("OPENING", "VERIFY", "DISCLOSURE"):
            probs[index] = [0.7, 0.15, 0, 0.15]
    return TablePolicy(SPACES, probs)


def test_dialogues_are_the_same_again_and_one_by_one() -> None:
    policy = drawn_policy(0)
    whole = list(simulate(policy, "debt_call", 12, 5))
    assert list(simulate(policy, "debt_call", 12, 5)) == whole
    assert [next(simulate(policy, "debt_call", 1, 5, first=k)) for k in reversed(range(12))] == whole[::-1]
    assert next(simulate(policy, "debt_call", 12, 6)).turns != whole[0].turns


def test_ids_are_unique_by_policy_seed_options_and_number() -> None:
    one, two = drawn_policy(0), drawn_policy(1)
    runs = [
        simulate(one, "debt_call", 5, 0),
        simulate(one, "debt_call", 5, 1),
        simulate(two, "debt_call", 5, 0),
        simulate(one, "debt_call", 5, 0, {"handling": 0.1}),
        simulate(one, "debt_call", 5, 0, {"handling": "0.2"}),
        simulate(one, "debt_call", 5, 0, name="mine"),
        simulate(one, "debt_call", 5, 0, first=5),
    ]
    ids = [dialogue.id for run in runs for dialogue in run]
    assert len(set(ids)) == len(ids) == 35
    assert next(simulate(one, "debt_call", 1, 3, name="mine", first=7)).id == "debt_call-mine-3-7"


def test_agent_turns_are_logged_as_the_policy_acted() -> None:
    policy = drawn_policy(2)
    for dialogue in simulate(policy, "debt_call", 60, 1):
        assert dialogue.outcome is not None
        assert dialogue.meta.keys() == {"env", "policy", "seed", "persona", "return"}
        assert [turn.role for turn in dialogue.turns] == [Role.AGENT, Role.USER] * (len(dialogue.turns) // 2)
        for number, at in enumerate(dialogue.agent_turns, start=1):
            turn = dialogue.turns[at]
            assert turn.state is not None and turn.action is not None and turn.state["turn"] == number
            assert turn.action_prob == policy.probs[ENCODING.index(turn.state), SPACES.actions.index(turn.action)]
        assert Transcript.model_validate_json(dialogue.model_dump_json()) == dialogue


def test_a_plan_before_the_disclosure_is_logged_as_a_violation() -> None:
    policy = make_behaviour("constant:OFFER_PLAN", "debt_call", SPACES)
    for dialogue in simulate(policy, "debt_call", 5, 0):
        assert dialogue.outcome == "COMPLIANCE_VIOLATION" and dialogue.meta["return"] == -2
        assert dialogue.turns[0].signals == ("COMPLIANCE_VIOLATION",) and dialogue.turns[1].signals == ()


def test_frequencies_fit_the_logged_probabilities() -> None:
    """Chi-square over all observations: the sum of (seen - expected)^2 / expected, 3 degrees of freedom for each observation."""
    policy = drawn_policy(3)
    seen = np.zeros_like(policy.probs)
    for dialogue in simulate(policy, "debt_call", 1500, 0):
        for at in dialogue.agent_turns:
            turn = dialogue.turns[at]
            assert turn.state is not None and turn.action is not None
            seen[ENCODING.index(turn.state), SPACES.actions.index(turn.action)] += 1
    expected = policy.probs * seen.sum(1, keepdims=True)
    use = (expected > 5).all(1) | ((expected > 5) | (policy.probs == 0)).all(1)
    parts = np.where(policy.probs[use] > 0, (seen[use] - expected[use]) ** 2 / np.maximum(expected[use], 1e-300), 0)
    freedom = int((policy.probs[use] > 0).sum() - use.sum())
    assert freedom > 50 and seen[policy.probs == 0].sum() == 0
    assert 0.0005 < chi2.sf(parts.sum(), freedom) < 0.9995


def test_a_table_is_looked_up_as_it_acts_itself() -> None:
    policy = drawn_policy(4)
    looks_up, one, two = chooser(policy), np.random.default_rng(9), np.random.default_rng(9)
    for observation in np.random.default_rng(1).integers(SPACES.observations, size=500).tolist():
        actions, probs = policy.act(np.array([observation]), two)
        assert looks_up(observation, one) == (actions[0], probs[0])


def test_a_row_that_sums_to_less_than_one_never_gives_an_action_without_probability() -> None:
    class Highest(np.random.Generator):
        def random(self, *_: object, **__: object) -> float:  # type: ignore[override]
            return float(np.nextafter(1.0, 0.0))

    probs = np.tile([0.1, 0.2, 0.7 - 1e-15, 0.0], (SPACES.observations or 0, 1))
    assert chooser(TablePolicy(SPACES, probs))(0, Highest(np.random.PCG64(0))) == (2, 0.7 - 1e-15)


def test_continuous_actions_are_json_and_their_densities_in_meta() -> None:
    spaces = make_env("sales_call", 1).spaces
    policy = BlindPolicy(spaces, np.zeros(0), np.zeros(0))
    dialogues = list(simulate(policy, "sales_call", 8, 0))
    assert list(simulate(policy, "sales_call", 4, 0, first=4)) == dialogues[4:]
    for dialogue in dialogues:
        assert dialogue.turns[0].role is Role.USER  # the buyer speaks first
        agent = [dialogue.turns[at] for at in dialogue.agent_turns]
        assert dialogue.meta["densities"] == [1.0] * len(agent)
        for turn in agent:
            assert turn.action_prob is None and turn.state is not None and turn.action is not None
            numbers = [float(part) for part in turn.action.strip("[]").split(",")]
            assert len(numbers) == 4 and all(0 <= number <= 1 and round(number, 4) == number for number in numbers)


@pytest.mark.parametrize(
    ("env", "n", "seed", "options", "told"),
    [
        ("debt_call", 0, 0, {}, "0 dialogues cannot be simulated; at least 1"),
        ("debt_call", 1, -1, {}, "the seed -1 is below 0; give a whole number from 0"),
        (
            "gym:FrozenLake-v1", 1, 0, {},
            "gym:FrozenLake-v1 has no words, so there is nothing to write down; environments that speak: debt_call, sales_call",
        ),
        (
            "debt_call", 1, 0, {"extra": 1},
            "the environment debt_call has no option 'extra' (did you mean 'extras'?); it has personas, handling, extras",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_once(env: str, n: int, seed: int, options: dict[str, int], told: str) -> None:
    """Not only when the first dialogue is asked for."""
    with pytest.raises(UsageProblem) as refused:
        simulate(drawn_policy(0), env, n, seed, options)
    assert str(refused.value) == told


def test_the_local_judge_tells_empathy_from_pressing_on() -> None:
    """In NEGOTIATION in a negative mood EMPATHIZE is rated clearly above PROCEED: by more than 0.25 of the scale from -1 to 1."""
    rubric = load_rubric("collections")
    judge = LocalJudge(rubric)
    probs = drawn_policy(0).probs.copy()
    for index in range(len(probs)):
        if ENCODING.labels(index)["fsm"] == "NEGOTIATION":
            probs[index] = [0.4, 0.4, 0.1, 0.1]
    rated: dict[str, list[float]] = defaultdict(list)
    for dialogue in simulate(TablePolicy(SPACES, probs), "debt_call", 350, 11):
        for rating in judge.verdict(dialogue).turns:
            turn = dialogue.turns[rating.turn]
            if turn.state and turn.state["fsm"] == "NEGOTIATION" and "negative" in str(turn.state["sentiment"]):
                rated[turn.action or ""].append(mean_unit(rating.ratings, rubric.turn))
    assert min(len(rated["PROCEED"]), len(rated["EMPATHIZE"])) > 50
    apart = fmean(rated["EMPATHIZE"]) - fmean(rated["PROCEED"])
    error = np.sqrt(sum(np.var(rated[action]) / len(rated[action]) for action in ("EMPATHIZE", "PROCEED")))
    assert apart - 3 * error > 0.25
