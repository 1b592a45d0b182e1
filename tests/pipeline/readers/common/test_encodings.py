"""Encodings that a file does not name are known by its words and by where its letters and signs are."""

import pytest

from pipeline.readers.common.encodings import decode

ENGLISH = "The pier cost £1,250 and the lamp £75; 12½ miles of it were built by Mr. Müller in the café’s time. "
FRENCH = "Le café est déjà prêt et ça va très bien à la gare, dans une ville que les élèves aiment. "
GERMAN = "Der Vorsitzende dankte ihm für seine Geduld, und die Bücher über die große Mole sind nicht schön. "
SPANISH = "¿Quién pagará el muelle? El año próximo, mañana, con la comité del puerto que los demás. "
POLISH = "Zażółć gęślą jaźń i nie ma go w domu, jest na łące do wieczora, bo się źle czuł. "


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, GERMAN, SPANISH])
def test_western_texts_without_a_name_are_windows_1252(text):
    assert decode((20 * text).encode("cp1252")) == (20 * text, "cp1252", 0)


def test_a_few_signs_are_enough():
    text = f"{'The committee met and the minutes of it were read to all that came. ' * 40}It cost £5."
    assert decode(text.encode("cp1252")).text == text


def test_mac_roman_is_told_by_its_quotes():
    text = "The café’s façade — “old” — cost £5 and the rest of it was naïve. " * 20
    assert decode(text.encode("mac_roman")).text == text


def test_other_languages_are_left_to_statistics():
    assert decode((40 * POLISH).encode("cp1250")).text == 40 * POLISH


def test_a_stray_byte_costs_no_file_and_is_counted():
    found = decode(GERMAN.encode() * 3 + b"\x80 5" + GERMAN.encode())

    assert found == (GERMAN * 3 + "€ 5" + GERMAN, "utf-8", 1)
    assert found.warnings == ["1 bytes that are not utf-8 read as cp1252"]
