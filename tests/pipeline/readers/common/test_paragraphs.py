"""Of a plain text, prose is written on one line, and nothing else."""

from pipeline.readers.common.encodings import Decoded
from pipeline.readers.common.paragraphs import write_paragraphs
from pipeline.readers.common.text import read_text

PROSE = (
    "The harbour committee met on the first Monday of the month to hear the\n"
    "treasurer, who read the accounts aloud and asked that they be entered in\n"
    "the minutes."
)
VERSE = (
    "O broad and patient river that has carried all our fathers' boats,\n"
    "O slow brown water turning past the mills and orchards to the sea,\n"
    "I count your bridges one by one and name them as my mother did,\n"
    "And every name comes back to me a little worn, a little sweet."
)
ITEMS = (
    "1. The treasurer shall keep the accounts of the society with great care and\n"
    "show them to any member who asks for them.\n"
    "2. The secretary shall keep the minutes and answer all the letters soon."
)
LETTER = "Dear Sir,                                             12 May 1871\nYour letter of the third has come to hand."
TABLE = (
    "<TABLE>\n<CAPTION>\nYear                       1996          1995\n<S>    <C>  <C>\n"
    "Net sales               $ 412,807   $ 398,114\n</TABLE>"
)


def test_prose_is_on_one_line():
    assert write_paragraphs(PROSE) == PROSE.replace("\n", " ")


def test_verse_and_letters_keep_their_lines():
    assert write_paragraphs(f"{PROSE}\n\n{VERSE}\n\n{LETTER}").endswith(f"{VERSE}\n\n{LETTER}")


def test_items_are_on_one_line_each():
    assert write_paragraphs(ITEMS).split("\n") == [
        "1. The treasurer shall keep the accounts of the society with great care and"
        " show them to any member who asks for them.",
        "2. The secretary shall keep the minutes and answer all the letters soon.",
    ]


def test_tables_keep_their_lines_and_lose_their_tags():
    written = write_paragraphs(TABLE)

    assert "<" not in written
    assert "Year                       1996          1995" in written.split("\n")
    assert "Net sales               $ 412,807   $ 398,114" in written.split("\n")


def test_lines_with_tabs_are_a_table():
    assert write_paragraphs("Region\tPlants\nNorth\t4\nSouth\t2") == (
        "| Region | Plants |\n| ------ | -----: |\n| North  |      4 |\n| South  |      2 |"
    )


def test_what_was_encoded_twice_is_repaired_and_counted():
    twice = "The mayor’s café — “closed” in 1999–2003".encode().decode("cp1252", "replace")
    reading = read_text(Decoded(twice, "utf-8"))

    assert reading.text == "The mayor’s café — “closed” in 1999–2003"
    assert reading.warnings == ("5 characters repaired that were encoded twice",)


def test_the_old_small_print_is_cut_and_names_the_book():
    header = (
        "***The Project Gutenberg Etext of A Walk by the Sea, by J. Doe***\n\n"
        "***START**THE SMALL PRINT!**START***\nlawyers\n\n"
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n"
    )
    reading = read_text(Decoded(f"{header}A WALK\n\n{PROSE}", "utf-8"))

    assert reading.text.startswith("A WALK")
    assert (reading.title, reading.authors) == ("A Walk by the Sea", ("J. Doe",))


def test_controls_of_another_code_page_are_the_characters_that_they_were():
    reading = read_text(Decoded("In 1999\x962003 it fell by \x964.2%, the court\x92s loss.", "utf-8"))

    assert reading.text == "In 1999–2003 it fell by –4.2%, the court’s loss."
    assert reading.warnings == ("3 control characters read as cp1252",)
