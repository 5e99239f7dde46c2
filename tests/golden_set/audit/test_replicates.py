"""Replicates of a calibration: how far they spread, what they leave alone, and that `judge calibrate` keeps them."""

from functools import cache

import numpy as np
import pytest

from golden_set.audit.calibration import fit_all, pooled
from golden_set.audit.monotone import fit_knots
from golden_set.audit.replicates import replicated
from judge.calibration import Calibration
from judge.replicates import Maps, Replicates
from tests.golden_set.audit.made_audit import DAY, RUBRIC, Told, label, make_audit, simulated


@cache
def made(drawn: int, count: int = 60) -> tuple[Calibration, Replicates]:
    audit, labels, _ = simulated(bias=0.6, drawn=drawn)
    evidences = [audit.evidence(labels)]
    calibration, _ = fit_all(evidences, RUBRIC, 0.9, DAY)
    return calibration, replicated(evidences, RUBRIC, calibration, count)


def test_every_criterion_with_a_map_has_as_many_and_they_never_fall() -> None:
    calibration, found = made(60)
    assert found.calibration == calibration.id and found.count == 60
    assert set(found.turn) == set(calibration.turn) and set(found.episode) == set(calibration.episode)
    for maps in (*found.turn.values(), *found.episode.values()):
        assert all((np.diff(one) >= 0).all() for one in maps.human)


def test_they_lie_around_the_map_and_closer_with_more_labels() -> None:
    """The spread of a mean goes with the root of the number of episodes: 60 against 240, half as far."""
    spreads = []
    for drawn in (60, 240):
        calibration, found = made(drawn)
        maps, curve = found.turn["listens"], calibration.turn["listens"]
        at = [np.interp(3.5, maps.judged, one) for one in maps.human]
        assert np.mean(at) == pytest.approx(curve.at(3.5), abs=0.1)
        spreads.append(np.std(at))
    assert spreads[1] == pytest.approx(spreads[0] / 2, rel=0.35)


def test_the_spread_is_that_of_other_audits() -> None:
    """What a map says of 3.5 over replicates of one audit, against what it says over 24 audits drawn anew."""
    audits = (simulated(bias=0.6, drawn=60, seed=seed)[:2] for seed in range(1, 25))
    fitted = (fit_all([audit.evidence(labels)], RUBRIC, 0.9, DAY)[0] for audit, labels in audits)
    others = [calibration.turn["listens"].at(3.5) for calibration in fitted]
    maps = made(60, count=200)[1].turn["listens"]
    at = [np.interp(3.5, maps.judged, one) for one in maps.human]
    assert np.std(at) == pytest.approx(np.std(others), rel=0.4)


def test_the_same_labels_give_the_same_replicates() -> None:
    once = made(40, count=5)
    made.cache_clear()
    assert made(40, count=5) == once


def test_an_episode_in_two_audits_is_drawn_once() -> None:
    """Two audits of the very same episodes and labels: as far spread as one, not as if there were twice as many."""
    audit, labels, _ = simulated(bias=0.6, drawn=60)
    one = audit.evidence(labels)
    again = type(one)(one.sample.model_copy(update={"name": "b"}), one.items, one.said, one.notes, one.answered)
    spreads = []
    for evidences in ([one], [one, again]):
        calibration, _ = fit_all(evidences, RUBRIC, 0.9, DAY)
        maps = replicated(evidences, RUBRIC, calibration, 100).turn["listens"]
        spreads.append(np.std([np.interp(3.5, maps.judged, human) for human in maps.human]))
    assert spreads[1] == pytest.approx(spreads[0], rel=0.15)


def test_a_flat_map_stays_flat() -> None:
    rng = np.random.default_rng(3)
    log = [Told(turns=((float(rng.integers(1, 6)), 1.0),) * 2, well=3.0) for _ in range(60)]
    audit = make_audit(log, range(40))
    said = [one for at in range(40) for one in label(f"e{at + 1:03}", "r1", [(float(rng.integers(1, 6)), 1.0)] * 2)]
    evidences = [audit.evidence(said)]
    calibration, _ = fit_all(evidences, RUBRIC, 0.9, DAY)
    assert calibration.turn["listens"].flat
    maps = replicated(evidences, RUBRIC, calibration, 30).turn["listens"]
    assert all(one[0] == one[-1] for one in maps.human) and len({one[0] for one in maps.human}) > 20


def test_knots_are_shared_and_lose_nothing() -> None:
    """A replicate that draws every episode once is the map itself, at the shared knots as at its own."""
    audit, labels, _ = simulated(bias=0.6, drawn=60)
    rows = pooled([audit.evidence(labels)])["listens"]
    calibration, found = made(60, count=2)
    knots = fit_knots(rows, RUBRIC.turn[0].scale)
    assert found.turn["listens"].judged == tuple(knots.judged.tolist())
    assert calibration.turn["listens"].human == pytest.approx(tuple(knots.human.tolist()))


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ({}, "different numbers of maps, or none"),
        ({"a": Maps(judged=(1, 2), human=((1, 2),)), "b": Maps(judged=(1, 2), human=((1, 2), (1, 1)))}, "different numbers of maps"),
    ],
)
def test_criteria_need_as_many_maps_each(turn: dict[str, Maps], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Replicates(calibration="x", turn=turn, episode={})


def test_a_map_needs_a_value_at_every_knot() -> None:
    with pytest.raises(ValueError, match="another length than its 2 knots"):
        Maps(judged=(1, 2), human=((1, 2, 3),))
