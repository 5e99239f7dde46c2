"""Who learns from what: from a command line, or from the checkpoint of a training that goes on; nothing is learned here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dialogue.errors import UsageProblem, listed
from judge.settings import Settings
from policies.contract import Learner, Policy
from policies.environments import make_env
from policies.judged import CALLS, JudgedSource
from policies.learner_names import default_learner, learner_class, make_learner, see_fit, see_held
from policies.offline import LoggedSource, offline_learner
from policies.options import typed
from policies.rollout import Rollouts
from policies.simulation import make_spoken, simulate
from policies.source import Source
from policies.support import LEAST, supported
from policies.table import TablePolicy
from policies.train_plan import Plan, files_of
from policies.training import Training
from rewards.admission import Allowed
from rewards.scorer import make_scorer

OWN = "outcome"  # the recipe that is what environments reward by themselves
SCORING = ("judge", "rubric", "outcomes")  # settings that decide what a verdict is


@dataclass(frozen=True)
class Request:
    """What a command line says of what is learned; None or empty where it says nothing.

    Attributes:
        settings: reads the settings anew, with some of them given.
        environ: where keys are found.
    """

    learner: str | None = None
    seed: int | None = None
    env: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    env_options: dict[str, str] = field(default_factory=dict)
    envs: int | None = None
    files: tuple[str, ...] = ()
    passes: int | None = None
    min_count: int | None = None
    state: str | None = None
    recipe: str | None = None
    scoring: dict[str, Any] = field(default_factory=dict)
    calls: int | None = None
    allowed: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    settings: Callable[[Mapping[str, Any]], Settings] = lambda given: Settings(**given)
    environ: Mapping[str, str] = field(default_factory=dict)

    def parameters_of(self, learner: str) -> dict[str, Any]:
        """Return the learner's parameters that are given, typed."""
        given: dict[str, Any] = dict(self.parameters)
        if self.envs is not None and "envs" in given:
            raise UsageProblem(f"--envs {self.envs} and --set envs={given['envs']} say the same thing; give one of them")
        given |= {} if self.envs is None else {"envs": self.envs}
        return typed(learner_class(learner), given, f"the learner {learner}")

    def see_agrees(self, plan: Plan, where: str) -> None:
        """See that nothing is given that contradicts a plan.

        Raises:
            UsageProblem: something is.
        """
        plain = {"learner": self.learner, "seed": self.seed, "env": self.env, "recipe": self.recipe}
        plan.agree(plain | {"env_options": self.env_options, "parameters": self.parameters_of(plan.learner)}, where)
        plan.agree(
            {
                "log": {"passes": self.passes, "state": self.state, "min_count": self.min_count},
                "scoring": self.scoring | {"calls": self.calls},
            },
            where,
        )
        if self.files and plan.env is not None:
            raise UsageProblem(
                f"--from {self.files[0]} contradicts the training in {where}, which was begun with --env {plan.env}; "
                "train on files with --out in another folder"
            )


@dataclass(frozen=True)
class Work:
    """A training with what it is of.

    Attributes:
        files: rewards files of this run, by their whole paths.
        notes: what is to be told on stderr before it begins.
    """

    plan: Plan
    training: Training
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """What is learned from, in words."""
        return self.plan.env or listed(Path(file).name for file in self.files)

    @property
    def episodes(self) -> int | None:
        """How many different episodes the log holds; None of an environment."""
        source = self.training.source
        return source.log.episodes if isinstance(source, LoggedSource) else None

    def manifest(self) -> dict[str, Any]:
        """Return what the policy was made of: nothing that depends on the clock, on a folder, or on how often it was stopped."""
        training, source = self.training, self.training.source
        found = {name: value for name, value in self.plan.as_data().items() if value not in (None, {})}
        if isinstance(source, LoggedSource | JudgedSource):
            data = source.manifest(training.learner) if isinstance(source, LoggedSource) else source.manifest()
            law = data.pop("law3")
            found |= {"data": data, "law3": law, "warnings": [*law["warnings"], *data.get("notes", ())]}
        return found | {"steps": training.steps, "batches": training.batches, "episodes": training.episodes}

    def served(self) -> tuple[Policy, dict[str, Any]]:
        """Return what is served, and its manifest.

        Of a log the tries are counted once, however often it was gone through, and where it has tried an action too rarely the policy
        keeps to who acted (see policies.support).
        """
        learner, source, manifest = self.training.learner, self.training.source, self.manifest()
        policy = learner.policy()
        if not isinstance(source, LoggedSource) or not isinstance(policy, TablePolicy) or policy.counts is None:
            return policy, manifest
        policy = replace(policy, counts=source.tried())
        least = self.plan.log.get("min_count", LEAST)
        if least and learner.name != "pessimistic":  # which does so by itself
            found = supported(policy, least)
            policy, manifest["support"] = found.policy, {"min_count": least, "kept": found.kept, "cells": found.cells}
        return policy, manifest


def judged(request: Request) -> bool:
    """Say whether rewards are to be another's than the environment's own: calls are then simulated, and scored by a recipe."""
    return request.env is not None and request.recipe not in (None, OWN)


def begun(request: Request) -> Work:
    """Return the training that a command line asks for, at its beginning.

    Raises:
        UsageProblem: it asks for what there is not, or what cannot be.
    """
    if request.env and request.files:
        raise UsageProblem(f"--env {request.env} and --from {request.files[0]}: learn from one of them")
    if request.env:
        return _begun_in_env(request, request.env)
    if not request.files:
        raise UsageProblem("nothing to learn from: name an environment with --env, such as debt_call, or rewards files with --from")
    _refuse("is for --env; rewards files were scored already", recipe=request.recipe, calls=request.calls, **request.scoring)
    _refuse("is for --env", **{f"env-set {key}": value for key, value in request.env_options.items()})
    blank = Plan("", {}, request.seed or 0, log=_given(passes=request.passes, min_count=request.min_count, state=request.state)).allowing(
        request.allowed
    )
    source = _log(blank, request.files, request, None)
    name = request.learner or offline_learner(source.log)
    learner = make_learner(name, request.parameters_of(name))
    return _from_log(replace(blank, learner=name, parameters=learner.get_params()), learner, source, _whole(request.files))


def resumed(request: Request, tree: Mapping[str, Any], where: str) -> Work:
    """Return the training that a checkpoint holds, where it was stopped; with new files, at their beginning.

    Raises:
        UsageProblem: the command line contradicts it, or its files are not as they were.
    """
    plan = Plan.from_data(tree["plan"])
    request.see_agrees(plan, where)
    plan.see_files(where)
    learner = make_learner(plan.learner, plan.parameters)
    if plan.env is not None:
        plan = plan.allowing(request.allowed) if plan.scoring else plan
        work = Work(plan, _in_env(plan, learner, request, tree["source"]))
    else:
        plan = plan.allowing(request.allowed)
        files = request.files or tuple(tree["files"])
        work = _from_log(plan, learner, _log(plan, files, request, tree["source"]), _whole(files))
    work.training.restore(tree["training"])
    return work


def _seeds(plan: Plan) -> list[np.random.SeedSequence]:
    """Return the seeds of the learner and of its source."""
    return np.random.SeedSequence(plan.seed).spawn(2)


def _begun_in_env(request: Request, env: str) -> Work:
    _refuse(
        "is for --from; an environment has no log",
        passes=request.passes,
        min_count=request.min_count,
        state=request.state,
        again=request.again or None,
    )
    if not judged(request):
        _refuse("is for --recipe with a judge; this is the environment's own reward", calls=request.calls, **request.scoring)
    spaces = make_spoken(env, request.env_options).spaces if judged(request) else make_env(env, 1, request.env_options).spaces
    name = request.learner or default_learner(spaces)
    learner = make_learner(name, request.parameters_of(name))
    options = dict(request.env_options)
    plan = Plan(name, learner.get_params(), request.seed or 0, env, options, files_of(options), request.recipe)
    if judged(request):
        settings = request.settings(request.scoring)
        scoring = _given(**{key: getattr(settings, key) for key in SCORING})
        plan = replace(plan, scoring=scoring | {"calls": request.calls or CALLS}).allowing(request.allowed)
    else:
        see_held(learner, spaces)
    return Work(plan, _in_env(plan, learner, request))


def _in_env(plan: Plan, learner: Learner, request: Request, state: Mapping[str, Any] | None = None) -> Training:
    of_learner, of_source = _seeds(plan)
    source = _judged(plan, request, of_source) if plan.scoring else _rollouts(plan, learner, of_source)
    see_fit(learner, plan.learner, source.spaces, str(plan.env))
    if state is not None:
        source.restore(dict(state))
    return Training(learner, source, of_learner)


def _rollouts(plan: Plan, learner: Learner, seed: np.random.SeedSequence) -> Source:
    return Rollouts(make_env(str(plan.env), learner.envs, plan.env_options), seed)


def _judged(plan: Plan, request: Request, seed: np.random.SeedSequence) -> Source:
    env, options, name = str(plan.env), plan.env_options, plan.learner
    scoring = {key: plan.scoring.get(key) for key in SCORING}
    settings = request.settings(scoring | {"recipe": plan.recipe})
    return JudgedSource(
        make_spoken(env, options).spaces,
        lambda policy, n, seed: simulate(policy, env, n, seed, options, name=name),
        make_scorer(settings, request.environ),
        seed,
        calls=plan.scoring["calls"],
        allowed=Allowed(**plan.allowed),
    )


def _log(plan: Plan, files: tuple[str, ...], request: Request, state: Mapping[str, Any] | None) -> LoggedSource:
    return LoggedSource(
        files,
        seed=_seeds(plan)[1],
        passes=plan.log.get("passes"),
        fields=plan.log.get("state"),
        allowed=Allowed(**plan.allowed),
        ledger=request.settings({}).ledger,
        again=request.again,
        new=bool(request.files),
        state=None if state is None else dict(state),
    )


def _from_log(plan: Plan, learner: Learner, source: LoggedSource, files: tuple[str, ...]) -> Work:
    see_fit(learner, plan.learner, source.spaces, "the log")
    told = f"{source.log.episodes:,} episodes, {source.log.steps:,} turns; {source.correction(learner)}"
    doubt = source.doubt(learner)
    notes = (f"learning from {told}", *source.log.notes, *source.law["warnings"], *([doubt] if doubt else []))
    left = source.admission.coverage.told()
    return Work(plan, Training(learner, source, _seeds(plan)[0]), files, notes + ((f"left out: {left}",) if left else ()))


def _refuse(why: str, **options: Any) -> None:
    """Refuse options that stand on the command line and mean nothing there."""
    for name, value in options.items():
        if value is not None:
            raise UsageProblem(f"--{name} {why}; leave it out")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _whole(files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(Path(file).resolve()) for file in files)
