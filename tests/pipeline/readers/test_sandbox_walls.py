"""What a reader cannot do: each is tried from within, by a reader of text that does what the text says."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from pipeline.readers.sandbox import Sandbox, machine_lock
from pipeline.readers.worker import Limits

ROOT = Path(__file__).parents[3]
LIMITS = Limits(
    cpu_seconds=1, cpu_seconds_per_page=0.5, wall_seconds=60, memory_bytes=1_500_000_000, max_text_bytes=1_000_000
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has no such wall")
PROBE = '''
"""Python imports this module at its start: it puts a reader of text in place that runs the text as a program."""
import pipeline.readers.common.text as text
from pipeline.readers.common.reading import Reading

def read(path, context):
    scope = {}
    exec(path.read_text(), scope)
    return Reading(text=str(scope.get("found", "")), reader="probe")

text.read = read
'''


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """A sandbox whose reader runs programs, and a function that has it run one."""
    folder = tmp_path / "probe"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PROBE)
    monkeypatch.syspath_prepend(folder)
    with Sandbox(LIMITS, lock_in(tmp_path)) as box:
        yield lambda program: box.read(program_in(tmp_path, program))


def lock_in(folder):
    lock = folder / "lock"
    lock.touch()
    return lock


def program_in(folder, program):
    path = folder / "program.txt"
    path.write_text(program)
    return path


def test_the_probe_runs_programs(probe):
    assert probe("found = 6 * 7").reading.text == "42"


@linux
def test_no_network_not_even_this_machines_own(probe):
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody leave the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # from outside it can be reached

        outcome = probe(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)")

    assert outcome.kind == "reader"
    assert "unreachable" in outcome.reason


def test_more_memory_than_allowed_is_refused(probe):
    outcome = probe("found = len(bytearray(1_600_000_000))")

    assert outcome.kind == "memory"


def test_large_files_are_refused(probe, tmp_path):
    outcome = probe(f"file = open({str(tmp_path / 'large')!r}, 'wb', 0)\nwhile True: file.write(bytes(100_000))")

    assert "File too large" in outcome.reason
    assert (tmp_path / "large").stat().st_size <= 1 << 20


def test_many_open_files_are_refused(probe):
    assert "Too many open files" in probe("files = [open('/dev/null') for _ in range(100)]").reason


@linux
def test_neither_processes_nor_threads_are_allowed(probe):
    program = "import os, resource\nos.setgid(65534)\nos.setuid(65534)\n" if os.getuid() == 0 else "import os\n"

    outcome = probe(program + "os.fork()")

    assert "BlockingIOError" in outcome.reason


@linux
def test_what_a_reader_starts_ends_with_it(probe):
    """Only root can start anything at all."""
    if os.getuid() != 0:
        pytest.skip("the limit on processes holds")
    program = "import os, time\nfound = os.fork()\nif found == 0:\n    time.sleep(60)\n"

    child = int(probe(program).reading.text)

    assert ends(child)


def test_it_stands_in_an_empty_folder_where_nothing_can_be_written(probe):
    outcome = probe("import os\nfound = os.listdir('.')\nopen('file', 'w')")

    assert "FileNotFoundError" in outcome.reason


def test_it_sees_no_variable_but_those_that_it_needs(probe, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "CANARY")
    monkeypatch.setenv("LANG", "tr_TR")

    names = json.loads(probe("import json, os\nfound = json.dumps(sorted(os.environ))").reading.text)

    assert set(names) <= {
        *("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH", "LC_ALL", "PYTHONUTF8", "PYTHONHASHSEED", "TZ"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    }


def test_the_clock_locale_and_hashes_are_the_same_everywhere(probe, monkeypatch):
    program = "import time, sys, locale\nfound = (time.tzname, hash('word'), sys.getfilesystemencoding())"
    first = probe(program).reading.text
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("LC_ALL", "POSIX")

    assert probe(program).reading.text == first
    assert "UTC" in first


def test_printing_does_not_garble_the_answer(probe):
    assert probe("import os\nprint('noise' * 9)\nos.write(1, b'noise')\nfound = 1").reading.text == "1"


def test_leaving_without_a_word_is_a_crash(probe):
    assert probe("import os\nos._exit(3)").kind == "crash"


def test_a_crash_is_named_by_its_signal(probe):
    outcome = probe("import os\nos.abort()")

    assert (outcome.kind, outcome.reason) == ("crash", "the reader was killed by SIGABRT")


def test_a_loop_is_tried_twice_and_then_a_timeout(probe, tmp_path):
    notes = tmp_path / "notes"

    outcome = probe(f"open({str(notes)!r}, 'a').write('x')\nwhile True: pass")

    assert outcome.kind == "timeout"
    assert notes.read_text() == "xx"


def test_what_was_ended_from_outside_is_tried_again_and_then_read(probe, tmp_path):
    note = tmp_path / "note"
    program = "import os, pathlib, signal\n"
    program += f"note = pathlib.Path({str(note)!r})\n"
    program += "if not note.exists():\n    note.touch()\n    os.kill(os.getpid(), signal.SIGKILL)\nfound = 'read'"

    assert probe(program).reading.text == "read"


def test_a_reason_is_text_whatever_a_parser_says(probe):
    outcome = probe("raise ValueError('\\ud800\\0\\n' + 'x' * 9_999)")

    assert outcome.reason.isprintable()
    assert outcome.reason.startswith("ValueError:    xxx")
    assert len(outcome.reason) <= 500


def test_a_name_that_is_no_unicode_is_read(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text("some text")

    with Sandbox(LIMITS, lock_in(tmp_path)) as box:
        assert box.read(path).reading.text == "some text"


def hold(lock, entered, leave):
    """Come in over and over, as a busy worker does, and never leave for long."""
    import fcntl

    box = Sandbox(LIMITS, lock)
    while not leave.is_set():
        with box.locked(fcntl.LOCK_SH):
            entered.set()
            time.sleep(0.01)


def test_who_waits_to_be_alone_gets_in_while_others_come_and_go(tmp_path):
    """With many workers somebody is always reading: without a door the one who waits would wait for their end."""
    import fcntl

    context = multiprocessing.get_context("spawn")
    entered, leave = [context.Event() for _ in range(4)], context.Event()
    lock = lock_in(tmp_path)
    workers = [context.Process(target=hold, args=(lock, event, leave), daemon=True) for event in entered]
    for worker in workers:
        worker.start()
    try:
        assert all(event.wait(60) for event in entered)
        for _ in range(5):
            with Sandbox(LIMITS, lock).locked(fcntl.LOCK_EX):
                assert not leave.is_set()
    finally:
        leave.set()
        for worker in workers:
            worker.join(60)


def test_the_lock_is_on_this_machine_and_belongs_to_the_user(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    lock = machine_lock()

    assert machine_lock() == lock
    assert lock.is_file()
    assert lock.parent.parent == tmp_path
    assert lock.parent.stat().st_mode & 0o077 == 0


STAGE = """
import sys
from pathlib import Path
from pipeline.extract import ExtractParams, run

if __name__ == "__main__":
    run(ExtractParams.load(Path(sys.argv[1])), documents=Path(sys.argv[2]), out=Path(sys.argv[3]))
"""


@linux
def test_no_process_outlives_a_stage_that_is_killed_while_it_reads(tmp_path, word_tokenizer):
    documents = tmp_path / "documents"
    documents.mkdir()
    entry = {"doc_id": "0" * 64, "category": "book", "licence": "", "title": "", "authors": [], "date": "", "group": ""}
    entry |= {"language": "", "media_type": "", "error": ""}
    with (documents / "documents.jsonl").open("w") as file:
        for number in range(2):
            (documents / f"{number}.txt").write_text("import time\nwhile True: time.sleep(1)")
            file.write(json.dumps(entry | {"file": f"{number}.txt", "source": f"{number}.txt"}) + "\n")
    (tmp_path / "sitecustomize.py").write_text(PROBE)
    (tmp_path / "stage.py").write_text(STAGE)
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())["extract"]
    settings |= {"num_workers": 2, "documents_per_shard": 1, "tokenizer": str(word_tokenizer)} | vars(LIMITS)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"extract": settings}))
    command = [sys.executable, str(tmp_path / "stage.py"), str(tmp_path / "params.yaml"), str(documents)]
    stage = subprocess.Popen(
        [*command, str(tmp_path / "out")], env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    )
    deadline = time.monotonic() + 60
    while len(family := descendants(stage.pid)) < 6 and time.monotonic() < deadline:  # workers, workers, readers
        time.sleep(0.05)
    stage.send_signal(signal.SIGKILL)
    stage.wait()

    assert len(family) >= 6
    assert all(ends(process) for process in family)


def descendants(process):
    """The processes that a process started, and those that these started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = [process]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return found[1:]


def ends(process):
    """Whether a process is gone, or only waits to be counted, within a while."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text()
        except FileNotFoundError:
            return True
        if state.rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
