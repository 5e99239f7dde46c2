"""The options that `judge audit` commands share, and those of `draw`, as Typer reads them from a parameter's type."""

from pathlib import Path
from typing import Annotated

import typer

Forms = Annotated[str, typer.Option(help="Some of html, csv, xlsx, label-studio and argilla, separated by commas, or all.")]
Out = Annotated[Path | None, typer.Option(help="Write the forms to this folder.  [default: audit/NAME]", show_default=False)]
Audit = Annotated[str | None, typer.Option("--audit", metavar="NAME", help="Which audit.  [default: the newest]", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]

Files = Annotated[list[str], typer.Argument(metavar="FILE…", help="Scored transcripts: .jsonl, .json, either gzipped.")]
Recipe = Annotated[str | None, typer.Option(help="What rewards are made with, as for `judge score`.  [default: blend]", show_default=False)]
Outcomes = Annotated[str | None, typer.Option(help="Outcome table, as for `judge score`.  [default: the rubric's]", show_default=False)]
Format = Annotated[str | None, typer.Option(help="native, openai, sharegpt, tau-bench or tau2.  [default: sniffed]", show_default=False)]
Repeats = Annotated[
    int | None, typer.Option(min=1, max=100, help="How often each was rated, as for `judge score`.  [default: 1]", show_default=False)
]
Escalate = Annotated[int | None, typer.Option(min=1, max=100, help="Up to how often, as for `judge score`.", show_default=False)]
Count = Annotated[int, typer.Option("--n", min=4, help="Draw so many episodes.")]
Strata = Annotated[str, typer.Option(help="Draw in proportion within these: outcome, band (thirds of the rating), keys of meta.")]
Slice = Annotated[
    list[str] | None,
    typer.Option("--slice", metavar="KEY", help="Report by this key of meta; may be repeated.  [default: policy]", show_default=False),
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed draws the same sample.  [default: a new one]", show_default=False)]
Rare = Annotated[
    int | None,
    typer.Option(min=0, help="Spend so many on rare events, half of them on violations.  [default: 2/3 of n]", show_default=False),
]
Double = Annotated[float, typer.Option(min=0, max=1, help="This share is rated by a second person.")]
Hunt = Annotated[int, typer.Option(min=0, help="Add so many odd episodes, which enter no figure.")]
Name = Annotated[str | None, typer.Option(help="Name of the audit.  [default: the month, such as 2026-11]", show_default=False)]
Masked = Annotated[bool, typer.Option("--mask/--no-mask", help="Mask personal data.")]
Region = Annotated[str, typer.Option(help="Where a phone number without a country code is one.")]
Plan = Annotated[bool, typer.Option("--plan", "--dry-run", help="Write nothing: print what would be drawn.")]
Day = Annotated[str | None, typer.Option(help="Draw as of this day (YYYY-MM-DD).  [default: today]", show_default=False)]
