"""What the requests to an endpoint cost, and a limit that holds while many of them are in flight."""

from dataclasses import dataclass, field

from pydantic import Field

from pipeline.endpoint.errors import BUDGET, RefusedError
from pipeline.params import Part


class BudgetParams(Part):
    """What may be spent on an endpoint, and what it charges."""

    max_tokens: int = Field(ge=0)  # of all requests of a stage, those of earlier runs included
    max_cost: float = Field(ge=0)  # likewise, in the currency of the prices
    price_per_million_prompt_tokens: float = Field(ge=0)
    price_per_million_cached_tokens: float = Field(ge=0)  # of a prompt, that the server had in its prefix cache
    price_per_million_reply_tokens: float = Field(ge=0)  # thinking included

    def price(self, count: "TokenCount") -> float:
        """Return what tokens cost."""
        prompt = (count.prompt - count.cached) * self.price_per_million_prompt_tokens
        cached = count.cached * self.price_per_million_cached_tokens
        return (prompt + cached + count.reply * self.price_per_million_reply_tokens) / 1e6


class BudgetError(RefusedError):
    """A request that was not sent because it might exceed the budget."""


@dataclass(frozen=True)
class TokenCount:
    """The tokens of a prompt and of the reply to it."""

    prompt: int = 0
    reply: int = 0
    cached: int = 0  # of the prompt's

    def __add__(self, other: "TokenCount") -> "TokenCount":
        """Return the sums."""
        return TokenCount(self.prompt + other.prompt, self.reply + other.reply, self.cached + other.cached)


@dataclass
class Spending:
    """What was spent, and what is reserved for the requests in flight.

    A request reserves the most that it may cost before it is sent. With 1,000 tokens left, of four requests that may
    take 300 each, three are sent at a time; what they do not use is free again once they are answered.
    """

    params: BudgetParams
    spent: TokenCount = TokenCount()
    num_sent: int = 0
    num_replayed: int = 0
    num_over_budget: int = 0  # requests that were not sent
    num_estimated: int = 0  # replies charged as reserved, because the server did not say what it took
    reserved: dict[int, TokenCount] = field(default_factory=dict)
    in_flight: TokenCount = TokenCount()  # the sum of what is reserved

    @property
    def cost(self) -> float:
        """The money spent."""
        return self.params.price(self.spent)

    def reserve(self, most: TokenCount) -> int:
        """Reserve the most that a request may take, and return the number of the reservation.

        Raises:
            BudgetError: That is more than is left.
        """
        total = self.spent + self.in_flight + most
        if total.prompt + total.reply > self.params.max_tokens or self.params.price(total) > self.params.max_cost:
            self.num_over_budget += 1
            raise BudgetError(BUDGET, "the request was not sent")
        self.num_sent += 1
        self.reserved[self.num_sent] = most
        self.in_flight += most
        return self.num_sent

    def settle(self, reservation: int, charged: TokenCount) -> None:
        """Replace a reservation by what was charged."""
        most = self.reserved.pop(reservation)
        self.in_flight = TokenCount(self.in_flight.prompt - most.prompt, self.in_flight.reply - most.reply)
        self.spent += charged

    def as_dict(self, num_sound: int) -> dict[str, float]:
        """Return the figures of a report."""
        return {
            "prompt_tokens": self.spent.prompt,
            "cached_prompt_tokens": self.spent.cached,
            "reply_tokens": self.spent.reply,
            "cost": self.cost,
            "cost_per_example": self.cost / num_sound if num_sound else 0.0,
            "requests_not_sent_for_want_of_budget": self.num_over_budget,
        }
