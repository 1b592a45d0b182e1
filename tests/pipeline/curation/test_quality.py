"""Which texts the rules of Gopher and FineWeb refuse."""

import pytest

from pipeline.curation.quality import prose_paragraphs, quality_rejection, repeated_share, sample_windows, top_share

SENTENCES = [
    f"In the year {1800 + number} the {trade} of the {place} took {number + 3} carts of {goods} downhill and sold them."
    for number, (trade, place, goods) in enumerate(
        (trade, place, goods)
        for trade in ("miller", "smith", "baker", "carter")
        for place in ("upper town", "old harbour", "east gate")
        for goods in ("flour", "iron", "salt", "timber", "wool")
    )
]
SOUND = "\n\n".join(
    f"{sentence} Others said {' '.join(f'w{number}x{place}' for place in range(12))} instead."
    for number, sentence in enumerate(SENTENCES)
)


def words(number: int) -> str:
    return " ".join(f"w{place * place % 9973}" for place in range(number))


def test_sound_prose_breaks_no_rule() -> None:
    assert quality_rejection(SOUND, "statement", "en") == ""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Too few words to judge.", "gopher words: 5, limit 50"),
        (f"{words(60)}.", "gopher stop words: 0, limit 2"),
        ("the of a b c d e f g h " * 20, "gopher mean word length"),
        ("the and 11 22 33 44 55 " * 20, "gopher words with letters"),
        ("\n\n".join(f"- {s}" for s in SENTENCES), "gopher bullets: 1, limit 0.9"),
        ("\n\n".join(f"{s} And so on..." for s in SENTENCES), "gopher ellipses: 1, limit 0.3"),
        ("\n\n".join(f"{s[:-1].replace(' ', ' #', 4)}." for s in SENTENCES), "gopher symbols"),
        ("\n\n".join(s.rstrip(".") for s in SENTENCES), "fineweb punctuation: 0, limit 0.12"),
        ("\n\n".join(SENTENCES[:10] * 3), "gopher paragraphs repeated: 0.667, limit 0.3"),
        (f"the and {words(400)} {words(200)}.", "gopher n-grams repeated, n = 5"),
        (SOUND + " buy now" * 1_000, "gopher top 2-gram"),
    ],
)
def test_each_rule_is_named_with_its_figure(text: str, rule: str) -> None:
    assert quality_rejection(text, "report", "en").startswith(rule)


def test_stop_words_are_asked_of_english_alone() -> None:
    assert quality_rejection(f"{words(60)}.", "report", "de") == ""


def test_filings_may_repeat_their_clauses_and_verse_may_have_short_lines() -> None:
    clauses = [f"The {' '.join(f'w{number}x{place}' for place in range(80))} and that ends." for number in range(12)]
    repeated = "\n\n".join(clauses * 2)
    assert quality_rejection(repeated, "report", "en").startswith("gopher paragraphs repeated")
    assert quality_rejection(repeated, "statement", "en") == ""
    verse = "\n\n".join(f"the {a} sea{n} and hill{n * n}{',.'[n % 2]}" for n, a in enumerate(words(40).split()))
    assert quality_rejection(verse, "review", "en").startswith("fineweb short lines")
    assert quality_rejection(verse, "book", "en") == ""


def test_tables_headings_and_listings_are_no_prose() -> None:
    text = "# Head\n\nOne line\nand its rest.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n\nmore\n```"
    text += "\n\n$$x$$\n\nEnd."
    assert prose_paragraphs(text) == ["One line and its rest.", "End."]


def test_repeated_and_top_n_grams_are_counted_by_hand() -> None:
    text = ["a", "b", "c", "a", "b", "c", "a", "b"]
    assert repeated_share(text, 3) == pytest.approx(3 / 8)
    assert top_share(text, 2) == pytest.approx(6 / 8)
    assert top_share(["a", "b", "c"], 2) == 0.0


def test_windows_reach_from_the_first_word_to_the_last() -> None:
    text = [str(number) for number in range(25_000)]
    windows = sample_windows(text)
    assert len(windows) == 10
    assert windows[0][0] == "0"
    assert windows[-1][-1] == "24999" or int(windows[-1][-1]) >= 24_990
    assert sample_windows(text[:10]) == [text[:10]]
