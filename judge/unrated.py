"""What of a file of transcripts has no verdict in the ledger yet: looked up part by part, for plans and submissions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from dialogue.transcript import Transcript
from judge.contract import Judge
from judge.ledger import Ledger
from judge.pooling import Repeats

LOOKED_UP = 128  # transcripts looked up together
Member = TypeVar("Member", bound=Judge)


@dataclass(frozen=True, slots=True)
class Part(Generic[Member]):
    """A part of the transcripts: how many they are, how many distinct ones that no part before had, and what is missing of those."""

    dialogues: int
    distinct: int
    unrated: int  # distinct dialogues of which anything is missing
    missing: list[tuple[Transcript, Member, int]]  # to be rated by this member, as this repeat


def unrated(transcripts: Iterable[Transcript], members: Sequence[Member], ledger: Ledger, repeats: Repeats) -> Iterator[Part[Member]]:
    """Yield the transcripts part by part, each distinct dialogue once, with what the ledger lacks of `repeats.least` ratings."""
    stream = iter(transcripts)
    seen: set[str] = set()
    while chunk := list(islice(stream, LOOKED_UP)):
        by_hash = {t.content_hash(with_outcome=members[0].rubric.sees_outcome): t for t in chunk}
        fresh = [key for key in by_hash if key not in seen]
        seen.update(fresh)
        asked: set[str] = set()
        missing = []
        for member in members:
            for repeat in range(repeats.first, repeats.first + repeats.least):
                known = ledger.verdicts(member.id, fresh, repeats.kept_as(repeat))
                lacking = [key for key in fresh if key not in known]
                asked.update(lacking)
                missing += [(by_hash[key], member, repeat) for key in lacking]
        yield Part(len(chunk), len(fresh), len(asked), missing)
