"""One sales call: Gymnasium's own check, the same rules as the batch, and words that fit what happens."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from dialogue.environments.sales_batch import SalesCalls, make_sales_calls
from dialogue.environments.sales_call import SalesCall
from dialogue.environments.sales_optimum import best
from dialogue.environments.sales_rules import sales_rules

RULES = sales_rules()


def test_gymnasium_has_nothing_to_say() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("judge/SalesCall-v0").unwrapped)


def test_it_goes_by_the_rules_of_the_batch() -> None:
    single, batch = SalesCall(), make_sales_calls(1)
    rng = np.random.default_rng(3)
    for seed in range(20):
        seen, info = single.reset(seed=seed)
        names = [(RULES.buyer(k)[0].name, RULES.buyer(k)[1].name) for k in range(64)]
        buyer = np.array([names.index((info["situation"], info["need"]))])
        batch.reset(np.random.SeedSequence(0))
        batch.restore(batch.state() | {"buyers": buyer, "observations": np.asarray(seen)[None]})
        assert np.array_equal(seen, np.append(RULES.embeddings[buyer[0], 0], np.zeros(4)).astype(np.float32))
        for turn in range(4):
            action = rng.random(4).astype(np.float32)
            seen, reward, terminated, truncated, info = single.step(action)
            step = batch.step(action[None].astype(float))
            terms = info["reward_terms"]
            assert reward == pytest.approx(sum(terms.values()))
            assert terminated == (turn == 3) == step.terminated[0]
            assert not truncated
            if turn < 3:  # the ending is drawn
                assert reward == pytest.approx(step.rewards[0], abs=1e-12)
                assert np.allclose(seen, step.observations[0], atol=1e-6)
        assert {rung.outcome: rung.value for rung in RULES.endings}[info["outcome"]] == terms["outcome"]
        worth = -0.8 + 1.8 * (seen[-3] + 1) / 2  # mean sentiment is 2 * mean fit - 1
        assert terms["outcome"] in (max(RULES.rungs[RULES.rungs <= worth + 1e-6]), min(RULES.rungs[RULES.rungs >= worth - 1e-6]))


def test_returns_are_those_of_the_batch_on_average() -> None:
    single, total = SalesCall(), []
    single.reset(seed=0)
    for _ in range(400):
        single.reset()
        total.append(sum(single.step(np.full(4, 0.5))[1] for _ in range(4)))
    env = SalesCalls(20_000, RULES)
    env.reset(np.random.SeedSequence(1))
    many = sum(env.step(np.full((20_000, 4), 0.5)).rewards for _ in range(4))
    assert abs(np.mean(total) - many.mean()) < 4 * np.std(total) / 20


def play(good: bool, seed: int) -> tuple[SalesCall, list[dict]]:
    env = SalesCall(render_mode="ansi")
    _, info = env.reset(seed=seed)
    infos, plan = [info], best(RULES).actions
    names = [(RULES.buyer(k)[0].name, RULES.buyer(k)[1].name) for k in range(64)]
    for turn in range(4):
        wanted = plan[names.index((info["situation"], info["need"])), turn]
        infos.append(env.step(wanted if good else (wanted < 0.5).astype(float))[4])
    return env, infos


def test_both_sides_say_what_happens() -> None:
    for seed in range(8):
        env, good = play(True, seed)
        lines = env.render().splitlines()
        assert [line.split(":")[0] for line in lines] == ["Buyer"] + ["Agent", "Buyer"] * 4
        situation, need = next(
            (s, n) for s in RULES.situations for n in RULES.needs if s.name == good[0]["situation"] and n.name == good[0]["need"]
        )
        assert lines[0] == f"Buyer: {situation.says} {need.says[0]}"
        for turn in range(1, 4):
            assert lines[2 * turn].endswith(need.says[turn])
            assert any(lines[2 * turn].startswith(f"Buyer: {word}") for word in RULES.reactions.warm)
        assert good[-1]["outcome"] == "SALE_CLOSED" or good[-1]["outcome"] == "TRIAL_STARTED"
        assert "{" not in env.render()
        _, bad = play(False, seed)
        assert all(any(info["user_text"].startswith(word) for word in RULES.reactions.cool) for info in bad[1:4] if info["fit"] < 1 / 3)
        assert bad[-1]["outcome"] in ("DNC_REQUESTED", "HANGUP", "NOT_INTERESTED")


def test_an_action_decides_what_is_said() -> None:
    env = SalesCall()
    _, info = env.reset(seed=2)
    need = next(n for n in RULES.needs if n.name == info["need"])
    assert env.step(np.zeros(4))[4]["agent_text"] in RULES.agent.silent
    said = env.step(np.array([0, 0.7, 0, 0]))[4]["agent_text"]
    assert need.value in said
    assert need.technical not in said
    said = env.step(np.array([0, 0, 0.4, 0.9]))[4]["agent_text"]
    assert need.technical in said
    assert any(said.endswith(line) for line in RULES.agent.closing.strong)


def test_the_same_seed_gives_the_same_words() -> None:
    assert play(True, 5)[0].render() == play(True, 5)[0].render()
    assert play(True, 5)[0].render() != play(True, 6)[0].render()


def test_a_call_that_is_over_goes_on_only_after_reset() -> None:
    env = SalesCall()
    with pytest.raises(ValueError, match="reset"):
        env.step(np.zeros(4))
