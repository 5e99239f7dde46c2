import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_set.audit.draw import pick
from golden_set.audit.frame import Frame, Scored
from golden_set.audit.hunt import hunted
from golden_set.audit.strata import Layer, allocate, doubled, drawn_from, rare_budget, stratified

OUTCOMES = ("PAID", "HANGUP", "CALLBACK")


def make_frame(
    count: int, *, flagged: int = 0, seed: int = 0, outcomes: tuple[str | float | None, ...] = OUTCOMES, ties: bool = False
) -> Frame:
    """Return a frame of random ratings; the first few are flagged."""
    rng = np.random.default_rng(seed)
    frame = Frame(means=("listens",), keys=("policy",), slices=("policy",))
    for at in range(count):
        handling = float(rng.choice([-0.5, 0.5])) if ties else float(rng.uniform(-1, 1))
        frame.rows.append(
            Scored(
                id=f"call-{at}",
                content_hash=f"{(at * 7919) % 100_003:064x}",
                outcome=outcomes[int(rng.integers(len(outcomes)))],
                values=(f"v{at % 2}",),
                reward=handling + 1,
                worth=float(rng.uniform(-1, 1)),
                handling=handling,
                spread=float(rng.uniform(0, 0.5)),
                means=(handling,),
                violated=("honest",) if at < flagged else (),
            )
        )
    return frame


def sizes(layers: list[Layer]) -> dict[str, tuple[int, int]]:
    return {layer.name: (len(layer.members), layer.drawn) for layer in layers}


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.integers(0, 2000))
def test_an_allocation_is_whole_and_nearly_proportional(strata: list[int], n: int) -> None:
    drawn = allocate(strata, n)
    assert sum(drawn) == min(n, sum(strata))
    for size, count in zip(strata, drawn, strict=True):
        assert 0 <= count <= size
        assert abs(count - min(1, n / sum(strata)) * size) < 1


def test_largest_remainders() -> None:
    # 10 of 50, 30, 20 by hundredths: 5, 3, 2. 10 of 5, 3, 3: shares 4.545, 2.727, 2.727; the two remainders .727 get one each.
    assert allocate([50, 30, 20], 10) == [5, 3, 2]
    assert allocate([5, 3, 3], 10) == [4, 3, 3]
    assert allocate([1, 2], 7) == [1, 2]


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 300),
    share=st.floats(0, 1),
    n=st.integers(4, 150),
    rare=st.none() | st.integers(0, 150),
    seed=st.integers(0, 5),
    by=st.sampled_from([("outcome", "band"), ("band",), ("outcome",), ("policy", "outcome", "band"), ()]),
)
def test_every_episode_has_one_stratum_from_which_two_are_drawn_or_all(count, share, n, rare, seed, by) -> None:  # type: ignore[no-untyped-def]
    flagged = int(share * count)
    frame = make_frame(count, flagged=flagged, seed=seed, ties=seed == 5)
    layers, spent = stratified(frame, n, by=by, rare=rare)
    assert sorted(at for layer in layers for at in layer.members) == list(range(count))
    assert len({layer.name for layer in layers}) == len(layers)
    assert sum(layer.drawn for layer in layers) == min(n, count)
    assert 0 <= spent <= n
    for layer in layers:
        assert min(2, len(layer.members)) <= layer.drawn <= len(layer.members)
        assert (layer.name == "flagged") == any(frame.rows[at].violated for at in layer.members)
        bands = {int(frame.bands[at]) for at in layer.members}
        named = layer.name.rsplit("/", 1)[-1]
        if "band" in by and named in ("low", "middle", "high"):
            assert bands == {("low", "middle", "high").index(named)}


def test_half_of_the_rare_budget_goes_where_the_judge_sees_a_violation() -> None:
    # 120 of 3,000 of which 300 are flagged: two thirds are 80, half of them 40; the other 80 go to 2,700 in proportion.
    layers, spent = stratified(make_frame(3000, flagged=300), 120)
    found = sizes(layers)
    assert (spent, found.pop("flagged")) == (80, (300, 40))
    assert sum(drawn for _, drawn in found.values()) == 80
    assert len(found) == 9
    for size, drawn in found.values():
        assert abs(drawn - 80 * size / 2700) < 1


@pytest.mark.parametrize(
    ("count", "flagged", "n", "rare", "drawn", "spent"),
    [
        (3000, 10, 120, None, 10, 80),  # all there are; what is not needed goes to the others
        (3000, 300, 120, 30, 15, 30),
        (3000, 300, 120, 31, 16, 31),
        (3000, 300, 120, 0, 12, 0),  # without a budget, their share
        (3000, 1, 120, 0, 1, 0),  # but never none
        (3000, 1500, 120, None, 60, 0),  # half of the log is not rare
        (3000, 0, 120, 60, 0, 0),
        (3000, 300, 4, None, 2, 3),  # two for the others, too
        (50, 45, 48, 10, 43, 10),  # there are only five others
        (30, 10, 120, None, 10, 20),  # everything
    ],
)
def test_what_is_drawn_of_the_flagged(count: int, flagged: int, n: int, rare: int | None, drawn: int, spent: int) -> None:
    layers, told = stratified(make_frame(count, flagged=flagged), n, rare=rare)
    assert sizes(layers).get("flagged", (0, 0)) == (flagged, drawn)
    assert told == spent
    assert sum(layer.drawn for layer in layers) == min(n, count)


def test_the_default_budget() -> None:
    assert [rare_budget(100, flagged, 120) for flagged in (0, 1, 33, 34)] == [0, 80, 80, 0]


def test_small_strata_are_merged_with_the_next_band_and_then_with_the_others() -> None:
    # By hand: 12 of 120. A share of two is 20 episodes. PAID has 30, 30, 30; HANGUP 5 low, 16 middle, 1 high; ODD 8 in all.
    frame = make_frame(0)
    template = make_frame(1).rows[0]
    shape = {("PAID", -0.9): 30, ("PAID", 0.0): 30, ("PAID", 0.9): 30, ("HANGUP", -0.9): 5, ("HANGUP", 0.0): 16, ("HANGUP", 0.9): 1}
    shape |= {("ODD", -0.9): 5, ("ODD", 0.9): 3}
    for (outcome, handling), count in shape.items():
        for _ in range(count):
            values = {name: getattr(template, name) for name in template.__slots__}
            values |= {"id": str(len(frame.rows)), "content_hash": f"{len(frame.rows):064x}", "outcome": outcome, "handling": handling}
            frame.rows.append(Scored(**values))
    found = sizes(stratified(frame, 12)[0])
    # The cuts: 40 of 120 are low (to -0.9), 46 middle, 34 high. HANGUP becomes one of 22; ODD's eight are too few and take
    # the smallest other with them.
    assert found == {"PAID/low": (30, 3), "PAID/middle": (30, 3), "PAID/high": (30, 3), "other": (30, 3)}


def test_equal_ratings_share_a_band() -> None:
    frame = make_frame(40, ties=True)
    for value in (-0.5, 0.5):
        assert len({int(band) for band, row in zip(frame.bands, frame.rows, strict=True) if row.handling == value}) == 1


def test_names_of_strata_differ_whatever_the_outcomes_are_called() -> None:
    frame = make_frame(60, flagged=5, outcomes=("flagged", "other", "a"))
    layers, _ = stratified(frame, 30, by=("outcome",))
    assert len({layer.name for layer in layers}) == len(layers) == 4


def test_inclusion_probabilities_are_true() -> None:
    """2,000 draws: every episode is drawn as often as its stratum says, within four standard errors; weighted totals are unbiased."""
    frame, draws = make_frame(90, flagged=12), 2000
    layers, _ = stratified(frame, 24)
    probability = np.zeros(90)
    for layer in layers:
        probability[list(layer.members)] = layer.stratum.inclusion
    rng = np.random.default_rng(1)
    often, totals = np.zeros(90), np.zeros(draws)
    reward = np.array([row.reward for row in frame.rows])
    for number in range(draws):
        drawn = list(drawn_from(frame, layers, rng))
        often[drawn] += 1
        totals[number] = (reward[drawn] / probability[drawn]).sum()
    error = np.sqrt(probability * (1 - probability) / draws)
    assert (np.abs(often / draws - probability) <= 4 * error + 1e-12).all()
    assert abs(totals.mean() - reward.sum()) < 4 * totals.std(ddof=1) / np.sqrt(draws)


def test_who_is_rated_twice_is_a_random_part_of_every_stratum() -> None:
    frame = make_frame(400, flagged=40)
    layers, _ = stratified(frame, 120)
    rng = np.random.default_rng(0)
    often: dict[int, int] = {}
    drawn = drawn_from(frame, layers, rng)
    for _ in range(300):
        twice = doubled(drawn, layers, 0.25, rng)
        assert len(twice) == 30
        for at in twice:
            often[at] = often.get(at, 0) + 1
    for layer in layers:
        inside = [at for at, its in drawn.items() if its is layer]
        count = sum(often.get(at, 0) for at in inside) / 300
        assert abs(count - len(inside) / 4) < 1
        for at in inside:  # four standard errors of a share of 300 draws
            share = count / len(inside)
            assert abs(often.get(at, 0) / 300 - share) <= 4 * np.sqrt(share * (1 - share) / 300) + 1e-9
    assert doubled(drawn, layers, 0, rng) == set()
    assert doubled(drawn, layers, 1, rng) == set(drawn)


def test_the_hunt_takes_turns_between_the_unsure_and_the_contradicted() -> None:
    frame = make_frame(200)
    first, second = hunted(frame, 2)
    assert first == max(range(200), key=lambda at: frame.rows[at].spread)
    # Ranks by their definition: how many lie below.
    handled = [sum(other.handling < row.handling for other in frame.rows) for row in frame.rows]
    worth = [sum((other.worth or 0) < (row.worth or 0) for other in frame.rows) for row in frame.rows]
    assert second == max(range(200), key=lambda at: abs(handled[at] - worth[at]))
    told = hunted(frame, 10, without={first, second})
    assert len(told) == 10
    assert not {first, second} & told.keys()
    assert [why.split(":")[0] for why in told.values()] == ["the judge is unsure", "judge and outcome disagree"] * 5
    assert f"a rating has a spread of {frame.rows[next(iter(told))].spread:.0%} of its scale" in next(iter(told.values()))
    assert hunted(make_frame(0), 5) == {}
    assert len(hunted(make_frame(3), 20)) == 3


def test_names_on_forms_say_nothing_and_the_same_seed_draws_the_same() -> None:
    frame = make_frame(500, flagged=30)
    layers, _ = stratified(frame, 60)
    picked = pick(frame, layers, seed=5, double=0.25, hunt=20)
    assert picked == pick(frame, layers, seed=5, double=0.25, hunt=20)
    assert {one.row for one in picked} != {one.row for one in pick(frame, layers, seed=6, double=0.25, hunt=20)}
    assert [one.item for one in picked] == [f"e{number:03}" for number in range(1, 81)]
    assert sum(one.layer is None for one in picked) == 20
    assert all(bool(one.why) == (one.layer is None) and not (one.twice and one.layer is None) for one in picked)
    assert sum(one.twice for one in picked) == 15
    # The first half of the form is a random part: over many seeds, hunted episodes fall there half of the time.
    first = [sum(one.layer is None for one in pick(frame, layers, seed=seed, double=0, hunt=20)[:40]) for seed in range(60)]
    assert abs(np.mean(first) - 10) < 4 * np.std(first, ddof=1) / np.sqrt(60)


def test_the_order_of_the_log_plays_no_part() -> None:
    frame = make_frame(300, flagged=30)
    turned = make_frame(0)
    turned.rows = frame.rows[::-1]
    drawn = [{one.rows[at].id for at in drawn_from(one, stratified(one, 50)[0], np.random.default_rng(3))} for one in (frame, turned)]
    assert drawn[0] == drawn[1]
