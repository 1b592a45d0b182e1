r"""Macros, conditionals, quantities and tables of LaTeX come out as they would be printed."""

import time

import pytest

from pipeline.readers.latex.latex import read_source
from pipeline.readers.latex.units import format_number, format_unit

DOCUMENT = r"\documentclass{{article}}{}\begin{{document}}{}\end{{document}}"


def text(body, preamble=""):
    return read_source(DOCUMENT.format(preamble, body), "utf-8").text


@pytest.mark.parametrize(
    ("preamble", "body", "printed"),
    [
        (r"\newcommand{\ours}{Net\xspace}", r"\ours, and \ours{} and \ours is.", "Net, and Net and Net is."),
        (r"\newcommand{\acc}{93\%}", r"at \acc on it", "at 93% on it"),
        (r"\def\ie{i.e.,\ }", r"so, \ie a river", "so, i.e., a river"),
        (r"\newcommand{\todo}[1]{}", r"One.\todo{Check {this}.} Two.", "One. Two."),
        (r"\newcommand{\revised}[1]{\textcolor{blue}{#1}}", r"\revised{New words.}", "New words."),
        (r"\newcommand{\pair}[2][left]{#1 and #2}", r"\pair{right}, \pair[up]{down}", "left and right, up and down"),
        (r"\def\swap#1#2{#2#1}", r"\swap{b}{a}", "ab"),
        (r"\newcommand{\a}{\b}\newcommand{\b}{deep}", r"\a{}!", "deep!"),
        (r"\newcommand{\ox}{\ensuremath{x^2}}", r"by \ox{} more", "by $x^2$ more"),
        (r"\newcommand{\loss}{\mathcal{L}}", r"the $\loss_1$ falls", r"the $\mathcal{L}_1$ falls"),
        (r"\renewcommand{\section}[1]{#1}", r"\section{One} x", "## One\n\nx"),
    ],
)  # fmt: skip
def test_macros_are_expanded(preamble, body, printed):
    assert text(body, preamble) == printed


def calls(name):
    return 99 * f"\\{name}"


def test_macros_that_call_each_other_end_soon():
    names = "abcdefgh"
    bomb = "".join(f"\\def\\{a}{{{calls(b)}}}" for a, b in zip(names, names[1:] + "a", strict=True))
    start = time.process_time()
    text(r"\a{} The end.", bomb)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        (r"\iftrue Kept.\else Gone.\fi", "Kept."),
        (r"\iffalse Gone.\else Kept.\fi", "Kept."),
        (r"\newif\iflong\iflong Gone.\else Kept.\fi", "Kept."),
        (r"\newif\iflong\longtrue\iflong Kept.\else Gone.\fi", "Kept."),
        (r"\iffalse A\iftrue B\else C\fi D\fi Kept.", "Kept."),
        (r"\ifdraft Gone. \fi Kept.", "Kept."),
        (r"\ifx\a\b Kept.\else Gone.\fi", "Kept."),
        (r"x \iff y", "x y"),
    ],
)
def test_one_branch_of_a_conditional_is_printed(source, printed):
    assert text(source) == printed


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        (r"\SI{3.5}{\milli\second}", "3.5 ms"),
        (r"\qty{12}{\kilo\metre\per\hour}", "12 km/h"),
        (r"\qty{9.8}{m.s^{-2}}", "9.8 m·s^{-2}"),
        (r"\num{1.2e6}", "1.2 × 10^6"),
        (r"\SI{20}{\percent}, \ang{45}", "20 %, 45°"),
        (r"\SIrange{1}{5}{\giga\byte}", "1 to 5 GB"),
        (r"10\textsuperscript{6} per 5\,\textmu m, H\textsubscript{2}O, 3\textpm 1", "10^6 per 5 µm, H2O, 3±1"),
    ],
)
def test_quantities_keep_their_units(source, printed):
    assert text(source) == printed


def test_units_and_numbers():
    assert format_unit(r"\meter\squared\per\second") == "m^2/s"
    assert format_unit(r"\square\metre") == "m^2"
    assert format_number("5 +- 0.1") == "5 ± 0.1"


def test_colours_and_lengths_are_no_text_of_a_table():
    rows = (
        r"\toprule[1.5pt]\rowcolor{gray!10} Method & \cellcolor[HTML]{EFEFEF}Acc. \\ \midrule[0.5pt]"
        r"Base & \cellcolor{green!20}91.0 \\ \cmidrule(lr){1-2} Ours & \colorbox{yellow}{93.2} \\"
    )
    written = text(rf"\looseness=-1 So.\begin{{tabular}}{{lc}}{rows}\end{{tabular}}")
    assert written.split() == "So. | Method | Acc. | | ------ | ---: | | Base | 91.0 | | Ours | 93.2 |".split()  # noqa: SIM905


def test_the_tables_of_astronomers_have_their_caption_and_header():
    table = (
        r"\begin{deluxetable*}{lc}\tablecaption{Stars.}\tablehead{\colhead{Name} & \colhead{Mag}}\startdata "
        r"Vega & 0.03\\"
        r"Deneb & 1.25\enddata\tablecomments{By eye.}\end{deluxetable*}"
    )
    written = text(table)

    assert written.startswith("Stars.\n\n| Name  |  Mag |")
    assert "| Deneb | 1.25 |" in written
    assert written.endswith("By eye.")


def test_unknown_commands_keep_their_arguments_and_are_counted():
    reading = read_source(DOCUMENT.format("", r"See \strange{these words} and \textbf{bold}."), "utf-8")

    assert reading.text == "See these words and bold."
    assert reading.warnings == ("1 unknown commands, of which only the arguments are read",)
