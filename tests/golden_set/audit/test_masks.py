import re
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from golden_set.audit.identity import Named, Word, identifies, names_in
from golden_set.audit.masks import Mask, check_region, mask

PEOPLE = (Named("Teresa Moyo"), Named("Will O'Brien"), Named("4411872", Word.NUMBER), Named("12 Elm Street, Springfield", Word.ADDRESS))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Mail bob.x+y@mail.example.com.", "Mail [EMAIL]."),
        ("lena@harbor and me@5pm", "[EMAIL] and me@5pm"),
        ("card 4111 1111 1111 1111, exp 12/26", "card [CARD], exp 12/26"),
        ("4111-1111-1111-1111 123", "[CARD] [NUMBER]"),  # the security code goes with the card
        ("3782 822463 10005", "[CARD]"),
        ("4111.1111.1111.1111", "[CARD]"),
        ("4111_1111_1111_1111", "[CARD]"),
        ("4111/1111/1111/1111/123", "[CARD]/[NUMBER]"),
        ("3782.822463.10005", "[CARD]"),
        ("4111_1111_1111_1112", "[NUMBER]"),
        ("4111 1111 1111 1112", "[NUMBER]"),  # the check digit is wrong: still a long number
        ("DE89 3704 0044 0532 0130 00 thanks", "[IBAN] thanks"),
        ("gb82west12345698765432", "[IBAN]"),
        ("ssn 123-45-6789 or 123 45 6789", "ssn [SSN] or [SSN]"),
        ("ssn 512.44.1234, or 512.44.1234.", "ssn [SSN], or [SSN]."),
        ("call 212-555-0187 or (212) 555-0199", "call [PHONE] or [PHONE]"),
        ("+44 20 7946 0958", "[PHONE]"),
        ("+49 151 2345 6787", "[PHONE]"),  # a phone first where it begins with +, though its check digit is a card's
        ("49 151 2345 6787", "[CARD]"),
        ("+4111 1111 1111 1111", "+[CARD]"),  # no such phone number
        ("555-0123, (999) 555-0123", "[PHONE], [PHONE]"),
        ("account 9876543210123", "account [NUMBER]"),
        ("5 5 5 1 2 3 4 5 6 7", "[NUMBER]"),
        ("born 5/12/1980, 14:30 998877665", "born 5/12/1980, 14:30 [NUMBER]"),
        ("https://u:p@pay.example.com/x?id=3", "https://[URL]pay.example.com[URL]"),
        ("www.harbor.com/plans, https://h.com/", "www.harbor.com[URL], https://h.com/"),
        ("see pay.x.com/u/123, x.co.uk?id=9.", "see pay.x.com[URL], x.co.uk[URL]."),
        ("\uff14\uff11\uff11\uff11 1111 1111 1111", "[CARD]"),  # full-width digits
        ("٤١١١ ١١١١ ١١١١ ١١١١", "[CARD]"),  # Arabic-Indic digits
        ("4111\u200b1111\u00ad1111\u20601111", "[CARD]"),  # nothing that has no width can hide a number
        ("4111\u20111111\u20131111\u00a01111", "[CARD]"),  # other dashes and spaces
        ("b\u200bob@example.com", "[EMAIL]"),
        ("Am I speaking with TERESA  moyo? Teresa's here.", "Am I speaking with [NAME]? [NAME]'s here."),
        ("Moyo, Teresa", "[NAME], [NAME]"),
        ("T\u00e9resa and Tere\u0301sa", "[NAME] and [NAME]"),  # accents, in one character or in two
        ("I will pay, says Will; and o’brien too", "I will pay, says [NAME]; and [NAME] too"),
        ("loan 4411872, 44-11-872, 4 411 872", "loan [NUMBER], [NUMBER], [NUMBER]"),
        ("at 12 elm street in springfield", "at [ADDRESS] in [ADDRESS]"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert mask(text, PEOPLE) == masked


@pytest.mark.parametrize(
    "text",
    [
        "You owe $1,150 on the Meridian card, 1150.00 or €1.150,50, 2,400,000.50 in all.",
        "60 on the 5th, 40 a month; 3 payments of 200, 250 and 1150; 12% or 0.5 percent",
        "$120 000 000, 120000000 dollars, USD 123456789.00",
        "2024-01-05 10:00 to 05/02/2024 14:30:15, 5.1.2024, 2024-01-05T10:00:00",
        "and/or, 24/7, e.g./i.e., he/she, n/a, paid.it/they, x.com or x.com/ and Who?Me",
        "1500/2000/2500/3500 in 2021/2022/2023/2024, 2019.2020.2021; 10.0.0.1 and 1234.5678",
        "call 911 at 14:30, room 4411, in 2024, ending in 4521",
        "moyos teresas will",  # other words
        "four one one one",
        "[NAME] pays with [CARD]",
    ],
)
def test_leaves_what_matters_for_rating(text: str) -> None:
    assert mask(text, PEOPLE) == text


def test_a_region_says_what_a_phone_number_is() -> None:
    assert mask("020 7946 0958", region="GB") == "[PHONE]"
    assert mask("020 7946 095", region="GB") != "[PHONE]"
    assert check_region("gb") == "GB"
    with pytest.raises(UsageProblem, match=r"--region is 'UK'.*two letters"):
        check_region("UK")


def test_finds_who_is_meant_by_the_keys_of_meta() -> None:
    meta = {
        "policy": "v3",
        "campaign_name": "dental",
        "borrower": {"firstName": "Teresa", "last": "Moyo", "segment": "retail", "ids": [8812, 12, True], "e-mail": "t@m.org"},
        "customer_status": "overdue",
        "accountBalance": 1150,
        "account_no": "AC-99812",
        "dob": "1980-05-01",
        "contact": None,
        "username": "n/a",
        "call": {"agent_name": "Lena"},
        "phone": "+1 212 555 0187",
    }
    found = {named.value: named.word for named in names_in(meta)}
    assert found == {
        "Teresa": Word.NAME,
        "Moyo": Word.NAME,
        "8812": Word.NUMBER,
        "t@m.org": Word.EMAIL,
        "AC-99812": Word.NUMBER,
        "1980-05-01": Word.NUMBER,
        "Lena": Word.NAME,
        "+1 212 555 0187": Word.PHONE,
    }
    text = "Lena: account ac-99812, born 1980-05-01 or 1980/05/01, overdue $1,150, dental, retail; id 8812, v3, 99812"
    assert mask(text, names_in(meta)) == (
        "[NAME]: account [NUMBER], born [NUMBER] or [NUMBER], overdue $1,150, dental, retail; id [NUMBER], v3, [NUMBER]"
    )


@pytest.mark.parametrize("key", ["zip", "ZIP", "postcode", "postal_code", "zipCode", "lead", "lead-id", "caller", "contact", "borrower"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_key_of_a_person_identifies_what_is_under_it(key: str, inside: bool) -> None:
    meta = {key: {"x": ["Nora Quist"]}} if inside else {key: "Nora Quist"}
    assert identifies(key)
    assert [named.value for named in names_in(meta)] == ["Nora Quist"]
    assert [named.value for named in names_in({key: 94110})] == ["94110"]


@pytest.mark.parametrize(
    "key",
    [
        "policy",
        "misleading",
        "gzip",
        "ownership",
        "lead_source",
        "customer_segment",
        "persona",
        "contactReason",
        "leadtime",
        "scenario_name",
    ],
)
def test_a_key_of_something_else_identifies_nobody(key: str) -> None:
    assert not identifies(key)
    assert names_in({key: "Nora Quist"}) == ()


@pytest.mark.parametrize("key", ["debtor", "patient", "member", "guest", "client", "user", "payer", "holder", "applicant", "cell", "mail"])
def test_other_keys_of_persons(key: str) -> None:
    assert identifies(key)


@pytest.mark.parametrize("name", ["Mary-Jane O'Neil", "Mary\u2010Jane O\u2019Neil", "mary-jane o`neil"])
def test_parts_of_names_with_dashes_and_apostrophes_are_found(name: str) -> None:
    text = "jane, Mary, MaryJane, Mary Jane, ONeil, O\u2019Neil, o neil, Neil; O and Ma"
    assert mask(text, names_in({"name": name})) == ", ".join(["[NAME]"] * 8) + "; O and Ma"


def test_a_part_that_is_an_everyday_word_needs_a_capital_letter() -> None:
    assert mask("Al-Said said so, says Said", [Named("Omar Al-Said")]) == "[NAME] said so, says [NAME]"


@pytest.mark.parametrize(
    "name", ["the agent", "customer", "A. Customer", "Unknown", "unknown caller", "n/a", "N.A.", "test user", "not provided"]
)
def test_a_role_is_no_name(name: str) -> None:
    assert names_in({"name": name}) == ()


def test_a_role_beside_a_name_is_masked_only_with_it() -> None:
    text = "The agent Lena told a customer, a test user; user 12345 and 12345 is Customer Moyo"
    assert mask(text, names_in({"name": ["Agent Lena", "user 12345", "Customer Moyo"]})) == (
        "The [NAME] told a customer, a test user; [NAME] and [NUMBER] is [NAME]"
    )


def test_a_number_of_meta_is_masked_with_its_bracket_and_its_country_code() -> None:
    known = [Named("415 555 2671", Word.PHONE), Named("998 877 66", Word.NUMBER)]
    assert mask("(415) 555-2671, +1 (415) 5552671, +1-415-555-2671, (as 415 555 2671)", known) == "[PHONE], [PHONE], [PHONE], (as [PHONE])"
    assert mask("(998) 87766, +1 998 87766 (or 99887766)", known) == "[NUMBER], +1 [NUMBER] (or [NUMBER])"
    abroad = [Named("+44 1234 5", Word.PHONE)]  # no valid number: only `meta` says what it is
    assert mask("on +44 1234 5", abroad) == "on [PHONE]"


def test_names_of_scripts_without_spaces_are_found_inside_a_sentence() -> None:
    assert mask("私は山田太郎です", [Named("山田太郎")]) == "私は[NAME]です"


def test_a_quote_is_masked_as_its_text_is() -> None:
    text = "My card is 4111 1111 1111 1111, thanks"
    masks = Mask()
    assert masks.quote("1111 1111, thanks", text) == "[CARD], thanks"
    assert masks.quote("1111 1111, thanks", "another") == "1111 1111, thanks"


LINES = [
    "4111 1111 1111 1111",
    "212-555-0187",
    "0123456789",
    "Teresa",
    "moyo",
    "x.com",
    "http://",
    "www.",
    "de89",
    "NAME",
    "[NAME]",
    "[CARD]",
]
PIECES = st.sampled_from(
    [*LINES, "333", "512.44.1234", "+49 151", "x.com/u", "4111_1111", "O'", "4444", *"NAME12 -.,/:@$+()[]\n\u200béß½①\ue000"]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join))


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example("123-45-6789 4111 1111 1111 1111")
@example("Teresa½①333\u200b4411872.de89")
@example("+44 20 7946 0958½12 Elm Street")
def test_masking_again_changes_nothing(text: str) -> None:
    once = mask(text, PEOPLE)
    assert mask(once, PEOPLE) == once


@st.composite
def cards(draw: st.DrawFn) -> tuple[str, str]:
    """Digits of a valid card number, and the number as it may be written."""
    body = draw(st.text("0123456789", min_size=12, max_size=18).filter(lambda text: text.strip("0")))
    # Luhn's check digit by its definition: every second digit from the right of the whole number is doubled, its digits added.
    total = sum(sum(map(int, str(int(d) * (2 if at % 2 == 0 else 1)))) for at, d in enumerate(reversed(body)))
    digits = body + str(-total % 10)
    apart = draw(st.sampled_from(["", " ", "-", " - ", "\u00a0", "\u200b"]))
    size = draw(st.sampled_from([3, 4, 5, 6]))
    return digits, apart.join(digits[at : at + size] for at in range(0, len(digits), size))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=20), cards(), st.text(max_size=20))
def test_no_card_number_survives(before: str, card: tuple[str, str], after: str) -> None:
    digits, written = card
    left = re.sub(r"[\W_]", "", mask(f"{before} {written} {after}"))
    assert digits not in "".join(str(unicodedata.digit(c, None) or 0) if c.isdigit() else c for c in left)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=20), st.emails(domains=st.from_regex(r"[a-z0-9]{1,10}(\.[a-z]{2,5}){1,2}", fullmatch=True)), st.text(max_size=20))
def test_no_address_survives(before: str, address: str, after: str) -> None:
    assert address not in mask(f"{before} {address} {after}")


HOSTILE = ["1 ", "1", "1-", "a", "@", "a@", "a.", "de89 ", "www.", "http://", "http://a@", "(", "212-555-0187 ", "123 ", "+1(2)/3.", "1/2/"]
HOSTILE += ["$1,150.00 ", "teresa ", "4 4 1 1 ", " ", "1\u200b", "1111.", "1:1", "1,111", "aa11 1", "é@x.de "]
HOSTILE += [
    "x.",
    "x.com",
    "x.com/ ",
    "a-.",
    "x.com?a",
    " a.co.",
    "1111/",
    "1234_",
    "4111.1111.1111 ",
    "+",
    "+1 ",
    "+49 151 2345 6786 ",
    "(4411872) ",
]
HOSTILE += ["512.44.", "(555) ", "mary-jane "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    begun = time.process_time()
    mask(piece * (25_000 // len(piece)), PEOPLE)
    assert time.process_time() - begun < 5  # a rule that looks at every pair of characters takes half a minute and more
