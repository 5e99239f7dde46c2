"""`judge rubric list | show | check`, run as processes."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from judge.rubric import load_rubric, shipped_rubrics

GOOD = 'name = "mine"\nabout = "Mine."\n[[turn]]\nname = "kind"\nquestion = "Kind?"\nlevels = ["No.", "Yes."]\n'


Run = Callable[..., CompletedProcess[str]]


def test_list_names_every_shipped_rubric_with_what_it_is_about(judge: Run) -> None:
    done = judge("rubric", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(maxsplit=1) for line in done.stdout.splitlines()] == [[name, load_rubric(name).about] for name in shipped_rubrics()]


def test_show_prints_every_question_weight_and_level(judge: Run) -> None:
    done = judge("rubric", "show", "collections")
    rubric = load_rubric("collections")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{rubric}\n{rubric.about}\nThe judge is not shown the outcome.\n")
    for criterion in (*rubric.turn_criteria, *rubric.episode):
        assert f"  {criterion.name}" in done.stdout
        assert criterion.question in done.stdout
        for value, sentence in enumerate(criterion.levels, start=criterion.scale.low):
            assert f"      {value}  {sentence}\n" in done.stdout
    assert "compliance  (weight 0.2, critical)" in done.stdout


def test_show_leaves_out_what_a_rubric_does_not_have(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f"sees_outcome = true\n{GOOD}")
    shown = judge("rubric", "show", "mine.toml").stdout
    assert "The judge is shown the outcome." in shown
    assert "Each agent turn" in shown
    assert "The episode" not in shown
    assert "The state" not in shown


def test_show_json_is_the_rubric_with_its_hash(judge: Run) -> None:
    done = judge("rubric", "show", "--json", "sales")
    rubric = load_rubric("sales")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {**rubric.model_dump(mode="json"), "hash": rubric.hash}


@pytest.mark.parametrize("command", ["show", "check"])
def test_an_unknown_name_gets_the_nearest(command: str, judge: Run) -> None:
    done = judge("rubric", command, "suport")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "unknown rubric 'suport' (did you mean 'support'?)" in done.stderr


def test_check_says_what_is_right_and_what_is_wrong(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(GOOD.replace("levels", "weight = 0\nlevels"))
    good = f"good.toml: ok, {load_rubric(tmp_path / 'good.toml')}: 1 turn, 0 episode, 0 state criteria\n"

    done = judge("rubric", "check", "good.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, good, "")

    done = judge("rubric", "check", "bad.toml", "good.toml", "sales")
    assert done.returncode == 2
    assert done.stderr.startswith("bad.toml:6: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith(f"{good}sales: ok, sales@")


@pytest.mark.parametrize("args", [(), ("show",), ("check",), ("show", "sales", "--yaml")])
def test_wrong_usage_is_status_2_without_a_traceback(args: tuple[str, ...], judge: Run) -> None:
    done = judge("rubric", *args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
