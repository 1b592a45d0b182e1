"""PDF files made to harm who reads them: bombs, loops, lies, ruins, and text that nobody sees.

`ATTACKS` has a builder for each; the files are small, deterministic but for the salts of the encrypted ones, and are
written nowhere unless a test does it.
"""

import random
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

WORDS = "Plain words that anyone may read"
CANARY = "PWNED-MARKER-7f3a"
WORDS_ = WORDS.encode()
CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
VISIBLE = b"BT /H 12 Tf 72 700 Td (%b) Tj ET\n" % WORDS_


def make_pdf(*objects: bytes, trailer: bytes = b"", before: bytes = b"") -> bytes:
    """Return a PDF of some objects, numbered from 1; the first is the catalogue."""
    data = before + b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    root = b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(objects) + 1, trailer)
    return data + head + table + root + b"startxref\n%d\n%%%%EOF\n" % len(data)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream with its true length."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


def page(entries: bytes = b"", resources: bytes = b"", box: bytes = b"[0 0 612 792]") -> bytes:
    """Return a page whose content is object 4 and whose font is object 5."""
    fonts = b"/Resources << /Font << /H 5 0 R >> %b >>" % resources
    return b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Contents 4 0 R %b %b >>" % (box, fonts, entries)


def one_page(content: bytes, *more: bytes, filters: bytes = b"", **how: bytes) -> bytes:
    """Return a PDF of one page; further objects are numbered from 6."""
    return make_pdf(CATALOGUE, PAGES, page(**how), stream(content, filters), FONT, *more)


def flate(content: bytes) -> bytes:
    return one_page(zlib.compress(content, 1), filters=b"/Filter /FlateDecode")


def spaces(num_megabytes: int) -> bytes:
    """Return very many spaces, packed; they are never in memory."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(num_megabytes)) + packer.flush()


def flate_bomb() -> bytes:
    return one_page(spaces(800), filters=b"/Filter /FlateDecode")


def flate_twice() -> bytes:
    return one_page(zlib.compress(spaces(800), 9), filters=b"/Filter [/FlateDecode /FlateDecode]")


def lzw_bomb() -> bytes:
    return one_page(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 100_000, filters=b"/Filter /LZWDecode")


def run_length_bomb() -> bytes:
    packed = zlib.compress(b"\x81 " * 4_000_000, 9)
    return one_page(packed, filters=b"/Filter [/FlateDecode /RunLengthDecode]")


def operators(operator: bytes, count: int) -> Callable[[], bytes]:
    return lambda: flate(VISIBLE + b"BT /H 12 Tf " + operator * count)


def form(target: int, content: bytes) -> bytes:
    resources = b"/Resources << /XObject << /F %d 0 R >> >>" % target
    return stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + resources)


def form_self() -> bytes:
    return one_page(VISIBLE + b"/F Do", form(6, b"/F Do /F Do"), resources=b"/XObject << /F 6 0 R >>")


def form_pair() -> bytes:
    forms = (form(7, b"/F Do /F Do"), form(6, b"/F Do /F Do"))
    return one_page(VISIBLE + b"/F Do", *forms, resources=b"/XObject << /F 6 0 R >>")


def form_fan() -> bytes:
    """10^29 drawings of an empty form."""
    forms = [form(number + 1, b"/F Do " * 10) for number in range(6, 35)]
    return one_page(VISIBLE + b"/F Do", *forms, stream(b""), resources=b"/XObject << /F 6 0 R >>")


def glyph_self() -> bytes:
    """A glyph that is drawn with itself."""
    glyph = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 65 /LastChar 65"
    glyph += b" /Widths [9] /Encoding << /Differences [65 /a] >> /CharProcs << /a 7 0 R >>"
    glyph += b" /Resources << /Font << /T 6 0 R >> >> >>"
    content = VISIBLE + b"BT /T 9 Tf (A) Tj ET"
    return make_pdf(
        CATALOGUE,
        PAGES,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /H 5 0 R /T 6 0 R >> >> >>",
        stream(content),
        FONT,
        glyph,
        stream(b"9 0 d0 BT /T 9 Tf (A) Tj ET"),
    )


def tree_cycle() -> bytes:
    return make_pdf(CATALOGUE, b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>", page(), stream(VISIBLE), FONT)


def tree_fan() -> bytes:
    """65,536 pages in 17 objects."""
    kids = [
        b"<< /Type /Pages /Parent 2 0 R /Count %d /Kids [%d 0 R %d 0 R] >>" % (2 ** (19 - n), n + 1, n + 1)
        for n in range(3, 19)
    ]
    leaf = b"<< /Type /Page /MediaBox [0 0 9 9] >>"
    return make_pdf(CATALOGUE, b"<< /Type /Pages /Kids [3 0 R] /Count 65536 >>", *kids, leaf)


def many_kids() -> bytes:
    kids = b"3 0 R " * 30_000
    return make_pdf(CATALOGUE, b"<< /Type /Pages /Kids [%b] /Count 30000 >>" % kids, page(), stream(VISIBLE), FONT)


def count_lie(count: bytes) -> Callable[[], bytes]:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count %b >>" % count
    return lambda: make_pdf(CATALOGUE, pages, page(), stream(VISIBLE), FONT)


def odd_kids() -> bytes:
    kids = b"<< /Type /Pages /Kids [null 7 (text) 99 0 R 3 0 R] /Count 5 >>"
    return make_pdf(CATALOGUE, kids, page(), stream(VISIBLE), FONT)


def prev_loop() -> bytes:
    data = one_page(VISIBLE)
    place = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % place)


def far_xref() -> bytes:
    data = one_page(VISIBLE)
    return data[: data.rindex(b"startxref")] + b"startxref\n99999999999999999999\n%%EOF"


def xref_on_itself() -> bytes:
    """Every object is said to stand where the table of objects stands."""
    data = one_page(VISIBLE)
    place = data.rindex(b"xref\n0")
    lines = [b"%010d 00000 n " % place if line.endswith(b" n ") else line for line in data[place:].split(b"\n")]
    return data[:place] + b"\n".join(lines)


def xref_stream_loop() -> bytes:
    data = b"%PDF-1.7\n1 0 obj\n" + CATALOGUE + b"\nendobj\n2 0 obj\n" + PAGES + b"\nendobj\n"
    entries = b"/Type /XRef /Size 4 /W [1 4 1] /Root 1 0 R /Prev %d" % len(data)
    return data + b"3 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF" % (stream(bytes(24), entries), len(data))


def xref_of_billions() -> bytes:
    data = one_page(VISIBLE)
    return data.replace(b"xref\n0 6\n", b"xref\n0 4000000000\n").replace(b"/Size 6", b"/Size 4000000000")


def with_map(cmap: bytes, text: bytes = b"(ABC)") -> bytes:
    head = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    content = b"BT /H 12 Tf 72 700 Td %b Tj ET" % text
    return make_pdf(CATALOGUE, PAGES, page(), stream(content), font, stream(head + cmap + b" endcmap end"))


def map_of_billions() -> bytes:
    return with_map(b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange", b"(%b)" % WORDS_)


def map_of_one_to_many() -> bytes:
    return with_map(b"1 beginbfchar <41> <" + b"0061" * 500_000 + b"> endbfchar", b"(" + b"A" * 2_000 + b")")


def map_using_itself() -> bytes:
    return with_map(b"/CMapName /Mine def /Mine usecmap 1 beginbfchar <41> <0041> endbfchar", b"(%b)" % WORDS_)


def mapped(letter: bytes, target: bytes) -> Callable[[], bytes]:
    """The words, and before them a letter that stands for something that is none."""
    return lambda: with_map(b"1 beginbfchar <%b> <%b> endbfchar" % (letter.hex().encode(), target), b"(#%b)" % WORDS_)


def encrypted(user: str, algorithm: str) -> Callable[[], bytes]:
    def build() -> bytes:
        writer = PdfWriter(clone_from=PdfReader(BytesIO(one_page(VISIBLE))))
        writer.encrypt(user, "owner", algorithm=algorithm)
        target = BytesIO()
        writer.write(target)
        return target.getvalue()

    return build


def unknown_encryption() -> bytes:
    return one_page(VISIBLE, b"<< /Filter /Standard /V 99 /R 99 /O () /U () /P -1 >>").replace(
        b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 6 0 R"
    )


def several_pages() -> bytes:
    target = BytesIO()
    canvas = Canvas(target, invariant=True)
    for number in range(3):
        canvas.drawString(72, 700, f"{WORDS} on page {number}")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def cut(percent: int) -> Callable[[], bytes]:
    def build() -> bytes:
        data = several_pages()
        return data[: len(data) * percent // 100]

    return build


def hidden(how: bytes) -> Callable[[], bytes]:
    return lambda: one_page(VISIBLE + b"BT %b (%b) Tj ET" % (how, CANARY.encode()))


def deep(opening: bytes, closing: bytes) -> Callable[[], bytes]:
    return lambda: one_page(VISIBLE, opening * 300_000 + closing * 300_000, entries=b"/Deep 6 0 R")


def deep_content() -> bytes:
    return flate(VISIBLE + b"[" * 1_000_000)


def box(numbers: bytes) -> Callable[[], bytes]:
    return lambda: one_page(VISIBLE, box=b"[%b]" % numbers)


def length(number: bytes) -> Callable[[], bytes]:
    def build() -> bytes:
        data = one_page(VISIBLE)
        return data.replace(b"/Length %d" % len(VISIBLE), b"/Length " + number)

    return build


def unended_stream() -> bytes:
    data = one_page(VISIBLE)
    return data[: data.index(b"endstream")]


def unended_string() -> bytes:
    return one_page(VISIBLE + b"BT (" + b"(" * 2_000_000)


def long_name() -> bytes:
    return one_page(VISIBLE, b"<< /" + b"A" * 3_000_000 + b" 1 >>", entries=b"/Long 6 0 R")


def object_stream(entries: bytes) -> Callable[[], bytes]:
    """Objects in a stream that is an object of that stream, or goes on with itself."""

    def build() -> bytes:
        content = b"6 0 7 4 null null"
        packed = stream(content, b"/Type /ObjStm /N 2 /First 8 " + entries)
        data = one_page(VISIBLE, packed, entries=b"/Odd 7 0 R")
        rows = [(1, data.index(b"%d 0 obj" % n), 0) for n in range(1, 6)]
        rows = [(0, 0, 0), *rows, (2, 6, 0), (2, 6, 1), (1, len(data), 0)]
        table = b"".join(bytes([kind]) + where.to_bytes(4, "big") + bytes([at]) for kind, where, at in rows)
        xref = stream(table, b"/Type /XRef /Size 9 /W [1 4 1] /Root 1 0 R")
        return data + b"8 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF" % (xref, len(data))

    return build


def image(name: bytes, size: int, data: bytes = b"\x97JB2\r\n\x1a\n garbage") -> Callable[[], bytes]:
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8" % (size, size)
    entries += b" /ColorSpace /DeviceRGB /Filter /%b" % name
    content = VISIBLE + b"q 500 0 0 500 0 0 cm /I Do Q"
    return lambda: one_page(content, stream(data, entries), resources=b"/XObject << /I 6 0 R >>")


def late_header() -> bytes:
    return make_pdf(CATALOGUE, PAGES, page(), stream(VISIBLE), FONT, before=b"junk " * 150)


def polyglot_zip() -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
    return one_page(VISIBLE) + target.getvalue()


def polyglot_html() -> bytes:
    markup = b"<html><body><p>markup</p></body></html>\n"
    return make_pdf(CATALOGUE, PAGES, page(), stream(VISIBLE), FONT, before=markup)


def contents_of_many() -> bytes:
    """The same content a hundred thousand times over."""
    data = page().replace(b"/Contents 4 0 R", b"/Contents [" + b"4 0 R " * 100_000 + b"]")
    return make_pdf(CATALOGUE, PAGES, data, stream(VISIBLE), FONT)


def outline(items: list[bytes]) -> bytes:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>"
    first = b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>"
    return make_pdf(catalogue, PAGES, page(), stream(VISIBLE), FONT, first, *items)


def outline_loop() -> bytes:
    return outline([b"<< /Title (again) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Dest [3 0 R /Fit] >>"])


def outline_deep() -> bytes:
    items = [b"<< /Title (down) /Parent %d 0 R /First %d 0 R >>" % (n - 1, n + 1) for n in range(7, 20_007)]
    return outline([*items, b"<< /Title (end) >>"])


def odd_metadata() -> bytes:
    info = b"<< /Title <FEFFD800004100000042DC00> /Author <FEFF0000> /CreationDate (D:99999999999999) >>"
    return one_page(VISIBLE, info).replace(b"/Root 1 0 R", b"/Root 1 0 R /Info 6 0 R")


def actions() -> bytes:
    action = b"<< /S /Launch /F (touch) /Win << /F (cmd) >> /Next << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
    data = one_page(VISIBLE, action, entries=b"/AA << /O 6 0 R >>")
    return data.replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction 6 0 R")


def scattered_words() -> bytes:
    """A page of 60,000 words anywhere: whoever compares each with each never ends."""
    places = random.Random(7)
    words = [
        b"1 0 0 1 %d.%d %d Tm (w%d) Tj\n" % (places.randrange(600), places.randrange(99), places.randrange(790), n)
        for n in range(60_000)
    ]
    return flate(b"BT /H 3 Tf\n" + b"".join(words) + b"ET")


def one_spot() -> bytes:
    return flate(b"BT /H 9 Tf\n" + b"1 0 0 1 72 700 Tm (word) Tj\n" * 60_000 + b"ET")


def many_rules() -> bytes:
    lines = [b"%d %d m %d %d l S\n" % (n % 600, n % 790, (n * 7) % 600, (n * 3) % 790) for n in range(100_000)]
    return flate(VISIBLE + b"".join(lines))


def grid() -> bytes:
    """A table of 250 by 150 cells, each with a figure."""
    cells = [b"1 0 0 1 %d %d Tm (%d) Tj\n" % (4 * x, 3 * y, x) for y in range(250) for x in range(150)]
    return flate(b"BT /H 2 Tf\n" + b"".join(cells) + b"ET")


def odd_numbers() -> bytes:
    odd = b"BT /H 1e38 Tf 0 0 0 0 0 0 Tm (a) Tj 1e38 1e38 1e38 1e38 1e38 1e38 Tm (b) Tj /H -9 Tf (c) Tj"
    odd += b" 99999999999999999999999999 -0.0 Td (d) Tj /H 0 Tf (e) Tj 200 Tz 1e30 Tc 1e30 TL T* (f) Tj ET\n"
    return one_page(odd + VISIBLE)


ATTACKS: dict[str, Callable[[], bytes]] = {
    "flate-bomb": flate_bomb,
    "flate-twice": flate_twice,
    "lzw-bomb": lzw_bomb,
    "run-length-bomb": run_length_bomb,
    "operators-tj": operators(b"(x) Tj ", 2_000_000),
    "operators-q": operators(b"q ", 5_000_000),
    "operators-td": operators(b"1 1 Td (word) Tj ", 300_000),
    "form-self": form_self,
    "form-pair": form_pair,
    "form-fan": form_fan,
    "glyph-self": glyph_self,
    "tree-cycle": tree_cycle,
    "tree-fan": tree_fan,
    "many-kids": many_kids,
    "count-huge": count_lie(b"2000000000"),
    "count-negative": count_lie(b"-5"),
    "count-missing": count_lie(b"null"),
    "odd-kids": odd_kids,
    "prev-loop": prev_loop,
    "far-xref": far_xref,
    "xref-on-itself": xref_on_itself,
    "xref-stream-loop": xref_stream_loop,
    "xref-of-billions": xref_of_billions,
    "map-of-billions": map_of_billions,
    "map-of-one-to-many": map_of_one_to_many,
    "map-using-itself": map_using_itself,
    "lone-surrogate": mapped(b"#", b"D800"),
    "lone-low-surrogate": mapped(b"#", b"DC00"),
    "nul-character": mapped(b"#", b"0000"),
    "bell-character": mapped(b"#", b"0007"),
    "encrypted-empty-rc4": encrypted("", "RC4-128"),
    "encrypted-empty-aes": encrypted("", "AES-256"),
    "encrypted-user-rc4": encrypted("secret", "RC4-128"),
    "encrypted-user-aes": encrypted("secret", "AES-256"),
    "unknown-encryption": unknown_encryption,
    **{f"cut-{percent}": cut(percent) for percent in range(10, 100, 10)},
    "hidden-mode": hidden(b"/H 12 Tf 3 Tr 72 600 Td"),
    "hidden-white": hidden(b"/H 12 Tf 1 1 1 rg 72 600 Td"),
    "hidden-tiny": hidden(b"/H 0.1 Tf 72 600 Td"),
    "hidden-off-page": hidden(b"/H 12 Tf -5000 600 Td"),
    "deep-arrays": deep(b"[", b"]"),
    "deep-dictionaries": deep(b"<< /A ", b">>"),
    "deep-content": deep_content,
    "box-huge": box(b"0 0 1000000000 1000000000"),
    "box-empty": box(b"0 0 0 0"),
    "box-odd": box(b"null (a) -1e30 nan"),
    "length-negative": length(b"-1"),
    "length-huge": length(b"99999999999"),
    "length-itself": length(b"4 0 R"),
    "unended-stream": unended_stream,
    "unended-string": unended_string,
    "long-name": long_name,
    "object-stream-itself": object_stream(b""),
    "object-stream-loop": object_stream(b"/Extends 6 0 R"),
    "image-jbig2": image(b"JBIG2Decode", 60_000),
    "image-jpx": image(b"JPXDecode", 60_000),
    "image-dct": image(b"DCTDecode", 60_000),
    "image-ccitt": image(b"CCITTFaxDecode", 2_000_000_000),
    "late-header": late_header,
    "header-alone": lambda: b"%PDF-1.7\n",
    "no-header": lambda: one_page(VISIBLE).removeprefix(b"%PDF-1.7\n"),
    "polyglot-zip": polyglot_zip,
    "polyglot-html": polyglot_html,
    "no-bytes": lambda: b"",
    "zero-bytes": lambda: bytes(1_000_000),
    "noise": lambda: b"%PDF-1.7\n" + random.Random(1).randbytes(500_000),
    "contents-of-many": contents_of_many,
    "outline-loop": outline_loop,
    "outline-deep": outline_deep,
    "odd-metadata": odd_metadata,
    "actions": actions,
    "scattered-words": scattered_words,
    "one-spot": one_spot,
    "many-rules": many_rules,
    "grid": grid,
    "odd-numbers": odd_numbers,
}
