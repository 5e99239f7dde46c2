"""Named policies: what they do, with which probability, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.behaviour import behaviour_name, make_behaviour
from policies.environments import make_env
from policies.saved import save_policy
from policies.table import TablePolicy

DEBT = make_env("debt_call", 1).spaces
SALES = make_env("sales_call", 1).spaces
VECTORS = Spaces(("a", "b", "c"), width=5)


def test_tables_where_observations_are_counted() -> None:
    uniform = make_behaviour("uniform", "debt_call", DEBT)
    assert isinstance(uniform, TablePolicy) and (uniform.probs == 0.25).all()
    always = make_behaviour("constant:EMPATHIZE", "debt_call", DEBT)
    assert isinstance(always, TablePolicy) and (always.probs == [0, 1, 0, 0]).all()
    floored = make_behaviour("constant:EMPATHIZE", "debt_call", DEBT, 0.2)
    assert isinstance(floored, TablePolicy)
    assert np.allclose(floored.probs, [0.05, 0.85, 0.05, 0.05])  # 0.8 and a quarter of 0.2


def test_the_script_discloses_and_then_offers() -> None:
    script = make_behaviour("script", "debt_call", DEBT)
    assert isinstance(script, TablePolicy) and DEBT.encoding is not None

    def takes(fsm: str, sentiment: str) -> str:
        return DEBT.actions[int(script.probs[DEBT.encoding.index({"fsm": fsm, "sentiment": sentiment, "turn": 5})].argmax())]  # type: ignore[union-attr]

    assert [takes(fsm, "neutral") for fsm in ("OPENING", "DISCLOSURE", "NEGOTIATION", "COMMITMENT")] == [
        "PROCEED", "PROCEED", "OFFER_PLAN", "PROCEED"
    ]  # fmt: skip
    assert takes("NEGOTIATION", "very negative") == "EMPATHIZE"
    wide = make_env("debt_call", 1, {"extras": True}).spaces
    same = make_behaviour("script", "debt_call", wide)
    assert isinstance(same, TablePolicy) and wide.encoding is not None
    for index in range(0, wide.observations or 0, 977):  # further fields make no difference
        told = wide.encoding.labels(index)
        turn = {"< 4": 1, "4 to < 7": 4, "7 to < 11": 7, ">= 11": 11}[told["turn"]]
        assert (same.probs[index] == script.probs[DEBT.encoding.index({**told, "turn": turn})]).all()


def test_blind_policies_where_no_table_can_stand() -> None:
    rng = np.random.default_rng(0)
    seen = np.zeros((2000, 5))
    always, floored = (make_behaviour("constant:b", "toy", VECTORS, floor) for floor in (0.0, 0.3))
    assert (always.act(seen, rng)[0] == 1).all()
    actions, probs = floored.act(seen, rng)
    assert np.allclose(probs, np.where(actions == 1, 0.8, 0.1))  # 0.7 + 0.1, and a third of 0.3
    assert abs((actions == 1).mean() - 0.8) < 4 * np.sqrt(0.8 * 0.2 / 2000)  # four standard errors
    assert (floored.probs_of(seen, actions) == probs).all()
    assert (floored.greedy().act(seen, rng)[0] == 1).all()
    uniform, _ = make_behaviour("uniform", "toy", VECTORS).act(seen, rng)
    assert np.abs(np.bincount(uniform) / 2000 - 1 / 3).max() < 4 * np.sqrt(2 / 9 / 2000)


def test_continuous_actions_have_densities() -> None:
    rng = np.random.default_rng(0)
    seen = np.zeros((500, SALES.width))
    actions, densities = make_behaviour("uniform", "sales_call", SALES).act(seen, rng)
    assert actions.shape == (500, 4) and ((actions >= 0) & (actions <= 1)).all() and (densities == 1).all()
    always = make_behaviour("constant:0.1,0.2,0.3,1", "sales_call", SALES)
    assert (always.act(seen, rng)[0] == [0.1, 0.2, 0.3, 1]).all()
    assert always.probs_of(seen[:2], np.array([[0.1, 0.2, 0.3, 1], [0.1, 0.2, 0.3, 0.9]])).tolist() == [1, 0]


def test_a_policy_file_is_read_and_named_by_its_content(tmp_path: Path) -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(4), DEBT.observations)
    for name, table in (("one", probs), ("two", probs[::-1])):
        save_policy(TablePolicy(DEBT, table), tmp_path / f"{name}.json", {})
    read = make_behaviour(str(tmp_path / "one.json"), "debt_call", DEBT)
    assert isinstance(read, TablePolicy) and (read.probs == probs).all()
    one, two = (behaviour_name(str(tmp_path / f"{name}.json")) for name in ("one", "two"))
    assert one.startswith("one-") and two.startswith("two-") and one[4:] != two[4:] and len(one) == 12
    assert behaviour_name("constant:PROCEED", 0.05) == "constant-PROCEED+0.05"
    for env, spaces, told in (
        ("sales_call", SALES, "acts by PROCEED, EMPATHIZE, OFFER_PLAN, ASK_CLARIFY, sales_call by engagement, "),
        (
            "toy",
            Spaces(DEBT.actions, observations=7),
            "observes 120 distinct observations, toy with these options 7 distinct observations; ",
        ),
    ):
        with pytest.raises(UsageProblem) as refused:
            make_behaviour(str(tmp_path / "one.json"), env, spaces)
        assert str(refused.value).startswith(f"the policy {tmp_path}/one.json {told}")


def test_a_policy_file_acts_by_states_where_fields_or_actions_come_in_another_order(tmp_path: Path) -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(4), DEBT.observations)
    save_policy(TablePolicy(DEBT, probs), tmp_path / "p.json", {})
    wide = make_env("debt_call", 1, {"extras": True}).spaces
    turned = Spaces(DEBT.actions[::-1], observations=DEBT.observations, width=DEBT.width, encoding=DEBT.encoding)
    spread, back = (make_behaviour(str(tmp_path / "p.json"), "debt_call", spaces) for spaces in (wide, turned))
    assert isinstance(spread, TablePolicy) and isinstance(back, TablePolicy)
    assert (spread.probs == np.repeat(probs, 108, axis=0)).all()  # the further fields run fastest
    assert (back.probs == probs[:, ::-1]).all()


KNOWN = "uniform, script, constant:ACTION, FILE.json"
NO_FLOOR = "is no probability; give a number from 0 (none) to 1 (always at random), such as 0.05"
NO_FILE = "No such file or directory; name a file that `judge train` wrote"


@pytest.mark.parametrize(
    ("spec", "env", "floor", "told"),
    [
        ("scrpt", "debt_call", 0, f"unknown policy 'scrpt' (did you mean 'script'?); known: {KNOWN}"),
        ("constant", "debt_call", 0, f"unknown policy 'constant' (did you mean 'constant'?); known: {KNOWN}"),
        (
            "constant:PROCED", "debt_call", 0,
            "debt_call has no action 'PROCED' (did you mean 'PROCEED'?); it has PROCEED, EMPATHIZE, OFFER_PLAN, ASK_CLARIFY",
        ),
        ("script", "sales_call", 0, f"there is no script for sales_call; scripts are for debt_call; name another policy: {KNOWN}"),
        (
            "constant:0.5,2,0,0", "sales_call", 0,
            "constant:0.5,2,0,0 is no action of sales_call; give 4 numbers from 0 to 1 for engagement, value_proposition, "
            "technical_detail, closing, such as constant:0.5,0.5,0.5,0.5",
        ),
        ("nowhere.json", "debt_call", 0, f"cannot read the policy nowhere.json: {NO_FILE}"),
        ("uniform", "debt_call", 1.5, f"--floor 1.5 {NO_FLOOR}"),
        ("uniform", "debt_call", float("nan"), f"--floor nan {NO_FLOOR}"),
        (
            "uniform", "sales_call", 0.1,
            "--floor 0.1 is for actions with names; those of sales_call are continuous, and uniform tries them all",
        ),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused(spec: str, env: str, floor: float, told: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        make_behaviour(spec, env, SALES if env == "sales_call" else DEBT, floor)
    assert str(refused.value) == told
