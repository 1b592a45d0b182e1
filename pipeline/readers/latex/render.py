"""Render the body of a LaTeX document as Markdown in one pass, without recursion."""

import re
from collections import Counter

from pipeline.readers.common.markdown import escape_lines
from pipeline.readers.common.tables import table_blocks
from pipeline.readers.latex.commands import (
    ACCENTS,
    CITES,
    CODE,
    DESIGN_ARGUMENTS,
    DROPPED,
    INPUTS,
    LETTERS,
    MATH,
    PICTURES,
    QUANTITIES,
    REFS,
    SHAPES,
    SIGNS,
    STATEMENTS,
    TABLES,
)
from pipeline.readers.latex.source import MAX_OPTION_CHARS, Source
from pipeline.readers.latex.tables import read_latex_rows
from pipeline.readers.latex.units import format_number, format_quantity, format_unit

TOKEN = re.compile(r"\\([A-Za-z@]+)\*?[ \t]*|\\(.)|\$\$?|[{}~&]|\n[ \t]*\n\s*|---?|``|''|[^\\${}~&\n`'-]+|.", re.DOTALL)
SIGN_TOKENS = {"---": "—", "--": "–", "``": "“", "''": "”", "`": "‘", "'": "’", "~": " ", "&": " ", "\n": " "}
MAX_INDENT = 8  # levels of lists within lists that are shown
MAX_FORMULA_CHARS = 5000  # among which an empty line shows that a dollar sign is only that
WHITE = re.compile(r"\s*\{\s*white\s*\}")
UNKNOWN_WARNING = "unknown commands, of which only the arguments are read"
INPUT_WARNING = "files named by \\input or \\include not read"
HIDDEN_WARNING = "hidden parts left out"
PICTURE_WARNING = "pictures drawn by commands left out"


def render(source: Source, levels: dict[str, int], *, in_cell: bool = False) -> tuple[str, Counter[str]]:
    """Return the Markdown of a source, and counts of what was left out of it.

    Args:
        source: The body of a document, or an argument.
        levels: The level of the headings of each kind of section.
        in_cell: A table within it is none of its own.
    """
    page = Writer(source, levels, in_cell=in_cell)
    place = 0
    while (match := TOKEN.match(source.text, place)) is not None:
        place = page.token(match)
    page.end_block()
    return "\n\n".join(page.blocks), page.left_out


class Writer:
    """Writes Markdown; its methods return where the source goes on."""

    def __init__(self, source: Source, levels: dict[str, int], *, in_cell: bool) -> None:
        """Start without any text."""
        self.source = source
        self.levels = levels
        self.in_cell = in_cell
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.prefix = ""  # of the block at hand: '## ', '- '
        self.lists: list[int] = []  # the next number of each open list, 0 for bullets
        self.notes: list[str] = []  # the footnotes of the block at hand
        self.num_notes = 0
        self.outside: list[list[str]] = []  # the lines that footnotes interrupt
        self.ends: dict[int, str] = {}  # closing braces that end a heading, a caption or a footnote
        self.groups: list[int] = []  # the braces that are open
        self.left_out: Counter[str] = Counter()

    def token(self, match: re.Match[str]) -> int:
        """Write one token."""
        text = match[0]
        if match[1]:
            return self.command(match[1], match.end())
        if match[2] is not None:
            return self.sign(match[2], match.end())
        if text in ("$", "$$"):
            return self.formula(text, text, match.end(), text)
        if text == "{":
            self.groups.append(match.start())
        elif text == "}":
            self.close(match.start())
        elif text[0] == "\n" and len(text) > 1:
            self.end_block()
        else:
            self.line.append(SIGN_TOKENS.get(text, text))
        return match.end()

    def close(self, place: int) -> None:
        """End a group, and what ends with it."""
        if self.groups:
            self.groups.pop()
        kind = self.ends.pop(place, "")
        if kind == "block":
            self.end_block()
        elif kind == "note" and self.outside:
            self.notes.append(f"[{self.num_notes}] {' '.join(''.join(self.line).split())}")
            self.line = self.outside.pop()

    def sign(self, sign: str, place: int) -> int:
        """Write a command of one sign: an accent, a formula, or a character that needs a backslash."""
        if sign in "([":
            return self.formula("\\)" if sign == "(" else "\\]", "$" if sign == "(" else "$$", place, "")
        if sign in ACCENTS:
            return self.accent(ACCENTS[sign], place)
        self.line.append(SIGNS.get(sign, ""))
        return self.source.after_options(place) if sign == "\\" else place

    def accent(self, mark: str, place: int) -> int:
        """Write an accent on the letter that follows."""
        letter, place = self.source.argument(place)
        letter = letter.strip()
        letter = LETTERS.get(letter[1:], "") if letter.startswith("\\") else letter
        self.line.append(letter[:1] + mark + letter[1:] if letter else "")
        return place

    def formula(self, end: str, mark: str, place: int, literal: str) -> int:
        """Write a formula unchanged, up to its end; a dollar sign without an end is a dollar sign."""
        close = self.source.find(end, place)
        while end == "$" and close > 0 and self.source.text[close - 1] == "\\":
            close = self.source.find(end, close + 1)
        formula = self.source.text[place:close]
        if close < 0 or (end == "$" and re.search(r"\n[ \t]*\n", formula[:MAX_FORMULA_CHARS])):
            self.line.append(literal)
            return place
        self.line.append(f"{mark}{' '.join(formula.split())}{mark}")
        return close + len(end)

    def command(self, name: str, place: int) -> int:
        """Write what a command means; of an unknown one, its arguments."""
        source = self.source
        if name in self.levels:
            return self.open_group(source.after_options(place), "block", "#" * self.levels[name] + " ")
        if name in ("begin", "end"):
            environment, place = source.argument(place)
            return self.begin(environment, place) if name == "begin" else self.end(environment, place)
        if name in ("footnote", "footnotetext", "thanks"):
            return self.footnote(source.after_options(place))
        if name in CITES or name in REFS:
            keys, place = source.argument(source.after_options(place))
            self.line.append(f"[{', '.join(key.strip() for key in keys.split(','))}]")
            return place
        if name in ("textcolor", "color") and WHITE.match(source.text, place):
            return self.hide(name, place)
        return self.plain_command(name, place)

    def plain_command(self, name: str, place: int) -> int:
        """Write a command that changes nothing around it."""
        source = self.source
        if name in ("item", "bibitem"):
            return self.item(name, place)
        if name == "caption":
            return self.open_group(source.after_options(place), "block", "")
        if name in ("url", "path", "nolinkurl"):
            address, place = source.argument(place)
            self.line.append(address)
        elif name in INPUTS:
            self.left_out[INPUT_WARNING] += 1
            place = source.argument(place)[1]
        elif name == "verb":
            end = source.text.find(source.text[place : place + 1] or "|", place + 1, place + MAX_OPTION_CHARS)
            self.line.append(source.text[place + 1 : end] if end > 0 else "")
            place = max(place, end + 1)
        elif name in ("def", "gdef", "edef", "let"):
            place = source.text.find("{", place, place + MAX_OPTION_CHARS) if name != "let" else place
            place = source.argument(place)[1] if place >= 0 else len(source.text)
        elif name in ACCENTS and len(name) == 1:
            return self.accent(ACCENTS[name], place)
        elif name in QUANTITIES:
            return self.quantity(name, place)
        elif name == "ensuremath":
            formula, place = source.argument(place)
            self.line.append(f"${' '.join(formula.split())}$")
        elif name in ("textsuperscript", "textsubscript", "up"):
            text, place = source.argument(place)
            base = "".join(self.line)[-1:]
            is_power = name == "textsuperscript" and base.isdigit() and re.fullmatch(r"-?\d+", text)
            self.line.append(f"^{text}" if is_power else one_line(text))
        elif name == "xspace":
            after = source.text[place : place + 1]
            self.line.append(" " if after.isalnum() or (after in "($" and after) else "")
        elif name in DROPPED or name in ("textcolor", "color"):
            return self.drop(DROPPED.get(name, 1), place)
        elif name == "par":
            self.end_block()
        else:
            self.line.append(LETTERS.get(name) or SIGNS.get(name, ""))
            if name not in LETTERS and name not in SIGNS:
                self.left_out[UNKNOWN_WARNING] += source.text[place : place + 1] == "{" and name not in SHAPES
                place = source.after_options(place) if source.text[place : place + 1] == "[" else place
        return place

    def quantity(self, name: str, place: int) -> int:
        """Write a number or a quantity of siunitx."""
        source = self.source
        place = source.after_options(place)
        first, place = source.argument(place)
        if name in ("si", "unit"):
            self.line.append(format_unit(first))
        elif name in ("num", "ang", "tablenum"):
            self.line.append(format_number(first) + ("°" if name == "ang" else ""))
        else:
            is_range = name in ("SIrange", "qtyrange", "numrange")
            second, place = source.argument(place) if is_range else ("", place)
            unit, place = source.argument(source.after_options(place)) if name != "numrange" else ("", place)
            number = f"{format_number(first)} to {second}" if is_range else first
            self.line.append(format_quantity(number, format_unit(unit)))
        return place

    def drop(self, num_arguments: int, place: int) -> int:
        """Leave out arguments that are no text."""
        for _ in range(num_arguments):
            place = self.source.argument(self.source.after_options(place))[1]
        return self.source.after_options(place) if num_arguments else place

    def hide(self, name: str, place: int) -> int:
        """Leave out what is printed in white."""
        self.left_out[HIDDEN_WARNING] += 1
        place = self.source.argument(place)[1]
        if name == "textcolor":
            return self.source.argument(place)[1]
        return self.source.closing.get(self.groups[-1], place) if self.groups else len(self.source.text)

    def open_group(self, place: int, kind: str, prefix: str) -> int:
        """Begin a block of its own that ends with the group that follows."""
        self.end_block()
        while place < len(self.source.text) and self.source.text[place] in " \t\n":
            place += 1
        if place in self.source.closing:
            self.prefix = prefix
            self.ends[self.source.closing[place]] = kind
        return place

    def footnote(self, place: int) -> int:
        """Begin a footnote: its mark stays in the sentence, its text goes below the block."""
        if place not in self.source.closing:
            return place
        self.num_notes += 1
        self.line.append(f"[{self.num_notes}]")
        self.outside.append(self.line)
        self.line = []
        self.ends[self.source.closing[place]] = "note"
        return place

    def item(self, name: str, place: int) -> int:
        """Begin an item of a list."""
        self.end_block()
        label = re.compile(r"\s*\[([^\]\n]{0,200})\]").match(self.source.text, place)
        place = label.end() if label else place
        key = ""
        if name == "bibitem":
            key, place = self.source.argument(place)
        number = self.lists[-1] if self.lists else 0
        self.prefix = "  " * min(MAX_INDENT, len(self.lists) - 1) + (f"{number}. " if number else "- ")
        if number:
            self.lists[-1] += 1
        name = one_line(label[1]) if label else ""
        mark = ":" if name[-1:].isalnum() else ""  # of a description: what it describes
        self.line.append(f"[{key}] " if key else f"{name}{mark} " if name else "")
        return place

    def begin(self, name: str, place: int) -> int:
        """Begin an environment, or write it whole."""
        kind = name.rstrip("*")
        mark = f"\\end{{{name}}}"
        is_table = kind in TABLES
        end = self.source.table_ends.get(place, -1) if is_table else -1
        if end >= 0 and not self.in_cell:
            self.whole(kind, name, self.source.text[place:end])
            return end + len(mark)
        if kind in MATH or kind in CODE or kind in PICTURES:
            end = self.source.find(mark, place)
            self.whole(kind, name, self.source.text[place : end if end >= 0 else len(self.source.text)])
            return end + len(mark) if end >= 0 else len(self.source.text)
        self.end_block()
        place = self.source.after_options(place)
        if kind in ("itemize", "enumerate", "description", "thebibliography"):
            self.lists.append(1 if kind == "enumerate" else 0)
        if kind == "thebibliography":
            self.blocks.append("## References")
        for _ in range(1 if is_table else DESIGN_ARGUMENTS.get(kind, 0)):
            place = self.source.argument(place)[1]
        if kind == "abstract":
            self.blocks.append("## Abstract")
        elif kind in STATEMENTS:
            self.line.append(f"{kind.capitalize()}. ")
        return place

    def end(self, name: str, place: int) -> int:
        """End an environment."""
        self.end_block()
        if name.rstrip("*") in ("itemize", "enumerate", "description", "thebibliography") and self.lists:
            self.lists.pop()
        return place

    def whole(self, kind: str, name: str, inside: str) -> None:
        """Write an environment that is not text: a formula, code, a table."""
        if kind in PICTURES:
            self.left_out[PICTURE_WARNING] += kind not in ("comment", "filecontents", "CCSXML")
            return
        prefix, before = self.prefix, len(self.blocks)
        self.end_block()
        self.prefix = prefix if before == len(self.blocks) else ""
        if kind in CODE:
            self.blocks.append(f"```\n{re.sub(r'^(?:[{[][^]}]*[]}])*', '', inside).strip()}\n```")
        elif kind in TABLES:
            self.blocks += table(inside)
        else:
            formula = " ".join(re.sub(r"\\label\s*\{[^{}]*\}|\\nonumber\b|\\notag\b", "", inside).split())
            is_lined = "\\\\" in formula or "&" in formula
            self.blocks.append(f"$$\\begin{{{name}}} {formula} \\end{{{name}}}$$" if is_lined else f"$${formula}$$")

    def end_block(self) -> None:
        """End the block at hand, and write the footnotes below it; within a footnote a block is a space."""
        if self.outside:
            self.line.append(" ")
            return
        lines = (" ".join(line.split()) for line in "".join(self.line).split("\u2028"))
        text = (" " if self.prefix.startswith("#") else "\n").join(filter(None, lines))
        self.line = []
        if text:
            block = self.prefix + (text if self.in_cell else escape_lines(text))
            tight = self.lists and self.blocks and self.prefix and re.match(r" *(?:-|\d+\.) ", self.blocks[-1])
            if tight and not self.prefix.startswith("#"):
                self.blocks[-1] += f"\n{block}"
            else:
                self.blocks.append(block)
            self.prefix = ""
        self.blocks += self.notes
        self.notes = []


def one_line(source: str) -> str:
    """Return the text of a short source on one line."""
    return " ".join(render(Source(source), {}, in_cell=True)[0].split())


def table(inside: str) -> list[str]:
    """Return the blocks of a table."""
    rows = read_latex_rows(inside, one_line)
    return table_blocks(rows) if rows else []
