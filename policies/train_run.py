"""One run of a training in its folder: begun or resumed, stopped or done, with checkpoint, policy, report and one line at the end."""

import json
import sys
import time
from typing import Any

from dialogue.errors import Problem, UsageProblem
from judge.report_files import write_report
from policies.progress import progress
from policies.run_folder import POLICY, RunFolder
from policies.saved import save_policy
from policies.stopping import Stopping
from policies.train_sources import Request, Work, begun, judged, resumed
from policies.training import Ended
from policies.training_report import KIND, TrainingReport, training_report

STEPS = 200_000  # in an environment, where nothing else ends the training


def begin(folder: RunFolder, request: Request, steps: int | None) -> "Run":
    """Return a run of a new training.

    Raises:
        UsageProblem: the folder holds one already, or the request asks for what cannot be.
    """
    folder.see_new()
    if judged(request) and steps is None:
        raise UsageProblem("with a judge in the loop every step is a turn to be judged, which may cost money: say how many with --steps")
    work = begun(request)
    run = Run(folder, work, STEPS if steps is None and work.plan.env else steps)
    folder.keep(run.tree())  # from now on the folder alone says how to go on
    return run


def resume(folder: RunFolder, request: Request, steps: int | None, more: int | None) -> "Run":
    """Return a run that goes on with the training in the folder.

    Args:
        steps: in all; None: what was asked for last.
        more: steps beside those that are done.

    Raises:
        UsageProblem: there is no training to go on with, or the request contradicts it.
    """
    found = folder.open()
    if found.warning:
        print(f"judge: {found.warning}", file=sys.stderr)
    work = resumed(request, found.tree, str(folder.path))
    asked: int | None = found.tree["until"] if steps is None else steps
    return Run(folder, work, asked if more is None else work.training.steps + more)


class Run:
    """Attributes:
    ended: why it ended.
    report: on the training, once it has ended.
    """

    def __init__(self, folder: RunFolder, work: Work, until: int | None) -> None:
        self.folder, self.work, self.until = folder, work, until
        self.ended = Ended.STEPS
        self.report: TrainingReport | None = None

    def tree(self) -> dict[str, Any]:
        """Return what a checkpoint holds. `until` is what was asked for last, and `files` say where; they decide nothing of the rest."""
        training = self.work.training
        return {
            "plan": self.work.plan.as_data(),
            "until": self.until,
            "files": list(self.work.files),
            "source": training.source.state(),
            "training": training.state(),
        }

    def go(self, stopping: Stopping) -> None:
        """Train, and write policy, report and checkpoint.

        The checkpoint comes last: whoever is killed before it does the end again. If the policy cannot be written, what was learned is
        kept all the same, unless it is the end of the files: of those, the last checkpoint before stays, so that the end can come again.
        """
        training, folder = self.work.training, self.folder
        before, clock = training.steps, time.monotonic()
        for note in self.work.notes:
            print(f"judge: {note}", file=sys.stderr)
        paid = bool(self.work.plan.scoring)  # a round that was judged is kept at once
        with progress(training, self.until) as shown:

            def stopped() -> bool:
                folder.tick(self.tree, now=paid)
                shown.tick()
                return stopping.wished

            self.ended = training.run(self.until, stopped)
        seconds = time.monotonic() - clock
        try:
            self._write(training.steps - before, seconds)
        except Problem:
            if self.ended is not Ended.SOURCE:
                folder.keep(self.tree())
            raise
        folder.keep(self.tree())

    def _write(self, run_steps: int, seconds: float) -> None:
        """Write policy and report."""
        work, path = self.work, self.folder.path
        policy, manifest = work.served()
        try:
            save_policy(policy, path / POLICY, manifest)
        except ValueError as error:
            raise Problem(f"the training has come to no policy: {error}; train anew with --out and a smaller step size") from error
        self.report = training_report(
            work.training,
            self.ended,
            manifest,
            where=work.where,
            of=work.episodes,
            folder=str(path),
            run_steps=run_steps,
            seconds=seconds,
        )
        write_report(KIND, self.report.model_dump(mode="json"), path)

    def tell(self, *, as_json: bool) -> None:
        """Print the one line, or the summary as JSON."""
        report, policy = self.report, self.folder.path / POLICY
        assert report is not None  # noqa: S101 - `go` made it
        if as_json:
            print(json.dumps(report.model_dump(mode="json", exclude={"stretches", "manifest"}) | {"policy": str(policy)}))
            return
        latest = report.latest
        earned = "no episode has ended yet"
        if latest.mean is not None:
            margin = "" if latest.margin is None else f" ± {latest.margin:.3f}"
            earned = f"return {latest.mean:.3f}{margin} over the last {latest.episodes:,}"
            earned = f"logged {earned}" if report.logged else earned
        how = "stopped" if report.ended is Ended.STOPPED else "trained"
        episodes = f"{report.episodes:,} episodes{' shown' if report.logged else ''}"
        print(f"{how} {report.learner} on {report.where}: {report.steps:,} steps, {episodes}, {earned}; {policy}, {KIND}.html")
        if report.ended is Ended.STOPPED:
            print(f"judge: --resume {self.folder.path} goes on", file=sys.stderr)
