import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits

LIMITS = Limits(
    cpu_seconds=5, cpu_seconds_per_page=0.5, wall_seconds=60, memory_bytes=1_500_000_000, max_text_bytes=1_000_000
)


def sandbox(folder, **changes):
    lock = folder / "lock"
    lock.touch()
    return Sandbox(Limits(**(vars(LIMITS) | changes)), lock)


def read(path, **changes):
    with sandbox(path.parent, **changes) as box:
        return box.read(path)


def make_pdf(path, *objects):
    """Write a PDF from its objects; the first is the catalogue."""
    data = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer)
    return path


def stream(content, entries=b""):
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
RESOURCES = b"/Resources << /XObject << /F 5 0 R >> /Font << /H 6 0 R >> >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R " + RESOURCES + b" >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F %d 0 R >> >>"


def test_a_file_is_read_in_a_child(tmp_path):
    (tmp_path / "a.txt").write_text("some text")

    outcome = read(tmp_path / "a.txt")

    assert outcome.reading.text == "some text"
    assert outcome.media_type == "text/plain"


def test_a_fault_of_the_file_comes_back_with_its_kind(tmp_path):
    (tmp_path / "a.epub").write_bytes(b"PK\x03\x04")

    outcome = read(tmp_path / "a.epub")

    assert outcome.reading is None
    assert outcome.kind == "broken"


def test_an_empty_file_and_an_unknown_format_are_told_apart(tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.rtf").write_bytes(b"{\\rtf1 text}")

    assert read(tmp_path / "a.txt").kind == "empty"
    assert read(tmp_path / "b.rtf").kind == "unsupported"


def test_too_much_text_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("text " * 1_000_000)

    assert read(tmp_path / "a.txt").kind == "too large"


def test_a_form_that_draws_itself_is_one_outcome(tmp_path):
    form = stream(b"/F Do /F Do", FORM % 5)
    path = make_pdf(tmp_path / "a.pdf", CATALOGUE, PAGES, PAGE, stream(b"BT /H 12 Tf (Hello) Tj ET /F Do"), form, FONT)

    outcome = read(path)

    assert outcome.reading is not None or outcome.kind


def test_a_fan_of_forms_ends_by_its_cpu_time(tmp_path):
    forms = [stream(b"/F Do " * 10, FORM % (number + 1)) for number in range(5, 20)]
    objects = [
        CATALOGUE,
        PAGES,
        PAGE.replace(b"/H 6", b"/H 20"),
        stream(b"/F Do"),
        *forms[:14],
        stream(b"q Q", b""),
        FONT,
    ]
    path = make_pdf(tmp_path / "a.pdf", *objects)
    before = cpu_seconds_of_children()

    outcome = read(path, cpu_seconds=1)

    assert outcome.kind == "timeout"
    assert 1 < cpu_seconds_of_children() - before < 20


def cpu_seconds_of_children():
    """Of those that have ended and their own; unlike the clock, it does not depend on what else runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_flate_bomb_is_one_outcome_within_its_memory(tmp_path):
    bomb = zlib.compress(b" " * 600_000_000, 1)
    content = stream(bomb, b"/Filter /FlateDecode")
    path = make_pdf(tmp_path / "a.pdf", CATALOGUE, PAGES, PAGE, content, stream(b"", FORM % 5), FONT)

    outcome = read(path, memory_bytes=500_000_000)

    assert outcome.reading is None
    assert outcome.kind in ("crash", "memory", "timeout", "empty", "reader")


def test_a_page_tree_that_is_a_fan_is_refused_by_its_count(tmp_path):
    kids = [
        b"<< /Type /Pages /Parent 2 0 R /Count 30000 /Kids [%b] >>" % (b"%d 0 R " % (n + 1) * 2) for n in range(3, 18)
    ]
    objects = [
        CATALOGUE,
        b"<< /Type /Pages /Kids [3 0 R] /Count 60000 >>",
        *kids,
        b"<< /Type /Page /MediaBox [0 0 9 9] >>",
    ]

    outcome = read(make_pdf(tmp_path / "a.pdf", *objects))

    assert outcome.reading is None


def test_a_lone_surrogate_and_a_nul_do_not_reach_the_text(tmp_path):
    cmap = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
    cmap += b"3 beginbfchar <41> <D800> <42> <0000> <43> <0043> endbfchar endcmap end"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    content = stream(b"BT /H 12 Tf 72 700 Td (CABC) Tj ET")
    path = make_pdf(tmp_path / "a.pdf", CATALOGUE, PAGES, PAGE, content, stream(b"", FORM % 5), font, stream(cmap))

    outcome = read(path)

    assert outcome.reading is not None
    outcome.reading.text.encode()
    assert "\0" not in outcome.reading.text


def test_a_loop_is_ended_and_tried_once_more_alone(tmp_path):
    """A text whose cleaning takes quadratic time: canonical ordering of one letter with very many accents."""
    path = tmp_path / "a.txt"
    path.write_text("a" + "\u0301\u0323" * 500_000)

    outcome = read(path, cpu_seconds=1)

    assert outcome.reading is not None or outcome.kind == "timeout"


def test_more_cpu_time_than_allowed_is_a_timeout(tmp_path):
    path = tmp_path / "a.pdf"
    page = Canvas(str(path))
    for number in range(30):
        page.setFont("Helvetica", 4)
        for line in range(150):
            page.drawString(20, 5 * line, f"{number} {line} some words " * 14)
        page.showPage()
    page.save()

    assert read(path, cpu_seconds=1, cpu_seconds_per_page=0).kind == "timeout"
    assert read(path, cpu_seconds=1, cpu_seconds_per_page=1, max_text_bytes=10**7).reading.num_pages == 30


def test_the_clock_is_a_backstop(tmp_path):
    """A pipe without a writer: opening it waits for ever and takes no CPU time."""
    os.mkfifo(tmp_path / "a.txt")

    with sandbox(tmp_path, wall_seconds=0.3) as box:
        outcome = box.ask_worker(tmp_path / "a.txt", cautious=False)

    assert (outcome.kind, outcome.reason) == ("timeout", "not done after 0.3 s")


def test_a_worker_that_was_killed_is_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    with sandbox(tmp_path) as box:
        box.read(tmp_path / "a.txt")
        box.worker.kill()
        box.worker.wait()

        assert box.read(tmp_path / "a.txt").reading.text == "text"


def test_a_reader_sees_no_secret_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "CANARY")
    with sandbox(tmp_path) as box:
        environment = Path(f"/proc/{box.start().pid}/environ")
        if not environment.exists():
            pytest.skip("needs /proc")
        assert b"CANARY" not in environment.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_the_worker_ends_with_the_process_that_started_it(tmp_path):
    (tmp_path / "lock").touch()
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom pipeline.readers.sandbox import Sandbox\n"
        "from pipeline.readers.worker import Limits\n"
        "box = Sandbox(Limits(1, 1, 1, 10**9, 10**6), Path(sys.argv[1]))\n"
        "print(box.start().pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    worker = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    deadline = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(worker)


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def test_reasons_name_neither_folders_nor_addresses(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 nothing more")

    assert str(tmp_path) not in read(tmp_path / "a.pdf").reason
