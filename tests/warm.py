"""The `judge` command as real processes that start at once: forked from one that has loaded the vendors' packages, which takes seconds."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

LOADED = """
pytest judge.cli judge.batch_commands rewards.score_command judge.decisions judge.models.openai judge.models.anthropic
dialogue.readers.native dialogue.readers.openai_messages dialogue.readers.sharegpt dialogue.readers.tau_bench dialogue.readers.tau2
golden_set.commands golden_set.audit.commands golden_set.audit.forms.comma_separated golden_set.audit.forms.workbook
reports.golden_check reports.audit_report reports.review_page reports.policy_training
policies.train_command policies.evaluate_command policies.policy_commands policies.simulate_command
policies.learners.a2c policies.learners.actor_critic
dialogue.environments.debt_batch dialogue.environments.sales_batch dialogue.environments.spoken_debt_call
openai.resources.batches openai.resources.files anthropic.resources.messages.batches httpx2 httpcore2 aiohttp truststore
anyio.streams.tls ijson.backends.yajl2_c typer._adapters typer._click.decorators
""".split()


def start(folder: Path, environ: Mapping[str, str], args: list[str]) -> BaseProcess:
    """Start `judge ARGS…` in a folder, with an environment; what it prints goes to files named stdout and stderr there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=_command, args=(folder, dict(environ), args))
    process.start()
    return process


def run(folder: Path, environ: Mapping[str, str], args: list[str]) -> CompletedProcess[str]:
    """Run `judge ARGS…` to its end."""
    process = start(folder, environ, args)
    process.join(100)
    assert process.exitcode is not None, f"{args} does not end"
    stdout, stderr = ((folder / name).read_text() for name in ("stdout", "stderr"))
    assert "Traceback" not in stderr, stderr
    return CompletedProcess(args, process.exitcode, stdout, stderr)


def _command(folder: Path, environ: dict[str, str], args: list[str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["judge", *args]
    from judge.cli import main

    main()
