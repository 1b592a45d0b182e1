"""Sources of papers as arXiv gives them."""

import gzip
import io
import tarfile

import pytest

from pipeline.readers.common.reading import ReadContext, UnreadableError
from pipeline.readers.formats.format import detect_format
from pipeline.readers.latex import archive as latex_archive

MAIN = r"""% the paper
\documentclass{article}
\title{On Looms}
\begin{document}
\maketitle
\section{Introduction}
Weaving is old. % \input{secret}
\input{parts/method}
\include{results}
\bibliography{refs}
\end{document}
"""
FILES = {
    "paper.tex": MAIN,
    "parts/method.tex": r"\section{Method}" + "\nWe throw the shuttle.\n",
    "results.tex": r"\section{Results}" + "\nIt holds.\n",
    "paper.bbl": r"\begin{thebibliography}{1}\bibitem{a} A. Weaver. Cloth. 1801.\end{thebibliography}",
    "secret.tex": "never read",
    "old/draft.tex": r"\documentclass{article}\begin{document}An older draft.\end{document}",
}


def archive(files, links=()):
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return gzip.compress(body.getvalue(), mtime=0)


def read_text(tmp_path, data):
    path = tmp_path / "source.bin"
    path.write_bytes(data)
    found = detect_format(path)
    assert found.name == "latex archive"
    return found.load()(path, ReadContext(lambda *_: None))


def test_the_parts_of_a_paper_stand_in_their_places(tmp_path) -> None:
    reading = read_text(tmp_path, archive(FILES))
    assert reading.title == "On Looms"
    order = [
        reading.text.index(words) for words in ("Weaving is old", "We throw the shuttle", "It holds", "Cloth. 1801")
    ]
    assert order == sorted(order)
    assert "never read" not in reading.text
    assert "older draft" not in reading.text


def test_a_single_file_under_gzip_is_read(tmp_path) -> None:
    assert "Weaving is old" in read_text(tmp_path, gzip.compress(MAIN.encode())).text


def test_names_lead_nowhere_outside_the_archive(tmp_path) -> None:
    (tmp_path / "out.tex").write_text("of this machine")
    main = MAIN.replace("results", f"{tmp_path}/out").replace("parts/method", "../out")
    text = read_text(tmp_path, archive({"paper.tex": main}, [("link.tex", f"{tmp_path}/out.tex")])).text
    assert "of this machine" not in text


def test_files_that_include_each_other_end(tmp_path) -> None:
    files = {"paper.tex": MAIN, "parts/method.tex": r"a \input{results} b", "results.tex": r"c \input{parts/method} d"}
    assert "Weaving is old" in read_text(tmp_path, archive(files)).text


def test_a_file_is_included_once_however_often_it_is_named(tmp_path) -> None:
    layers = {f"l{n}.tex": "".join([rf"\input{{l{n + 1}}} "] * 10) for n in range(20)}
    main = MAIN.replace("parts/method", "l0")
    assert read_text(tmp_path, archive({"paper.tex": main, **layers, "l20.tex": "Bottom."})).text.count("Bottom.") == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"only words", mtime=0), "unsupported: a gzip archive is not read"),
        (archive({"a.tex": "no document"}), "unsupported"),
        (archive(FILES)[:200], "broken: a gzip archive that ends early"),
        (gzip.compress(b"\0" * 257 + b"ustar" + b"\xff" * 500, mtime=0), "broken|unsupported|encoding"),
    ],
)
def test_what_is_no_paper_is_refused(tmp_path, data, words) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_text(tmp_path, data)


def test_a_bomb_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(latex_archive, "MAX_BYTES", 1_000_000)
    with pytest.raises(UnreadableError, match="too large: more than 1000000 bytes under gzip"):
        read_text(tmp_path, gzip.compress(b"\0" * 2_000_000))
    monkeypatch.setattr(latex_archive, "MAX_MEMBERS", 3)
    with pytest.raises(UnreadableError, match="too large: more than 3 files"):
        read_text(tmp_path, archive(FILES))


def test_parts_are_found_in_folders_and_a_subfile_is_its_body(tmp_path) -> None:
    files = {
        "main.tex": r"\documentclass{article}\begin{document}A \import{parts/}{one} \subfile{parts/two}\end{document}",
        "parts/one.tex": r"B \input{number}",
        "parts/number.tex": "42",
        "parts/two.tex": r"\documentclass[../main]{subfiles}\begin{document}C\end{document}",
    }
    assert read_text(tmp_path, archive(files)).text == "A B 42 C"


def test_the_paper_is_read_and_not_its_longer_supplement(tmp_path) -> None:
    paper = r"\documentclass{article}\title{On Looms}\begin{document}\maketitle \input{body}\end{document}"
    supplement = rf"\documentclass{{article}}\begin{{document}}{'Proofs. ' * 99}\end{{document}}"
    files = {"aaa.tex": supplement, "paper.tex": paper, "body.tex": "Words."}
    assert read_text(tmp_path, archive(files)).text == "# On Looms\n\nWords."


def test_the_bibliography_that_biblatex_sorts_is_listed(tmp_path) -> None:
    entry = (
        r"\entry{doe}{article}{}\name{author}{1}{}{{{hash=1}{family={Doe},given={Ann}}}}"
        r"\field{title}{On rivers}\field{year}{2020}\endentry"
    )
    main = r"\documentclass{article}\begin{document}See \cite{doe}.\printbibliography\end{document}"
    text = read_text(tmp_path, archive({"main.tex": main, "main.bbl": entry})).text
    assert text == "See [doe].\n\n## References\n\n- [doe] Ann Doe. On rivers. 2020."
