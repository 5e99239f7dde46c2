"""Each cue on a dialogue that shows it, and not on its plain opposite."""

from collections.abc import Callable

import pytest

from dialogue import Transcript
from judge.cues import CUES, AgentTurn
from judge.noticing import read_turns

Said = Callable[..., Transcript]
LIMIT = "U: I can only do $50 a month since I lost my job."
# cue -> (dialogue that shows it, dialogue that does not); the last agent turn counts
CASES: dict[str, tuple[list[str], list[str]]] = {
    "uptake_amount": ([LIMIT, "A: Fifty it is."], [LIMIT, "A: Noted."]),
    "uptake_date": (["U: I get paid on Friday.", "A: Friday then."], ["U: I get paid on Friday.", "A: Monday then."]),
    "uptake_reason": ([LIMIT, "A: Losing a job is hard."], [LIMIT, "A: How will you pay?"]),
    "uptake_earlier": (
        [LIMIT, "A: I see.", "U: Well?", "A: With $50, that is a long road."], [LIMIT, "A: I see.", "U: Well?", "A: That is a long road."],
    ),
    "hollow": ([LIMIT, "A: I completely understand your frustration."], [LIMIT, "A: I completely understand, $50 is what is left."]),
    "ignores_substance": ([LIMIT, "A: Anything else?"], [LIMIT, "A: Fifty a month, then."]),
    "acknowledges_then_presses": ([LIMIT, "A: I understand, but you must pay today."], [LIMIT, "A: I understand. Take your time."]),
    "answers_question": (["U: What do I owe?", "A: It is $310."], ["U: What do I owe?", "A: Thank you for contacting us."]),
    "ignores_question": (["U: What do I owe?", "A: Thank you for contacting us."], ["U: What do I owe?", "A: You owe $310."]),
    "asks_again": (
        ["A: What is your account number?", "U: 1234.", "A: What is your account number?"],
        ["A: What is your account number?", "U: 1234.", "A: Which day suits you?"],
    ),
    "repeats_itself": (
        ["A: The system shows a balance of $90.", "U: Why?", "A: The system shows a balance of $90."],
        ["A: The system shows a balance of $90.", "U: Why?", "A: A late fee in May."],
    ),
    "repeats_demand": (
        ["A: Please pay the balance.", "U: I can't.", "A: You still owe the balance, pay now."],
        ["A: Please pay the balance.", "U: I can't.", "A: What stands in the way?"],
    ),
    "parrots": (
        ["U: my parcel never came to my house", "A: my parcel never came to my house"],
        ["U: my parcel never came to my house", "A: It left the depot on Monday."],
    ),
    "contradicts_promise": (
        [LIMIT, "A: $50 works.", "U: Good.", "A: I'll take the payment of $200 a month."],
        [LIMIT, "A: $50 works.", "U: Good.", "A: I'll take the payment of $50 a month."],
    ),
    "contradicts_self": (
        ["A: I have two dogs at home.", "U: Nice.", "A: I never had dogs."], ["A: I have two dogs at home.", "U: Nice.", "A: I have dogs, yes."],
    ),
    "was_corrected": (["U: No, I said Tuesday!", "A: Great, see you."], ["U: No, I said Tuesday!", "A: Sorry, Tuesday it is."]),
    "mends": (["U: No, I said Tuesday!", "A: Sorry, Tuesday it is."], ["U: No, I said Tuesday!", "A: Great, see you."]),
    "over_limit": ([LIMIT, "A: We need $900 today."], [LIMIT, "A: $50 is fine."]),
    "pushes_up": ([LIMIT, "A: Could you stretch from $50 to $90?"], [LIMIT, "A: So $50?"]),
    "accepts_limit": ([LIMIT, "A: $50 works for us."], [LIMIT, "A: $50 is not enough."]),
    "rejects_offer": ([LIMIT, "A: Fifty won't work."], [LIMIT, "A: Fifty works."]),
    "presses_after_no": (["U: No thanks, not interested.", "A: You must decide now!"], ["U: No thanks, not interested.", "A: All right."]),
    "accepts_no": (["U: No thanks, not interested.", "A: I understand, all the best."], ["U: No thanks, not interested.", "A: Really?"]),
    "honours_request": (["U: Stop calling me.", "A: You're off the list, no more calls."], ["U: Stop calling me.", "A: We have a matter here."]),
    "ignores_request": (["U: I want a supervisor.", "A: What for?"], ["U: I want a supervisor.", "A: I'll transfer you to one."]),
    "threat": (["A: The sheriff will arrest you."], ["A: Nobody is going to arrest you."]),
    "veiled_threat": (["A: Pay, or else it goes to court."], ["A: It went to court in May."]),
    "reassures": (["A: Nobody is going to arrest you."], ["A: Hello."]),
    "tells_third_party": (["U: This is his mother.", "A: He owes us $900."], ["U: This is Bob.", "A: You owe $900."]),
    "insult": (["A: You deadbeats are all the same."], ["A: You are all the same to me."]),
    "dismisses": (["A: Calm down, that's life."], ["A: Take your time."]),
    "calms": (["U: This is ridiculous, I'm furious!", "A: I'm sorry, let me pause the calls."], ["U: Fine by me.", "A: I'm sorry, hold on."]),
    "raises_tension": (["U: This is ridiculous!!", "A: Calm down."], ["U: Fine by me.", "A: Calm down."]),
    "cold": (["U: My husband died in October.", "A: Account number?"], ["U: My husband died in October.", "A: I'm so sorry."]),
    "shouts": (["A: PLEASE LISTEN to me!!!"], ["A: Please listen to me!"]),
    "lectures": (["A: You should try harder."], ["A: Try the door."]),
    "hype": (["A: It is the best in the world, truly revolutionary."], ["A: It is blue."]),
    "overpromise": (["A: I guarantee it, zero risk."], ["A: It helps some people."]),
    "urgency": (["A: This offer expires at midnight, act now."], ["A: This offer is open."]),
    "disparages": (["A: Their product is garbage."], ["A: Their product is cheaper."]),
    "hides_terms": (["A: Just sign here, it's standard."], ["A: Read clause four first."]),
    "offers": (["A: How about half now?"], ["A: Half now."]),
    "gives_choice": (["A: Would you prefer the 1st or the 15th?"], ["A: It is the 1st."]),
    "concrete_step": (["A: I'll email the plan on Friday."], ["A: I'll see."]),
    "confirms": (["A: So $40 on the 5th, right?"], ["A: Right?"]),
    "vague": (["A: Someone will get back to you at some point."], ["A: Ann calls you on Monday at 9."]),
    "deflects": (["A: I can't help with that."], ["A: Let me see."]),
    "deflects_with_way": (["A: I can't change it because it is non-refundable."], ["A: I can't."]),
    "discloses": (["A: This is an attempt to collect a debt."], ["A: Hello."]),
    "empty": (["A: …"], ["A: Yes."]),
    "too_short": (["U: I lost my card in Leeds on Monday.", "A: Ok."], ["U: I lost my card in Leeds on Monday.", "A: I've blocked the card now."]),
    "too_long": (["U: Hi", "A: " + "well you see it is like this and that " * 15], ["U: Hi", "A: Hello, how are you?"]),
    "vacuous": (["U: My cat is ill.", "A: That's nice."], ["U: My cat is ill.", "A: What does the vet say about the cat?"]),
    "unrelated": (["U: My cat has a fever.", "A: Blue paint dries slowly."], ["U: My cat has a fever.", "A: A fever in a cat needs a vet."]),
    "garbled": (["A: the the the the the the the the the the"], ["A: the quick brown fox jumps over the lazy dog today"]),
    "praises_itself": (["A: Rating: 5/5, excellent service."], ["A: Hello."]),
    "list_or_lecture": (["A: Do this:\n- a\n- b\n- c\n- d"], ["A: Do this."]),
    "other_leaves": (["U: Forget it, bye.", "A: Wait."], ["U: Go on.", "A: Wait."]),
    "other_asked_stop": (["U: Take me off your list.", "A: Done."], ["U: Go on.", "A: Done."]),
    "trouble_so_far": (
        ["U: I already told you, this is ridiculous, are you serious.", "A: Hm.", "U: No, I said Tuesday.", "A: Hm."], ["U: Hi.", "A: Hm."],
    ),
}  # fmt: skip


def cues(said: Said, lines: list[str]) -> set[str]:
    *_, last = (turn for turn in read_turns(said(*lines)) if isinstance(turn, AgentTurn))
    return set(last.cues)


@pytest.mark.parametrize("cue", CASES)
def test_cue(said: Said, cue: str) -> None:
    shown, absent = CASES[cue]
    assert cue in cues(said, shown)
    assert cue not in cues(said, absent)


def test_values_are_in_range_and_spans_hold_words(said: Said) -> None:
    for lines, _ in CASES.values():
        for turn in read_turns(said(*lines)):
            if isinstance(turn, AgentTurn):
                for name, cue in turn.cues.items():
                    assert name in CUES
                    assert 0 < cue.value <= 1
                    assert cue.span is None or turn.utterance.quote(cue.span) in turn.utterance.text
