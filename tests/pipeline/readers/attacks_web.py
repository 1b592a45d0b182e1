"""Files that attack a reader of web pages, books and texts; each is made here, from nothing."""

import io
import struct
import warnings
import zipfile
from collections.abc import Callable

CANARY = "PWNED-MARKER-7f3a"
GOOD = "Call me Ishmael, for the sake of this test."
CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""


def chapter(text=f"<p>{GOOD}</p>", head="", doctype=""):
    return (
        f'<?xml version="1.0"?>{doctype}<html xmlns="http://www.w3.org/1999/xhtml"><head>{head}</head>'
        f"<body>{text}</body></html>"
    )


def package(hrefs=("a.xhtml",), spine=None):
    items = "".join(
        f'<item id="i{n}" href="{href}" media-type="application/xhtml+xml"/>' for n, href in enumerate(hrefs)
    )
    references = "".join(f'<itemref idref="{name}"/>' for name in spine or [f"i{n}" for n in range(len(hrefs))])
    return (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>A Book</dc:title></metadata><manifest>{items}</manifest><spine>{references}</spine></package>"
    )


def archive(*extra, **members):
    """Return an EPUB with one good chapter; a member given by name replaces its own, None leaves it out."""
    standard = {"container": ("META-INF/container.xml", CONTAINER), "opf": ("OEBPS/content.opf", package())}
    standard["a"] = ("OEBPS/a.xhtml", chapter())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as book, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name are the point of one of these
        for key, (name, text) in standard.items():
            if members.get(key, text) is not None:
                book.writestr(name, members.get(key, text))
        for name, content in extra:
            book.writestr(name, content)
    return data.getvalue()


def patched(data, name, offset, value, *, central):
    """Return an archive in which two or four bytes of a member's header are others."""
    mark, name_at = (b"PK\x01\x02", 46) if central else (b"PK\x03\x04", 30)
    place = data.find(mark)
    while data[place + name_at : place + name_at + len(name)] != name:
        place = data.find(mark, place + 4)
    return data[: place + offset] + value + data[place + offset + len(value) :]


def garbled(data, name):
    """Return an archive in which the bytes of a member make no sense."""
    place = data.find(name) + len(name)
    return data[:place] + b"\xff" * 20 + data[place + 20 :]


def overlapping():
    """Return an archive whose members all have the bytes of one, as those that inflate to terabytes do."""
    data = archive(("OEBPS/b.xhtml", chapter("<p>second</p>")), opf=package(("a.xhtml", "b.xhtml")))
    place = data.find(b"OEBPS/a.xhtml") - 30
    return patched(data, b"OEBPS/b.xhtml", 42, struct.pack("<I", place), central=True)


def link():
    """Return the entry of a symbolic link."""
    entry = zipfile.ZipInfo("OEBPS/link")
    entry.external_attr = 0o120777 << 16
    return entry


def nested_bomb():
    """Return an archive of archives of blanks."""
    inside = archive(("blank", b" " * 20_000_000))
    return archive(*((f"OEBPS/{n}.epub", inside) for n in range(50)))


def dtd(declarations, reference="&x;"):
    return chapter(f"<p>{GOOD} {reference}</p>", doctype=f"<!DOCTYPE html [{declarations}]>")


LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XXE = '<!ENTITY x SYSTEM "file:///etc/passwd">'
PARAMETER = '<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;'


def epubs():
    """Return attacks on the archive, the package and the chapters of a book."""
    good = archive()
    return {
        "bomb_flat.epub": lambda: archive(a=chapter(f"<p>{' ' * 15_000_000}</p>")),
        "bomb_nested.epub": lambda: nested_bomb(),
        "bomb_1000_entries.epub": lambda: archive(
            *((f"OEBPS/{n}.xhtml", chapter("<p>" + " " * 1_000_000)) for n in range(1000)),
            opf=package([f"{n}.xhtml" for n in range(1000)]),
        ),
        "entries_60k.epub": lambda: archive(*((f"x{n}", b"") for n in range(60_000))),
        "lying_size.epub": lambda: patched(good, b"OEBPS/a.xhtml", 24, struct.pack("<I", 7), central=True),
        "lying_crc.epub": lambda: patched(good, b"OEBPS/a.xhtml", 16, struct.pack("<I", 7), central=True),
        "overlapping.epub": lambda: overlapping(),
        "traversal.epub": lambda: archive(("../../evil", "x")),
        "absolute.epub": lambda: archive(("/etc/evil", "x")),
        "backslash.epub": lambda: archive(("..\\evil", "x")),
        "drive.epub": lambda: archive(("C:evil", "x")),
        "symlink.epub": lambda: archive((link(), "/etc/passwd")),
        "duplicate.epub": lambda: archive(("OEBPS/a.xhtml", chapter("<p>another</p>"))),
        "encrypted_entry.epub": lambda: patched(good, b"OEBPS/a.xhtml", 8, b"\x01\x00", central=True),
        "encrypted_book.epub": lambda: archive(("META-INF/encryption.xml", "<EncryptedData/>")),
        "unknown_method.epub": lambda: patched(good, b"OEBPS/a.xhtml", 10, b"\x63\x00", central=True),
        "href_file.epub": lambda: archive(opf=package(("file:///etc/passwd", "a.xhtml"))),
        "href_http.epub": lambda: archive(
            opf=package(("http://127.0.0.1:9/a.xhtml", "//127.0.0.1/b.xhtml", "a.xhtml"))
        ),
        "href_up.epub": lambda: archive(opf=package(("../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a.xhtml"))),
        "href_broken.epub": lambda: archive(opf=package(("http://[", "a.xhtml"))),
        "spine_loop.epub": lambda: archive(opf=package(spine=["i0"] * 200_000)),
        "container_missing.epub": lambda: archive(container=None),
        "container_to_itself.epub": lambda: archive(
            container=CONTAINER.replace("OEBPS/content.opf", "META-INF/container.xml")
        ),
        "package_xxe.epub": lambda: archive(opf=f"<!DOCTYPE x [{XXE}]>" + package().replace("A Book", "&x;")),
        "package_laughs.epub": lambda: archive(opf=f"<!DOCTYPE x [{LAUGHS}]>" + package().replace("A Book", "&l9;")),
        "chapter_xxe.epub": lambda: archive(a=dtd(XXE)),
        "chapter_laughs.epub": lambda: archive(a=dtd(LAUGHS, "&l9;")),
        "chapter_deep.epub": lambda: archive(a=chapter("<div>" * 100_000 + GOOD + "</div>" * 100_000)),
        "cut.epub": lambda: good[: len(good) // 2],
        "deflate_broken.epub": lambda: garbled(good, b"OEBPS/a.xhtml"),
    }


def xml_pages():
    """Return attacks on whoever reads XML."""
    return {
        "xxe_internal.xhtml": lambda: dtd('<!ENTITY x "inside">'),
        "xxe_external.xhtml": lambda: dtd(XXE),
        "xxe_parameter.xhtml": lambda: dtd(PARAMETER, ""),
        "dtd_network.xhtml": lambda: chapter(doctype='<!DOCTYPE html SYSTEM "http://127.0.0.1:9/x.dtd">'),
        "billion_laughs.xhtml": lambda: dtd(LAUGHS, "&l9;"),
        "quadratic_blowup.xhtml": lambda: dtd(f'<!ENTITY x "{"ha" * 50_000}">', "&x;" * 50_000),
        "xinclude.xhtml": lambda: chapter(
            f'<p>{GOOD}</p><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
        ),
        "doctype_open.xhtml": lambda: "<!DOCTYPE html [" + "<!DOCTYPE [" * 200_000 + f"<p>{GOOD}",
    }


def pages():
    """Return attacks on whoever reads HTML."""
    return {
        "deep_1m.html": lambda: f"<p>{GOOD}</p>" + "<div>" * 1_000_000 + "deep" + "</div>" * 1_000_000,
        "deep_open.html": lambda: f"<p>{GOOD}</p>" + "<div><p><ul><li>" * 250_000,
        "formatting_100k.html": lambda: f"<p>{GOOD}" + "<b><i>" * 100_000 + "x" + "</b></i>" * 100_000,
        "links_100k.html": lambda: f"<p>{GOOD}" + "<a href=x>" * 100_000,
        "comment_open.html": lambda: f"<p>{GOOD}<!--" + "x" * 5_000_000,
        "comment_only.html": lambda: "<!--" + "x" * 5_000_000,
        "comments_open.html": lambda: f"<p>{GOOD}" + "<!-- " * 1_000_000,
        "script_open.html": lambda: f"<p>{GOOD}<script>" + "x<script>" * 500_000,
        "style_open.html": lambda: f"<p>{GOOD}<style>" + "@media x{" * 500_000,
        "style_rules.html": lambda: "<style>" + ".a{color:red}" * 200_000 + f"</style><p class=a>{GOOD}",
        "attribute_open.html": lambda: f'<p>{GOOD}</p><p title="' + "x" * 5_000_000,
        "attribute_huge.html": lambda: f"<p title='{'x' * 11_000_000}'>{GOOD}",
        "attributes_30k.html": lambda: "<p " + " ".join(f"a{n}=1" for n in range(30_000)) + f">{GOOD}",
        "tags_open.html": lambda: f"<p>{GOOD}" + "<a " * 1_000_000,
        "line_huge.html": lambda: f"<p>{GOOD}" + "word " * 2_000_000,
        "text_node_huge.xhtml": lambda: chapter(f"<p>{GOOD}{'x' * 11_000_000}</p>"),
        "table_200k_cells.html": lambda: f"<p>{GOOD}<table>" + f"<tr>{'<td>1' * 20}" * 10_000 + "</table>",
        "table_wide.html": lambda: f"<p>{GOOD}<table>" + f"<tr>{'<td>1' * 100_000}" * 2 + "</table>",
        "table_stairs.html": lambda: (
            f"<p>{GOOD}<table>" + "".join(f"<tr><td colspan={n % 200}><td>1" * 30 for n in range(5_000)) + "</table>"
        ),
        "colspan_bomb.html": lambda: (
            f"<p>{GOOD}<table>" + "<tr><td colspan=999999999 rowspan=65534>1" * 5_000 + "</table>"
        ),
        "tables_nested_10k.html": lambda: f"<p>{GOOD}" + "<table><tr><td>x" * 10_000,
        "lists_nested_10k.html": lambda: f"<p>{GOOD}" + "<ul><li>x" * 10_000,
        "white_spans.html": lambda: f"<p>{GOOD}" + "<div><span style='color:white'>x</span>" * 1_000 + "y",
        "entities.html": lambda: f"<p>{GOOD}" + "&amp;&#x41;&notanentity;&#xFFFFFFFF;" * 200_000,
        "surrogate_entities.html": lambda: f"<p>{GOOD} &#xD800; &#xDFFF; &#55357;&#56832; &#0;",
        "nul.html": lambda: f"<p>{GOOD} a\0b\0",
        "bidi.html": lambda: f"<p>{GOOD} " + "\u202eevil\u202c\u2066x\u2069" * 50,
        "tags_unseen.html": lambda: f"<p>{GOOD} " + "".join(chr(0xE0000 + ord(char)) for char in CANARY),
        "hidden_display.html": lambda: f"<p>{GOOD}<p style='display:none'>{CANARY}",
        "hidden_white.html": lambda: f"<p>{GOOD}<p style='color:#fff'>{CANARY}",
        "hidden_tiny.html": lambda: f"<p>{GOOD}<p style='font-size:0.1pt'>{CANARY}",
        "hidden_off_page.html": lambda: f"<p>{GOOD}<p style='position:absolute;left:-9999px'>{CANARY}",
        "hidden_deep.html": lambda: f"<p>{GOOD}" + "<div>" * 200_000 + f"<p style='display:none'>{CANARY}",
        "hidden_head.html": lambda: (
            f"<head><meta name=description content='{CANARY}'></head><p>{GOOD}<!-- {CANARY} -->"
            f"<script>{CANARY}</script><noscript>{CANARY}</noscript><template>{CANARY}</template>"
        ),
        "encoding_lies.html": lambda: f"<meta charset=utf-16><p>{GOOD} Grüße".encode(),
        "encoding_utf7.html": lambda: f"<meta charset=utf-7><p>{GOOD} +ADw-script+AD4-".encode(),
        "encoding_unknown.html": lambda: f"<meta charset=x-no-such><p>{GOOD} Grüße".encode(),
        "encoding_codec.html": lambda: f"<meta charset=zlib_codec><p>{GOOD}".encode(),
        "encoding_mixed.html": lambda: f"<meta charset=utf-8><p>{GOOD} Gr\xfc\xdfe, ein l\xe4ngerer Satz.".encode(
            "latin-1"
        ),
    }


def texts():
    """Return attacks on whoever reads text and LaTeX."""
    num = 100_000
    begin, end = f"\\documentclass{{a}}\\begin{{document}}\n{GOOD}\n\n", "\\end{document}"
    bombs = {
        "braces": "{" * num + "}" * num,
        "braces_open": "{" * 10 * num,
        "macros": "\\def\\a#1{\\a{#1}\\a{#1}}" + "\\a" * num,
        "sections": "\\section{" * num + "}" * num,
        "footnotes": "\\footnote{" * num + "x" + "}" * num,
        "formulas": "$x\n\n" * num + "\\(" * num + "\\[" * num,
        "environments": "\\begin{equation}" * num,
        "tables": "\\begin{tabular}{l}" * num,
        "lists": "\\begin{itemize}" * num + "\\item x" * num,
        "verbatim": "\\begin{verbatim}" * num,
        "white": f"\\textcolor{{white}}{{{CANARY}}}{{\\color{{white}} {CANARY}}}",
        "input": "\\input{/etc/passwd}\\include{x}\\write18{touch evil}\\openin5=/etc/passwd",
        "comment": f"% {CANARY}\n\\iffalse {CANARY} \\fi",
    }
    return {f"latex_{name}.tex": lambda bomb=bomb: begin + bomb + end for name, bomb in bombs.items()} | {
        "line_huge.txt": lambda: GOOD + " word" * 2_000_000,
        "lines_5m.txt": lambda: GOOD + "\n" * 5_000_000 + "end",
        "utf16_no_mark.txt": lambda: (GOOD * 20).encode("utf-16-le"),
        "utf32_no_mark.txt": lambda: (GOOD * 20).encode("utf-32-be"),
        "surrogates.txt": lambda: f"{GOOD} \ud800 \udfff".encode("utf-8", "surrogatepass"),
        "nul.txt": lambda: f"{GOOD * 20} \0\0\0".encode(),
        "unseen.txt": lambda: GOOD + "".join(chr(0xE0000 + ord(char)) for char in CANARY) + "\u200b" * 100 + "\u202e",
        "combining.txt": lambda: GOOD + " a" + "\u0301" * 500_000,
        "headings.md": lambda: "".join(f"{'#' * (n % 6 + 1)} {GOOD}\n" for n in range(50_000)),
        "fences.md": lambda: GOOD + "\n```\n# x" * 100_000,
        "binary.txt": lambda: bytes(range(256)) * 1000,
        "empty.txt": lambda: "\ufeff \n\u200b".encode(),
        "gutenberg.txt": lambda: (
            f"*** START OF THE PROJECT GUTENBERG EBOOK ***\n{GOOD}\n" + "Produced by x\n" * 100_000
        ),
    }


def makers() -> dict[str, Callable[[], bytes | str]]:
    """Return what makes each attack, by the name of its file."""
    return epubs() | xml_pages() | pages() | texts()


def attacks() -> dict[str, bytes]:
    """Return every attack by the name of its file."""
    return {name: made(make) for name, make in makers().items()}


def made(make: Callable[[], bytes | str]) -> bytes:
    """Return the bytes of an attack."""
    data = make()
    return data if isinstance(data, bytes) else data.encode()
