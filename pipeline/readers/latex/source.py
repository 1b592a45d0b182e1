"""Find one's way in the source of LaTeX: braces, arguments, options."""

import re

from pipeline.readers.latex.commands import TABLES

MAX_OPTION_CHARS = 2000
SPACED_BRACKET = re.compile(r"[ \t\n]*\[")
FIRST_COMMAND = re.compile(r"(?:\s|%[^\n]*\n)*+\\[A-Za-z]")  # after comments
DOCUMENT = re.compile(r"^[ \t]*\\(?:documentclass|documentstyle|begin[ \t]*\{document\})", re.MULTILINE)
ONE_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^{}]", re.DOTALL)
TABLE_MARK = re.compile(rf"\\(begin|end)\{{((?:{'|'.join(sorted(TABLES))})\*?)\}}")


def is_latex(text: str) -> bool:
    """Say whether a text is the source of a LaTeX document, rather than a text that shows some LaTeX."""
    return FIRST_COMMAND.match(text) is not None and DOCUMENT.search(text) is not None


def table_ends(text: str) -> dict[int, int]:
    """Return where the table that begins before a place ends, for each table: they may lie in cells of others."""
    ends: dict[int, int] = {}
    begun: list[tuple[str, int]] = []
    for match in TABLE_MARK.finditer(text):
        if match[1] == "begin":
            begun.append((match[2], match.end()))
        elif begun and begun[-1][0] == match[2]:
            ends[begun.pop()[1]] = match.start()
    return ends


class Source:
    """A source, and where each of its braces is closed."""

    def __init__(self, text: str) -> None:
        """Match the braces."""
        self.text = text
        self.closing: dict[int, int] = {}
        self.absent: set[str] = set()  # what was once looked for in vain, from some place on
        self.table_ends = table_ends(text)
        open_braces = []
        for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
            if match[0] == "{":
                open_braces.append(match.start())
            elif match[0] == "}" and open_braces:
                self.closing[open_braces.pop()] = match.start()

    def document(self) -> "Source":
        """Return the source between begin and end of the document; all of it where it has neither."""
        begin = re.search(r"\\begin\s*\{document\}", self.text)
        end = self.text.find("\\end{document}", begin.end()) if begin else -1
        return Source(self.text[begin.end() if begin else 0 : end if end >= 0 else len(self.text)])

    def argument(self, place: int) -> tuple[str, int]:
        """Return the argument at a place, in braces or a single character, and where the text goes on after it."""
        while place < len(self.text) and self.text[place] in " \t\n":
            place += 1
        if (end := self.closing.get(place)) is not None:
            return self.text[place + 1 : end], end + 1
        command = ONE_TOKEN.match(self.text, place)
        return (command[0], command.end()) if command else ("", place)

    def after_options(self, place: int) -> int:
        """Return where the text goes on after arguments in brackets."""
        while (match := SPACED_BRACKET.match(self.text, place)) is not None:
            end = self.text.find("]", match.end(), match.end() + MAX_OPTION_CHARS)
            if end < 0:
                break
            place = end + 1
        return place

    def arguments_of(self, command: str) -> list[str]:
        """Return the argument of every command of a name."""
        commands = re.finditer(rf"\\{command}\b", self.text)
        return [self.argument(self.after_options(match.end()))[0] for match in commands]

    def find(self, what: str, place: int) -> int:
        """Return the next place of a string, -1 if there is none; a second search in vain costs nothing."""
        found = -1 if what in self.absent else self.text.find(what, place)
        if found < 0:
            self.absent.add(what)
        return found
