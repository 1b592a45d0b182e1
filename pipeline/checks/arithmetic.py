"""Recompute the equations that an answer states, like '1,524 - 1,449 = 75' or '$2.5 million / $5.0 million = 50%'."""

import ast
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from itertools import product

from pipeline.checks.number_words import SCALES

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
SCALE = r"(?:[ ]?(?:thousand|million|billion|trillion)\b)?"
UNIT_NAME = r"%|percent\b|per cent\b|basis points\b|(?:U\.?S\.? )?dollars\b|shares\b|minutes\b|hours\b|days\b|years\b"
UNIT = rf"(?:\s?(?:{UNIT_NAME}))?"
DIGITS = r"(?<![\d.,])\d{1,18}(?:,\d{1,3}){0,6}(?:\.\d{1,12})?(?!\d)"  # bounded, so that no answer takes long
OPEN = r"(?:\(\s*){0,4}"
AMOUNT = rf"(?:\(\s*)?(?:[-−]\s*)?[$€£¥]?\(?{DIGITS}\)?{SCALE}{UNIT}(?:\s*\))?"  # no white space in two ways
EQUATION = re.compile(
    rf"({OPEN}{AMOUNT}(?:\s*[-+*/×÷−–·]\s*{OPEN}{AMOUNT}(?:\s*\)){{0,4}}){{1,40}})\s*(=|≈|is about|equals)\s*"
    rf"((?:about |roughly |~)?{AMOUNT})"
)
OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
SPELLINGS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"} | dict.fromkeys("$€£¥, \n\u00a0", None))
SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s?(thousand|million|billion|trillion)\b")
PERCENT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s?(?:%|percent\b|per cent\b)")
WORDS = re.compile(r"[A-Za-z%~.]*[A-Za-z%~][A-Za-z.]*")
CONSTANTS = (Decimal(100),)  # an equation may use them without evidence: 100 for percentages


@dataclass(frozen=True)
class Equation:
    """An equation as an answer states it: its operands, its result, and whether it holds."""

    words: str
    operands: tuple[Decimal, ...]
    result: Decimal
    holds: bool
    is_difference: bool = False  # or a sum: its result has the unit of its operands
    start: int = 0  # characters of the text
    end: int = 0


def parse_number(digits: str) -> Decimal:
    """Return the value of a number as it is printed: 1234.5 for '1,234.5'."""
    return Decimal(digits.replace(",", "").rstrip("."))


def find_equations(text: str) -> Iterator[Equation]:
    """Yield the equations of a text.

    A result may be rounded to the decimals it shows: 250 / 3 = 83.3 holds. It holds as well if it does by the scales
    that are written out ('million'), or with a percentage as a share: 1 / 4 = 25%.
    """
    for match in EQUATION.finditer(text):
        left, right = match[1], match[3]
        result = evaluate_amount(right, scaled=False)
        if result is None:
            continue
        operands = tuple(parse_number(digits) for digits in NUMBER.findall(left))
        yield Equation(
            words=" ".join(match[0].split()),
            operands=operands,
            result=result,
            holds=holds_somehow(left, right, is_loose=match[2] != "=" or bool(re.match(r"about|roughly|~", right))),
            is_difference=not re.search(r"[*/×÷·]", left),
            start=match.start(),
            end=match.end(),
        )


def holds_somehow(left: str, right: str, *, is_loose: bool) -> bool:
    """Say whether an equation holds in one of the readings of its percentages and scales."""
    has_scales = bool(SCALED.search(left)) and (bool(SCALED.search(right)) or not SCALED.fullmatch(right.strip()))
    same_scales = len({match[2] for match in SCALED.finditer(left + right)}) <= 1
    readings = [True] if SCALED.search(left) and SCALED.search(right) and not same_scales else [has_scales, False]
    for scaled, left_share, right_share in product(readings, (False, True), (False, True)):
        value = evaluate_expression(spell(left, scaled=scaled, as_share=left_share))
        result = evaluate_amount(right, scaled=scaled, as_share=right_share)
        if value is None or result is None:
            continue
        if abs(value - result) <= find_tolerance(right, result, is_loose=is_loose):
            return True
    return False


def find_tolerance(words: str, result: Decimal, *, is_loose: bool) -> Decimal:
    """Return how far a stated result may be off: half a unit of its last digit, or one of its last that is not zero."""
    printed = parse_number(NUMBER.findall(words)[0])
    factor = abs(result / printed) if printed else Decimal(1)
    digits = printed.normalize() if is_loose and printed else printed
    step = Decimal(1).scaleb(int(digits.as_tuple().exponent)) * factor
    return step if is_loose else step / 2


def evaluate_amount(words: str, *, scaled: bool, as_share: bool = False) -> Decimal | None:
    """Return the value of a single amount; filings print negative figures in parentheses."""
    bare = words.strip()
    value = evaluate_expression(spell(bare, scaled=scaled, as_share=as_share).strip("()"))
    is_negative = value is not None and bare.lstrip("$€£¥").startswith("(") and bare.endswith(")") and value > 0
    return -value if is_negative and value is not None else value


def spell(words: str, *, scaled: bool, as_share: bool) -> str:
    """Return amounts as an expression: '$5 million' as '5*1000000' or as '5', '25%' as '25*0.01' or as '25'."""
    if scaled:
        words = SCALED.sub(lambda match: f"({match[1]}*{SCALES[match[2]]})", words)
    if as_share:
        words = PERCENT.sub(lambda match: f"({match[1]}*0.01)", words)
    return balance(WORDS.sub("", words).translate(SPELLINGS))


def balance(expression: str) -> str:
    """Return an expression without the parentheses that have no counterpart: '(5-3' is part of '(5 - 3 = 2)'."""
    open_at: list[int] = []
    unmatched: set[int] = set()
    for position, character in enumerate(expression):
        if character == "(":
            open_at.append(position)
        elif character == ")":
            if open_at:
                open_at.pop()
            else:
                unmatched.add(position)
    unmatched |= set(open_at)
    return "".join(character for position, character in enumerate(expression) if position not in unmatched)


def evaluate_expression(expression: str) -> Decimal | None:
    """Return the value of an expression of numbers, operators and parentheses, None if it is not one."""
    try:
        return evaluate_node(ast.parse(expression, mode="eval").body, expression)
    except (SyntaxError, ValueError, DivisionByZero, InvalidOperation, ZeroDivisionError, RecursionError):
        return None


def evaluate_node(node: ast.expr, source: str) -> Decimal:
    """Return the value of a parsed expression.

    Raises:
        ValueError: It has more than numbers and operators.
    """
    match node:
        case ast.Constant(value=int() | float()):
            return Decimal(ast.get_source_segment(source, node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate_node(operand, source)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return Decimal(OPERATIONS[type(operation)](evaluate_node(left, source), evaluate_node(right, source)))
        case _:
            raise ValueError(f"{source} is no arithmetic")
