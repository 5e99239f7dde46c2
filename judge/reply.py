"""An answer's text into ratings: parsed, checked name by name, quotes looked up in the turns; anything else is `Malformed`."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialogue.errors import listed
from dialogue.transcript import Transcript
from judge.chat import Token
from judge.rubric import Criterion, Marks, Rubric, Scale, StateCriterion
from judge.schema import EPISODE, keys_of
from judge.verdict import Rating
from judge.view import View

SHOWN = 120  # characters of a wrong value in a message
REASON_CHARS, QUOTE_CHARS = 2000, 600  # of what is kept
TOLD = 5  # mistakes named in one message
DIGITS = 300  # of a whole number; a longer one is none, and Python would not read it
_OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)
_NAME_END = re.compile(r"\s*:")  # after a string that is the name of a value
_ALIKE = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u00a0": " "})


class Malformed(ValueError):
    """An answer that is not what was asked for: one line that a model, or a person, can act on."""


@dataclass(frozen=True, slots=True)
class Part:
    """The ratings that one request brought: of agent turns by index, and of the episode (empty where it was not asked for)."""

    turns: dict[int, dict[str, Rating]]
    episode: dict[str, Rating]


def read_answer(text: str, view: View, transcript: Transcript, rubric: Rubric, tokens: Sequence[Token] = ()) -> Part:
    """Return the ratings in an answer's text.

    A quote that does not occur in its turn (spacing, case and typographic quotes aside) is not kept; where most quotes of an
    answer are invented, the answer is not about this transcript. With `tokens`, a rating is the mean over the levels that the
    model held possible, weighted by their probability (G-Eval, Liu et al. 2023), and its spread their standard deviation.

    Raises:
        Malformed: not JSON, or a turn, criterion or value is missing, extra, given twice or outside its scale.
    """
    answer = _parsed(text)
    expected = keys_of(transcript, view, rubric)
    _same_names(answer, [*expected, *([EPISODE] if view.episode else [])], "the answer")
    held = _held(text, _object_in(text) or slice(0, 0), tokens, rubric.marks) if tokens else {}
    quotes = _Quotes(transcript)
    wrong: list[str] = []
    turns = {}
    for key, index in expected.items():
        turns[index] = _ratings(answer[key], key, rubric.turn_criteria, rubric, quotes, [index], wrong)
    shown = list(view.shown)
    episode = _ratings(answer[EPISODE], EPISODE, rubric.episode, rubric, quotes, shown, wrong) if view.episode else {}
    if wrong:
        raise Malformed("; ".join(wrong[:TOLD]) + (f"; and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""))
    if quotes.invented > quotes.found and quotes.invented > 1:
        raise Malformed(f"{quotes.invented} of {quotes.invented + quotes.found} quotes do not occur in their turns; copy them exactly")
    if held:
        by_key = {key: turns[index] for key, index in expected.items()} | {EPISODE: episode}
        _weigh(answer, by_key, rubric, held)
    return Part(turns, episode)


def _parsed(text: str) -> dict[str, Any]:
    """Return the JSON object in the text; a code fence or words around it are forgiven."""
    part = _object_in(text)
    if not part:
        raise Malformed(f"no JSON object in {text[:SHOWN]!r}")
    try:
        answer = json.loads(text[part], object_pairs_hook=_once, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} at character {error.pos} of {len(text)}") from error
    except RecursionError as error:
        raise Malformed("not JSON: nested too deeply") from error
    if not isinstance(answer, dict):
        raise Malformed("not a JSON object")
    return answer


def _object_in(text: str) -> slice | None:
    start, end = text.find("{"), text.rfind("}")
    return slice(start, end + 1) if 0 <= start < end else None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS else float(digits)  # of a length at which float() gives inf, never OverflowError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Malformed(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return found


def _same_names(given: Any, expected: list[str], where: str) -> None:
    if not isinstance(given, dict):
        raise Malformed(f"{where} is not an object")
    missing = [name for name in expected if name not in given]
    extra = [name for name in given if name not in set(expected)]
    if missing or extra:
        told = [f"without {listed(missing[:TOLD])}"] * bool(missing) + [f"with unknown {listed(map(repr, extra[:TOLD]))}"] * bool(extra)
        raise Malformed(f"{where} is {' and '.join(told)}; expected exactly {listed(expected)}")


def _ratings(
    given: Any,
    where: str,
    criteria: Sequence[Criterion | StateCriterion],
    rubric: Rubric,
    quotes: "_Quotes",
    turns: list[int],
    wrong: list[str],
) -> dict[str, Rating]:
    _same_names(given, ["quote", "reason", *(criterion.name for criterion in criteria)], where)
    for name in ("quote", "reason"):
        if not isinstance(given[name], str):
            wrong.append(f"{where}.{name} is {_shown(given[name])}, expected text")
            return {}
    quote, turn = quotes.look_up(given["quote"], turns)
    reason = _encodable(" ".join(given["reason"].split())[:REASON_CHARS])
    found = {}
    for criterion in criteria:
        value = (_number if rubric.marks is Marks.NUMBERS else _letter)(given[criterion.name], criterion.scale, rubric)
        if isinstance(value, str):
            wrong.append(f"{where}.{criterion.name} is {_shown(given[criterion.name])}, expected {value}")
        else:
            found[criterion.name] = Rating(value=value, reason=reason, quote=quote, quote_turn=turn)
    return found


def _number(given: Any, scale: Scale, rubric: Rubric) -> float | str:
    """Return the rating that a number is, or what was expected instead."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        return "a number"
    return given if scale.low <= given <= scale.high else f"{scale.low} to {scale.high}"


def _letter(given: Any, scale: Scale, rubric: Rubric) -> float | str:
    """Return the rating that a letter stands for, or what was expected instead."""
    marked = rubric.marked(scale)
    letter = given.strip().upper() if isinstance(given, str) else None
    return marked[letter] if letter in marked else f"one of {listed(map(str, sorted(marked, key=str)))}"


def _shown(value: Any) -> str:
    return _encodable(json.dumps(value, ensure_ascii=False)[:SHOWN])


def _encodable(text: str) -> str:
    """Return the text with half surrogate pairs, which nothing could store, as question marks."""
    return text.encode(errors="replace").decode()


class _Quotes:
    """Looks quotes up in the turns, and counts those that were invented."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._plain: dict[int, str] = {}
        self.found = self.invented = 0

    def look_up(self, quote: str, turns: list[int]) -> tuple[str | None, int | None]:
        """Return the quote and the turn (of `turns`) in which it stands, or nothing."""
        quote = _encodable(quote[:QUOTE_CHARS]).strip().strip('"“”').strip()
        if not quote:
            return None, None
        for turn in turns:
            if quote in self._transcript.turns[turn].text:
                self.found += 1
                return quote, turn
        plain = _plain(quote).strip(" .…")
        for turn in turns if plain else ():
            if turn not in self._plain:
                self._plain[turn] = _plain(self._transcript.turns[turn].text)
            if plain in self._plain[turn]:
                self.found += 1
                return quote, turn
        self.invented += 1
        return None, None


def _plain(text: str) -> str:
    """Return the text without differences that do not make it another quote."""
    return " ".join("".join(c for c in text.translate(_ALIKE) if c.isprintable() or c.isspace()).casefold().split())


def _held(text: str, part: slice, tokens: Sequence[Token], marks: Marks) -> Mapping[int, tuple[tuple[str, float], ...]]:
    """Return what could have stood in the place of each mark in a part of the text, by its number.

    Numbers outside strings are counted; where letters are asked for, every string that is no name is, since any may be a mark.
    """
    starts: dict[int, Token] = {}
    at = 0
    for piece in tokens:
        starts[at + len(piece.text) - len(piece.text.lstrip())] = piece
        at += len(piece.text)
    found = {}
    literals = _OUTSIDE.finditer(text, part.start, part.stop)
    if marks is Marks.LETTERS:
        said = (m for m in literals if m[0][0] == '"' and not _NAME_END.match(text, m.end()))
        for number, match in enumerate(said):
            for start in (match.start(), match.start() + 1):  # the token may hold the quotation mark before the letter, too
                if (token := starts.get(start)) and _bare(token.text) == _bare(match[0]) != "":
                    found[number] = token.alternatives
        return found
    for number, match in enumerate(m for m in literals if m[0][0] != '"'):
        if (token := starts.get(match.start())) and token.text.strip() == match[0]:
            found[number] = token.alternatives
    return found


def _bare(text: str) -> str:
    """Return a token without the JSON around a letter."""
    return text.strip(' \t\r\n",}')


def _weigh(
    answer: dict[str, Any], by_key: dict[str, dict[str, Rating]], rubric: Rubric, held: Mapping[int, Sequence[tuple[str, float]]]
) -> None:
    """Make the ratings means over what the model held possible.

    Ratings are the only numbers of an answer, in its order; where they are letters, quotes and reasons are strings beside them.
    """
    counted = () if rubric.marks is Marks.NUMBERS else ("quote", "reason")
    number = 0
    for key, given in answer.items():
        ratings = by_key[key]
        scales = {c.name: c.scale for c in (rubric.episode if key == EPISODE else rubric.turn_criteria)}
        for name in given:
            if name in ratings:
                ratings[name] = _expected(ratings[name], held.get(number, ()), scales[name], rubric)
            number += name in ratings or name in counted


def _expected(rating: Rating, alternatives: Sequence[tuple[str, float]], scale: Scale, rubric: Rubric) -> Rating:
    letters = rubric.marks is Marks.LETTERS
    levels = {str(mark): value for mark, value in rubric.marked(scale).items()}
    masses: dict[int, float] = {}
    for text, logprob in alternatives:
        level = levels.get(_bare(text).upper() if letters else text.strip())
        if level is not None:
            masses[level] = masses.get(level, 0.0) + math.exp(logprob)
    total = sum(masses.values())
    if not total:
        return rating
    mean, spread = moments({level: mass / total for level, mass in masses.items()})
    return rating.model_copy(update={"value": mean, "spread": spread})


def moments(chances: Mapping[int, float]) -> tuple[float, float]:
    """Return mean and standard deviation of levels with their probabilities (which sum to 1)."""
    mean = sum(level * chance for level, chance in chances.items())
    mean = min(max(mean, min(chances)), max(chances))  # a sum of floats may leave the scale by its last bit
    return mean, math.sqrt(max(0.0, sum(chance * (level - mean) ** 2 for level, chance in chances.items())))
