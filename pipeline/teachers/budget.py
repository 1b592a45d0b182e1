"""What the requests to an endpoint cost, and a limit that holds while many of them are in flight."""

from dataclasses import dataclass, field

from pydantic import Field

from pipeline.params import Part
from pipeline.teachers.errors import RefusedError


class BudgetParams(Part):
    """What may be spent on an endpoint, and what it charges."""

    max_tokens: int = Field(ge=0)  # of all requests of a stage, those of earlier runs included
    max_cost: float = Field(ge=0)  # likewise, in the currency of the prices
    price_per_million_prompt_tokens: float = Field(ge=0)
    price_per_million_reply_tokens: float = Field(ge=0)

    def price(self, prompt_tokens: int, reply_tokens: int) -> float:
        """Return what tokens cost."""
        prompt = prompt_tokens * self.price_per_million_prompt_tokens
        return (prompt + reply_tokens * self.price_per_million_reply_tokens) / 1e6


class BudgetError(RefusedError):
    """A request that was not sent because it might exceed the budget."""


@dataclass(frozen=True)
class TokenCount:
    """The tokens of a prompt and of the reply to it."""

    prompt: int = 0
    reply: int = 0

    def __add__(self, other: "TokenCount") -> "TokenCount":
        """Return the sums."""
        return TokenCount(self.prompt + other.prompt, self.reply + other.reply)


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
    reserved: dict[int, TokenCount] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """The money spent."""
        return self.params.price(self.spent.prompt, self.spent.reply)

    def reserve(self, most: TokenCount) -> int:
        """Reserve the most that a request may take, and return the number of the reservation.

        Raises:
            BudgetError: That is more than is left.
        """
        total = sum(self.reserved.values(), start=self.spent + most)
        if (
            total.prompt + total.reply > self.params.max_tokens
            or self.params.price(total.prompt, total.reply) > self.params.max_cost
        ):
            self.num_over_budget += 1
            raise BudgetError("budget", "the request was not sent")
        self.num_sent += 1
        self.reserved[self.num_sent] = most
        return self.num_sent

    def settle(self, reservation: int, charged: TokenCount) -> None:
        """Replace a reservation by what was charged."""
        del self.reserved[reservation]
        self.spent += charged

    def as_dict(self, num_sound: int) -> dict[str, float]:
        """Return the figures of a report."""
        return {
            "prompt_tokens": self.spent.prompt,
            "reply_tokens": self.spent.reply,
            "cost": self.cost,
            "cost_per_example": self.cost / num_sound if num_sound else 0.0,
            "requests_not_sent_for_want_of_budget": self.num_over_budget,
        }
