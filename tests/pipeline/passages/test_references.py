"""Which section refers to which other."""

from pipeline.passages.passages import Passages
from pipeline.passages.references import find_links, follow_links
from pipeline.readers.common.sections import find_sections
from pipeline.records import Document

NOTES = """# Notes

### NOTE 4: LAMPS

Lamps are valued at cost. What they cost to light is told in Note 6.

### Lamps that are lent

Those are told of in Note 5.

### NOTE 5: HARBOURS

Refer to Note 6.

### NOTE 6: WIRE

Wire is bought by the mile, and that is all.

### Wire by year

See Note 4.

| | 2023 |
|---|---|
| Wire (Note 5) | 7 |
"""


def paths(text: str) -> dict[str, list[str]]:
    passages = Passages(Document("d", "statement", "s", text=text, sections=find_sections(text)))
    links = find_links(passages)
    return {start.path[-1]: [section.path[-1] for section in follow_links(start, links)] for start in links}


def test_single_references_are_followed_to_their_end() -> None:
    assert paths(NOTES)["Lamps that are lent"] == ["Lamps that are lent", "NOTE 5: HARBOURS", "NOTE 6: WIRE"]
    assert paths(NOTES)["NOTE 4: LAMPS"] == ["NOTE 4: LAMPS", "NOTE 6: WIRE"]


def test_a_section_with_two_references_in_prose_or_in_a_table_leads_nowhere() -> None:
    assert "Wire by year" not in paths(NOTES)
    assert "Wire by year" in paths(NOTES.replace("Wire (Note 5)", "Wire"))


def test_a_path_that_leads_back_into_the_note_around_its_start_is_none() -> None:
    back = NOTES.replace("Wire is bought by the mile, and that is all.", "What is lent is told of in Note 4.")
    assert paths(back)["Lamps that are lent"] == []
