"""What can be noticed about an agent's turn: named cues in [0, 1], each with the words that show it; `noticing.py` finds them."""

from dataclasses import dataclass, field

from judge.utterance import Utterance

# What each cue means, and its direction: +1 can only speak for a turn, -1 only against it, 0 either way.
# Fitting respects the direction, so no sample, however odd, can teach the judge to reward a threat.
CUES: dict[str, tuple[int, str]] = {
    # taking up what was said
    "uptake_amount": (1, "takes up the figure that was given"),
    "uptake_date": (1, "takes up the date or time that was given"),
    "uptake_content": (1, "takes up what was just said"),
    "uptake_reason": (1, "takes up the hardship that was mentioned"),
    "uptake_earlier": (1, "comes back to something said earlier"),
    "acknowledges": (1, "acknowledges it in words"),
    "specific_acknowledgement": (1, "acknowledges it and names the particulars"),
    "hollow": (-1, "a set phrase without a word on what was said"),
    "ignores_substance": (-1, "passes over what was just said"),
    "acknowledges_then_presses": (-1, "acknowledges it, then presses on as if it had not been said"),
    # questions
    "answers_question": (1, "answers the question asked"),
    "ignores_question": (-1, "leaves the question unanswered"),
    "asks": (0, "asks a question"),
    "asks_fitting": (1, "asks a question that follows from what was said"),
    "asks_again": (-1, "asks again what was asked before"),
    "shows_interest": (1, "shows interest"),
    # repetition and contradiction
    "repeats_itself": (-1, "repeats its own words"),
    "repeats_demand": (-1, "repeats a demand after it was refused"),
    "parrots": (-1, "only gives the other side's words back"),
    "contradicts_promise": (-1, "goes back on an amount agreed before"),
    "contradicts_self": (-1, "contradicts what it said of itself"),
    "recalls_own_words": (1, "stays with what it said before"),
    "was_corrected": (-1, "had to be corrected and does not put it right"),
    "mends": (1, "puts right what it was corrected on"),
    # a limit, an offer, a refusal
    "rejects_offer": (-1, "turns a stated offer down"),
    "over_limit": (-1, "asks for more than the stated limit"),
    "pushes_up": (-1, "bargains a stated offer upwards"),
    "accepts_limit": (1, "accepts the stated limit or offer"),
    "presses_after_no": (-1, "presses on after a no"),
    "accepts_no": (1, "accepts the no"),
    "honours_request": (1, "honours the request to stop or to speak with somebody"),
    "ignores_request": (-1, "ignores the request to stop or to speak with somebody"),
    # tone
    "threat": (-1, "threatens"),
    "veiled_threat": (-1, "holds out consequences to force the matter"),
    "tells_third_party": (-1, "speaks of the debt to somebody else"),
    "threat_after_stop": (-1, "insists after being asked to stop"),
    "reassures": (1, "says that a feared consequence will not come"),
    "insult": (-1, "blames or belittles"),
    "dismisses": (-1, "brushes the other side off"),
    "lectures": (-1, "tells the other side what it should do"),
    "pressure": (-1, "presses for it now"),
    "demand": (-1, "asks for payment or signature"),
    "calms": (1, "stays calm and gives room while the other side is upset"),
    "raises_tension": (-1, "adds pressure while the other side is upset"),
    "cold": (-1, "has no word for a distressed or upset person"),
    "apologises": (1, "apologises where there is something to apologise for"),
    "warm": (1, "friendly"),
    "shouts": (-1, "shouts"),
    "sugar_with_threat": (-1, "kind words around a threat"),
    # sales manners
    "hype": (-1, "superlatives"),
    "overpromise": (-1, "promises what nobody can promise"),
    "urgency": (-1, "a deadline that presses"),
    "boasts": (-1, "a claim without exceptions"),
    "hides_terms": (-1, "plays the terms down"),
    "disparages": (-1, "talks others down"),
    "coerces": (-1, "works on guilt, fear or pride"),
    # way forward
    "offers": (1, "offers a way or a choice"),
    "gives_choice": (1, "leaves the choice to the other side"),
    "concrete_step": (1, "a concrete step with amount, date or channel"),
    "commits": (1, "says what it does or has done"),
    "confirms": (1, "asks to confirm a concrete proposal"),
    "vague": (-1, "vague about what happens"),
    "deflects": (-1, "turns it away"),
    "deflects_with_way": (1, "says no, with a reason or another way"),
    "gives_reason": (1, "gives a reason"),
    "discloses": (1, "makes the disclosure"),
    # substance and form
    "specifics": (1, "gives specifics"),
    "informs": (1, "adds something new"),
    "empty": (-1, "says nothing"),
    "too_short": (-1, "too short for what was said"),
    "too_long": (-1, "far longer than needed"),
    "vacuous": (-1, "a stock phrase"),
    "unrelated": (-1, "has nothing to do with what was said"),
    "garbled": (-1, "garbled or stuck"),
    "praises_itself": (-1, "praises itself or grades itself"),
    "list_or_lecture": (-1, "a lecture"),
    # the situation that the turn leaves behind (for the state criterion)
    "other_accepts": (1, "the other side agreed"),
    "other_thanks": (1, "the other side is content"),
    "other_refuses": (-1, "the other side refused"),
    "other_upset": (-1, "the other side is upset"),
    "other_leaves": (-1, "the other side is leaving"),
    "other_corrects": (-1, "the other side had to correct the agent"),
    "other_talks_terms": (1, "the other side talks figures or dates"),
    "other_asked_stop": (-1, "the other side asked not to be contacted"),
    "progress": (1, "a figure or a step was agreed earlier"),
    "trouble_so_far": (-1, "several corrections, refusals or complaints so far"),
}
SITUATION = frozenset(list(CUES)[list(CUES).index("other_accepts") :])


@dataclass(frozen=True, slots=True)
class Cue:
    """How strongly a cue shows, in (0, 1], and where: the transcript's turn and a span of its words."""

    value: float
    turn: int
    span: tuple[int, int] | None = None


@dataclass(slots=True)
class AgentTurn:
    """An agent turn taken apart, with the cues found in it. `index` is its place in the transcript."""

    index: int
    utterance: Utterance
    cues: dict[str, Cue] = field(default_factory=dict)
