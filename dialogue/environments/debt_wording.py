"""What both sides of a simulated debt call say: every step of the environment becomes an agent's and a customer's line that fit the call.

Names, sums, dates and reasons are drawn once and kept: what was offered is what is accepted, and what is accepted is what is confirmed.
"""

from collections.abc import Sequence

from dialogue.environments.call_words import Action, Fsm
from dialogue.environments.debt_words import DRAWN, DebtWords, Issue
from dialogue.environments.wording import Speaker, capital, cut_short

STEP = 120  # dollars: every balance is a multiple, so that every plan divides it evenly
BALANCES = range(4, 41)  # how many of those
PLANS = {4800: (6, 12, 24, 40), 2400: (4, 6, 12, 24), 1200: (3, 4, 6, 12)}  # months, dearest first, of balances up to these
DAYTIMES = ("morning", "afternoon", "evening")
PILED_UP = "It just piled up, one thing after the other."
BREAKS = frozenset(("STALLS", "OBJECTS", "DRIFTS", "INTERRUPTS"))  # the disclosure was not made
FIRST_CUES = ("DRIFTS", "INTERRUPTS", "EXPLAINS", "ACCEPTS_PART")
# as plain texts, for they are compared with an environment's in every turn
OPENING, VERIFY, DISCLOSURE, NEGOTIATION, COMMITMENT = map(str, (Fsm.OPENING, Fsm.VERIFY, Fsm.DISCLOSURE, Fsm.NEGOTIATION, Fsm.COMMITMENT))
PROCEED, OFFER_PLAN, ASK_CLARIFY = str(Action.PROCEED), str(Action.OFFER_PLAN), str(Action.ASK_CLARIFY)


class DebtWording:
    """The text of one call. `exchange` is called once for every step, in order.

    Args:
        words: everything that can be said.
        persona: whose voice the customer has; one that the wording does not name speaks plainly.
        draws: 64 or more random numbers from 0 to 1: all chance comes from them.
        objecting: whether an objection is pending from the start.
    """

    def __init__(self, words: DebtWords, persona: str, draws: Sequence[float], objecting: bool = False) -> None:
        self.words = words
        self.speaker = speaker = Speaker({}, dict(words.pieces), draws)
        facts = words.facts
        for name in DRAWN:
            speaker[name] = _drawn(getattr(facts, name), speaker.draw())
        check = facts.checks[int(speaker.draw() * len(facts.checks))]
        answer = _drawn(check.answers, speaker.draw())
        self._balance = STEP * BALANCES[int(speaker.draw() * len(BALANCES))]
        self._plans = PLANS[min(most for most in PLANS if self._balance <= most)]
        speaker.update(
            name=f"{speaker['first']} {speaker['last']}",
            daytime=_drawn(DAYTIMES, speaker.draw()),
            balance=f"${self._balance:,}",
            asked=check.asked,
            asked_cap=capital(check.asked),
            short=check.short,
            answer=answer,
            answer_cap=capital(answer),
            callback_cap=capital(speaker["callback"]),
            method_cap=capital(speaker["method"]),
            reply=PILED_UP,
        )
        self._tones = words.tones.get(persona) or words.tones["other"]
        reasons = words.reasons.get(persona) or words.reasons["other"]
        self._reason = reasons[int(speaker.draw() * len(reasons))]
        draw = speaker.draw()
        self._early = words.early[int(draw * len(words.early))]
        staying = [issue for issue in words.early if not issue.becomes]
        self._later = staying[int(draw * len(staying))]
        self._rung, self._offered, self._refused = 0, -1, False
        self._told: set[str] = set()
        self._seen: set[str] = set()
        self._last = ""
        self._heard: str | None = None
        self._pending = objecting
        self._take_up(self._early)
        if not objecting:
            self._told.clear()
        self._put_on_the_table()

    def exchange(self, stage: str, sentiment: str, action: str, event: str, sentiment_after: str, objecting: bool) -> tuple[str, str]:
        """Return what the agent says and what the customer answers.

        Args:
            stage: of the call, before the action.
            sentiment: of the customer before the action, as the agent sees it.
            action: what the agent does.
            event: what the customer does in answer.
            sentiment_after: the customer's afterwards.
            objecting: whether an objection is pending afterwards.
        """
        agent = self._agent(stage, sentiment, action, event)
        customer = self._customer(stage, action, event, sentiment_after, objecting)
        self._seen.add(stage)
        self._last, self._pending = event, objecting
        return agent, customer

    def _agent(self, stage: str, sentiment: str, action: str, event: str) -> str:
        speaker, lists = self.speaker, self.words.agent[stage][action]
        if self._pending and self._issue.becomes and stage in (NEGOTIATION, COMMITMENT):
            self._take_up(self.words.named[self._issue.becomes])
        repeated = action == OFFER_PLAN and self._refused and self._rung == self._offered
        if action == OFFER_PLAN and stage != COMMITMENT:
            self._put_on_the_table()
            if event != "INTERRUPTS":
                self._offered = self._rung
        elif action == ASK_CLARIFY:
            asked = self._issue.asked if self._pending else self.words.questions[stage]
            pair = asked[speaker.place(asked)]
            speaker["question"], speaker["reply"] = pair.question.format_map(speaker), pair.answer.format_map(speaker)
        if stage == DISCLOSURE and action == PROCEED and event in BREAKS:
            return speaker.say(lists["broken"])
        for cue in self._cues(stage, action, "negative" in sentiment, repeated):
            if cue in lists:
                break
        said = speaker.say(lists[cue])
        return cut_short(said, speaker.draw()) if event == "INTERRUPTS" else said

    def _cues(self, stage: str, action: str, upset: bool, repeated: bool) -> list[str]:
        """Return what the agent may go by, the most telling first."""
        fresh = stage not in self._seen
        cues = ["first"] if fresh and stage == OPENING else []
        if repeated:
            cues.append("repeated")
        if self._last in FIRST_CUES:
            cues.append(self._last)
        if self._heard:
            cues.append("heard")
        if self._pending:
            cues.append("objecting")
        if self._last == "REFUSES":
            cues.append("REFUSES")
        if self._reason.name in self._told and (upset or action == OFFER_PLAN):
            cues.append("told")
        if fresh and upset:
            cues.append("first_upset")
        if upset:
            cues.append("upset")
        if fresh:
            cues.append("first")
        cues.append("calm")
        return cues

    def _customer(self, stage: str, action: str, event: str, sentiment: str, objecting: bool) -> str:
        speaker = self.speaker
        tone = self._tones[0 if "negative" in sentiment else 2 if "positive" in sentiment else 1]
        lines = self.words.customer[event, stage, action, objecting, tone]
        if event == "ACCEPTS_PART":
            if not self._go_lower():
                lines = self.words.lowest
            self._heard = None
            return speaker.say(lines)
        if event == "OBJECTS":
            self._take_up(self._later if stage == DISCLOSURE else self._early if stage in (OPENING, VERIFY) else self._reason)
        elif event == "DRIFTS":
            drift = self.words.drifts[speaker.place(self.words.drifts)]
            speaker["drift"], speaker["kind"] = drift.said, drift.kind
        line = lines[speaker.place(lines)]
        said = line.format_map(speaker)
        self._heard = self.words.heard.get(line)
        if self._heard:
            speaker["heard"] = self._heard.format_map(speaker)
        if action == OFFER_PLAN and event in ("REFUSES", "OBJECTS"):
            self._go_lower()
        return said

    def _take_up(self, issue: Issue) -> None:
        """Make this what is objected to. What was told before is not told a second time as if it were new."""
        pieces = self.speaker.pieces
        self._issue = issue
        pieces["sorry"], pieces["given"], pieces["again"] = issue.sorry, issue.given, issue.again
        pieces["told"] = issue.again if issue.name in self._told else issue.told
        self._told.add(issue.name)

    def _go_lower(self) -> bool:
        """Have a lower plan come next, if the one that stands now was offered; return whether there is one lower than that."""
        if self._offered < self._rung:
            return True
        if self._rung == len(self._plans) - 1:
            self._refused = True
            return False
        self._rung += 1
        self.speaker["limit"] = self.speaker["spare"] = f"${self._balance // self._plans[self._rung]:,}"
        return True

    def _put_on_the_table(self) -> None:
        """Put the sums of the plan that comes now into words."""
        speaker, months = self.speaker, self._plans[self._rung]
        monthly = f"${self._balance // months:,}"
        speaker["months"], speaker["monthly"] = str(months), monthly
        speaker["limit"] = speaker["spare"] = monthly
        speaker["terms"] = f"{months} payments of {monthly}, the first on {speaker['start']}"


def _drawn(texts: Sequence[str], draw: float) -> str:
    return texts[int(draw * len(texts))]
