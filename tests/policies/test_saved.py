"""Policy files: what was saved comes back, and nothing else is taken for a policy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.linear_policy import LinearPolicy
from policies.network_policy import NetworkPolicy
from policies.saved import load_policy, load_saved, save_policy, spaces_as_data, spaces_from_data
from policies.table import TablePolicy

ENCODING = Encoding((Field("fsm", ("OPENING", "CLOSED")), Field("turn", edges=(4.0, 7.5))))
SPACES = Spaces(("PROCEED", "WAIT"), observations=6, width=5, encoding=ENCODING)
PROBS = np.array([[0.1, 0.9], [1 / 3, 2 / 3], [1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.7, 0.3]])


def table(**changes: Any) -> TablePolicy:
    made = TablePolicy(SPACES, PROBS, np.arange(12.0).reshape(6, 2) / 7, np.arange(12).reshape(6, 2))
    return replace(made, **changes)


def test_a_table_comes_back_exactly_with_its_manifest(tmp_path: Path) -> None:
    manifest = {"learner": "q", "parameters": {"alpha": 0.1}, "files": [{"name": "a", "sha256": "00"}], "note": "é"}
    save_policy(table(), tmp_path / "policy.json", manifest)
    saved = load_saved(tmp_path / "policy.json")
    assert saved.manifest == manifest
    assert isinstance(saved.policy, TablePolicy)
    assert saved.policy.spaces == SPACES
    for name in ("probs", "values", "counts"):
        np.testing.assert_array_equal(getattr(saved.policy, name), getattr(table(), name))


def test_the_same_policy_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        save_policy(table(), tmp_path / name, {"seed": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.json", "b.json"]  # nothing half-written is left


def test_what_nobody_knows_stays_unknown(tmp_path: Path) -> None:
    save_policy(table(values=None, counts=None), tmp_path / "p.json", {})
    found = load_policy(tmp_path / "p.json")
    assert isinstance(found, TablePolicy)
    assert (found.values, found.counts) == (None, None)


@pytest.mark.parametrize(
    "spaces",
    [
        Spaces(("a", "b"), width=3),
        Spaces(("warmth", "pace"), continuous=True, width=3),
        Spaces(("a", "b"), observations=5, width=5),
    ],
)
def test_networks_come_back_as_well(tmp_path: Path, spaces: Spaces) -> None:
    rng = np.random.default_rng(3)
    k = len(spaces.actions)
    layers = ((rng.random((spaces.width, 8)), rng.random(8)),)
    policy = NetworkPolicy(spaces, layers, (rng.random((8, k)), rng.random(k)), rng.random(k if spaces.continuous else 0))
    save_policy(policy, tmp_path / "p.json", {})
    found = load_policy(tmp_path / "p.json")
    seen = np.arange(4) if spaces.observations else np.random.default_rng(0).random((4, 3))
    for here, there in zip(found.act(seen, np.random.default_rng(1)), policy.act(seen, np.random.default_rng(1)), strict=True):
        np.testing.assert_array_equal(here, there)


def test_a_linear_policy_comes_back_as_well(tmp_path: Path) -> None:
    policy = LinearPolicy(SPACES, np.random.default_rng(0).random((2, 5)), floor=0.1)
    save_policy(policy, tmp_path / "p.json", {})
    found = load_policy(tmp_path / "p.json")
    everywhere = np.arange(6)[:, None].repeat(2, 1), np.array([[0, 1]] * 6)
    np.testing.assert_array_equal(found.probs_of(*everywhere), policy.probs_of(*everywhere))


def test_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_policy(table(values=np.full((6, 2), np.nan)), tmp_path / "p.json", {})
    assert not list(tmp_path.iterdir())


def test_a_kind_that_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    class Odd(TablePolicy):
        kind = "odd"

    with pytest.raises(ValueError, match="kind 'odd' cannot be read back; known kinds: "):
        save_policy(Odd(SPACES, PROBS), tmp_path / "p.json", {})


def changed(**changes: Any) -> dict[str, Any]:
    data = {"version": 1, "kind": "table", "manifest": {}, "spaces": spaces_as_data(SPACES), "policy": table().as_data()}
    for path, value in changes.items():
        part: Any = data
        *above, last = path.split("__")
        for key in above:
            part = part[key]
        if value is None and last != "encoding":
            del part[last]
        else:
            part[last] = value
    return data


LAST = PROBS.tolist()[:5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not valid JSON"),
        ('{"version": 1', "not valid JSON"),
        ("[" * 100_000, "nested too deeply|not valid JSON"),
        ('{"x": NaN}', "NaN is not a number that JSON has"),
        ("[1]", "no 'kind' and 'policy'"),
        (changed(version=2), "its version is 2, this program reads version 1"),
        (changed(version=None), "its version is None"),
        (changed(kind="tabel"), r"its kind is 'tabel' \(did you mean 'table'\?\); known kinds: table"),
        (changed(kind=["table"]), "its kind is "),
        (changed(manifest=[]), "'manifest' is not a table"),
        (changed(spaces=None), "it has no 'spaces'; mend it, or take the file as `judge train` wrote it"),
        (changed(spaces=[1]), r"its 'spaces' is \[1\], not a table of keys and values"),
        (changed(spaces__actions=None), "its 'spaces' do not fit: 'actions' is missing; mend it"),
        (changed(kind=None), "its kind is None; known kinds: table"),
        (changed(spaces__actions=["A", "A"]), "not distinct names"),
        (changed(spaces__actions=[]), "not distinct names"),
        (changed(spaces__actions="AB"), "not a list"),
        (changed(spaces__observations=7), "the encoding makes 6 observations, not 7"),
        (changed(spaces__observations="6"), "there cannot be '6' observations"),
        (changed(spaces__observations=10**9, spaces__encoding=None), r"shape \(6, 2\), not \(1000000000, 2\)"),
        (changed(spaces__width=-1), "'width' is -1"),
        (changed(spaces__encoding=[{"name": "fsm", "edges": [2, 1]}]), "'spaces' do not fit"),
        (changed(spaces__encoding=[{"name": "fsm", "values": [1, 2]}]), "'spaces' do not fit"),
        (changed(spaces__continuous=True), "a table needs discrete observations and actions"),
        (changed(policy__probs=None), "'policy' does not fit: 'probs' is missing; mend it"),
        (changed(policy__probs=LAST), r"'probs' has the shape \(5, 2\), not \(6, 2\)"),
        (changed(policy__probs=[*LAST, [0.5]]), "'probs' of its 'policy' is not rows of numbers, equally many in each; mend it"),
        (changed(policy__probs=[*LAST, ["a", "b"]]), "'probs' of its 'policy' is not rows of numbers"),
        (changed(policy__probs=[*LAST, [0.5, 0.4]]), "probabilities of observation 5 sum to 0.9, not 1"),
        (changed(policy__probs=[*LAST, [1.5, -0.5]]), "'probs' holds a number below 0"),
        (changed(policy__values=[[1.0]]), r"'values' has the shape \(1, 1\)"),
        (changed(policy__counts=[[-1, 1]] * 6), "'counts' holds a number below 0"),
        (json.dumps(changed()).replace("0.25", "1e999"), "not finite"),
        (changed(kind="network"), "'policy' does not fit: 'activation' is missing"),
        (changed(policy=[]), r"its 'policy' is \[\], not a table of keys and values"),
        (changed(policy=None), "it has no 'policy'"),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, text: Any, told: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    with pytest.raises(UsageProblem, match=told) as raised:
        load_policy(path)
    assert str(path) in str(raised.value)
    assert "Error(" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot read the policy .*No such file.*judge train"):
        load_policy(tmp_path / "none.json")
    (tmp_path / "p.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageProblem, match="not a policy file"):
        load_policy(tmp_path / "p.json")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_file_is_told_and_never_a_crash(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    save_policy(table(), path, {"seed": 1})
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    path.write_bytes(content)
    try:
        found = load_policy(path)
    except UsageProblem:
        return
    assert isinstance(found, TablePolicy)
    np.testing.assert_allclose(found.probs.sum(1), 1)


def test_spaces_come_back() -> None:
    for spaces in (SPACES, Spaces(("a",), True, None, 4)):
        assert spaces_from_data(json.loads(json.dumps(spaces_as_data(spaces)))) == spaces
