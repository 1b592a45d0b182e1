"""Write Markdown that says what the source says."""

import re

LIKE_MARKDOWN = re.compile(r"^(?:#{1,6} |```)", re.MULTILINE)


def escape_lines(text: str) -> str:
    r"""Return a paragraph with the lines escaped that Markdown would take for headings or code: '# 1' -> '\# 1'."""
    return LIKE_MARKDOWN.sub(r"\\\g<0>", text) if "#" in text or "```" in text else text
