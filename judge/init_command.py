"""Write a commented judge.toml: the judge room's `init` command."""

from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from judge.settings import FILE, TEMPLATE


def init(force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False) -> None:
    """Write a commented judge.toml into this folder."""
    path = Path(FILE)
    if path.exists() and not force:
        raise UsageProblem(f"{FILE} exists already; edit it, or write it anew with --force")
    try:
        path.write_text(TEMPLATE, encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"cannot write {FILE}: {error.strerror}; run it in a folder where you may write") from error
    print(f"wrote {FILE}")
