"""What `judge audit draw` prints: the frame, the strata with their probabilities, what was left out, and what to do next."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from dialogue.reader import Reject
from golden_set.audit.forms_command import print_forms
from golden_set.audit.sample import AuditSample

FIRST = 3  # rejects that are told one by one

Files = tuple[list[Path], list[Path]]  # that are new, and that were there


@dataclass
class Told:
    """What is told beside the sample: the rejects, and in which form."""

    as_json: bool
    first: list[Reject] = field(default_factory=list)
    rejected: int = 0

    def reject(self, reject: Reject) -> None:
        """Count a piece of input that cannot be used; keep the first few."""
        self.rejected += 1
        if len(self.first) < FIRST:
            self.first.append(reject)


def tell(sample: AuditSample, told: Told, files: Files | None = None) -> None:
    """Print what was drawn; without files, what would be."""
    for reject in told.first:
        print(f"{reject}", file=sys.stderr)
    if told.rejected > len(told.first):
        print(f"... and {told.rejected - len(told.first):,} more that cannot be used", file=sys.stderr)
    drawn = sum(stratum.drawn for stratum in sample.strata)
    if told.as_json:
        print(json.dumps(_as_dict(sample, told, drawn, files), ensure_ascii=False))
        return
    print(f"{sample.judge} ({sample.judge.sampling}), {sample.recipe}, {sample.outcomes}")
    alike = f" ({sample.duplicates:,} of them read like another)" if sample.duplicates else ""
    left = f"left out: {sample.unscored:,} without a verdict, {told.rejected:,} rejected"
    print(f"{sample.framed:,} scored episodes to draw from{alike}; {left}\n")
    width = max(len("all strata"), *(len(stratum.name) for stratum in sample.strata))
    print(f"  {'stratum':{width}}  {'episodes':>9}  {'drawn':>6}  {'probability':>11}")
    for stratum in sample.strata:
        print(f"  {stratum.name:{width}}  {stratum.size:>9,}  {stratum.drawn:>6,}  {_probability(stratum.inclusion):>11}")
    print(f"  {'all strata':{width}}  {sample.framed:>9,}  {drawn:>6,}\n")
    every = " (all there are)" if drawn == sample.framed else ""
    spent = f", {sample.rare:,} of them for violations: half of those where the judge sees one" if sample.rare else ""
    print(f"{drawn:,} drawn of {sample.asked_for:,} asked for{every}{spent}")
    print(f"{sample.twice:,} of them are rated twice; {sample.hunted:,} odd ones added, which enter no figure")
    print(f"seed {sample.seed}" + ("" if sample.masked else "; personal data is NOT masked"))
    if files is None:
        print("nothing was written: leave out --plan to draw")
        return
    print(f"audit {sample.name}")
    print_forms(sample, *files)


def _probability(value: float) -> str:
    return f"{value:.4f}" if value >= 0.01 else f"{value:.3g}"


def _as_dict(sample: AuditSample, told: Told, drawn: int, files: Files | None) -> dict[str, object]:
    strata = [stratum.model_dump() | {"inclusion": stratum.inclusion} for stratum in sample.strata]
    kept = sample.model_dump(mode="json", exclude={"rubric", "strata", "name"})
    whole = {"audit": sample.name if files else None, **kept, "framed": sample.framed, "drawn": drawn, "strata": strata}
    new, old = files or ([], [])
    return whole | {"rejects": told.rejected, "written": [str(path) for path in new], "kept": [str(path) for path in old]}
