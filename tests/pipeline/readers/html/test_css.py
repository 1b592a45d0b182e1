import pytest

from pipeline.readers.html import html
from pipeline.readers.html.css import compute_style, parse_colour, parse_style_sheets

CANARY = "PWNED-MARKER-7f3a"


def read(path, source):
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return html.read(path, lambda num_pages: None)


HIDDEN = [
    f"<p style='{style}'>{CANARY}</p>"
    for style in (
        "display:none",
        "DISPLAY : NONE !important",
        "visibility:hidden",
        "opacity:0",
        "opacity: 0.0",
        "font-size:0",
        "font-size:1px",
        "font-size:0.1pt",
        "color:#fff",
        "color:white",
        "color: rgb(255, 255, 255)",
        "color:#FEFEFE;background:#ffffff",
        "color:#112233;background-color:#112233",
        "color:transparent",
        "position:absolute;left:-9999px",
        "position:fixed;top:-200em",
        "text-indent:-5000px",
        "margin-left:-9999px",
        "position:absolute;clip:rect(0,0,0,0)",
        "position:absolute;clip:rect(1px, 1px, 1px, 1px)",
        "clip-path:inset(100%)",
        "height:0;overflow:hidden",
        "max-height:0px;overflow:hidden",
    )
] + [
    f"<p hidden>{CANARY}</p>",
    f"<p aria-hidden=true>{CANARY}</p>",
    f"<font color=white>{CANARY}</font>",
    f"<div bgcolor=black><font color='#000000'>{CANARY}</font></div>",
    f"<style>.x{{display:none}}</style><p class='y x'>{CANARY}</p>",
    f"<style>#x, b {{ color : white }}</style><p id=x>{CANARY}</p>",
    f"<style>@media print {{ p {{ color:red }} }} p.x{{font-size:0}}</style><p class=x>{CANARY}</p>",
    f"<table><tr><td>a</td><td style='display:none'>{CANARY}</td><td>1</td></tr></table>",
    f"<div style='display:none'><div><p>{CANARY}</p></div></div>",
    "<div>" * 3000 + f"<p style='display:none'>{CANARY}</p>" + "</div>" * 3000,
]


@pytest.mark.parametrize("part", HIDDEN)
def test_what_no_one_sees_is_left_out(tmp_path, part):
    reading = read(tmp_path / "a.html", f"<html><body><p>before</p>{part}<p>after</p></body></html>")

    assert CANARY not in reading.text
    assert reading.text.startswith("before")
    assert reading.text.endswith("after")
    assert reading.warnings


def test_hidden_text_is_counted(tmp_path):
    source = "<p>seen</p><p style='display:none'>un<b hidden>seen</b></p><p hidden>unseen</p><p hidden> </p>"
    reading = read(tmp_path / "a.html", source)

    assert (reading.text, reading.warnings) == ("seen", ("2 hidden elements left out, 12 characters",))


@pytest.mark.parametrize(
    "part",
    [
        "<div style='background:#003366'><p><span style='color:#ffffff'>SEEN</span></p></div>",
        "<table><tr style='background-color:#000080'><td style='color:white'>SEEN<td>x</table>",
        "<div style='background-image:url(x.png)'><p style='color:white'>SEEN</p></div>",
        "<style>.dark{background:#222}</style><div class=dark><p style='color:white'>SEEN</p></div>",
        "<style>@media print { p { display:none } }</style><p>SEEN</p>",
        "<style>.js p { display:none }</style><p>SEEN</p>",
        "<ul style='font-size:0'><li style='font-size:14px'>SEEN</li></ul>",
        "<p style='opacity:0.5;visibility:visible;display:block;font-size:8pt;color:#333'>SEEN</p>",
        "<p style='position:relative;left:-20px;height:0'>SEEN</p>",
        "<p hidden=until-found aria-hidden=false>SEEN</p>",
    ],
)
def test_what_is_seen_stays(tmp_path, part):
    reading = read(tmp_path / "a.html", f"<html><body><p>before</p>{part}</body></html>")

    assert "SEEN" in reading.text
    assert reading.warnings == ()


def test_the_text_around_a_hidden_element_stays(tmp_path):
    assert read(tmp_path / "a.html", "<p>a <i style='display:none'>x</i>b</p>").text == "a b"


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#fff", (255, 255, 255)),
        ("#01020304", (1, 2, 3)),
        ("rgba(1, 2,3, 0.5)", (1, 2, 3)),
        ("url(x) white no-repeat", (255, 255, 255)),
        ("transparent", None),
        ("inherit", None),
        ("", None),
    ],
)
def test_colours_are_known_by_their_names_and_numbers(value, colour):
    assert parse_colour(value) == colour


def test_a_look_says_what_a_style_does():
    look = compute_style("font-weight:700;vertical-align:super;page-break-after:always;font-size:10pt")

    assert (look.bold, look.raised, look.breaks_page, look.sized, look.hidden) == (True, True, True, True, False)
    assert compute_style("position:relative;top:-3.5pt").raised


def test_simple_rules_of_a_style_sheet_are_kept_and_conditional_ones_are_not():
    sheet = parse_style_sheets(
        ["/* a{} */ p, .x {color:red} @media print { .y {color:red} } .x{top:0} a b{c:d} @import 'x'; #z{e:f}"]
    )

    assert sheet == {"p": "color:red", ".x": "color:red;top:0", "#z": "e:f"}
