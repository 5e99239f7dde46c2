"""Have people rate a well-chosen sample of what the judge rated: draw it, read answers back, report, promote."""

import typer

from golden_set.audit.draw_command import draw
from golden_set.audit.forms_command import forms
from golden_set.audit.promote_command import promote
from golden_set.audit.read_command import read
from golden_set.audit.report_command import report
from golden_set.audit.withdraw_command import withdraw

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Human audits: how far can the judge be trusted, and what is the log worth to people?",
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command("draw")(draw)
app.command("forms")(forms)
app.command("read")(read)
app.command("withdraw")(withdraw)
app.command("report")(report)
app.command("promote")(promote)
