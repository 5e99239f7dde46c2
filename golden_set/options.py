"""The options that `judge golden` commands share, as Typer reads them from a parameter's type."""

from pathlib import Path
from typing import Annotated

import typer

Judge = Annotated[str | None, typer.Option(help="Who rates, as for `judge score`.  [default: local]", show_default=False)]
Rubric = Annotated[str | None, typer.Option(help="Shipped rubric or path.  [default: collections]", show_default=False)]
Cases = Annotated[
    Path | None, typer.Option(help="Your golden cases: a .jsonl file, or a folder of them.  [default: the shipped set]", show_default=False)
]
Ledger = Annotated[str | None, typer.Option(help="Where verdicts are kept.  [default: judge-ledger.db]", show_default=False)]
Record = Annotated[Path | None, typer.Option(help="Write every answer to this recording.", show_default=False)]
Budget = Annotated[float | None, typer.Option(min=0, help="Stop asking before the run has cost more.", show_default=False)]
Requests = Annotated[int | None, typer.Option(min=0, help="Stop asking after so many requests.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")]
Report = Annotated[Path | None, typer.Option(help="Write the report, as data and as pages, to this folder.", show_default=False)]
Plan = Annotated[bool, typer.Option("--plan", help="Ask nothing: print requests, tokens and price.")]
Day = Annotated[str | None, typer.Option(help="Ask as of this day (YYYY-MM-DD): ratings of one day are asked once.", show_default=False)]
Baseline = Annotated[
    str | None, typer.Option(help="Name in golden_set/baselines, or path.  [default: RUBRIC.PROVIDER]", show_default=False)
]
