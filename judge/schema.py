"""The JSON schema of an answer: exactly the turns asked for, each with quote, reason and one level a criterion, in that order."""

from collections.abc import Sequence
from typing import Any

from dialogue.transcript import Transcript
from judge.rubric import Criterion, Marks, Rubric, StateCriterion, Unit
from judge.view import View

TURN, EPISODE = "turn", "episode"


def names_of(transcript: Transcript) -> dict[int, str]:
    """Return the names that agent turns have in prompts and answers: `a1`, `a2`, ... by their index in the transcript.

    Not the index itself: a schema stands at the very beginning of what a provider caches (and compiles), and so all dialogues
    with as many agent turns have the same one.
    """
    return {index: f"a{number}" for number, index in enumerate(transcript.agent_turns, start=1)}


def keys_of(transcript: Transcript, view: View, rubric: Rubric) -> dict[str, int]:
    """Return the names under which an answer rates the turns of a view, with their indices.

    Turn by turn there is one, under the same name each time, for the same reason.
    """
    if rubric.unit is Unit.TURN:
        return {TURN: view.rated[0]} if view.rated else {}
    names = names_of(transcript)
    return {names[turn]: turn for turn in view.rated}


def schema_of(transcript: Transcript, view: View, rubric: Rubric) -> dict[str, Any]:
    """Return the schema for one request. Only keywords that every provider's strict mode knows are used."""
    shapes = {}
    properties = {}
    if view.rated:
        shapes[TURN] = _shape(rubric.turn_criteria, rubric)
        properties = {key: {"$ref": f"#/$defs/{TURN}"} for key in keys_of(transcript, view, rubric)}
    if view.episode:
        shapes[EPISODE] = _shape(rubric.episode, rubric)
        properties[EPISODE] = {"$ref": f"#/$defs/{EPISODE}"}
    return _object(properties) | {"$defs": shapes}


def _shape(criteria: Sequence[Criterion | StateCriterion], rubric: Rubric) -> dict[str, Any]:
    words = {"quote": {"type": "string"}, "reason": {"type": "string"}}
    kind = "integer" if rubric.marks is Marks.NUMBERS else "string"
    scales = {c.name: {"type": kind, "enum": list(rubric.marked(c.scale))} for c in criteria}
    return _object(words | scales)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
