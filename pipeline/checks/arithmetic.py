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
CONSTANTS = (Decimal(100),)  # an equation may use them without evidence: 100 for percentages


@dataclass(frozen=True)
class Equation:
    """An equation as an answer states it: its operands, its result, and whether it holds."""

    words: str
    operands: tuple[Decimal, ...]
    result: Decimal
    holds: bool


def parse_number(digits: str) -> Decimal:
    """Return the value of a number as it is printed: 1234.5 for '1,234.5'."""
    return Decimal(digits.replace(",", "").rstrip("."))


def find_equations(text: str) -> Iterator[Equation]:
    """Yield the equations of a text. A result may be rounded to the decimals it shows: 250 / 3 = 83.3 holds."""
    for match in EQUATION.finditer(text):
        expression = match[1].translate(SPELLINGS)
        result = Decimal(match[2].translate(SPELLINGS).strip("()"))
        if match[2].strip().startswith("(") and result > 0:
            result = -result  # filings print negative figures in parentheses
        decimals = -int(result.as_tuple().exponent)
        value = evaluate_expression(expression)
        holds = value is not None and abs(value - result) <= Decimal(5).scaleb(-decimals - 1)
        operands = tuple(parse_number(digits) for digits in NUMBER.findall(match[1]))
        yield Equation(" ".join(match[0].split()), operands, result, holds)


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
