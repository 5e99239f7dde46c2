"""Report files: the data, the pages that entry points make, GitHub's summary, and files that are written whole or not at all."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from dialogue.errors import UsageProblem
from judge import report_files
from judge.report_files import SUMMARY, publish, replace_whole, write_report

REPORT = {"kind": "mine", "text": "“ü”", "none": None, "figure": 0.5}


def pages(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write a page and a summary, as an entry point of `judge.reports` would."""
    found = [folder / "page.html", folder / "summary.md"]
    for path in found:
        path.write_text(f"{path.suffix} of {report['text']}", encoding="utf-8")
    return found


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point(EntryPoint):
        def load(self) -> Any:
            return pages

    def installed(group: str) -> dict[str, EntryPoint]:
        return {"mine": Point("mine", "x:y", group)} if group == "judge.reports" else {}

    monkeypatch.setattr(report_files, "installed", installed)


@pytest.mark.usefixtures("writer")
def test_data_and_pages_are_written_and_told(tmp_path: Path) -> None:
    written = write_report("mine", REPORT, tmp_path / "a/b")
    assert [path.name for path in written] == ["mine.json", "page.html", "summary.md"]
    text = written[0].read_text(encoding="utf-8")
    assert json.loads(text) == REPORT
    assert "“ü”" in text and text.endswith("}\n")
    assert [path.name for path in write_report("other", REPORT, tmp_path)] == ["other.json"]


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("folder", [None, "out"])
def test_the_summary_is_added_to_githubs_with_or_without_a_folder(tmp_path: Path, folder: str | None) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    written = publish("mine", REPORT, tmp_path / folder if folder else None, {SUMMARY: str(summary)})
    assert summary.read_text(encoding="utf-8") == "before\n.md of “ü”\n"
    assert len(written) == (3 if folder else 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == (["out", "summary"] if folder else ["summary"])


@pytest.mark.usefixtures("writer")
def test_without_a_folder_and_outside_github_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert publish("mine", REPORT, None, {}) == publish("mine", REPORT, None, {SUMMARY: ""}) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageProblem, match=r"cannot write the report to .*file: .*; name another folder with --report"):
        write_report("mine", REPORT, tmp_path / "file")


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=SUMMARY):
        publish("mine", REPORT, None, {SUMMARY: str(tmp_path / "no/folder")})


def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep/file.json"
    replace_whole(path, "one")
    replace_whole(path, "two")
    assert (path.read_text(), [each.name for each in path.parent.iterdir()]) == ("two", ["file.json"])

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_whole(path, "three")
    assert path.read_text() == "two"
    monkeypatch.undo()
    with pytest.raises(UsageProblem, match=r"cannot write .*; name another place"):
        replace_whole(path / "under a file", "x")
