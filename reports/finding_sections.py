"""What the findings' page and summary say: what was published, what was done, the claims, the numbers; the layout is not here."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dialogue.environments.call_words import ACTIONS, Action
from reports.finding_bandit import BanditFinding
from reports.finding_judge import PUBLISHED, JudgeFinding
from reports.finding_log import BLEND, OUTCOME
from reports.finding_pictures import SHORT, draw_bandit, draw_judge, draw_shaping
from reports.finding_shaping import GOOD, NEAR, NONE, ShapingFinding
from reports.numerals import number, percent, whole
from reports.seeded import Claim, Estimate, Verdict


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column names the rows."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """One finding.

    Attributes:
        published: what was published.
        done: how it was put to the test, a paragraph each.
        file: the picture's, `picture` the same as a piece of a page.
        notes: what a reader has to know beside the numbers.
    """

    number: int
    title: str
    published: str
    done: Sequence[str]
    file: Markup
    picture: Markup
    claims: Sequence[Claim]
    tables: Sequence[Table]
    notes: Sequence[str]

    @property
    def word(self) -> str:
        """Whether the finding came out: if all of its claims hold, if none does, or in part."""
        held = sum(claim.verdict is Verdict.HOLDS for claim in self.claims)
        return "came out" if held == len(self.claims) else "came out in part" if held else "did not come out"


def of_bandit(found: BanditFinding, best: float) -> Section:
    """Return the section of the first finding."""
    head = tuple(f"{mark:,}" for mark in found.marks)
    return Section(
        number=1,
        title="A bandit for few episodes, Q-learning for many",
        published="With 100 episodes a bandit beats tabular Q, with 10,000 Q beats the bandit.",
        done=(
            f"The debt call, rewarded by its outcome alone. {found.seeds} seeds; every learner begins anew on each and meets the same "
            "chance. After so many calls the greedy policy's value is computed exactly, so that no figure has noise of an evaluation. "
            f"The best policy that sees no more than they do is worth {number(best, 3)}.",
            "The published work does not say whether its bandit looks at the state, so both kinds are tried: `bandit` has a mean for each "
            "action in each state, `bandit without context` one for each action. Both credit a turn with all that its call earned from "
            "there on; epsilon-greedy with 0.1. `Q` is one-step Q-learning with the project's defaults, `Q, textbook` the same with step "
            "size 0.1 and epsilon 0.1. The claims compare with `Q`.",
        ),
        file=draw_bandit(found, best, alone=True),
        picture=draw_bandit(found, best, alone=False),
        claims=found.claims,
        tables=(
            _table("True value of the greedy policy, mean over seeds (95% interval)", "learner", head, found.values),
            _table("Differences, seed by seed (95% interval)", "difference", head, found.differences),
        ),
        notes=(
            "States that a learner never met are acted in at random, offers before the disclosure included: that is why values "
            "after few episodes are so low for those that look at the state.",
        ),
    )


def of_judge(found: JudgeFinding) -> Section:
    """Return the section of the second finding."""
    pair = [str(Action.PROCEED), str(Action.EMPATHIZE)]
    every = [str(action) for action in ACTIONS]
    worth = [
        [name, *(values[action].told() for action in every), found.apart[name].told(), *_told(PUBLISHED.get(name))]
        for name, values in found.worth.items()
    ]
    exact = [
        [name, *(number(values[action], 3) for action in every), number(values[pair[1]] - values[pair[0]], 3)]
        for name, values in found.exact.items()
    ]
    endings = [
        [
            SHORT.get(ending, ending),
            *(found.endings[action][ending].told() for action in pair),
            apart.told(),
            *(number(found.exact_endings[action][ending], 3) for action in pair),
        ]
        for ending, apart in found.endings_apart.items()
    ]
    served = [
        [
            f"{one.learner} on {one.recipe}" if one.recipe else one.learner,
            *(number(one.acts[action]) for action in every),
            number(one.true_value, 3),
        ]
        for one in found.served
    ]
    where = f"{found.state['fsm']}, {found.state['sentiment']}, turn {found.state['turn']}"
    vetoed = ", ".join(f"{action} {found.vetoed[action].told()}" for action in pair)
    return Section(
        number=2,
        title="What a judge sees and an outcome does not",
        published=(
            f"Under outcome-only reward PROCEED and EMPATHIZE look alike in {where} (about {_pair(OUTCOME)}); under judge reward EMPATHIZE "
            f"becomes clearly better ({_pair(BLEND)}), although the calls end the same way."
        ),
        done=(
            f"{whole(found.calls)} simulated calls, led by the hand-written script with a lawful random floor; where the customer is "
            "upset in the negotiation every action is equally likely. "
            f"{whole(sum(found.visits.values()))} visits of the state (turns 4 to 6 are one state). The embedded judge rated "
            f"{whole(found.rated)} calls: the first {whole(found.whole)}, and later ones that come through the state. Values are means of "
            "what the call earned from the visit on, the log's policy going on; intervals from resampling whole calls. Under the outcome "
            "they are computed exactly as well, and so is a simulated judge (the environment's own table of how well an action handles a "
            "situation, paid every turn with weight 0.1).",
            "Rewards: `outcome`, `blend` and `rlaif` are the shipped recipes; `blend without its veto` shows what the judge's false "
            "violations do; `outcome + the turn's rating` pays this one turn's rating, on −1 to 1, in full, where `blend` pays a quarter "
            "of the mean over all turns.",
        ),
        file=draw_judge(found, alone=True),
        picture=draw_judge(found, alone=False),
        claims=found.claims,
        tables=(
            Table("From the log: mean (95% interval)", ("reward", *every, "EMPATHIZE − PROCEED", "published"), worth),
            Table("Computed exactly, under the same policy", ("reward", *every, "EMPATHIZE − PROCEED"), exact),
            Table(
                "How the call ends: shares (95% interval)",
                ("ending", *pair, "EMPATHIZE − PROCEED", *(f"{action}, exact" for action in pair)),
                endings,
            ),
            Table(
                f"Learned from the first {whole(found.whole)} calls: what is done in the state, and what the whole policy is truly worth",
                ("learner and recipe", *every, "true value"),
                served,
            ),
        ),
        notes=(
            f"The judge ({found.judge}) has no leave to produce rewards: it does not pass the golden check. It is used here as "
            "`--allow-uncleared` would, to show what becomes of its ratings, and nothing here is a proof of its quality.",
            "Customer, agent's words and endings are this project's simulation. How much the endings depend on the action there was set by "
            "those who wrote it, so that the calls end much the same way is no discovery; what the judge makes of the words is.",
            "A learner that looks ahead without a discount can gain by keeping the customer on the line, since waiting costs nothing there "
            "and the judge's ratings are paid turn by turn: compare `pessimistic` with and without a discount.",
            "No call of this log holds a violation. The judge saw one in this turn or later, and the veto of `blend` held the call at −2: "
            f"{vetoed}.",
        ),
    )


def of_shaping(found: ShapingFinding) -> Section:
    """Return the section of the third finding."""
    exact = [
        [name, "no" if one.spread <= 1e-9 else "yes", number(one.spread, 3), number(one.true_value, 3), percent(round(one.agrees, 3))]
        for name, one in found.exact.items()
    ]
    shares = [percent(share) for share in (NEAR, GOOD)]
    speed = [
        [
            f"{learner}, {name}",
            *(
                text
                for share in shares
                for text in (
                    f"{one.reached[share]} of {found.seeds}",
                    _whole(one.median[share]),
                    one.ratio[share].told(2) if one.ratio else "–",
                )
            ),
        ]
        for learner, named in found.arms.items()
        for name, one in named.items()
    ]
    arms = [
        [
            f"{learner}, {name}",
            one.final.told(),
            "–" if one.apart is None else one.apart.told(),
            one.agrees.told(2),
            f"{one.with_unshaped.told(2)}{' *' if name == NONE else ''}",
        ]
        for learner, named in found.arms.items()
        for name, one in named.items()
    ]
    return Section(
        number=3,
        title="Shaping by potential, and naively",
        published=(
            "Potential-based shaping reaches 95% of the best value in fewer episodes and ends at the same policy, naive shaping changes "
            "the policy."
        ),
        done=(
            f"The debt call, rewarded by its outcome plus one of five terms or none; {found.seeds} seeds of {whole(found.episodes)} calls "
            "each, 64 side by side; `Q` and `actor-critic` as they come, `Q, textbook` with step size 0.1 and epsilon 0.1. Whatever is "
            "paid, policies are told by their exact value under the true reward. The best policy found is worth "
            f"{number(found.best, 3)}; 95% of it has to be held at two looks that follow each other, 100 calls apart.",
            "`potential: best policy's value` pays the change of what the best policy would earn from a state on, computed exactly: an "
            "ideal that nobody has before learning. `potential: script's value` has the hand-written script's instead, both with a lawful "
            "random floor of 0.2, so that they say something of every state. `potential: by hand` pays the change of 0.1 for each stage "
            "done plus 0.1 for each step of the mood. `naive: state every turn` pays that same number after every turn, not its change. "
            "`naive: empathy` pays 0.1 for every EMPATHIZE. The discount is 1, the potential after the end 0.",
        ),
        file=draw_shaping(found, alone=True),
        picture=draw_shaping(found, alone=False),
        claims=found.claims,
        tables=(
            Table(
                "Computed exactly: the best policy under the shaped reward",
                (
                    "reward",
                    "order of policies changed",
                    "spread of shaped − true value",
                    "its true value",
                    "acts as the truly best one",
                ),
                exact,
            ),
            Table(
                "How fast: seeds that held a share of the best value, median episodes, ratio to no shaping (95% interval)",
                ("learner and reward", *(f"{share}: {what}" for share in shares for what in ("seeds", "episodes", "ratio"))),
                speed,
            ),
            Table(
                "Where it ends (95% intervals)",
                (
                    "learner and reward",
                    "true value at the end",
                    "less no shaping",
                    "acts as the best policy",
                    "acts as no shaping",
                ),
                arms,
            ),
        ),
        notes=(
            "Agreement is a share of the situations that the best policy meets. * no shaping is compared with another seed of its own: so "
            "much do two runs agree that differ by chance alone.",
            "A seed that never held a share of the best value counts in the ratio with all its episodes; one that held it neither with nor "
            "without shaping does not count.",
            "For one-step Q-learning a potential does what starting at that potential's values would do (Wiewiora 2003): a good guess "
            "helps, a poor one has to be unlearned.",
        ),
    )


def _table(caption: str, first: str, head: tuple[str, ...], values: dict[str, list[Estimate]]) -> Table:
    return Table(caption, (first, *head), [[name, *(one.told() for one in row)] for name, row in values.items()])


def _whole(value: float | None) -> str:
    return "–" if value is None else whole(round(value))


def _told(published: tuple[float, float] | None) -> tuple[str]:
    return ("–",) if published is None else (" and ".join(number(value, 1) for value in published),)


def _pair(name: str) -> str:
    return " and ".join(number(value, 1) for value in PUBLISHED[name])
