"""Who may be on the line: personas read from TOML files, the shipped ones or a person's own; how they act is `reactions`' business."""

from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialogue import datafile
from dialogue.environments.call_words import SENTIMENTS
from dialogue.errors import UsageProblem

Chance = Annotated[float, Field(ge=0, le=1)]
Some = Annotated[float, Field(ge=0)]


class Persona(BaseModel):
    """One kind of customer. Chances are for one turn, before the call's table of reactions weighs them by stage, action and mood.

    Attributes:
        share: how common the persona is, beside the others' shares.
        cooperation: goes along before there is talk of money.
        payment_willingness: pays in full when asked to.
        plan_willingness: takes a plan when it is offered.
        partial_compliance: complies only in part where the answer would have been yes.
        objection: raises an objection.
        emotional_volatility: 0 to 1: how often the mood moves, and how soon a bad mood ends the call.
        patience: agent turns after which staying on the line becomes harder.
        warmth: is reached by empathy.
        openness: answers a question, and settles an objection by it.
        interruption: cuts the agent short.
        topic_drift: changes the subject.
        callback: wants to be called another time.
        escalation: demands a supervisor, when upset.
        do_not_call: demands never to be called again, when upset.
        mood: how often each sentiment is met at the start, by name.
        prior_attempts: how often nobody, once, more than once tried to reach this customer before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    about: Annotated[str, Field(min_length=1)]
    share: Annotated[float, Field(gt=0)]
    cooperation: Chance
    payment_willingness: Chance
    plan_willingness: Chance
    partial_compliance: Chance
    objection: Chance
    emotional_volatility: Chance
    patience: Annotated[int, Field(ge=1, le=20)]
    warmth: Chance
    openness: Chance
    interruption: Annotated[float, Field(ge=0, le=0.4)]
    topic_drift: Annotated[float, Field(ge=0, le=0.4)]
    callback: Annotated[float, Field(ge=0, le=0.4)]
    escalation: Annotated[float, Field(ge=0, le=0.4)]
    do_not_call: Annotated[float, Field(ge=0, le=0.4)]
    mood: dict[str, Some]
    prior_attempts: tuple[Some, Some, Some] = (1.0, 0.0, 0.0)

    @model_validator(mode="after")
    def _moods_are_known(self) -> Self:
        for word in self.mood:
            if word not in SENTIMENTS:
                raise datafile.Misplaced(f"expected sentiments of {', '.join(SENTIMENTS)}", "mood", word)
        if sum(self.mood.values()) <= 0 or sum(self.prior_attempts) <= 0:
            raise datafile.Misplaced("expected at least one number above 0", "mood" if sum(self.mood.values()) <= 0 else "prior_attempts")
        return self


@cache
def shipped_personas() -> tuple[Persona, ...]:
    """Return the personas that come with the package."""
    return tuple(datafile.load(path, Persona) for path in datafile.shipped("dialogue.environments", "personas").values())


def load_personas(where: str | Path | None = None) -> tuple[Persona, ...]:
    """Return the personas of a .toml file or of every .toml file in a folder, by file name; None: those that are shipped.

    Raises:
        UsageProblem: nothing is there, a file is wrong, or two personas have one name.
    """
    if where is None:
        return shipped_personas()
    path = Path(where)
    found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not found:
        raise UsageProblem(f"no personas in {str(path)!r}: no .toml file there; give a persona file or a folder of them")
    if not path.exists():
        raise UsageProblem(
            f"no personas at {str(path)!r}; give a persona .toml file or a folder of them, or leave it out for the shipped ones"
        )
    personas: dict[str, Persona] = {}
    for file in found:
        persona = datafile.load(file, Persona)
        if persona.name in personas:
            raise UsageProblem(f"{file}: there is already a persona {persona.name!r} in {path}; give it another name")
        personas[persona.name] = persona
    return tuple(personas.values())
