"""Match the quantities of an answer with the figures of its evidence, by value, scale and rounding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from pipeline.checks.arithmetic import CONSTANTS, Equation, find_equations
from pipeline.checks.citations import without_citations
from pipeline.checks.evidence_figures import Figure, list_figures
from pipeline.checks.quantities import ONE, PERCENT, Quantity, find_quantities, is_rounding
from pipeline.records import Document, Example

CONVERSIONS = tuple(map(Decimal, (1, 12, 1_000, 1_000_000)))  # 1 for shares, the others for months and scales
MAX_PAIRED = 60  # figures of which pairs are tried


@dataclass(frozen=True)
class Match:
    """A quantity of an answer, and the figures of the evidence that it may be."""

    quantity: Quantity
    figures: tuple[Figure, ...]  # by value, unit and rounding
    unlike: tuple[Figure, ...] = ()  # with the same digits, but another unit or scale


@dataclass(frozen=True)
class Matches:
    """All quantities of an answer with what they match."""

    text: str  # the answer without citations
    figures: tuple[Figure, ...]
    found: tuple[Match, ...]
    equations: tuple[Equation, ...]
    results: tuple[tuple[Decimal, frozenset[Decimal]], ...] = field(default=())  # of sound equations, with their scales

    def at(self, start: int, end: int) -> list[Match]:
        """Return the matches in a range of the answer."""
        return [match for match in self.found if start <= match.quantity.start < end]


def match_answer(example: Example, documents: Mapping[str, Document]) -> Matches:
    """Return the quantities of an answer, each with the figures of the evidence that it may be."""
    text = without_citations(example.answer)
    figures = list_figures(example, documents)
    found = tuple(match_quantity(quantity, figures) for quantity in find_quantities(text))
    equations = tuple(find_equations(text))
    return Matches(text, tuple(figures), found, equations, tuple(find_results(equations, figures)))


def match_quantity(quantity: Quantity, figures: Sequence[Figure]) -> Match:
    """Return a quantity with the figures that it may be."""
    same = tuple(figure for figure in figures if is_same(quantity, figure))
    unlike = () if same else tuple(figure for figure in figures if has_same_digits(quantity, figure))
    return Match(quantity, same, unlike)


def is_same(quantity: Quantity, figure: Figure) -> bool:
    """Say whether a stated quantity may be a figure: by its value, rounded to the digits it shows."""
    printed, scales = figure.quantity.printed, figure.scales
    if quantity.scale is None or quantity.is_word:
        bare = [printed, *(printed * scale for scale in scales if scale > ONE)]
        if figure.quantity.is_year != quantity.is_year and quantity.step == ONE:
            bare = [value for value in bare if value == quantity.value]
        return any(is_rounding(quantity.value, quantity.step, value, quantity.hedge) for value in bare)
    values = [printed * scale for scale in scales]
    return any(
        (
            is_rounding(quantity.value, quantity.step * quantity.scale, value, quantity.hedge)
            and quantity.step * quantity.scale >= figure.quantity.step * scale * Decimal("0.999")
        )
        or quantity.value == value
        for value, scale in zip(values, scales, strict=True)
    )


def has_same_digits(quantity: Quantity, figure: Figure) -> bool:
    """Say whether a quantity and a figure differ in their unit alone: '$2,481 thousand' for millions."""
    if quantity.scale is None or quantity.is_word or len(str(quantity.printed).strip("0.")) < 2:
        return False
    ratio = quantity.value / figure.quantity.printed if figure.quantity.printed else Decimal(0)
    if quantity.printed == figure.quantity.printed:
        return True
    powers = (Decimal(10) ** power for power in (-6, -3, 0, 3, 6, 9))
    return quantity.scale not in (PERCENT, ONE) and any(
        is_rounding(quantity.printed, quantity.step, figure.quantity.printed * power) for power in powers if ratio
    )


def find_results(
    equations: Iterable[Equation], figures: Sequence[Figure]
) -> Iterable[tuple[Decimal, frozenset[Decimal]]]:
    """Yield the results of equations of figures, constants and earlier results, with the scales they may have."""
    known: dict[Decimal, set[Decimal]] = {}
    for figure in figures:
        known.setdefault(figure.quantity.printed, set()).update(figure.scales)
        for scale in figure.scales:
            known.setdefault(figure.quantity.printed * scale, set()).add(ONE)
    for equation in equations:
        terms = Decimal(len(equation.operands) - 1)  # of an average, as 3 in (2 + 4 + 6) / 3 = 4
        allowed = {*known, *CONSTANTS, *CONVERSIONS, terms}
        if equation.holds and all(operand in allowed or is_near(operand, known) for operand in equation.operands):
            scales = {scale for operand in equation.operands for scale in known.get(operand, ())}
            of_result = scales if equation.is_difference else {ONE, PERCENT, *scales}
            known.setdefault(abs(equation.result), set()).update(of_result)
            yield abs(equation.result), frozenset(of_result)


def is_near(operand: Decimal, known: Iterable[Decimal]) -> bool:
    """Say whether an operand is a rounded figure: 22.9 where the evidence has 22,887."""
    step = Decimal(1).scaleb(int(operand.as_tuple().exponent))
    powers = [Decimal(10) ** power for power in (-9, -6, -3, 0, 3, 6)]
    return any(is_rounding(operand, step, value * power) for value in known if value for power in powers)


def is_result(quantity: Quantity, results: Iterable[tuple[Decimal, frozenset[Decimal]]]) -> bool:
    """Say whether a stated quantity is the result of an equation, in the unit of its operands."""
    for result, scales in results:
        if quantity.scale is None and is_rounding(quantity.printed, quantity.step, result, quantity.hedge):
            return True
        values = {result * scale for scale in scales or {quantity.scale or ONE}}
        step = quantity.step * (quantity.scale or ONE)
        if any(is_rounding(quantity.value, step, value, quantity.hedge) for value in values):
            return True
    return False


def find_derivation(quantity: Quantity, figures: Sequence[Figure]) -> str:
    """Return how two figures give a quantity without an equation: 'difference', 'percent', 'ratio', 'sum', or ''.

    Of figures of two rows it is the 'difference of rows' or the 'percent of rows'.
    """
    own = list({(figure.quantity.printed, figure.scales): figure for figure in figures}.values())[:MAX_PAIRED]
    for one, other in combinations(own, 2):
        a, b = one.quantity.printed, other.quantity.printed
        if not a or not b:
            continue
        scales = set(one.scales) & set(other.scales) or {ONE}
        step = quantity.step * (quantity.scale or ONE)
        stated = (quantity.value, step, quantity.hedge)
        if any(is_rounding(stated[0], stated[1], abs(a - b) * scale, stated[2]) for scale in (*scales, ONE)):
            return "difference" if one.row == other.row else "difference of rows"
        shares = (abs(a - b) / a, abs(a - b) / b)
        is_share = quantity.scale == PERCENT or quantity.is_word
        if is_share and any(
            is_rounding(stated[0], stated[1] if quantity.scale == PERCENT else PERCENT, share, stated[2])
            for share in shares
        ):
            return "percent" if one.row == other.row else "percent of rows"
        if any(is_rounding(stated[0], max(stated[1], PERCENT), ratio, stated[2]) for ratio in (a / b, b / a)):
            return "ratio"
        if any(is_rounding(stated[0], stated[1], (a + b) * scale, stated[2]) for scale in (*scales, ONE)):
            return "sum"
    return ""
