"""A budget that holds while many requests are in flight."""

import pytest

from pipeline.endpoint.budget import BudgetError, BudgetParams, Spending, TokenCount

PARAMS = BudgetParams(
    max_tokens=1_000,
    max_cost=10.0,
    price_per_million_prompt_tokens=1.0,
    price_per_million_cached_tokens=0.5,
    price_per_million_reply_tokens=2.0,
)


def test_what_is_reserved_is_not_spent_twice() -> None:
    spending = Spending(PARAMS)
    reservations = [spending.reserve(TokenCount(200, 100)) for _ in range(3)]
    with pytest.raises(BudgetError, match="budget: the request was not sent"):
        spending.reserve(TokenCount(200, 100))
    spending.settle(reservations[0], TokenCount(100, 10))
    assert spending.reserve(TokenCount(200, 90)) == 4
    assert spending.spent == TokenCount(100, 10)
    assert spending.num_over_budget == 1


def test_earlier_runs_count() -> None:
    with pytest.raises(BudgetError):
        Spending(PARAMS, TokenCount(600, 300)).reserve(TokenCount(50, 51))


def test_prices_are_by_the_million() -> None:
    assert Spending(PARAMS, TokenCount(1_000_000, 500_000)).cost == 2.0
    free = PARAMS.model_copy(update={"max_cost": 0.0})
    with pytest.raises(BudgetError):
        Spending(free).reserve(TokenCount(1, 0))
