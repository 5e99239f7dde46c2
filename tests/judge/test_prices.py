"""What tokens cost: arithmetic by hand, the first fitting entry, and what is told about wrong tables."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from judge.prices import Price, PriceTable, load_prices
from judge.verdict import Usage

TABLE = """\
# what we pay
[[price]]
model = "openai/gpt-6-luna*"
input = 1.0
cached = 0.1
written = 1.25
output = 8.0
batch = 0.4
as_of = 2026-09-22

[[price]]
model = "openai/*"
input = 2
cached = 2
written = 2
output = 2
as_of = 2026-09-22
"""
PRICE = Price(model="*", input=2.0, cached=0.2, written=2.5, output=10.0, as_of="2026-09-22")  # type: ignore[arg-type]

counts = st.integers(0, 10**7)


def load_text(text: str, folder: Path) -> PriceTable:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return load_prices(path)


# Arithmetic


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(), 0.0),
        (Usage(input_tokens=1_000_000), 2.0),
        (Usage(output_tokens=1_000_000), 10.0),
        (Usage(input_tokens=1_000_000, cached_tokens=1_000_000), 0.2),
        (Usage(input_tokens=1_000_000, written_tokens=1_000_000), 2.5),
        # 1000 of input: 600 read at 0.2, 300 written at 2.5, 100 fresh at 2; 50 of output at 10: 120 + 750 + 200 + 500 = 1570.
        (Usage(input_tokens=1000, cached_tokens=600, written_tokens=300, output_tokens=50), 0.00157),
        # More cached than counted at all: there are no fresh tokens, not fewer than none. 800 × 0.2 = 160.
        (Usage(input_tokens=500, cached_tokens=800), 0.00016),
        (Usage(requests=9), 0.0),
    ],
)
def test_dollars_by_hand(usage: Usage, dollars: float) -> None:
    assert PRICE.of(usage) == pytest.approx(dollars, abs=1e-12)


@pytest.mark.parametrize(("factor", "dollars"), [(0.5, 3.5), (1.0, 7.0), (0.0, 0.0), (0.25, 1.75)])
def test_the_batch_api_has_its_own_price(factor: float, dollars: float) -> None:
    # A million fresh (2) and half a million of output (5): 7 dollars.
    price, usage = PRICE.model_copy(update={"batch": factor}), Usage(input_tokens=1_000_000, output_tokens=500_000)
    assert price.of(usage) == pytest.approx(7.0)
    assert price.of(usage, batch=True) == pytest.approx(dollars)


def test_a_batch_costs_half_where_the_table_does_not_say() -> None:
    assert PRICE.batch == 0.5


@given(counts, counts, counts, counts, st.booleans())
def test_more_tokens_never_cost_less_and_costs_add_up(fresh: int, cached: int, written: int, output: int, batch: bool) -> None:
    usage = Usage(input_tokens=fresh + cached + written, cached_tokens=cached, written_tokens=written, output_tokens=output)
    one = PRICE.of(usage, batch=batch)
    assert one >= 0
    assert PRICE.of(usage + usage, batch=batch) == pytest.approx(2 * one)
    assert PRICE.of(usage + Usage(input_tokens=1), batch=batch) > one
    assert PRICE.of(usage + Usage(output_tokens=1), batch=batch) > one


# Which price


@pytest.mark.parametrize(
    ("provider", "model", "inputs"),
    [
        ("openai", "gpt-6-luna", 1.0),
        ("openai", "gpt-6-luna-2026-09-22", 1.0),
        ("openai", "gpt-6-sol", 2.0),  # the second entry
        ("openai", "GPT-6-LUNA", 2.0),  # case counts
        ("openai-decisions", "gpt-6-luna", None),
        ("anthropic", "claude-haiku-5-5", None),
        ("compatible", "openai/gpt-6-luna", None),
        ("openai", "", 2.0),
    ],
)
def test_the_first_entry_that_fits_counts_and_an_unknown_model_has_no_price(
    provider: str, model: str, inputs: float | None, tmp_path: Path
) -> None:
    price = load_text(TABLE, tmp_path).price_of(provider, model)
    assert (price and price.input) == inputs


def test_no_table_at_all_knows_no_price() -> None:
    assert PriceTable().price_of("openai", "gpt-6-luna") is None


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-6-luna"),
        ("openai", "gpt-6-sol"),
        ("openai-decisions", "gpt-6-luna"),
        ("anthropic", "claude-haiku-5-5"),
        ("anthropic", "claude-sonnet-5-5-20261120"),
    ],
)
def test_the_shipped_table_has_a_price_of_every_model_that_is_named_in_it(provider: str, model: str) -> None:
    price = load_prices().price_of(provider, model)
    assert price is not None
    assert 0 < price.cached <= price.input <= price.written
    assert price.of(Usage(input_tokens=1000)) > 0


def test_a_local_model_has_no_price() -> None:
    assert load_prices().price_of("compatible", "llama") is None


# Wrong tables


@pytest.mark.parametrize(
    ("replaced", "by", "line", "words"),
    [
        pytest.param(4, 'input = "cheap"', 4, ["'cheap'", "number"], id="price as text"),
        pytest.param(4, 'input = "1.0"', 4, ["'1.0'", "number"], id="price in quotes"),
        pytest.param(4, "input = true", 4, ["is True", "number"], id="price as truth"),
        pytest.param(8, 'batch = "0.5"', 8, ["'0.5'", "number"], id="batch in quotes"),
        pytest.param(4, "input = -1.0", 4, ["is -1.0", "greater than or equal to 0"], id="price below 0"),
        pytest.param(4, "input = nan", 4, ["is nan", "finite"], id="price that is none"),
        pytest.param(4, "input = inf", 4, ["is inf", "finite"], id="price without end"),
        pytest.param(4, "", 2, ["input' is missing"], id="no price"),
        pytest.param(4, "inptu = 1.0", 4, ["inptu", "did you mean 'input'?"], id="unknown key"),
        pytest.param(8, "batch = 1.5", 8, ["is 1.5", "less than or equal to 1"], id="a batch that costs more"),
        pytest.param(8, "batch = -0.5", 8, ["is -0.5", "greater than or equal to 0"], id="a batch that pays"),
        pytest.param(9, 'as_of = "yesterday"', 9, ["'yesterday'", "date"], id="no date"),
        pytest.param(9, "", 2, ["as_of' is missing"], id="undated"),
        pytest.param(3, 'model = ""', 3, ["at least 1"], id="no model"),
        pytest.param(12, "model = 7", 12, ["is 7", "a text in quotes"], id="second entry, model as number"),
        pytest.param(16, "output = -2", 16, ["is -2", "greater than or equal to 0"], id="second entry, price below 0"),
        pytest.param(2, "[[prices]]", 2, ["prices", "did you mean 'price'?"], id="unknown table"),
        pytest.param(4, "input = 1,0", 4, ["not valid TOML"], id="a comma"),
    ],
)
def test_a_wrong_table_names_line_value_and_what_is_allowed(replaced: int, by: str, line: int, words: list[str], tmp_path: Path) -> None:
    lines = TABLE.splitlines()
    lines[replaced - 1] = by
    with pytest.raises(UsageProblem) as problem:
        load_text("\n".join(lines), tmp_path)
    said = [one for one in str(problem.value).splitlines() if one.startswith(f"{tmp_path / 'prices.toml'}:{line}: ")]
    assert said, problem.value
    assert all(any(word in one for one in said) for word in words), problem.value


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot read .*nowhere\.toml"):
        load_prices(tmp_path / "nowhere.toml")


def test_an_empty_table_is_a_table_without_prices(tmp_path: Path) -> None:
    assert load_text("# none yet\n", tmp_path) == PriceTable()
