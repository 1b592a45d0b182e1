import zipfile

import pytest

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.html import epub

CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
CHAPTER = """<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title/></head><body><h2>{title}</h2><p>{text}</p></body></html>"""


def package(names, spine):
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in names)
    references = "".join(f'<itemref idref="{name}"/>' for name in spine)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>A Book</dc:title><dc:creator>One</dc:creator><dc:creator>Two</dc:creator>"
        "<dc:language>en-GB</dc:language>"
        f"<dc:date>1899-05-01T00:00:00Z</dc:date></metadata><manifest>{items}</manifest><spine>{references}</spine></package>"
    )


def make(path, chapters, spine=None, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", package(chapters, spine or list(chapters)))
        for name, text in chapters.items():
            archive.writestr(f"OEBPS/{name}", text)
        for name, content in extra:
            archive.writestr(name, content)
    return path


def read(path):
    return epub.read(path, lambda num_pages: None)


def test_chapters_come_in_the_order_of_the_spine(tmp_path):
    chapters = {name: CHAPTER.format(title=name, text=f"Text of {name}&nbsp;here.") for name in ("a.xhtml", "b.xhtml")}

    reading = read(make(tmp_path / "b.epub", chapters, ["b.xhtml", "a.xhtml"]))

    assert reading.text == "## b.xhtml\n\nText of b.xhtml here.\n\n## a.xhtml\n\nText of a.xhtml here."
    assert (reading.title, reading.authors, reading.date, reading.language) == (
        "A Book",
        ("One", "Two"),
        "1899-05-01",
        "en",
    )


@pytest.mark.parametrize(
    "name", ["nav.xhtml", "toc.xhtml", "colophon.xhtml", "uncopyright.xhtml", "ap-license.xhtml", "titlepage.xhtml"]
)
def test_pages_that_are_no_chapters_are_dropped(tmp_path, name):
    chapters = {name: CHAPTER.format(title="No", text="no"), "a.xhtml": CHAPTER.format(title="Yes", text="yes")}

    assert read(make(tmp_path / "b.epub", chapters)).text == "## Yes\n\nyes"


def test_a_page_that_calls_itself_a_colophon_is_dropped(tmp_path):
    colophon = CHAPTER.format(title="No", text="no").replace("<body>", '<body epub:type="backmatter colophon">')

    assert read(
        make(tmp_path / "b.epub", {"x.xhtml": colophon, "a.xhtml": CHAPTER.format(title="Yes", text="yes")})
    ).text == ("## Yes\n\nyes")


def test_the_mark_of_a_note_is_kept_apart_from_its_sentence(tmp_path):
    text = 'at all.<a epub:type="noteref" href="#n">1</a> The end'

    assert (
        "at all.[1] The end" in read(make(tmp_path / "b.epub", {"a.xhtml": CHAPTER.format(title="A", text=text)})).text
    )


def test_a_broken_chapter_does_not_take_the_others_along(tmp_path):
    good = CHAPTER.format(title="Yes", text="yes")
    path = make(tmp_path / "b.epub", {"a.xhtml": good})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", package(["gone.xhtml", "a.xhtml"], ["gone.xhtml", "a.xhtml"]))
        archive.writestr("OEBPS/a.xhtml", good)

    reading = read(path)

    assert reading.text == "## Yes\n\nyes"
    assert reading.warnings == ("chapter left out: broken: no member OEBPS/gone.xhtml",)


GOOD = {"a.xhtml": CHAPTER.format(title="Yes", text="yes")}


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:evil", "a\\b"])
def test_a_member_outside_the_archive_is_refused(tmp_path, name):
    with pytest.raises(UnreadableError, match=r"hostile: .* lies outside the archive"):
        read(make(tmp_path / "b.epub", GOOD, extra=[(name, "x")]))


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("OEBPS/link")
    link.external_attr = 0o120777 << 16

    with pytest.raises(UnreadableError, match="is a link"):
        read(make(tmp_path / "b.epub", GOOD, extra=[(link, "/etc/passwd")]))


def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = make(tmp_path / "b.epub", GOOD, extra=[("OEBPS/a.xhtml", "other")])

    with pytest.raises(UnreadableError, match="hostile: two members have one name"):
        read(path)


def test_an_encrypted_member_is_refused(tmp_path):
    path = make(tmp_path / "b.epub", GOOD)
    data = bytearray(path.read_bytes())
    for start in (data.find(b"PK\x01\x02") + 8,):
        data[start] |= 1
    path.write_bytes(data)

    with pytest.raises(UnreadableError, match="encrypted"):
        read(path)


def test_encrypted_chapters_are_refused(tmp_path):
    with pytest.raises(UnreadableError, match="encrypted: its chapters are encrypted"):
        read(make(tmp_path / "b.epub", GOOD, extra=[("META-INF/encryption.xml", "<EncryptedData/>")]))


def test_a_bomb_is_stopped_by_what_it_inflates_to(tmp_path, monkeypatch):
    monkeypatch.setattr(epub, "MAX_BYTES", 5_000_000)
    bomb = CHAPTER.format(title="Bomb", text=" " * 6_000_000)

    with pytest.raises(UnreadableError, match=r"bomb: OEBPS/a\.xhtml inflates to more than is read"):
        read(make(tmp_path / "b.epub", {"a.xhtml": bomb}))


def test_a_member_that_is_almost_all_air_is_a_bomb(tmp_path):
    bomb = CHAPTER.format(title="Bomb", text=" " * 15_000_000)

    with pytest.raises(UnreadableError, match="bomb"):
        read(make(tmp_path / "b.epub", {"a.xhtml": bomb}))


def test_too_many_members_are_refused(tmp_path):
    with pytest.raises(UnreadableError, match="bomb: 10104 members"):
        read(make(tmp_path / "b.epub", GOOD, extra=[(f"x{number}", b"") for number in range(10_100)]))


@pytest.mark.parametrize("name", ["META-INF/container.xml", "OEBPS/content.opf"])
def test_entities_are_not_expanded(tmp_path, name):
    (tmp_path / "secret").write_text("CANARY")
    dtd = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    texts = {"META-INF/container.xml": CONTAINER, "OEBPS/content.opf": package(["a.xhtml"], ["a.xhtml"])}
    texts[name] = dtd + texts[name].replace("A Book", "&x;")
    with zipfile.ZipFile(tmp_path / "b.epub", "w") as archive:
        for member, text in {**texts, "OEBPS/a.xhtml": GOOD["a.xhtml"]}.items():
            archive.writestr(member, text)

    assert "CANARY" not in repr(read(tmp_path / "b.epub"))


def test_billion_laughs_are_not_laughed(tmp_path):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    chapter = f'<!DOCTYPE html [<!ENTITY l0 "ha">{laughs}]>' + CHAPTER.format(title="A", text="&l9;").split("?>")[1]

    assert "haha" not in read(make(tmp_path / "b.epub", {"a.xhtml": chapter})).text


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"no zip"])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "b.epub").write_bytes(data)

    with pytest.raises(UnreadableError, match="broken: no zip archive"):
        read(tmp_path / "b.epub")


def test_a_chapter_that_the_spine_repeats_is_read_once(tmp_path):
    reading = read(make(tmp_path / "b.epub", GOOD, ["a.xhtml"] * 3))

    assert reading.text == "## Yes\n\nyes"


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = make(tmp_path / "b.epub", {**GOOD, "b.xhtml": CHAPTER.format(title="No", text="no")})
    data = bytearray(path.read_bytes())
    first, second = data.find(b"OEBPS/a.xhtml") - 30, data.rfind(b"OEBPS/b.xhtml") - 46
    data[second + 42 : second + 46] = first.to_bytes(4, "little")
    path.write_bytes(data)

    with pytest.raises(UnreadableError, match=r"hostile: OEBPS/b\.xhtml overlaps the member before it"):
        read(path)


@pytest.mark.parametrize("href", ["file:///etc/passwd", "http://example.org/a.xhtml", "//host/a.xhtml", "http://["])
def test_chapters_outside_the_book_are_counted_and_not_fetched(tmp_path, href):
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", package([href, "a.xhtml"], [href, "a.xhtml", "no-such-item"]))
        archive.writestr("OEBPS/a.xhtml", GOOD["a.xhtml"])

    reading = read(path)

    assert reading.text == "## Yes\n\nyes"
    assert reading.warnings == ("2 parts outside the book left out",)


@pytest.mark.parametrize("container", [None, "<container/>", CONTAINER.replace("content.opf", "gone.opf"), "no XML"])
def test_the_only_package_is_read_where_the_container_names_none(tmp_path, container):
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(path, "w") as archive:
        if container:
            archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/content.opf", package(["a.xhtml"], ["a.xhtml"]))
        archive.writestr("OEBPS/a.xhtml", GOOD["a.xhtml"])

    reading = read(path)

    assert reading.text == "## Yes\n\nyes"
    assert reading.warnings == ("META-INF/container.xml names no package: the only one taken",)


def test_what_is_hidden_in_the_chapters_is_counted_together(tmp_path):
    hidden = "<span style='display:none'>unseen</span>seen"
    chapters = {name: CHAPTER.format(title=name, text=hidden) for name in ("a.xhtml", "b.xhtml")}

    reading = read(make(tmp_path / "b.epub", chapters))

    assert "unseen" not in reading.text
    assert reading.warnings == ("2 hidden elements left out, 12 characters",)


def test_a_table_of_contents_within_a_chapter_is_dropped_and_other_lists_stay(tmp_path):
    contents = "<ul>" + "".join(f'<li><a href="c.xhtml#{n}">Part {n}</a></li>' for n in range(6)) + "</ul>"
    links = "<ul>" + "".join(f'<li><a href="http://x/{n}">Site {n}</a></li>' for n in range(6)) + "</ul>"
    text = read(make(tmp_path / "b.epub", {"a.xhtml": CHAPTER.format(title="A", text=contents + links)})).text

    assert "Part 3" not in text
    assert "- Site 3" in text


def test_the_way_back_from_a_note_is_dropped(tmp_path):
    text = 'A note. <a href="#x" epub:type="backlink">\u21a9</a>'

    assert read(make(tmp_path / "b.epub", {"a.xhtml": CHAPTER.format(title="A", text=text)})).text.endswith("A note.")


def test_a_chapter_in_another_encoding_is_read_in_it(tmp_path):
    chapter = GOOD["a.xhtml"].replace("yes", "Größe").replace("?>", " encoding='iso-8859-1'?>", 1).encode("latin-1")

    assert "Größe" in read(make(tmp_path / "b.epub", {"a.xhtml": chapter})).text


@pytest.mark.parametrize("name", ["ch01-copyright.xhtml", "part-cover-story.xhtml", "the_licence.xhtml"])
def test_a_chapter_is_one_whatever_its_file_is_called(tmp_path, name):
    reading = read(make(tmp_path / "b.epub", {name: CHAPTER.format(title="Yes", text="a chapter")}))
    assert "a chapter" in reading.text
