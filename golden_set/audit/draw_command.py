"""`judge audit draw`: from scored transcripts to a sample in the ledger and forms for people; nothing is asked of the judge."""

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer
from pydantic import TypeAdapter, ValidationError

from dialogue.errors import UsageProblem, listed
from dialogue.reading import Reading
from dialogue.transcript import Transcript
from golden_set import options
from golden_set.audit import choices
from golden_set.audit.book import AuditBook
from golden_set.audit.draw import Picked, make_items, pick, strata_of
from golden_set.audit.draw_text import Told, tell
from golden_set.audit.form_files import DEFAULT, left_from_before, load_forms, write_forms
from golden_set.audit.forms_command import FOLDER
from golden_set.audit.frame import Frame, make_frame
from golden_set.audit.identity import identifies
from golden_set.audit.known import Known
from golden_set.audit.masks import check_region
from golden_set.audit.opening import see_ledger
from golden_set.audit.reading_bar import watched
from golden_set.audit.sample import AuditItem, AuditName, AuditSample
from golden_set.audit.strata import BAND, OUTCOME, stratified
from golden_set.audit.worth import Worth, make_worth
from golden_set.workbench import day_of
from judge.judges import make_judge, repeats_of, terms_of
from judge.ledger import Ledger
from judge.report_files import see_writable
from judge.rubric import Rubric, load_rubric
from judge.settings import Settings, load_settings

SEEDS = 2**31


def draw(
    files: choices.Files,
    n: choices.Count = 120,
    strata: choices.Strata = f"{OUTCOME},{BAND}",
    slice: choices.Slice = None,
    rare: choices.Rare = None,
    double: choices.Double = 0.25,
    hunt: choices.Hunt = 20,
    seed: choices.Seed = None,
    name: choices.Name = None,
    out: choices.Out = None,
    forms: choices.Forms = DEFAULT,
    mask: choices.Masked = True,
    region: choices.Region = "US",
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    recipe: choices.Recipe = None,
    outcomes: choices.Outcomes = None,
    ledger: options.Ledger = None,
    format: choices.Format = None,
    repeats: choices.Repeats = None,
    escalate: choices.Escalate = None,
    plan: choices.Plan = False,
    as_json: choices.Json = False,
    day: choices.Day = None,
) -> None:
    """Draw a sample of scored transcripts at random, for people to rate, and write the forms they fill in.

    Episodes without a verdict in the ledger are left out and counted: score them first. Input that is refused is told and left out.
    """
    given = dict(locals())
    settings = load_settings(Path.cwd(), os.environ, {key: given.get(key) for key in Settings.model_fields})
    question = load_rubric(settings.rubric)
    place = check_region(region) if mask else None
    keys = _keys(strata)
    slices = [key for key in slice or [] if key != OUTCOME]  # that one is always there
    if mask:
        _see_keys("--strata", keys)
        _see_keys("--slice", slices)
    if rare and not any(criterion.critical for criterion in question.turn):
        raise UsageProblem(f"--rare is {rare}, but no criterion of the rubric {question.name!r} is critical; leave it out")
    wanted = load_forms(forms)
    _see_files(files)
    see_ledger(settings.ledger, "run `judge score` first, or name its ledger with --ledger")
    made = make_judge(settings.judge, question, terms_of(settings, os.environ))
    on, chance = day_of(day), secrets.randbelow(SEEDS) if seed is None else seed
    told = Told(as_json=as_json)
    with Ledger(settings.ledger) as book:
        known, worth = Known(made, book, repeats_of(settings)), make_worth(question, settings.recipe, settings.outcomes)
        job = _Job(files, settings.format, question, known, worth, told)
        audits = None if plan else AuditBook(book)
        called = name or "plan" if audits is None else _name(name, on, audits.names())
        folder = out or FOLDER / called
        if audits:
            _see_room(called, folder)
        frame = job.frame(slices, [key for key in keys if key not in (OUTCOME, BAND)])
        layers, spent = stratified(frame, n, by=keys, rare=rare)
        picked = pick(frame, layers, seed=chance, double=double, hunt=hunt)
        sample = AuditSample(
            name=called,
            drawn_on=on,
            seed=chance,
            judge=known.id,
            rubric=question,
            recipe=worth.recipe,
            outcomes=worth.outcomes,
            stratified_by=keys,
            strata=tuple(layer.stratum for layer in layers),
            asked_for=n,
            rare=spent,
            hunted=sum(one.layer is None for one in picked),
            twice=sum(one.twice for one in picked),
            masked=mask,
            unscored=frame.unscored,
            duplicates=frame.duplicates,
        )
        if audits is None:
            tell(sample, told)
            return
        names = strata_of(frame, layers)
        items = job.items(frame, picked, names, place)
        audits.keep(sample, frame.framed(names), items)
    try:
        new, kept = write_forms(sample, items, wanted.values(), folder)
    except KeyboardInterrupt:
        told_next = f"the audit {called!r} is drawn; write the rest of its forms with `judge audit forms --audit {called}`"
        print(f"judge: interrupted; {told_next}", file=sys.stderr)
        raise typer.Exit(130) from None
    tell(sample, told, (new, kept))


@dataclass(frozen=True)
class _Job:
    """What is read, and how. The files are read twice: once for the frame, once for the texts of what was drawn."""

    files: list[str]
    format: str | None
    rubric: Rubric
    known: Known
    worth: Worth
    told: Told

    def frame(self, slices: Sequence[str], strata: Sequence[str]) -> Frame:
        """Return the frame."""
        reading = Reading(self.files, format=self.format, on_reject=self.told.reject)
        found = watched(reading, self.files, "reading")
        return make_frame(found, self.known, self.worth, self.rubric, self.told.reject, slices=slices, strata=strata)

    def items(self, frame: Frame, picked: Sequence[Picked], strata: Sequence[str], region: str | None) -> list[AuditItem]:
        """Return what people look at."""
        return make_items(self._again(), frame, picked, strata, self.known, self.worth, self.rubric, region=region)

    def _again(self) -> Iterator[Transcript]:
        reading = Reading(self.files, format=self.format, on_reject=lambda reject: None)  # told the first time
        for found in watched(reading, self.files, "fetching"):
            yield found.transcript


def _keys(strata: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key.strip() for key in strata.split(",") if key.strip()))


def _see_keys(option: str, keys: Sequence[str]) -> None:
    """Refuse keys of persons: what stands under a key becomes the name of a stratum or a slice, which is stored and printed."""
    for key in keys:
        if identifies(key):
            raise UsageProblem(
                f"{option} has {key!r}, a key that identifies a person: its values would stand unmasked in the ledger and in the report; "
                "expected a key of groups, such as policy; name another one, or draw with --no-mask"
            )


def _name(given: str | None, day: date, taken: Sequence[str]) -> str:
    """Return the name of the audit: the month, with a letter from the second one on."""
    if given is None:
        month = f"{day:%Y-%m}"
        return next(
            name for name in [month, *(f"{month}-{mark}" for mark in (*"bcdefghijklmnopqrstuvwxyz", *range(27, 9999)))] if name not in taken
        )
    try:
        TypeAdapter(AuditName).validate_python(given)
    except ValidationError:
        raise UsageProblem(
            f"--name is {given!r}; expected up to 64 letters, digits, dots, dashes and underscores, such as {day:%Y-%m}"
        ) from None
    if given in taken:
        raise UsageProblem(
            f"there is an audit {given!r} already, whose sample stands; write its forms again with `judge audit forms --audit {given}`, "
            "or name another with --name"
        )
    return given


def _see_files(files: Sequence[str]) -> None:
    for file in files:
        if file == "-":
            raise UsageProblem("cannot draw from stdin (-): the transcripts are read twice, once to draw and once to show; name a file")
        if not Path(file).is_file():
            why = "it is a folder" if Path(file).is_dir() else "it is a pipe or a device" if Path(file).exists() else "no such file"
            raise UsageProblem(f"cannot read {file}: {why}; name an existing file")


def _see_room(name: str, folder: Path) -> None:
    see_writable(folder)
    if there := left_from_before(name, folder):
        raise UsageProblem(
            f"{folder} has forms of an audit {name!r} already ({listed(path.name for path in there)}); name another with --name or --out"
        )
