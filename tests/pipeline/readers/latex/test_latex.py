import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.common.sections import find_sections
from pipeline.readers.formats.format import all_formats, detect_format
from pipeline.readers.latex import latex


def body(source):
    return latex.read_source(rf"\begin{{document}}{source}\end{{document}}", "utf-8")


PAPER = r"""% a comment
\documentclass[12pt]{article}
\newcommand{\foo}[1]{bar #1}
\title[Short]{On \emph{Slow} Sorting\thanks{Funded.}}
\author{Ann B\"ohm\\Somewhere \and J. \v{S}ev\v{c}\'{\i}k}
\date{May 3, 2021}
\begin{document}
\maketitle
\begin{abstract}
We sort. % really
Slowly.
\end{abstract}
\section{Introduction}\label{sec:one}
Sorting is old~\cite{knuth, hoare}; see Section~\ref{sec:two}.\footnote{A note with \textbf{bold} text.} It costs 5\%.
% only a comment
It goes on.

\subsection*{Related}
Next.
\section{Results}
\end{document}
ignored
"""


def test_a_paper_has_its_title_headings_notes_and_references(tmp_path):
    (tmp_path / "paper.tex").write_text(PAPER)
    reading = latex.read(tmp_path / "paper.tex", lambda num_pages: None)

    assert reading.text == (
        "# On Slow Sorting\n\n## Abstract\n\nWe sort. Slowly.\n\n## Introduction\n\n"
        "Sorting is old [knuth, hoare]; see Section [sec:two].[1] It costs 5%. It goes on.\n\n"
        "[1] A note with bold text.\n\n### Related\n\nNext.\n\n## Results"
    )
    assert (reading.title, reading.authors, reading.date) == (
        "On Slow Sorting",
        ("Ann Böhm", "J. Ševčík"),
        "2021-05-03",
    )
    assert reading.warnings == ()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a $x^2$ b \\(y\\) c", "a $x^2$ b $y$ c"),
        ("a \\[ x = \\frac{1}{2} \\] b", "a $$x = \\frac{1}{2}$$ b"),
        ("\\begin{equation}\\label{e} a = b\\end{equation}", "$$a = b$$"),
        ("\\begin{align*}a&=b\\\\c&=d\\end{align*}", "$$\\begin{align*} a&=b\\\\c&=d \\end{align*}$$"),
        ("it costs $5 today.\n\nAnd that is $6.", "it costs $5 today.\n\nAnd that is $6."),
        ("``quoted'' --- and 1--2", "“quoted” — and 1–2"),
        ("na\\\"{\\i}ve \\'etude \\c{c}a Stra\\ss e \\AA", "naïve étude ça Straße Å"),
        ("\\textbf{bold} {\\it it} \\unknown{kept} \\unknown[o]{kept}", "bold it kept kept"),
        ("\\url{http://a.b/c%20d} \\href{http://x}{here}", "http://a.b/c%20d here"),
        ("one\\\\two", "one\ntwo"),
        ("a\\def\\x#1{drop {this}}b \\newcommand{\\y}[1]{drop} c", "ab c"),
        ("a \\iffalse drop \\fi b", "a b"),
        ("\\verb|x_y| z", "x_y z"),
        ("\\begin{theorem}All is well.\\end{theorem}", "Theorem. All is well."),
        ("\\begin{figure}\\includegraphics[width=1cm]{x.png}\\caption{A {nice} one.}\\end{figure}", "A nice one."),
        ("\\begin{verbatim}\n% code {\n\\end{verbatim}", "```\n% code {\n```"),
        ("\\begin{itemize}\\item a\\item b\\begin{enumerate}\\item c\\item d\\end{enumerate}\\end{itemize}",
         "- a\n- b\n  1. c\n  2. d"),
        ("\\begin{description}\\item[Big] thing\\end{description}", "- Big: thing"),
        ("\\begin{thebibliography}{9}\\bibitem{k} Knuth.\\end{thebibliography}", "## References\n\n- [k] Knuth."),
    ],
)  # fmt: skip
def test_commands_become_what_they_print(source, text):
    assert body(source).text == text


def test_a_table_has_its_figures_under_their_heads():
    table = (
        r"\begin{tabular}{l|rr}\toprule Name & \multicolumn{2}{c}{Seconds}\\ \cmidrule(lr){2-3} & 2020 & 2021\\\midrule"
        r" Quick \& dirty & 1.5 & (2.5)\\[2pt] {A & B} & 3 & 4 \\ \bottomrule\end{tabular}"
    )
    lines = [" ".join(line.split()) for line in body(table).text.splitlines()]

    assert lines[0] == "| Name | Seconds 2020 | Seconds 2021 |"
    assert lines[2:] == ["| Quick & dirty | 1.5 | (2.5) |", "| A B | 3 | 4 |"]


def test_what_is_not_read_is_counted():
    reading = body(
        r"seen \input{a}\include{b} \textcolor{white}{unseen} {\color{white} unseen} "
        r"\begin{tikzpicture}x\end{tikzpicture}"
    )

    assert reading.text == "seen"
    assert reading.warnings == (
        "2 files named by \\input or \\include not read",
        "2 hidden parts left out",
        "1 pictures drawn by commands left out",
    )


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("2020-05-01", "2020-05-01"),
        ("1 May 2020", "2020-05-01"),
        ("June 2019", "2019-06"),
        ("2018", "2018"),
        ("Spring 2017", "2017"),
        (r"\today", ""),
    ],
)
def test_dates_are_as_exact_as_they_are_given(date, iso):
    assert latex.read_source(rf"\date{{{date}}}\begin{{document}}x\end{{document}}", "").date == iso


@pytest.mark.parametrize(
    ("name", "source", "kind"),
    [
        ("a.txt", "% c\n\\documentclass{article}\n\\begin{document}x", "latex"),
        ("a.tex", "plain \\bf TeX", "latex"),
        ("a.md", "To begin, write\n\\documentclass{article}", "text"),
        ("a.txt", "\\ is a backslash", "text"),
    ],
)
def test_latex_is_known_by_its_first_command_or_its_name(tmp_path, name, source, kind):
    (tmp_path / name).write_text(source)

    assert detect_format(tmp_path / name).name == kind
    assert all_formats()["latex"].media_type == "text/x-tex"


def test_a_source_without_text_is_refused():
    with pytest.raises(UnreadableError, match="empty: no text but commands"):
        body(r"\tableofcontents \label{x}")


SIGNS = ["{", "}", "\\", "$", "$$", "%", "\n", "\n\n", "&", "~", "[", "]", "word ", "\\(", "\\)", "\\\\", "\\'", "#"]
COMMANDS = ["section{", "item ", "footnote{", "cite{", "color{white}", "def\\x", "verb|", "caption{"]
NAMES = ["itemize", "tabular", "equation", "verbatim"]
PIECES = (
    SIGNS + [f"\\{name}" for name in COMMANDS] + [f"\\{how}{{{name}}}" for how in ("begin", "end") for name in NAMES]
)


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_source_gives_text_with_exact_sections_or_none(pieces):
    try:
        text = body("".join(pieces)).text
    except UnreadableError:
        return
    text.encode()
    for section in find_sections(text):
        assert text[section.start : section.end].startswith("#")


def test_a_table_within_a_cell_is_the_text_of_the_cell():
    inner = r"\begin{tabular}[c]{@{}l@{}}Average \\ cost\end{tabular}"
    rows = rf"\hline \# & \multicolumn{{1}}{{l|}}{{{inner}}}\\ {inner} & 2\\"
    blocks = body(rf"\begin{{tabular}}{{|l|r|}}{rows}\end{{tabular}} after").text.split("\n\n")

    assert [" ".join(line.split()) for line in blocks[0].splitlines()[::2]] == [
        "| # | Average cost |",
        "| Average cost | 2 |",
    ]
    assert blocks[1] == "after"


def test_every_author_of_a_paper_is_named():
    source = r"\author[1]{Ann A.~B}\author[2]{Bo C\thanks{x}}\begin{wrapfigure}{r}{.4\textwidth}x\end{wrapfigure}"

    assert latex.read_source(source, "").authors == ("Ann A. B", "Bo C")
    assert latex.read_source(source, "").text == "x"
