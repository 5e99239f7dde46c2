"""The experiments on published findings: what they compute is right and comes again byte for byte; that a finding holds is no test."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from dialogue.environments.call_model import ENCODING, call_model
from dialogue.environments.call_policies import script, uniform
from dialogue.environments.call_words import ACTIONS, Action
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact import local_optima
from dialogue.environments.exact_call import ExactCall, exact_call
from reports import finding_shaping, findings
from reports.finding_judge import exact_q, resampled
from reports.finding_log import BLEND, FULL, NO_VETO, OUTCOME, OWN, PLACE, Visits, behaviour, judged, lawful
from reports.finding_shaping import HAND, IDEAL, KIND, NAIVE, NONE, SCRIPT, agreement, shapings
from reports.seeded import Estimate, Verdict, above, below, over_seeds, within
from reports.shaped_calls import ShapedCalls, by_hand, potential_based, shaped, values_seen, visits

DOCS = Path(__file__).parents[2] / "docs"
FILES = ["findings-1.svg", "findings-2.svg", "findings-3.svg", "findings.html", "findings.json", "findings.md"]


@pytest.fixture(scope="module", autouse=True)
def remembered() -> Iterator[None]:
    """A search for the best policy takes half a second, is seeded and has tests of its own: the same one is made once."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (findings, finding_shaping):
            patch.setattr(module, "local_optima", searched)
        yield


FOUND: dict[tuple[bytes, int], Any] = {}


def searched(call: ExactCall, restarts: int) -> Any:
    key = call.rewards.tobytes(), restarts
    if key not in FOUND:
        FOUND[key] = local_optima(call, restarts)
    return FOUND[key]


@pytest.fixture(scope="module")
def call() -> ExactCall:
    return exact_call(call_model())


@pytest.fixture(scope="module")
def best(call: ExactCall) -> NDArray[np.float64]:
    """Return where one search for the best policy ends."""
    ((_, found),) = searched(call, 1)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the command wrote its quick form."""
    made = tmp_path_factory.mktemp("findings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["findings", "--quick", "--out", str(made)])
        findings.main()
    return made


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    findings.write(findings.experiment(findings.QUICK), tmp_path)
    for name in FILES:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name
    one, other = (findings.bandit_finding(exact_call(call_model()), np.random.SeedSequence(seed).spawn(2), (30,)) for seed in (1, 2))
    assert one.values != other.values


def test_the_page_and_the_pictures_are_sound_and_say_what_the_data_say(folder: Path, sound: Callable[[str], Any]) -> None:
    data = json.loads((folder / "findings.json").read_text())
    page = sound((folder / "findings.html").read_text())
    assert "quick form" in page.text
    summary = (folder / "findings.md").read_text()
    claims = [claim for part in ("bandit", "judge", "shaping") for claim in data[part]["claims"]]
    assert len(claims) == 4 + 8 + 5 + 3 * (2 * 3 + 2)
    for claim in claims:
        assert claim["verdict"] in set(Verdict) and claim["says"] in page.text
        assert Estimate(**claim["figure"]).told() in page.text and Estimate(**claim["figure"]).told() in summary
    assert re.search(r"Of 41 claims, \d+ hold, \d+ do not hold, \d+ are not shown", page.text)
    for number in (1, 2, 3):
        _picture(folder / f"findings-{number}.svg")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_committed_pictures_are_small_and_stand_alone(number: int) -> None:
    _picture(DOCS / f"findings-{number}.svg")
    assert f"](findings-{number}.svg)" in (DOCS / "findings.md").read_text(encoding="utf-8")


def _picture(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 60_000
    root = ElementTree.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "style", "polyline", "text"} <= tags and not tags & {"script", "image", "use", "foreignObject", "a"}
    assert "prefers-color-scheme: dark" in text and "url(" not in text and "href" not in text
    numbers = [float(part) for element in root.iter() for part in re.findall(r"-?\d+\.?\d*", element.get("points", ""))]
    _, _, width, height = map(float, root.get("viewBox", "").split())
    assert all(0 <= value <= max(width, height) for value in numbers)


def test_a_potential_keeps_the_order_of_all_policies_and_the_best_one(call: ExactCall, best: NDArray[np.float64]) -> None:
    """Law 5, computed: every policy's value changes by minus the mean potential of the beginning; the search ends where it did."""
    rng = np.random.default_rng(4)
    policies = rng.dirichlet(np.ones(4), (8, ENCODING.size))
    truth = [call.value(probs) for probs in policies]
    for name in (IDEAL, SCRIPT, HAND):
        shaping = shapings(call, best)[name]
        under = shaped(call, shaping)
        begins = float((call.starts * shaping.potential[call.seen[0]]).sum())
        assert abs(begins) > 0.005
        assert [under.value(probs) for probs in policies] == pytest.approx([value - begins for value in truth], abs=1e-12)
        ((_, found),) = searched(under, 1)
        assert (found == best).all()


@pytest.mark.parametrize("name", [NAIVE, KIND])
def test_naive_shaping_does_not(call: ExactCall, best: NDArray[np.float64], name: str) -> None:
    under = shaped(call, shapings(call, best)[name])
    policies = [script(), uniform(), lawful(script(), 0.5), np.eye(4)[np.full(ENCODING.size, 1)]]
    gained = [under.value(probs) - call.value(probs) for probs in policies]
    assert max(gained) - min(gained) > 0.1
    ((_, found),) = searched(under, 1)
    assert under.value(found) > under.value(best) and call.value(found) < call.value(best) - 0.1
    assert agreement(found.argmax(1), best.argmax(1), visits(call, best)) < 0.9


@pytest.mark.parametrize("name", [NONE, IDEAL, SCRIPT, HAND, NAIVE, KIND])
def test_the_batch_pays_what_the_matrices_say(call: ExactCall, best: NDArray[np.float64], name: str) -> None:
    """Over whole calls: a potential's terms sum to minus the potential of the beginning; the mean return is the exact value."""
    shaping, n = shapings(call, best)[name], 256
    plain, env = make_debt_calls(n), ShapedCalls(make_debt_calls(n), shaping)
    plain.reset(np.random.SeedSequence(5))
    seen = env.reset(np.random.SeedSequence(5))
    rng, probs = np.random.default_rng(6), lawful(script(), 0.5)
    earned, added, begun, returns = np.zeros(n), np.zeros(n), shaping.potential[seen], []
    for _ in range(200):
        actions = (probs[env.observations].cumsum(1) <= rng.random((n, 1))).sum(1)
        truth, came = plain.step(actions), env.step(actions)
        earned, added = earned + came.rewards, added + came.rewards - truth.rewards
        over = came.terminated
        assert (truth.terminated == over).all()
        if shaping.by_potential:
            assert added[over] == pytest.approx(-begun[over], abs=1e-12)
        returns += earned[over].tolist()
        earned, added, begun = (
            np.where(over, 0, earned),
            np.where(over, 0, added),
            np.where(over, shaping.potential[env.observations], begun),
        )
    exact = shaped(call, shaping).value(probs)
    assert len(returns) > 3000
    assert np.mean(returns) == pytest.approx(exact, abs=4.5 * np.std(returns) / len(returns) ** 0.5)


def test_values_seen_are_the_actions_values_weighed_by_the_policy(call: ExactCall, best: NDArray[np.float64]) -> None:
    probs = lawful(script(), 0.2)
    expected = (probs * call.q_values(probs)).sum(1)
    met = visits(call, probs) > 0
    assert values_seen(call, probs)[met] == pytest.approx(expected[met], abs=1e-12)
    assert (values_seen(call, probs)[~met] == 0).all() and np.isnan(expected[~met]).all()
    # NEGOTIATION is the fourth stage, .3; very positive is two steps above neutral, .2
    assert by_hand()[ENCODING.index({"fsm": "NEGOTIATION", "sentiment": "very positive", "turn": 1})] == pytest.approx(0.5)
    assert (
        potential_based("", by_hand()).by_potential
        and not shapings(call, best)[NAIVE].by_potential
        and not shapings(call, best)[KIND].by_potential
    )


def test_nobody_offers_a_plan_before_the_disclosure() -> None:
    probs = behaviour()
    assert probs.sum(1) == pytest.approx(np.ones(len(probs)))
    before = [ENCODING.index({"fsm": fsm, "sentiment": "neutral", "turn": 1}) for fsm in ("OPENING", "VERIFY", "DISCLOSURE")]
    assert (probs[before, ACTIONS.index(Action.OFFER_PLAN)] == 0).all() and (probs[before].min(1) == 0).all()
    assert (np.sort(probs[before])[:, 1] >= 0.2 / 3 - 1e-12).all()  # every other action at least its share of the floor
    assert probs[PLACE].tolist() == [0.25] * 4


def test_what_the_log_says_of_each_visit_adds_up() -> None:
    log = judged(150, 20, seed=3)
    found = log.visits
    assert log.calls == 150 and 20 < log.rated < 50
    assert found.earned[FULL] == pytest.approx(found.earned[OUTCOME] + found.earned[OWN])
    assert set(np.round(found.earned[OUTCOME], 6)) <= {1.0, 0.7, 0.3, -0.5, -0.3, -0.8} | {
        round(0.7 - 0.1 * k, 6) for k in range(1, 10)
    } | {round(1 - 0.1 * k, 6) for k in range(1, 10)}
    same = ~found.vetoed
    assert found.earned[BLEND][same] == pytest.approx(found.earned[NO_VETO][same])
    assert (found.earned[BLEND] <= found.earned[NO_VETO] + 1e-12).all()
    assert {name: one.episodes for name, one in log.logs.items()} == dict.fromkeys(("outcome", "blend", "rlaif"), 20)
    assert judged(150, 20, seed=3).visits.earned[BLEND].tolist() == found.earned[BLEND].tolist()


def test_means_are_of_visits_and_intervals_of_calls() -> None:
    """Two actions in four calls, by hand: PROCEED earned 0, 2, 4 (mean 2), EMPATHIZE 1, 5 (mean 3)."""
    few = Visits(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 3]), {}, np.zeros(5, int), np.zeros(5, bool))
    earned = {"x": np.array([0.0, 2.0, 4.0, 1.0, 5.0])}
    means, apart = resampled(few, earned, np.random.default_rng(0))
    assert (means["x"]["PROCEED"].value, means["x"]["EMPATHIZE"].value, apart["x"].value) == (2.0, 3.0, 1.0)
    assert means["x"]["OFFER_PLAN"] == Estimate(None)
    assert (means["x"]["PROCEED"].low, means["x"]["PROCEED"].high) == (1.0, 4.0)  # only the first call, or only the second
    rng = np.random.default_rng(1)
    actions, values = np.tile([0, 1], 100), rng.normal(size=200)
    once = Visits(actions, np.arange(200), {}, np.zeros(200, int), np.zeros(200, bool))
    often = Visits(actions.repeat(9), np.arange(200).repeat(9), {}, np.zeros(1800, int), np.zeros(1800, bool))
    _, one = resampled(once, {"x": values}, np.random.default_rng(2))
    _, other = resampled(often, {"x": values.repeat(9)}, np.random.default_rng(2))
    assert (one["x"].low, one["x"].high) == (other["x"].low, other["x"].high)  # a call told nine times is one call
    error = (values[actions == 0].var() / 100 + values[actions == 1].var() / 100) ** 0.5
    assert (one["x"].high or 0) - (one["x"].low or 0) == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_exact_shares_of_endings_sum_to_one_and_give_the_exact_worth() -> None:
    model = call_model()
    worth = model.rules.worth()
    shares = []
    for ending in range(len(worth)):
        only = np.zeros_like(worth)
        only[ending] = 1
        shares.append(exact_q(model, only))
    for action in ACTIONS:
        assert sum(share[action] for share in shares) == pytest.approx(1, abs=1e-5)
    unhurried = np.repeat(worth[:, :1], worth.shape[1], axis=1)  # without what long calls lose
    assert exact_q(model, unhurried)["PROCEED"] == pytest.approx(
        sum(share["PROCEED"] * value for share, value in zip(shares, unhurried[:, 0], strict=True)), abs=1e-5
    )


def test_intervals_over_seeds_are_students() -> None:
    values = [0.1, 0.4, 0.35, 0.8]
    expected = ttest_1samp(values, 0).confidence_interval()
    found = over_seeds(values)
    assert (found.low, found.high, found.n) == (pytest.approx(expected.low, abs=1e-6), pytest.approx(expected.high, abs=1e-6), 4)
    assert over_seeds([2.0]) == Estimate(2.0, n=1)


@pytest.mark.parametrize(
    ("figure", "is_above", "is_below", "is_within"),
    [
        (Estimate(0.5, 0.3, 0.7), Verdict.HOLDS, Verdict.FAILS, Verdict.FAILS),
        (Estimate(-0.5, -0.7, -0.3), Verdict.FAILS, Verdict.HOLDS, Verdict.FAILS),
        (Estimate(0.25, 0.1, 0.4), Verdict.UNSHOWN, Verdict.UNSHOWN, Verdict.UNSHOWN),
        (Estimate(0.0, -0.1, 0.1), Verdict.FAILS, Verdict.HOLDS, Verdict.HOLDS),
        (Estimate(0.0, -0.4, 0.4), Verdict.UNSHOWN, Verdict.UNSHOWN, Verdict.UNSHOWN),
        (Estimate(9.0), Verdict.UNSHOWN, Verdict.UNSHOWN, Verdict.UNSHOWN),
    ],
)
def test_a_verdict_needs_the_whole_interval(figure: Estimate, is_above: Verdict, is_below: Verdict, is_within: Verdict) -> None:
    assert (above(figure, 0.2), below(figure, 0.2), within(figure, 0.2)) == (is_above, is_below, is_within)


def test_each_bandit_is_compared_with_q_both_ways(folder: Path) -> None:
    found = json.loads((folder / "findings.json").read_text())["bandit"]
    assert found["marks"] == [30, 100]
    for at, bandit in ((0, "bandit without context"), (2, "bandit")):
        few, many = found["claims"][at], found["claims"][at + 1]
        assert few["says"] == f"After 100 episodes {bandit} beats Q" and many["says"] == f"After 100 episodes Q beats {bandit}"
        difference = found["differences"][f"{bandit} − Q"][1]["value"]
        assert few["figure"]["value"] == difference and many["figure"]["value"] == pytest.approx(-difference)
        means = found["values"][bandit][1]["value"] - found["values"]["Q"][1]["value"]
        assert difference == pytest.approx(means, abs=2e-6)


@pytest.mark.parametrize(("args", "told"), [(["--seeds", "1"], "gives no interval"), (["--seed", "-1"], "below 0")])
def test_what_cannot_be_run_is_told(args: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["findings", *args])
    with pytest.raises(SystemExit, match=told):
        findings.main()
