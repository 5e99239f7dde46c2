"""The `judge` command: mounts every room's commands from the entry-point group `judge.commands`, loading only the one called."""

import ast
import errno
import os
import sys
from importlib.metadata import EntryPoint, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as build

from dialogue.errors import Problem, did_you_mean, listed
from dialogue.installed import installed

GROUP = "judge.commands"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, or none for this user or file
CLOSED = 141  # the status where the reader of the output went away, as a shell expects it
HELP = {"help_option_names": ["--help", "-h"]}


class Rooms(TyperGroup):
    """A command group whose members are entry points. Listing them reads their first lines; only a call imports them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(installed(GROUP))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        point = installed(GROUP).get(cmd_name)
        return TyperCommand(cmd_name, help=_first_line(point)) if point else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        points = installed(GROUP)
        if args and args[0] not in points and not args[0].startswith("-"):
            raise SystemExit(_fail(f"unknown command {args[0]!r}{did_you_mean(args[0], points)}; commands: {listed(sorted(points))}"))
        name = args[0]
        command = _command(_loaded(points[name]))
        command.name = name
        return name, command, args[1:]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; when the reader of its output goes away (`| head`), end quietly, with the status a shell expects."""
        try:
            result = super().invoke(ctx)
            _flush()
        except BrokenPipeError:
            _silence()
            raise typer.Exit(CLOSED) from None
        return result


app = typer.Typer(
    cls=Rooms, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=HELP
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"judge {version('judge-rewards')}")
        raise typer.Exit


@app.callback()
def about(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Turn dialogue transcripts into rewards one can trust. Start with: judge score transcripts.jsonl"""


def main() -> None:
    """Run the command line; a problem the user can mend, a full disk too, is told on stderr without a traceback, status 2."""
    try:
        try:
            app(prog_name="judge")
        except Problem as problem:
            sys.exit(_fail(str(problem)))
        finally:
            _flush()  # what is still to be written may fail, too
    except BrokenPipeError:
        _silence()
        sys.exit(CLOSED)
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        _silence()
        sys.exit(_fail(f"cannot write the output: {error.strerror}; make room, or write it elsewhere"))


def _loaded(point: EntryPoint) -> Any:
    """Return what an entry point names.

    Raises:
        Problem: it needs a package that the plain installation leaves out.
    """
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {known.module.partition(".")[0] for known in installed(GROUP).values()}:
            raise  # ours: a bug, not a matter of what is installed
        extras = ",".join(point.extras)  # what the entry point says that it needs
        wanted = f"'{point.dist.name}[{extras}]'" if point.dist and extras else error.name
        here = f" (from a checkout: pip install '.[{extras}]')" if wanted != error.name else ""
        raise Problem(f"judge {point.name} needs the package {error.name}, which is not installed: pip install {wanted}{here}") from error


def _command(loaded: Any) -> Any:
    """Return the command of an entry point: a Typer app, or a plain function that becomes one."""
    if isinstance(loaded, typer.Typer):
        return build(loaded)
    single = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP)
    single.command()(loaded)
    return build(single)


def _flush() -> None:
    if sys.stdout:  # it is None where the shell closed it (`>&-`)
        sys.stdout.flush()


def _silence() -> None:
    """Let stdout go nowhere: there is nothing more to say, also at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    print(f"judge: {message}", file=sys.stderr)
    return 2


def _first_line(point: EntryPoint) -> str:
    """Return the first line of a command's docstring without importing its module (that would load the whole room)."""
    room, *inner = point.module.split(".")
    spec = find_spec(room)  # of the top package only: asking for a submodule would import its parents
    if spec is None or spec.origin is None:
        return ""
    source = Path(spec.origin).parent.joinpath(*inner).with_suffix(".py") if inner else Path(spec.origin)
    if not source.is_file():
        return ""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == point.attr]
    return (ast.get_docstring(named[0] if named else tree) or "").split("\n")[0]
