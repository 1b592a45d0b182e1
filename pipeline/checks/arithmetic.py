"""Recompute the equations that an answer states, like '1,524 - 1,449 = 75'."""

import ast
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
AMOUNT = r"\(?\s*[-−]?\s*[$€£¥]?\d[\d,]*(?:\.\d+)?\s*%?\s*\)?"
EQUATION = re.compile(rf"((?:\(\s*)*{AMOUNT}(?:\s*[-+*/×÷−–]\s*(?:\(\s*)*{AMOUNT}(?:\s*\))*)+)\s*=\s*({AMOUNT})")
OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
SPELLINGS = str.maketrans({"×": "*", "÷": "/", "−": "-", "–": "-"} | dict.fromkeys("$€£¥%, \n", None))
CONSTANTS = (Decimal(100),)  # that an equation may bring along: per cent


@dataclass(frozen=True)
class Equation:
    """A stated calculation: the numbers that go in, the one that comes out, and whether that is right."""

    words: str
    operands: tuple[Decimal, ...]
    result: Decimal
    holds: bool


def equations_of(text: str) -> Iterator[Equation]:
    """Yield the equations of a text; a result may be rounded to the decimals that it shows."""
    for match in EQUATION.finditer(text):
        expression = match[1].translate(SPELLINGS)
        result = Decimal(match[2].translate(SPELLINGS).strip("()"))
        if match[2].strip().startswith("(") and result > 0:
            result = -result  # as a filing prints what is negative
        decimals = -int(result.as_tuple().exponent)
        value = value_of(expression)
        holds = value is not None and abs(value - result) <= Decimal(5).scaleb(-decimals - 1)
        operands = tuple(Decimal(number.replace(",", "")) for number in NUMBER.findall(match[1]))
        yield Equation(" ".join(match[0].split()), operands, result, holds)


def value_of(expression: str) -> Decimal | None:
    """Return the value of an expression of numbers, signs and parentheses, None if it has none."""
    try:
        return evaluate(ast.parse(expression, mode="eval").body, expression)
    except (SyntaxError, ValueError, DivisionByZero, InvalidOperation, ZeroDivisionError, RecursionError):
        return None


def evaluate(node: ast.expr, source: str) -> Decimal:
    """Return the value of a parsed expression.

    Raises:
        ValueError: There is more in it than numbers and their operations.
    """
    match node:
        case ast.Constant(value=int() | float()):
            return Decimal(ast.get_source_segment(source, node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate(operand, source)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return Decimal(OPERATIONS[type(operation)](evaluate(left, source), evaluate(right, source)))
        case _:
            raise ValueError(f"{source} is no arithmetic")
