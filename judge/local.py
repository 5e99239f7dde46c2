"""The embedded judge: no key, no network, deterministic; a linear model over readable cues that says why.

Each rating is an intercept plus a sum of cue values times coefficients (`local_model.json`, fitted by
`training/fit.py`), so the cues named in a reason are the arithmetic itself, not a story told afterwards.
It knows the criteria of the shipped rubrics; a rubric of your own may use any of them, by name.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.transcript import Transcript
from judge.contract import Terms
from judge.cues import CUES, AgentTurn
from judge.noticing import read_turns
from judge.rubric import Criterion, Rubric, Scale, content_hash
from judge.utterance import MAX_CHARS, Utterance
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict, mean_unit

MODEL_FILE = Path(str(files("judge").joinpath("local_model.json")))
NAMED_CUES = 3  # at most so many cues in a reason

EPISODE_CUES: dict[str, tuple[int, str]] = {
    "mean_turn": (1, "how its turns were rated on average"),
    "worst_turn": (1, "its worst turn"),
    "last_turn": (1, "its last turn"),
    "bad_turns": (-1, "the share of bad turns"),
    "violence": (-1, "threats or insults"),
    "ignored": (-1, "what the other side said was passed over"),
    "repeated": (-1, "it repeated itself"),
    "broken_word": (-1, "it went back on its word"),
    "corrected": (-1, "it had to be corrected"),
    "complaints": (-1, "the other side complained"),
    "ends_with_step": (1, "it ended with a concrete step"),
    "left_open": (-1, "it ended with a question or complaint left open"),
    "other_content": (1, "the other side was content at the end"),
    "other_upset": (-1, "the other side was upset at the end"),
    "other_mood": (1, "how warmly or coldly the other side spoke"),
    "agreed": (1, "a stated limit or wish was accepted"),
}

_TURN_WORDS = {name: words for name, (_, words) in CUES.items()}
_EPISODE_WORDS = {name: words for name, (_, words) in EPISODE_CUES.items()}


class Linear(BaseModel):
    """One criterion's model on the unit scale: intercept, and a coefficient for each cue that counts."""

    model_config = ConfigDict(frozen=True)

    intercept: float
    cues: dict[str, float]

    def contributions(self, cues: Mapping[str, float]) -> list[tuple[float, str]]:
        """Return (contribution, cue), the largest first; cues without influence are left out."""
        found = [(self.cues[name] * value, name) for name, value in cues.items() if name in self.cues]
        return sorted((item for item in found if item[0]), key=lambda item: (-abs(item[0]), item[1]))


class LocalModel(BaseModel):
    """The coefficients file. `cues_fingerprint` is the hash of all training cues: other cue code, other fingerprint."""

    model_config = ConfigDict(frozen=True)

    cues_fingerprint: str
    turn: dict[str, Linear]
    episode: dict[str, Linear]


@cache
def shipped_model() -> LocalModel:
    """Return the model that ships with the package."""
    return LocalModel.model_validate_json(MODEL_FILE.read_bytes())


class LocalJudge:
    """Rates transcripts on `rubric` with the shipped model, or with `model`.

    Raises:
        UsageProblem: the rubric has a criterion that the model does not know.
    """

    def __init__(self, rubric: Rubric, model: LocalModel | None = None) -> None:
        self.rubric = rubric
        self.model = model or shipped_model()
        for known, criteria in ((self.model.turn, rubric.turn_criteria), (self.model.episode, rubric.episode)):
            for criterion in criteria:
                if criterion.name not in known:
                    raise UsageProblem(
                        f"the local judge has no criterion {criterion.name!r}{did_you_mean(criterion.name, known)}; "
                        f"it knows {listed(sorted(known))}; rate other criteria with an LLM judge"
                    )
        self._scales = {criterion.name: criterion.scale for criterion in rubric.turn_criteria}
        self.id = JudgeId(
            provider="local", model="cues-1", rubric=rubric.name, rubric_hash=rubric.hash, prompt_hash=content_hash(self.model)
        )

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict:
        """Return the verdict; see `verdict`, which is the same without the waiting."""
        return self.verdict(transcript)

    def verdict(self, transcript: Transcript) -> Verdict:
        """Return the ratings of every agent turn and of the episode."""
        said = list(read_turns(transcript))
        turns = [turn for turn in said if isinstance(turn, AgentTurn)]
        rated = [self._turn(turn, len(transcript.turns[turn.index].text)) for turn in turns]
        units = [mean_unit(turn.ratings, self.rubric.turn) for turn in rated]
        cues = dict(zip(EPISODE_CUES, episode_cues(said, units), strict=True))
        episode = {criterion.name: self._episode(criterion, cues, turns, units) for criterion in self.rubric.episode}
        return Verdict(judge=self.id, turns=tuple(rated), episode=episode)

    def _turn(self, turn: AgentTurn, length: int) -> TurnRatings:
        values = {name: cue.value for name, cue in turn.cues.items()}
        quotes: dict[tuple[int, int], str] = {}
        opening = (0, 1) if turn.utterance.words else None
        unread = f" (only its first {MAX_CHARS:,} characters were read)" if length > MAX_CHARS else ""
        ratings = {}
        for name, scale in self._scales.items():
            linear = self.model.turn[name]
            parts = linear.contributions(values)
            value = _on_scale(linear.intercept + sum(part for part, _ in parts), scale)
            # A cue of something left undone has no words of its own: the turn's opening stands for it.
            span = next((span for _, cue in parts[:NAMED_CUES] if (span := turn.cues[cue].span)), opening)
            if span and span not in quotes:
                quotes[span] = turn.utterance.quote(span)
            quote = quotes[span] if span else None
            ratings[name] = Rating(
                value=value,
                reason=_reason(parts, scale, _TURN_WORDS) + unread,
                quote=quote or None,
                quote_turn=turn.index if quote else None,
            )
        return TurnRatings(turn=turn.index, ratings=ratings)

    def _episode(self, criterion: Criterion, cues: Mapping[str, float], turns: Sequence[AgentTurn], units: Sequence[float]) -> Rating:
        linear = self.model.episode[criterion.name]
        parts = linear.contributions(cues)
        value = _on_scale(linear.intercept + sum(part for part, _ in parts), criterion.scale)
        middle = (criterion.scale.low + criterion.scale.high) / 2
        telling = turns[max(range(len(turns)), key=lambda k: (units[k] if value >= middle else -units[k], -k))]
        quote = telling.utterance.text[:160].strip()
        reason = _reason(parts, criterion.scale, _EPISODE_WORDS)
        return Rating(value=value, reason=reason, quote=quote or None, quote_turn=telling.index if quote else None)


def make_local_judge(rubric: Rubric, rest: str, terms: Terms) -> LocalJudge:
    """Return the judge that `--judge local` names."""
    if rest:
        raise UsageProblem(f"the local judge takes nothing after its name, got 'local:{rest}'; write --judge local")
    return LocalJudge(rubric)


def episode_cues(said: Sequence[AgentTurn | Utterance], units: Sequence[float]) -> list[float]:
    """Return the values of `EPISODE_CUES`, in order.

    Args:
        said: the dialogue taken apart, in order.
        units: the mean rating of each agent turn on [-1, 1].
    """
    turns = [turn for turn in said if isinstance(turn, AgentTurn)]
    others = [turn for turn in said if isinstance(turn, Utterance)]
    last_agent = max(at for at, turn in enumerate(said) if isinstance(turn, AgentTurn))
    after = [turn for turn in said[last_agent + 1 :] if isinstance(turn, Utterance)]
    end = after or others[-1:]

    def share(*names: str) -> float:
        return sum(any(name in turn.cues for name in names) for turn in turns) / len(turns)

    def strongest(*names: str) -> float:
        return max((turn.cues[name].value for turn in turns for name in names if name in turn.cues), default=0.0)

    complaints = sum(other.has("anger", "correction") for other in others)
    return [
        sum(units) / len(units),
        min(units),
        units[-1],
        sum(unit < -0.25 for unit in units) / len(units),
        strongest("threat", "insult", "coerces", "threat_after_stop"),
        share("ignores_question", "ignores_substance", "hollow", "ignores_request"),
        share("repeats_itself", "asks_again", "repeats_demand"),
        strongest("contradicts_promise", "contradicts_self"),
        min(1.0, sum(other.has("correction") for other in others) / 3),
        complaints / max(1, len(others)),
        float(any(turn.cues.keys() & {"concrete_step", "commits", "honours_request"} for turn in turns[-2:])),
        float(any(other.question or other.has("correction") for other in after)),
        max(0.0, _mood(end)),
        max(0.0, -_mood(end)),
        _mood(others),
        strongest("accepts_limit", "accepts_no", "honours_request"),
    ]


def _mood(said: Sequence[Utterance]) -> float:
    """Return how pleased (1) or displeased (-1) the words of the other side are, taken together."""
    pleased = sum(other.count("pleased") + len(other.negated.get("displeased", ())) for other in said)
    displeased = sum(other.count("displeased") + len(other.negated.get("pleased", ())) for other in said)
    return (pleased - displeased) / (3 + pleased + displeased)


def _on_scale(unit: float, scale: Scale) -> float:
    return round(scale.from_unit(unit), 3)


def _reason(parts: Sequence[tuple[float, str]], scale: Scale, words: Mapping[str, str]) -> str:
    """Return the largest contributions in words, each with what it adds to or takes from the rating, in levels."""
    step = (scale.high - scale.low) / 2
    total = sum(part for part, _ in parts)
    parts = sorted(parts[:NAMED_CUES], key=lambda item: item[0] * total < 0)  # what moved it to where it is comes first
    told = [f"{words[name]} ({part * step:+.2f})" for part, name in parts if abs(part * step) >= 0.005]
    return "; ".join(told) or "nothing in it speaks for or against"
