"""Numbers are read by value, unit, scale, sign and rounding."""

from decimal import Decimal

import pytest

from pipeline.checks.arithmetic import find_equations
from pipeline.checks.number_words import find_number_words
from pipeline.checks.quantities import find_quantities, find_references, is_rounding


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("from $22.9 billion to $19.8 billion", [22_900_000_000, 19_800_000_000]),
        ("43.5 % of it, or 190 basis points", ["0.435", "0.0190"]),
        ("5 to 7 million people", [5_000_000, 7_000_000]),
        ("a loss of (1,234)", [1_234]),
        ("2x-20x faster", [2, 20]),
        ("twenty-five of two million, and three quarters", [25, 2_000_000, "0.75"]),
        ("$3M and a dozen", [3_000_000, 12]),
        ("1. The first. 2. The second has 26.", [26]),
        ("Figure 13, Table 2, Item 7, Section 3.2 and Form 10-K", []),
        ("crypto-md5, 3d-cube and 3M", []),
        ("Form 10-K for the period ended 2024-12-31", []),
    ],
)
def test_quantities_are_read_from_words_and_digits(text: str, values: list) -> None:
    assert [quantity.value for quantity in find_quantities(text)] == [Decimal(str(value)) for value in values]


def test_a_minus_sign_is_one_in_unicode_as_well() -> None:
    (first, second, third) = find_quantities("It was −43.5, then -14% and then 5 - 3.")[:3]
    assert (first.is_negative, second.is_negative, third.is_negative) == (True, True, False)


def test_references_are_no_quantities_but_are_found() -> None:
    assert find_references("as Figure 13 shows, and Section 3.2 says") == ["Figure 13", "Section 3.2"]


@pytest.mark.parametrize(
    ("stated", "step", "value", "hedge", "holds"),
    [
        ("22.9", "0.1", "22.887", "", True),
        ("22.8", "0.1", "22.887", "", False),
        ("22.8", "0.1", "22.887", "over", True),
        ("23", "1", "22.887", "under", True),
        ("22", "1", "22.887", "under", False),
        ("20000", "1", "19790", "", False),
        ("20000", "1", "19790", "about", True),
    ],
)
def test_a_number_may_be_rounded_as_its_words_say(stated, step, value, hedge, holds: bool) -> None:
    assert is_rounding(Decimal(stated), Decimal(step), Decimal(value), hedge) is holds


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("$5,700 million - $3,219 million = $2,481 million", True),
        ("$5,700 million - $3,219 million = $2,481 thousand", False),
        ("$5.7 billion - $3,219 million = $2.48 billion", True),
        ("$2,481 million / $5,700 million = 43.5%", True),
        ("(3,219 − 5,700) / 5,700 × 100 = −43.5", True),
        ("2,481 / 5,700 = 0.435", True),
        ("35 / 9 ≈ 3.9", True),
        ("35 / 9 ≈ 4.9", False),
        ("12% × 500 = 60", True),
    ],
)
def test_equations_hold_with_their_units(words: str, holds: bool) -> None:
    (equation,) = find_equations(f"So {words}, as it should.")
    assert equation.holds is holds


@pytest.mark.parametrize(
    ("words", "value"), [("one hundred and fifty", 150), ("thirty-two", 32), ("a million", 10**6), ("half", "0.5")]
)
def test_number_words_have_values(words: str, value) -> None:
    (found,) = find_number_words(f"after {words} failures")
    assert found.value == Decimal(str(value))
