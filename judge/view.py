"""What of a transcript one request shows and rates: everything at once, turn by turn without hindsight, or windows where it is long."""

from collections.abc import Iterator
from dataclasses import dataclass

from dialogue.transcript import Transcript
from judge.quoting import quoted
from judge.rubric import Rubric, Unit

MOST_RATED = 24  # agent turns in one request: keeps answers short enough to be whole
MOST_CHARS = 240_000  # of text in one request, some 60,000 tokens
OPENING = 6  # turns that every window of a long transcript shows first
LONGEST_ESCAPE = 12  # characters that one hidden character is shown as, at most
LINE = 48  # characters of a turn's line beside its text


@dataclass(frozen=True, slots=True)
class View:
    """One request: the turns `0..opening` and `start..stop` (Python ranges) are shown; `rated` are agent turns among them."""

    opening: int
    start: int
    stop: int
    rated: tuple[int, ...]
    episode: bool

    @property
    def shown(self) -> Iterator[int]:
        """The indices of the turns shown, in order."""
        yield from range(self.opening)
        yield from range(max(self.start, self.opening), self.stop)


class TooLong(ValueError):
    """A turn is longer than a request may be."""


def views(transcript: Transcript, rubric: Rubric) -> list[View]:
    """Return the requests that rate a transcript, in the order in which they are asked.

    `unit = "dialogue"`: one request shows the whole transcript and rates up to `MOST_RATED` agent turns; more agent turns make
    more requests, the last of which rates the episode. `unit = "turn"`: one request an agent turn, which shows nothing that came
    after it, and one for the episode. A transcript of more than `MOST_CHARS` characters is windowed: a request shows the first
    `OPENING` turns and as many turns up to its last rated one as fit, and says which were left out.

    Raises:
        TooLong: a turn to be rated does not fit into a request with the opening.
    """
    sizes = [len(turn.text) + LINE for turn in transcript.turns]
    if sum(sizes) * LONGEST_ESCAPE > MOST_CHARS:  # else not even escapes make it too long
        sizes = [len(quoted(turn.text)) + LINE for turn in transcript.turns]
    rated, end = transcript.agent_turns, len(sizes)
    if rubric.unit is Unit.TURN:
        found = [_view(sizes, (turn,), turn + 1, episode=False) for turn in rated]
        return [*found, _view(sizes, (), end, episode=True)] if rubric.episode else found
    whole = sum(sizes) <= MOST_CHARS
    groups = [rated[at : at + MOST_RATED] for at in range(0, len(rated), MOST_RATED)]
    if not whole:
        groups = [part for group in groups for part in _fitting(sizes, group)]
    found = [_view(sizes, group, end if whole else group[-1] + 1, episode=False) for group in groups]
    if rubric.episode and groups:
        if whole or sum(sizes[groups[-1][0] :]) <= MOST_CHARS - MOST_CHARS // 4:  # what a full opening leaves
            found[-1] = _view(sizes, groups[-1], end, episode=True)
        else:
            found.append(_view(sizes, (), end, episode=True))
    return found


def _fitting(sizes: list[int], group: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Split a group until the stretch from its first to its last turn fits."""
    if sum(sizes[group[0] : group[-1] + 1]) <= MOST_CHARS // 2 or len(group) == 1:
        yield group
    else:
        middle = len(group) // 2
        yield from _fitting(sizes, group[:middle])
        yield from _fitting(sizes, group[middle:])


def _view(sizes: list[int], rated: tuple[int, ...], stop: int, *, episode: bool) -> View:
    if sum(sizes[:stop]) <= MOST_CHARS:
        return View(0, 0, stop, rated, episode)
    opening, left = 0, MOST_CHARS // 4
    while opening < min(OPENING, stop) and sizes[opening] <= left:
        left -= sizes[opening]
        opening += 1
    start, left = stop, MOST_CHARS - sum(sizes[:opening])
    while start > opening and sizes[start - 1] <= left:
        start -= 1
        left -= sizes[start]
    if rated and start > rated[0] >= opening:
        size = max(sizes[rated[0] : stop])
        raise TooLong(
            f"a turn of {size:,} characters; a request holds {MOST_CHARS:,} with the opening: shorten it, or split the transcript"
        )
    return View(opening, start, stop, rated, episode)
