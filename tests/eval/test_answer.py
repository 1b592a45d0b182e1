"""The command answers with quotes and places, as text or as JSON, and says in one line what is wrong."""

import json
from pathlib import Path

import pytest

from eval.answer import main
from pipeline.benchmarks.scripted import MODEL, Response, scripted
from tests.eval.chat_page.pages import TEXT

SENTENCE = "The quay of Varn was built in 1871 by forty masons."


def quote(request: dict, number: int) -> Response:
    """Stream a sentence of the document, if the prompt has it."""
    assert SENTENCE in request["messages"][0]["content"]
    events = [{"choices": [{"delta": {"content": f"{word} "}}], "model": MODEL} for word in SENTENCE.split(" ")]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Response(body="".join([*lines, "data: [DONE]\n\n"]).encode(), media_type="text/event-stream")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "quay.md"
    path.write_text(TEXT)
    return path


def test_an_answer_is_written_with_the_quote_that_bears_it_out(document, capsys):
    with scripted(quote) as url:
        main([str(document), "--question", "Who built the quay?", "--model", f"{url}#{MODEL}"])
    out = capsys.readouterr().out
    assert out.startswith(SENTENCE)
    assert f"[1] quay.md: “{SENTENCE}”" in out


def test_json_has_the_answer_its_quotes_and_their_places(document, capsys):
    with scripted(quote) as url:
        main([str(document), "--question", "Who built the quay?", "--model", f"{url}#{MODEL}", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["answer"].strip() == SENTENCE
    (quoted,) = found["quotes"]
    assert (quoted["sentence"], quoted["quote"], quoted["document"]) == (SENTENCE, SENTENCE, "quay.md")
    assert found["documents"][0]["left_out"] is None or not found["documents"][0]["left_out"]


@pytest.mark.parametrize(
    ("content", "model", "said"),
    [
        (TEXT, "/no/such/folder", "a folder with a model"),
        ("%PDF-1.4 but no more", "http://127.0.0.1:9/v1#none", "answer: error:"),
        ("The road is long and dry. " * 40_000, "http://127.0.0.1:9/v1#none", "add --cut"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, capsys, content, model, said):
    path = tmp_path / ("a.pdf" if content.startswith("%PDF") else "a.txt")
    path.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        main([str(path), "--question", "Why?", "--model", model])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
