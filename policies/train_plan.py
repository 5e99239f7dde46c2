"""What a training is of: learner, parameters, source and seed, as checkpoints keep it; a command line that says else is refused."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from dialogue.errors import UsageProblem


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is learned, but the number of steps and the contents of files.

    Attributes:
        learner: as on the command line, such as `sb3:dqn`.
        parameters: of the learner, all of them.
        seed: of all chance.
        env: name of the environment; None: from files.
        env_options: of the environment, those that were given.
        env_files: hash of the contents of each of them that is a file or a folder.
        recipe: of the reward; None: the environment's own, or the files'.
        scoring: how a judge is asked, where the recipe needs one.
        log: how files are read: `passes`, `state`, and `min_count` of the policy that is made of them.
        allowed: what law 3 forbids and the command line allowed.
    """

    learner: str
    parameters: dict[str, Any]
    seed: int
    env: str | None = None
    env_options: dict[str, Any] = field(default_factory=dict)
    env_files: dict[str, str] = field(default_factory=dict)
    recipe: str | None = None
    scoring: dict[str, Any] = field(default_factory=dict)
    log: dict[str, Any] = field(default_factory=dict)
    allowed: dict[str, Any] = field(default_factory=dict)

    def see_files(self, where: str) -> None:
        """See that the files that options name are as they were when the training began.

        Raises:
            UsageProblem: one is not.
        """
        for name, now in files_of(self.env_options).items():
            if self.env_files.get(name) != now:
                raise UsageProblem(
                    f"--env-set {name}={self.env_options[name]} holds something else than when the training in {where} began; "
                    "put it back to go on, or train anew with --out in another folder"
                )

    def as_data(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_data` made plain values of."""
        return cls(**data)

    def allowing(self, more: Mapping[str, Any]) -> Self:
        """Return the plan with more allowed: a new day's file may need leave that the days before it did not."""
        given = {name: value for name, value in more.items() if value is not None and value is not False}
        return replace(self, allowed=self.allowed | given)

    def agree(self, given: Mapping[str, Any], where: str) -> None:
        """See that what a command line gives is what is planned.

        Args:
            given: by name of the attribute, of tables only the keys that are given; None: nothing was said.
            where: the folder.

        Raises:
            UsageProblem: something else was planned.
        """
        for name, value in given.items():
            planned = getattr(self, name)
            if not isinstance(value, dict):
                _same(f"--{name} ", planned, value, where)
                continue
            for key, one in value.items():
                _same(_option_of(name, key), planned.get(key), one, where)


def files_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return a hash of the contents of every option that names a file or a folder (of which the files directly in it count)."""
    found = {}
    for name, value in options.items():
        path = Path(str(value))
        if path.exists():
            files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
            found[name] = sha256(b"".join(sha256(one.read_bytes()).digest() for one in files)).hexdigest()
    return found


def _same(option: str, planned: Any, given: Any, where: str) -> None:
    if given is None or given == planned:
        return
    held = f"without {option.strip(' =')}" if planned is None else f"with {option}{planned}"
    raise UsageProblem(
        f"{option}{given} contradicts the training in {where}, which was begun {held}; "
        "leave it out to go on, or train anew with --out in another folder"
    )


def _option_of(table: str, key: str) -> str:
    """Return what stands on a command line before a value of one of the tables."""
    if table == "parameters" and key != "envs":
        return f"--set {key}="
    return f"--env-set {key}=" if table == "env_options" else f"--{key.replace('_', '-')} "
