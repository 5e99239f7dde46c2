"""Writes a report: its data as JSON, every page that entry points of `judge.reports` make of it, and the summary that GitHub shows."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Protocol

from dialogue.errors import UsageProblem
from dialogue.installed import installed

GROUP = "judge.reports"
SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file whose Markdown GitHub shows beside a step


class Writer(Protocol):
    """What an entry point of `judge.reports` names: makes pages of the report whose kind is the entry point's name."""

    def __call__(self, report: dict[str, Any], folder: Path, /) -> list[Path]: ...


def write_report(kind: str, report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `<kind>.json` and the pages; return their paths.

    Args:
        kind: such as `golden-check`.
        report: JSON values only.

    Raises:
        UsageProblem: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data = folder / f"{kind}.json"
        data.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        written = [data]
        if point := installed(GROUP).get(kind):
            writer: Writer = point.load()
            written += writer(report, folder)
    except OSError as error:
        raise UsageProblem(f"cannot write the report to {folder}: {error.strerror}; name another folder with --report") from error
    return written


def publish(kind: str, report: dict[str, Any], folder: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Write the report to the folder, if there is one, and its Markdown to GitHub's summary, if this runs there."""
    written = write_report(kind, report, folder) if folder else []
    if summary := environ.get(SUMMARY):
        with TemporaryDirectory() as spare:
            pages = written or write_report(kind, report, Path(spare))
            text = "\n".join(page.read_text(encoding="utf-8") for page in pages if page.suffix == ".md")
        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(text + "\n")
        except OSError as error:
            raise UsageProblem(f"cannot write the summary to {summary}: {error.strerror}; {SUMMARY} names it") from error
    return written


def see_writable(folder: Path | None) -> None:
    """See that a folder can be written, before anything is asked and paid for.

    Raises:
        UsageProblem: it cannot.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageProblem(f"cannot write to {folder}: {error.strerror}; name another folder") from error


def replace_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: a process killed in the middle leaves the old one.

    Raises:
        UsageProblem: it cannot be written.
    """
    spare = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        spare.write_text(text, encoding="utf-8")
        spare.replace(path)
    except OSError as error:
        with suppress(OSError):
            spare.unlink()  # half a file only keeps a full disk full
        raise UsageProblem(f"cannot write {path}: {error.strerror}; name another place") from error
