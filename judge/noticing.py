"""Finds the cues of every agent turn in a dialogue.

A cue relates the turn to what was said before (was the amount taken up, was a demand repeated after a refusal); it never
looks ahead, so a turn's cues do not depend on how the dialogue went on. Which cue counts how much is learnt, in `training/`.
"""

from collections.abc import Iterator

from dialogue.transcript import Role, Transcript
from judge.cues import AgentTurn, Cue
from judge.lexicon import lexicons
from judge.memory import Memory, claim, denies, hear, remember
from judge.utterance import Utterance


def read_turns(transcript: Transcript) -> Iterator[AgentTurn | Utterance]:
    """Yield, in order, the other side's utterances and the agent's turns with their cues; tools and system are passed over."""
    user_lexicon, agent_lexicon = lexicons()
    memory = Memory()
    for index, turn in enumerate(transcript.turns):
        if turn.role is Role.USER:
            utterance = Utterance(turn.text, user_lexicon)
            hear(memory, utterance)
            yield utterance
        elif turn.role is Role.AGENT:
            agent_turn = AgentTurn(index, Utterance(turn.text, agent_lexicon))
            Noticing(memory, agent_turn).all()
            remember(memory, agent_turn)
            yield agent_turn


ANSWERS = frozenset(("yes", "no", "yeah", "yep", "sure", "of", "absolutely", "it's", "it", "not", "about", "correct"))
BUTS = frozenset(("but", "however", "unfortunately"))
UPWARDS = frozenset(("stretch", "more", "bit", "instead", "meet", "up"))


class Noticing:
    """The cues of one turn; `all` fills `turn.cues`."""

    def __init__(self, memory: Memory, turn: AgentTurn) -> None:
        self.memory = memory
        self.turn = turn
        self.said = turn.utterance
        self.heard = memory.block
        self.fresh = memory.fresh
        self.heard_stems = frozenset(stem for heard in self.heard for stem in heard.stems)
        self.heard_numbers = frozenset(value for heard in self.heard for value in heard.values)
        self.shared = self.said.stems & self.heard_stems
        self.upset = memory.upset

    def all(self) -> None:
        if not any(character.isalnum() for character in self.said.text):
            self._note("empty")
            self._situation()
            return
        self._uptake()
        self._questions()
        self._repetition()
        self._limits()
        self._tone()
        self._selling()
        self._way_forward()
        self._form()
        self._situation()

    def _note(self, name: str, value: float = 1.0, span: tuple[int, int] | None = None) -> None:
        if value > 0:
            self.turn.cues[name] = Cue(min(1.0, value), self.turn.index, span)

    def _note_family(self, name: str, family: str, full_at: int = 1) -> bool:
        spans = self.said.hits.get(family)
        if not spans:
            return False
        self._note(name, len(spans) / full_at, spans[0])
        return True

    def _note_first(self, name: str, *families: str, value: float = 1.0) -> bool:
        """Note the cue where the first of the families stands, if any of them occurs."""
        family = self.said.first_of(*families)
        if family is None:
            return False
        self._note(name, value, self.said.hits[family][0])
        return True

    def _note_together(self, name: str, *families: str, value: float = 1.0) -> bool:
        """Note the cue if each of the families occurs in the turn, in different words."""
        spans = [self.said.hits.get(family, []) for family in families]
        if not all(spans) or len({span[0] for each in spans for span in each}) < len(families):
            return False
        self._note(name, value, spans[0][0])
        return True

    def _heard(self, *families: str) -> bool:
        return self.fresh and any(heard.has(*families) for heard in self.heard)

    def _span_of(self, stems: frozenset[str]) -> tuple[int, int] | None:
        """Return the first word that carries one of the stems (stems begin the words they come from)."""
        for at, word in enumerate(self.said.words):
            if len(word) > 2 and any(word.startswith(stem[:5]) for stem in stems):
                return at, at + 1
        return None

    def _uptake(self) -> None:
        said, cues = self.said, self.turn.cues
        substance = self.fresh and (
            len(self.heard_stems) >= 3 or bool(self.heard_numbers) or self._heard("hardship", "distress", "refusal")
        )
        if self.fresh:
            figures = [(value, at) for value, at in said.numbers if value in self.heard_numbers]
            if figures:
                self._note("uptake_amount", 1.0, (figures[0][1], figures[0][1] + 1))
            dates = {date for heard in self.heard for date in heard.dates} & said.dates
            if dates:
                at = next(at for at, word in enumerate(said.words) if word in dates)
                self._note("uptake_date", 1.0, (at, at + 1))
            if self.shared:
                self._note("uptake_content", len(self.shared) / 3, self._span_of(self.shared))
        reasons = said.stems & self.memory.hardship
        if reasons:
            self._note("uptake_reason", 1.0, self._span_of(reasons))
        earlier = (said.stems & self.memory.stems) - self.heard_stems - self.memory.agent_stems
        earlier_numbers = (said.values & self.memory.numbers) - self.heard_numbers - {0.0}
        self._note("uptake_earlier", (len(earlier) + 2 * len(earlier_numbers)) / 3, self._span_of(earlier) if earlier else None)
        taken_up = cues.keys() & {"uptake_amount", "uptake_date", "uptake_content", "uptake_reason"}
        acknowledged = said.has("acknowledges", "apologises")
        if self.fresh and acknowledged:
            self._note_first("acknowledges", "acknowledges", "apologises")
            if taken_up:
                self._note("specific_acknowledgement", 1.0, cues["acknowledges"].span)
        if said.has("formula") and not taken_up and said.length > 3 and substance:
            self._note_family("hollow", "formula")
        if substance and not taken_up:
            self._note("ignores_substance", 0.4 if acknowledged or said.has("agrees") else 1.0)
        but = next((at for at, word in enumerate(said.words) if word in BUTS), None)
        if acknowledged and but is not None and said.has("pressure", "threat", "demand"):
            self._note("acknowledges_then_presses", 1.0 if said.has("pressure", "threat") else 0.5, (but, but + 1))

    def _questions(self) -> None:
        said, cues = self.said, self.turn.cues
        asked = self.fresh and any(heard.question for heard in self.heard)
        new = said.stems - self.heard_stems - self.memory.agent_stems
        if asked:
            short_answer = bool(said.words) and said.words[0] in ANSWERS
            gives = bool(said.numbers) or bool(said.dates) or len(new) >= 4 or said.has("commits", "agrees", "reasons")
            turned_away = said.has("deflects", "formula", "vacuous", "dismisses") and not (said.numbers or said.has("reasons", "offers"))
            if (short_answer or (gives and (self.shared or said.numbers or said.dates))) and not turned_away:
                self._note("answers_question", 1.0, (0, min(3, len(said.words))))
            elif not self.shared and (turned_away or not gives):
                self._note("ignores_question")
            elif not self.shared:
                self._note("ignores_question", 0.5)
        if said.question:
            marks = [at for at, word in enumerate(said.words) if word == "?"]
            span = (max(0, marks[0] - 1), marks[0]) if marks else (0, 1)
            self._note("asks", 1.0, span)
            if self.shared or cues.keys() & {"uptake_amount", "uptake_date", "uptake_reason"}:
                self._note("asks_fitting", 1.0, span)
            if said.stems and any(_alike(said.stems, before) > 0.6 for before in self.memory.questions):
                self._note("asks_again", 1.0, span)
        self._note_family("shows_interest", "interest", 2)

    def _repetition(self) -> None:
        said, memory = self.said, self.memory
        alike = max((_alike(said.stems, own.stems) if said.stems else float(said.words == own.words) for own in memory.own), default=0.0)
        if alike > 0.5:
            self._note("repeats_itself", 2 * (alike - 0.5), (0, len(said.words)))
        if memory.demanded and memory.refused and said.has("demand", "pressure") and "accepts_limit" not in self.turn.cues:
            family = "demand" if said.has("demand") else "pressure"
            if memory.limit is None or memory.limit not in said.values:
                self._note_family("repeats_demand", family)
        heard_words = {word for heard in self.heard for word in heard.words}
        if self.fresh and said.length >= 4 and len(said.stems) > 1:
            copied = sum(word in heard_words for word in said.words) / len(said.words)
            if copied > 0.8:
                self._note("parrots", 5 * (copied - 0.8), (0, len(said.words)))
        for _, after in said.hits.get("first_person", ()):
            affirmed = not denies(said, after)
            for word in claim(said, after):
                if memory.claims.get(word, affirmed) != affirmed:
                    self._note("contradicts_self", 1.0, (max(0, after - 2), after))
        own_words = (said.stems & memory.agent_stems) - memory.stems
        if memory.own and alike <= 0.5:
            self._note("recalls_own_words", len(own_words) / 3, self._span_of(own_words) if own_words else None)
        if self._heard("correction"):
            if said.has("apologises", "acknowledges") and (self.shared or said.numbers or said.has("commits", "agrees")):
                self._note_first("mends", "apologises", "acknowledges")
            else:
                self._note("was_corrected", 1.0 if not self.shared else 0.5)

    def _limits(self) -> None:
        said, memory = self.said, self.memory
        limit = memory.limit
        money = [(value, at) for value, at in said.numbers if value >= 5]
        if self.fresh and said.has("rejects") and (self._heard("limit") or self.heard_numbers):
            self._note("rejects_offer", 0.5 if said.has("reasons") else 1.0, said.hits["rejects"][0])
            self.turn.cues.pop("uptake_amount", None)
        if limit is not None:
            within = [at for value, at in money if abs(value - limit) <= 0.05 * limit]
            above = [at for value, at in money if value > 1.05 * limit]
            presses = said.has("pressure", "demand", "threat") or said.question
            if above and (not within or said.has("rejects")) and presses and not said.has("reasons"):
                self._note("over_limit", 1.0, (above[0], above[0] + 1))
                self.turn.cues.pop("uptake_amount", None)
            elif above and within and said.question and any(word in UPWARDS for word in said.words):
                self._note("pushes_up", 1.0, (above[0], above[0] + 1))
            elif within and not said.has("insult", "rejects") and not (said.has("pressure") and not said.has("agrees", "commits")):
                self._note("accepts_limit", 1.0, (within[0], within[0] + 1))
            elif self.fresh and said.has("agrees") and not said.has("pressure", "threat", "rejects") and self.heard_numbers:
                self._note_family("accepts_limit", "agrees")
            elif said.has("pressure") and self.fresh and self.heard_numbers:
                self._note_family("over_limit", "pressure")
            if memory.agreed is not None and above and not within and said.has("demand", "pressure", "commits"):
                self._note("contradicts_promise", 1.0, (above[0], above[0] + 1))
        if self._heard("refusal", "disputes"):
            pressed = self._note_first("presses_after_no", "pressure", "threat", "urgency", "coerces", "hype", "insult")
            if not pressed and not said.has("demand"):
                self._note_first("accepts_no", "releases", "agrees", "acknowledges")
        if self._heard("stop_request", "human_request"):
            if said.has("releases", "commits") and not said.has("pressure", "threat"):
                self._note_first("honours_request", "releases", "commits")
            else:
                self._note("ignores_request")
                if self._heard("stop_request") and said.has("demand", "pressure", "threat", "urgency", "coerces"):
                    self._note("threat_after_stop")
        elif memory.stop_asked:
            self._note_first("threat_after_stop", "demand", "pressure", "urgency")

    def _tone(self) -> None:
        said, upset = self.said, self.upset
        threatened = self._threats()
        if self._heard("third_party") and said.has("debt_talk"):
            self._note_family("tells_third_party", "debt_talk", 2)
        if threatened and said.has("warm", "formula"):
            self._note("sugar_with_threat", 1.0, self.turn.cues["threat"].span)
        self._note_family("insult", "insult", 2)
        self._note_family("dismisses", "dismisses", 2)
        self._note_family("lectures", "lectures", 2)
        self._note_family("pressure", "pressure", 2)
        self._note_family("demand", "demand", 2)
        harsh = said.has("pressure", "threat", "insult", "dismisses")
        if upset >= 0.3:
            if harsh:
                self._note_first("raises_tension", "threat", "insult", "dismisses", "pressure", value=0.5 + upset / 2)
            else:
                self._note_first("calms", "apologises", "releases", "acknowledges", "offers", "agrees", value=0.5 + upset / 2)
        if (upset >= 0.3 or self._heard("distress", "hardship")) and not said.has("apologises", "acknowledges", "warm", "agrees", "offers"):
            self._note("cold")
        if upset >= 0.3 or self._heard("correction"):
            self._note_family("apologises", "apologises")
        if not harsh:
            self._note_family("warm", "warm", 2)
        self._note("shouts", (said.shouts >= 2) * 0.5 + (said.exclaims >= 3) * 0.5)

    def _threats(self) -> bool:
        """Note open and veiled threats; return whether there is an open one. A denied consequence is a reassurance."""
        said = self.said
        spoken = said.count("threat") - len(said.negated.get("threat", ()))
        if spoken > 0:
            self._note("threat", (1 + spoken) / 3, said.hits["threat"][0])
        elif "threat" in said.negated or "penalty" in said.negated or "authority" in said.negated:
            denied = next(family for family in ("threat", "penalty", "authority") if family in said.negated)
            self._note("reassures", 1.0, said.negated[denied][0])
        soft = said.has("offers", "agrees", "releases", "apologises")
        if not soft and not self._note_together("veiled_threat", "penalty", "condition"):
            self._note_together("veiled_threat", "penalty", "pressure", value=0.5)
        if not soft and not self.turn.cues.keys() & {"threat", "reassures"}:
            self._note_together("threat", "authority", "arrives", value=0.7)
            self._note_together("threat", "outsiders", "tells", value=0.7)
        return "threat" in self.turn.cues

    def _selling(self) -> None:
        for name in ("hype", "overpromise", "urgency", "disparages", "coerces"):
            self._note_family(name, name, 2)
        if "urgency" not in self.turn.cues:
            self._note_together("urgency", "deal", "instantly", "runs_out", value=0.7)
        self._note_together("boasts", "absolute", "boasted")
        self._note_together("hides_terms", "unread", "glossed")

    def _way_forward(self) -> None:
        said = self.said
        concrete = bool(said.numbers) or bool(said.dates)
        forced = said.has("threat", "insult") or (said.has("pressure") and said.has("demand", "rejects"))
        if not (forced or self.turn.cues.keys() & {"over_limit", "repeats_demand", "presses_after_no", "threat_after_stop"}):
            self._note_family("offers", "offers", 2)
            if said.question and said.has("offers"):
                self._note("gives_choice", 1.0, said.hits["offers"][0])
            committed = self._note_family("commits", "commits", 2)
            if concrete and (committed or said.has("offers", "agrees")):
                family = "commits" if committed else "offers" if "offers" in said.hits else "agrees"
                self._note("concrete_step", 1.0 if committed else 0.6, said.hits[family][0])
            if concrete and said.question and not said.has("pressure"):
                self._note("confirms", 1.0, (max(0, len(said.words) - 3), len(said.words)))
        if not concrete:
            self._note_family("vague", "vague", 2)
        if said.has("deflects"):
            if said.mentions("reasons") or said.has("offers", "commits"):
                self._note_family("deflects_with_way", "deflects")
            else:
                self._note_family("deflects", "deflects")
        if said.mentions("reasons"):  # "I can't, because": what the negation denies is not the reason
            self._note("gives_reason", 1.0, (said.hits.get("reasons") or said.negated["reasons"])[0])
        self._note_family("discloses", "disclosure")

    def _form(self) -> None:
        said, memory = self.said, self.memory
        length = said.length
        heard_length = sum(heard.length for heard in self.heard) if self.fresh else 0
        names = sum(1 for word in said.text.split()[1:] if word[:1].isupper() and len(word) > 2)
        self._note("specifics", (len(said.numbers) + len(said.dates) + names / 2) / 2)
        new = said.stems - self.heard_stems - memory.agent_stems - memory.stems
        self._note("informs", len(new) / 4)
        if length <= 3 and not (self.turn.cues.keys() & {"answers_question", "uptake_amount", "uptake_date", "asks_fitting"}):
            self._note("too_short", 1.0 if heard_length > 4 else 0.5, (0, len(said.words)))
        self._note("too_long", (length - max(45, 3 * heard_length)) / 60)
        if length <= 8 and len(said.stems) <= 3:
            self._note_family("vacuous", "vacuous")
        if self.fresh and len(self.heard_stems) >= 2 and len(said.stems) >= 2 and not self.shared and not self.turn.cues.keys() & {
            "acknowledges", "answers_question", "uptake_amount", "uptake_date", "uptake_earlier", "commits", "offers", "accepts_limit"
        }:  # fmt: skip
            self._note("unrelated")
        words = said.words
        if len(words) >= 8:
            distinct = len(set(words)) / len(words)
            self._note("garbled", 2 * (0.55 - distinct) if len(words) < 80 else 2 * (0.35 - distinct))
        self._note_family("praises_itself", "self_praise")
        marks = said.text.count("\n- ") + said.text.count("\n* ") + said.text.count("\n1.") + said.text.count("\n2.")
        self._note("list_or_lecture", marks / 6 + (0.5 if length > 80 and not said.question else 0.0))

    def _situation(self) -> None:
        memory = self.memory
        if self.fresh:
            for name, families in (
                ("other_accepts", ("accepts",)),
                ("other_thanks", ("gratitude",)),
                ("other_refuses", ("refusal", "disputes")),
                ("other_leaves", ("leaving",)),
                ("other_corrects", ("correction",)),
            ):
                if self._heard(*families):
                    self._note(name)
            if self.heard_numbers or any(heard.dates for heard in self.heard):
                self._note("other_talks_terms")
        self._note("other_upset", memory.upset if memory.upset >= 0.3 else 0.0)
        if memory.stop_asked:
            self._note("other_asked_stop")
        if memory.progress:
            self._note("progress")
        self._note("trouble_so_far", (memory.corrections + memory.refusals + memory.complaints - 1) / 4)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard similarity of two sets of stems."""
    return len(one & other) / len(one | other) if one and other else 0.0
