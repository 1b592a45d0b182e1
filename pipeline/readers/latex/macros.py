"""Expand the macros of a LaTeX source and decide its conditionals before it is rendered.

Expansion is that of text alone: arguments are put in for #1 to #9, and nothing else of TeX is executed. It is bounded
in depth and in length, so a source that defines itself again and again ends like any other.
"""

import re
from typing import NamedTuple

from pipeline.readers.latex.commands import LEVELS
from pipeline.readers.latex.source import Source

DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|DeclareRobustCommand|newrobustcmd)\*?\s*\{?\s*\\([A-Za-z@]+)\s*\}?"
    r"\s*(?:\[(\d)\]\s*)?(?:\[([^\]\n]{0,200})\]\s*)?(?=\{)"
    r"|\\(?:def|gdef|edef|xdef)\s*\\([A-Za-z@]+)\s*((?:#\d)*)\s*(?=\{)"
)
NAME = re.compile(r"\\([A-Za-z@]+)")
BLANK = re.compile(r"[ \t]*(?:\n[ \t]*(?![ \t]*\n))?")  # after a command, which TeX passes over
OPTION = re.compile(r"\s*\[([^\]\n]{0,500})\]")
ENDS_WITH_COMMAND = re.compile(r"\\[A-Za-z]+$")
PARAMETER = re.compile(r"#([1-9])")
VERBATIM = re.compile(
    r"\\begin\{(verbatim|lstlisting|Verbatim|minted)\*?\}.*?\\end\{\1\*?\}|\\verb\*?([^\w\s]).*?\2", re.DOTALL
)
CONDITIONAL = re.compile(r"\\(newif\s*\\if[A-Za-z@]*|if[A-Za-z@]*|else|fi)(?![A-Za-z@])")
NO_CONDITIONAL = {
    *("iff", "ifthenelse", "iftoggle", "ifstrequal", "ifstrempty", "ifblank", "ifdefstring", "ifdefempty", "ifnumcomp"),
    *("ifundef", "ifdef", "ifcsdef", "ifcsundef", "ifbool", "ifnumequal", "ifpdf"),
}
TEST = re.compile(
    r"\\if(?:num|dim)\s*[^\\\n]*?[<>=]\s*-?[\d.]+(?:pt)?|\\if(?:x|def)?\s*\\[A-Za-z@]+(?:\s*\\[A-Za-z@]+)?"
)
KEPT = {"begin", "end", "item", "cite", "ref", "label", "footnote", "caption", "title", "author", "input", *LEVELS}
MAX_DEPTH = 12  # of macros within macros
MAX_GROWTH, MAX_ADDED = 2, 200_000  # times its length, and characters beyond that, to which a source may grow
NO_SPACE_BEFORE = frozenset(".,;:!?)]}'/-~\\")


class Macro(NamedTuple):
    """What a command is defined as."""

    num_arguments: int
    default: str | None  # of its first argument, which is optional then
    body: str


def expand(text: str) -> str:
    """Return a source without comments, with its conditionals decided and its author's macros expanded."""
    text = take_branches(text)
    macros = find_macros(text)
    if not macros:
        return text
    limit = MAX_GROWTH * len(text) + MAX_ADDED
    for _ in range(MAX_DEPTH):
        expanded = expand_once(text, macros, limit)
        if expanded == text or len(text) > limit:
            break
        text = expanded
    return text


def find_macros(text: str) -> dict[str, Macro]:
    """Return the macros that a source defines; the last definition of a name holds."""
    source = Source(text)
    macros: dict[str, Macro] = {}
    for match in DEFINITION.finditer(text):
        name = match[1] or match[4]
        end = source.closing.get(match.end())
        if end is None or name in KEPT:
            continue
        body = text[match.end() + 1 : end]
        if re.search(rf"\\{name}(?![A-Za-z@])", body):
            continue  # it would go on for ever
        count = int(match[2] or 0) if match[1] else (match[5] or "").count("#")
        macros[name] = Macro(count, match[3] if match[1] and match[2] else None, body.replace("##", "#"))
    return macros


def expand_once(text: str, macros: dict[str, Macro], limit: int) -> str:
    """Return a source with each macro replaced by its body once, up to a length; verbatim text and definitions stay."""
    source = Source(text)
    kept = {match.start(): match.end() for match in VERBATIM.finditer(text)}
    for match in DEFINITION.finditer(text):
        end = source.closing.get(match.end())
        if end is not None:
            kept[match.start()] = end + 1
    parts, done, added = [], 0, 0
    for match in NAME.finditer(text):
        place = match.start()
        if place < done:
            continue
        if added > limit:
            break
        if end := kept.get(place, 0):
            parts.append(text[done:end])
            done = end
        elif (macro := macros.get(match[1])) is not None and text[place - 1 : place] != "\\":
            replacement, end = apply(macro, source, match.end())
            parts += [text[done:place], replacement]
            added += len(replacement)
            done = end
    return "".join([*parts, text[done:]])


def apply(macro: Macro, source: Source, place: int) -> tuple[str, int]:
    """Return what a macro before a place becomes, and where the source goes on."""
    text = source.text
    arguments: list[str] = []
    if macro.default is not None:
        option = OPTION.match(text, place)
        arguments.append(option[1] if option else macro.default)
        place = option.end() if option else place
    while len(arguments) < macro.num_arguments:
        argument, place = source.argument(place)
        arguments.append(argument)
    body = PARAMETER.sub(
        lambda match: arguments[int(match[1]) - 1] if int(match[1]) <= len(arguments) else "", macro.body
    )
    stripped = body.rstrip()
    has_xspace = stripped.endswith("\\xspace")
    body = stripped.removesuffix("\\xspace") if has_xspace else body
    if macro.num_arguments == 0:
        after = BLANK.match(text, place)
        end = after.end() if after else place
        following = text[end : end + 1]
        is_word = bool(body.strip()) and (following.isalnum() or following in ("(", "$", "\\"))
        is_spaced = end > place and (is_word or (has_xspace and following not in NO_SPACE_BEFORE | {""}))
        glues = ENDS_WITH_COMMAND.search(body) is not None and following.isalpha()
        return f"{body}{' ' if is_spaced or glues else ''}", end
    return body, place


def take_branches(text: str) -> str:
    r"""Return a source with the branch of each conditional that would be printed; of an unknown test the first one.

    `\\iffalse` and the switches of `\newif` are known: these are off until the source sets them.
    """
    switches = dict.fromkeys(re.findall(r"\\newif\s*\\if([A-Za-z@]+)", text), False)
    for name in switches:
        switches[name] = re.search(rf"\\{name}true(?![A-Za-z@])", text) is not None
    stack: list[
        tuple[int, bool | None, int]
    ] = []  # where a conditional begins, whether it holds, where its branch does
    cuts: list[tuple[int, int]] = []
    for match in CONDITIONAL.finditer(text):
        name = match[1]
        if name.startswith("newif"):
            cuts.append(match.span())
        elif name == "fi" and stack:
            start, holds, branch = stack.pop()
            cuts.append((branch, match.end()) if branch >= 0 else match.span())
        elif name == "else" and stack:
            start, holds, branch = stack[-1]
            if branch < 0:
                stack[-1] = (start, holds, match.start())  # the first branch holds: the second goes
            else:
                cuts.append((branch, match.end()))
                stack[-1] = (start, holds, -1)
        elif name.startswith("if") and name not in NO_CONDITIONAL:
            holds = decide(name, switches)
            test = TEST.match(text, match.start()) if holds is None else None
            end = test.end() if test else match.end()
            cuts.append((match.start(), end))
            stack.append((match.start(), holds, match.start() if holds is False else -1))
    return cut(text, cuts)


def decide(name: str, switches: dict[str, bool]) -> bool | None:
    """Return whether a conditional holds; None where that is not known."""
    if name in ("iffalse", "iftrue"):
        return name == "iftrue"
    if name[2:] in switches:
        return switches[name[2:]]
    return False if len(name) > len("if") and name[2:].startswith(("draft", "anon", "blind")) else None


def cut(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text without spans, which may lie in one another."""
    parts, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            parts.append(text[done:start])
        done = max(done, end)
    return "".join([*parts, text[done:]])
