"""Flatten markup that is nested deeper than any parser goes, in linear time."""

import re

from pipeline.readers.html.css import compute_style

MAX_DEPTH = 1000  # tags that are open at a time; libxml2 goes to 2048
MAX_LOOK_BACK = 64  # open tags among which the one that an end tag closes is looked for
TOKEN = re.compile(
    r"""(<!--(?:>|->|.*?(?:--!?>|\Z))|<(?:script|style)\b.*?(?:</(?:script|style)\s*>|\Z)"""
    r"""|</?[A-Za-z](?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))*+(?:>|\Z)|<[!?/][^>]*+(?:>|\Z))""",
    re.DOTALL | re.IGNORECASE,
)
NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")
STYLE = re.compile(r"""\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
HIDDEN = re.compile(r"""\s(?:hidden(?=[\s=/>])|aria-hidden\s*=\s*["']?true)""", re.IGNORECASE)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def flatten(source: str) -> str:
    """Return a page without the tags that lie too deep; text stays, but for that of hidden elements among them."""
    parts = []
    open_tags: list[str] = []
    hidden_from = 0  # how many tags were open where a hidden element began, 0 outside those
    for index, piece in enumerate(TOKEN.split(source)):
        if index % 2 == 0:
            parts.append("" if hidden_from else piece)
            continue
        match = NAME.match(piece)
        if match is None or (name := match[1].lower()) in VOID or piece.endswith("/>"):
            parts.append("" if match is None or hidden_from else piece)
        elif name in ("script", "style"):
            parts.append(piece if name == "style" else "")
        elif piece.startswith("</"):
            if name in open_tags[-MAX_LOOK_BACK:]:
                while open_tags.pop() != name:
                    pass
                parts.append(piece if len(open_tags) < MAX_DEPTH else " ")
            hidden_from = 0 if len(open_tags) < hidden_from else hidden_from
        else:
            open_tags.append(name)
            if len(open_tags) <= MAX_DEPTH:
                parts.append(piece)
            elif not hidden_from:
                parts.append(" ")
                hidden_from = len(open_tags) if is_hidden(piece) else 0
    return "".join(parts)


def is_hidden(tag: str) -> bool:
    """Say whether a tag begins an element that is invisible."""
    style = STYLE.search(tag)
    look = compute_style((style[1] or style[2] or "") if style else "")
    return look.hidden or look.tiny or HIDDEN.search(tag) is not None
