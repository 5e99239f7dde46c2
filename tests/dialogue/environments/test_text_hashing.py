"""Embeddings of text: deterministic, of length 1, near where words are shared."""

from hashlib import blake2b

import numpy as np
import pytest

from dialogue.environments.text_hashing import embed

GOLDEN = {115: -0.57735, 295: 0.57735, 366: 0.57735}


def test_a_word_falls_where_its_hash_says() -> None:
    number = int.from_bytes(blake2b(b"price", digest_size=8).digest(), "big")
    made = embed(["Price!"], 384)
    assert made.nonzero()[0].tolist() == [(number >> 1) % 384]
    assert made.sum() == (1 if number & 1 else -1)


def test_vectors_never_change() -> None:
    # the places of "we need" (two words, one pair) in 384, as they were when this was written: saved policies rely on them
    assert {int(at): round(float(value), 6) for at, value in enumerate(embed(["We need"])) if value} == GOLDEN


def test_what_counts_is_words_and_order_but_not_case_or_marks() -> None:
    assert np.array_equal(embed(["What, does it COST?"]), embed(["what does it cost"]))
    assert not np.array_equal(embed(["it does cost what"]), embed(["what does it cost"]))
    near, far = embed(["what does it cost a month"]) @ embed(["what does it cost"]), embed(["hello there"]) @ embed(["what does it cost"])
    assert near > 0.7 > 0.3 > abs(far)


def test_earlier_texts_fade() -> None:
    only = embed(["aa"]), embed(["bb"])
    both = embed(["aa", "bb"], fading=0.5)
    assert both @ only[0] == pytest.approx(0.5 / np.sqrt(1.25))
    assert both @ only[1] == pytest.approx(1 / np.sqrt(1.25))


@pytest.mark.parametrize("texts", [[], [""], ["..."]])
def test_no_words_give_zeros(texts: list[str]) -> None:
    assert not embed(texts).any()
    assert embed(texts).shape == (384,)
