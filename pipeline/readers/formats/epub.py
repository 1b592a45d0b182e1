"""EPUB: a zip archive with a container file, or one whose name says EPUB."""

import zipfile

from pipeline.readers.formats.format import Format, Read, Sample

CONTAINER = "META-INF/container.xml"


def is_epub(sample: Sample) -> bool:
    """Say whether a file is a zip archive that holds an EPUB's container, or is called an EPUB."""
    if not sample.head.startswith(b"PK\x03\x04"):
        return False
    if sample.suffix == ".epub":
        return True
    try:
        with zipfile.ZipFile(sample.path) as archive:
            return CONTAINER in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False


def load() -> Read:
    """Import lxml."""
    from pipeline.readers.html.epub import read

    return read


FORMAT = Format(
    name="epub",
    media_type="application/epub+zip",
    suffixes={".epub": "application/epub+zip"},
    priority=20,
    recognises=is_epub,
    load=load,
)
