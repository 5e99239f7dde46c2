"""`judge init`, run as a process."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from judge.settings import Settings, load_settings

Run = Callable[..., CompletedProcess[str]]


def test_it_writes_a_file_that_loads_and_changes_nothing(judge: Run, tmp_path: Path) -> None:
    done = judge("init")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote judge.toml\n", "")
    assert load_settings(tmp_path, {}, {}) == Settings()


def test_every_setting_is_in_it_ready_to_be_uncommented(judge: Run, tmp_path: Path) -> None:
    judge("init")
    path = tmp_path / "judge.toml"
    lines = [line.removeprefix("# ") if " = " in line else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    found = load_settings(tmp_path, {}, {})
    assert found.model_fields_set == Settings.model_fields.keys()
    assert {key: getattr(found, key) for key, value in Settings() if value is not None} == Settings().model_dump(exclude_none=True)


def test_it_overwrites_only_when_told_so(judge: Run, tmp_path: Path) -> None:
    path = tmp_path / "judge.toml"
    path.write_text('rubric = "sales"\n')
    refused = judge("init")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "judge.toml exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert path.read_text() == 'rubric = "sales"\n'
    assert judge("init", "--force").returncode == 0
    assert load_settings(tmp_path, {}, {}) == Settings()


def test_a_place_that_cannot_be_written_is_one_line(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "judge.toml").mkdir()
    done = judge("init", "--force")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "judge.toml" in done.stderr
