"""Checkpoints: what goes in comes out exactly, and no kill, tear or edit ever costs the last good one."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dialogue.errors import UsageProblem
from policies import checkpoint
from policies.checkpoint import NEWEST, PREVIOUS, BrokenCheckpoint, has_checkpoint, load, opened, save, sealed
from policies.tree import BIT_GENERATORS

HERE = Path("x.npz")
dtypes = st.sampled_from(["f8", "f4", "i8", "i4", "u1", "u8", "?", "c16", "U3", "S2", ">f8", ">i4"])
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
texts = st.text(st.characters(), max_size=6) | st.sampled_from(["$", "$array", "\ud83d\ude00", "\x00"])
numbers = st.integers(-(2**200), 2**200) | st.floats() | st.booleans()
scalars = st.sampled_from([np.float64(0.1), np.float32(0.1), np.int64(-3), np.uint64(2**64 - 1), np.bool_(True), np.str_("é")])
leaves = st.none() | numbers | texts | arrays | arrays.map(np.asfortranarray) | scalars
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.integers() | st.none() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Whether two trees are the same to the bit: types, order, memory layout, the sign of zero, NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        layout = one.flags.f_contiguous == other.flags.f_contiguous and one.flags.c_contiguous == other.flags.c_contiguous
        return layout and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return len(one) == len(other) and all(same(a, c) and same(b, d) for (a, b), (c, d) in zip(one.items(), other.items(), strict=True))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees)
def test_what_goes_in_comes_out(tree: Any) -> None:
    content = sealed({"it": tree})
    found = opened(content, HERE)
    assert same(found, {"it": tree})
    assert sealed(found) == content  # the same tree makes the same bytes, whatever it went through


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_generators_go_on_where_they_were(kind: str) -> None:
    seed = np.random.SeedSequence([3, 2**70], spawn_key=(1,))
    rng = np.random.Generator(getattr(np.random, kind)(seed))
    rng.random(7)
    rng.integers(0, 5, 3, dtype=np.int32)  # leaves half a word behind
    rng.spawn(2)
    found = opened(sealed({"rng": rng, "again": {"rng": rng}, "seed": seed}), HERE)
    assert found["again"]["rng"] is found["rng"], "one generator in two places stays one"
    assert found["seed"] is found["rng"].bit_generator.seed_seq
    mine, theirs = rng.spawn(1)[0], found["rng"].spawn(1)[0]  # children are those that would have come
    assert mine.random() == theirs.random()
    for draw in (lambda g: g.random(5), lambda g: g.normal(size=3), lambda g: g.integers(0, 9, 4, dtype=np.int32)):
        assert draw(rng).tolist() == draw(found["rng"]).tolist()


def test_one_array_in_two_places_stays_one() -> None:
    table = np.arange(6.0)
    found = opened(sealed({"a": table, "b": [table]}), HERE)
    assert found["a"] is found["b"][0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({1, 2}, r"the state\['a'\]\[1\] is \{1, 2\} of type set"),
        (b"x", "of type bytes"),
        (np.array([None, "x"]), r"the state\['a'\]\[1\] is an array of Python objects"),
        (np.ma.array([1.0]), "of type MaskedArray"),
        (object(), "of type object"),
    ],
)
def test_what_cannot_be_held_is_refused_with_its_place(value: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        sealed({"a": [0, value]})


def tree_of(number: int) -> dict[str, Any]:
    return {"number": number, "table": np.full(300, float(number)), "rng": np.random.default_rng(number)}


def test_every_truncation_and_edit_is_recognised(tmp_path: Path) -> None:
    save(tmp_path, tree_of(1))
    save(tmp_path, tree_of(2))
    newest = tmp_path / NEWEST
    whole = newest.read_bytes()
    for length in {*range(0, len(whole), 97), *range(len(whole) - 40, len(whole))}:
        newest.write_bytes(whole[:length])
        found = load(tmp_path)
        assert found.tree["number"] == 1
        assert found.path.name == PREVIOUS
        assert found.warning is not None and f"{newest} is broken" in found.warning
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 150):  # one bit anywhere: noticed, or of no consequence (a date in the archive's index)
        edited = bytearray(whole)
        edited[place] ^= 1 << int(rng.integers(8))
        try:
            found_tree = opened(bytes(edited), HERE)
        except BrokenCheckpoint:
            continue
        assert sealed(found_tree) == whole
    array = whole.index(np.full(300, 2.0).tobytes())
    assert array > 0
    with pytest.raises(BrokenCheckpoint):
        opened(whole[:array] + np.full(300, 3.0).tobytes() + whole[array + 2400 :], HERE)


def test_numpy_reads_it_without_pickle(tmp_path: Path) -> None:
    path = save(tmp_path, {"table": np.arange(3.0)})
    with np.load(path, allow_pickle=False) as found:
        assert found["a0"].tolist() == [0, 1, 2]


def test_an_edit_that_zip_would_accept_breaks_the_seal() -> None:
    """Arrays of one checkpoint under the tree of another: every entry is sound, the whole is not."""
    import zipfile
    from io import BytesIO

    one, other = (zipfile.ZipFile(BytesIO(sealed({"a": np.full(2, value)}))) for value in (1.0, 2.0))
    mixed = BytesIO()
    with zipfile.ZipFile(mixed, "w") as archive:
        for name in one.namelist():
            archive.writestr(name, (other if name == "a0.npy" else one).read(name))
    with pytest.raises(BrokenCheckpoint, match="not what its seal says"):
        opened(mixed.getvalue(), HERE)


def test_a_broken_newest_never_becomes_the_previous_one(tmp_path: Path) -> None:
    save(tmp_path, tree_of(1))
    save(tmp_path, tree_of(2))
    (tmp_path / NEWEST).write_bytes(b"torn")
    save(tmp_path, tree_of(3))
    assert load(tmp_path).tree["number"] == 3
    (tmp_path / NEWEST).unlink()
    assert load(tmp_path).tree["number"] == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "there is no checkpoint in .*; name a folder that `judge train --out` wrote"),
        ({NEWEST: b"x"}, "checkpoint.npz is broken: .* no whole checkpoint is left"),
        ({NEWEST: b"x", PREVIOUS: b""}, "checkpoint.npz is broken: .*checkpoint.previous.npz is broken: .* no whole checkpoint is left"),
    ],
)
def test_nothing_to_load_is_told(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert has_checkpoint(tmp_path) is bool(files)
    with pytest.raises(UsageProblem, match=told):
        load(tmp_path)


def test_a_later_version_is_not_passed_over_for_an_older_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, tree_of(1))
    monkeypatch.setattr(checkpoint, "VERSION", 9)
    save(tmp_path, tree_of(2))
    monkeypatch.undo()
    with pytest.raises(UsageProblem, match=r"is of version 9, this program reads up to 1"):
        load(tmp_path)
    save(tmp_path, tree_of(3))  # and it is not thrown away either
    (tmp_path / NEWEST).unlink()
    with pytest.raises(UsageProblem, match="version 9"):
        load(tmp_path)


@pytest.mark.parametrize("call", ["link", "fsync", "replace"])
def test_a_disk_that_fails_leaves_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    save(tmp_path, tree_of(1))
    if call == "link":  # a disk without hard links: written all the same
        monkeypatch.setattr(os, "link", fail)
        save(tmp_path, tree_of(2))
        assert load(tmp_path).tree["number"] == 2
        assert (tmp_path / PREVIOUS).exists()
        return
    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, tree_of(2))
    monkeypatch.undo()
    assert load(tmp_path).tree["number"] == 1
    assert not list(tmp_path.glob("*.part"))


WATCHED = {"open", "os.rename", "os.link", "os.remove", "os.mkdir"}


def killed(folder: Path, number: int, at: int) -> bool:
    """Save in a process of its own that is killed (-9) before its `at`-th call that touches the folder; return whether it was."""
    child = os.fork()
    if child == 0:
        calls = 0

        def watch(event: str, args: tuple[Any, ...]) -> None:
            nonlocal calls
            if event in WATCHED and str(folder) in str(args[0]):
                calls += 1
                if calls == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        try:
            save(folder, tree_of(number))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def half_written(folder: Path, number: int) -> None:
    """Save in a process that is killed when half of the new file is written."""
    child = os.fork()
    if child == 0:

        def half(path: Path, content: bytes) -> None:
            path.write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

        checkpoint._written = half  # type: ignore[assignment]
        try:
            save(folder, tree_of(number))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def stages(folder: Path) -> int:
    """How many calls a save makes."""
    at = 1
    while killed(folder, 0, at):
        at += 1
    return at - 1


def linked(folder: Path) -> None:
    """A disk as it is."""


@pytest.mark.parametrize("before", ["both whole", "newest broken", "newest missing"])
def test_a_kill_at_any_moment_of_a_save_loses_nothing(tmp_path: Path, before: str) -> None:
    count = stages(tmp_path / "count")
    assert count >= 6
    for first in range(1, count + 2):
        for second in {1, first}:
            folder = tmp_path / f"{first}-{second}"
            save(folder, tree_of(1))
            save(folder, tree_of(2))
            if before == "newest broken":
                (folder / NEWEST).write_bytes((folder / NEWEST).read_bytes()[:-30])
            elif before == "newest missing":
                (folder / NEWEST).unlink()
            held = load(folder).tree["number"]
            killed(folder, 3, first)
            assert load(folder).tree["number"] in (held, 3)
            half_written(folder, 4)
            assert load(folder).tree["number"] in (held, 3)
            killed(folder, 5, second)
            assert load(folder).tree["number"] in (held, 3, 5)
            save(folder, tree_of(6))
            assert load(folder).tree["number"] == 6
            assert load(folder).warning is None


def test_without_hard_links_a_kill_loses_at_most_the_last_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    make: Callable[[Path], None] = lambda folder: [save(folder, tree_of(number)) for number in (1, 2)]  # type: ignore[assignment, return-value]  # noqa: E731
    for at in range(1, 10):
        folder = tmp_path / str(at)
        make(folder)
        killed(folder, 3, at)
        assert load(folder).tree["number"] in (2, 3)
