"""What tokens cost: a dated table that the user can replace; a model that is not in it has no price, not the price 0."""

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from judge.verdict import Usage

Dollars = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
SHIPPED = Path(__file__).with_name("prices.toml")


class Price(BaseModel):
    """US dollars for a million tokens of the models whose `provider/model` fits the pattern."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)]
    input: Dollars
    cached: Dollars
    written: Dollars
    output: Dollars
    batch: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.5
    as_of: date

    def of(self, usage: Usage, *, batch: bool = False) -> float:
        """Return the dollars that a usage costs, by the Batch API's price if `batch`."""
        fresh = max(0, usage.input_tokens - usage.cached_tokens - usage.written_tokens)
        dollars = fresh * self.input + usage.cached_tokens * self.cached + usage.written_tokens * self.written
        dollars += usage.output_tokens * self.output
        return dollars / 1e6 * (self.batch if batch else 1.0)


class PriceTable(BaseModel):
    """Prices; the first that fits counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: tuple[Price, ...] = ()

    def price_of(self, provider: str, model: str) -> Price | None:
        """Return the price of a model, or None where the table has none."""
        return next((price for price in self.price if fnmatchcase(f"{provider}/{model}", price.model)), None)


def load_prices(path: str | Path | None = None) -> PriceTable:
    """Return the shipped table, or the one at `path`.

    Raises:
        UsageProblem: no such file, or something is wrong in it.
    """
    return datafile.load(Path(path) if path else SHIPPED, PriceTable)
