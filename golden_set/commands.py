"""See whether a judge still measures what it measured: check, accept a baseline, watch nightly, sensitivity, attacks."""

import typer

from golden_set.accept_command import accept
from golden_set.attack_command import attack_command
from golden_set.check_command import check
from golden_set.sensitivity_command import sensitivity_command
from golden_set.watch_command import watch_command

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Golden cases: is the judge what it was, and does it agree with people?",
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command("check")(check)
app.command("accept")(accept)
app.command("watch")(watch_command)
app.command("sensitivity")(sensitivity_command)
app.command("attack")(attack_command)
