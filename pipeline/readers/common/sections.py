"""Find the sections of a Markdown text."""

import re

from pipeline.records import Section

LINE_OF_NOTE = re.compile(r"^(?:(?P<level>#{1,6}) (?P<title>.+)|```.*)$", re.MULTILINE)


def find_sections(text: str) -> tuple[Section, ...]:
    """Return the sections of a text in the order of their headings.

    A section reaches up to the next heading of its own or a higher level, so the sections below it lie within it.
    Headings within fenced code are none.
    """
    headings = headings_outside_code(text)
    ends = [len(text)] * len(headings)
    above: list[int] = []  # the headings that are open, outermost first
    paths: list[tuple[str, ...]] = []
    for index, match in enumerate(headings):
        while above and len(headings[above[-1]]["level"]) >= len(match["level"]):
            ends[above.pop()] = match.start()
        above.append(index)
        paths.append(tuple(headings[i]["title"].strip() for i in above))
    return tuple(Section(path, match.start(), end) for path, match, end in zip(paths, headings, ends, strict=True))


def headings_outside_code(text: str) -> list[re.Match[str]]:
    """Return the headings of a text outside fenced code."""
    found: list[re.Match[str]] = []
    in_code = False
    for match in LINE_OF_NOTE.finditer(text):
        if match["level"] is None:
            in_code = not in_code
        elif not in_code:
            found.append(match)
    return found
