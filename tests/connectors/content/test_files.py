"""Files of questions: what is read, and which mistakes are named by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kit.connector import Wiring
from connectors.port.records import Question, QuestionTopic
from connectors.systems import content
from connectors.systems.content.client import LARGEST, ContentError, read
from connectors.systems.content.translate import entry

GOOD = "---\ntopic: ACCESS\n---\n# Who?\n\nMe.\n"


def written(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        raw = text.encode() if isinstance(text, str) else text
        (folder / name).write_bytes(raw)
    return folder


def test_a_file_becomes_a_question() -> None:
    text = "---\ntopic: ORDERS\n---\n\n# Where is it?  \n\nThere:\n\n1. one;\n2. two.  \n\n"
    assert entry("015-where-is-it.pt-BR.md", text).question == Question(
        id="where-is-it",
        question="Where is it?",
        answer="There:\n\n1. one;\n2. two.",
        topic=QuestionTopic.ORDERS,
        locale="pt-BR",
        position=15,
    )


def test_line_ends_and_marks_of_other_editors_do_not_matter(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    (found,) = read(written(tmp_path, {"010-who.es.md": raw}), "es")["es"]
    assert (found.question.question, found.question.answer) == ("Who?", "Me.")


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("10-who.es.md", GOOD, 1, "the name is not like"),
        ("010-who.md", GOOD, 1, "the name is not like"),
        ("010-Who is.es.md", GOOD, 1, "the name is not like"),
        ("010-who.es.md", "", 1, "does not begin with ---"),
        ("010-who.es.md", "# Who?\n\nMe.", 1, "does not begin with ---"),
        ("010-who.es.md", "---\ntopic: ACCESS\n", 2, "closing --- is missing"),
        ("010-who.es.md", "---\n---\n# Who?\n\nMe.", 2, "there is no topic"),
        ("010-who.es.md", "---\ntopic: MUSIC\n---\n# Who?", 2, "no topic 'MUSIC'; there are: ACC"),
        ("010-who.es.md", "---\nauthor: x\n---\n# Who?", 2, "expected `topic: …`"),
        ("010-who.es.md", "---\ntopic: CASES\ntopic: CASES\n---\n", 3, "there twice"),
        ("010-who.es.md", "---\ntopic: CASES\n---\n", 3, "there is no question"),
        ("010-who.es.md", "---\ntopic: CASES\n---\nWho?\n", 4, "as a heading"),
        ("010-who.es.md", "---\ntopic: CASES\n---\n## Who?\n", 4, "as a heading"),
        ("010-who.es.md", "---\ntopic: CASES\n---\n# \n", 4, "as a heading"),
        ("010-who.es.md", f"---\ntopic: CASES\n---\n# {'x' * 201}\n\nMe.", 4, "longer than 200"),
        ("010-who.es.md", "---\ntopic: CASES\n---\n# Who?\n\n", 5, "there is no answer"),
        ("010-who.es.md", GOOD + "\n# Me?\n", 8, "a second heading"),
        ("010-who.es.md", GOOD + "<b>Me</b>\n", 7, "HTML"),
        ("010-who.es.md", GOOD + "**Me**\n", 7, "emphasis"),
        ("010-who.es.md", GOOD + "[me](https://x.example)\n", 7, "a link"),
        ("010-who.es.md", GOOD + "* me\n", 7, "a list that is not"),
        ("010-who.es.md", GOOD + "1) me\n", 7, "a list that is not"),
        ("010-who.es.md", GOOD + "  - me\n", 7, "an indented line"),
        ("010-who.es.md", GOOD + "1. me\n3. you\n", 8, "expected item 2 of the list, found 3"),
        ("010-who.es.md", GOOD.encode() + b"Se\xf1or\n", 7, "not UTF-8"),
        ("010-who.es.md", GOOD + "x" * LARGEST, 1, "larger than"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, name: str, text: str | bytes, line: int, what: str
) -> None:
    with pytest.raises(ContentError) as caught:
        read(written(tmp_path, {name: text}), "es")
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{tmp_path / name}:{line}: ")
    assert what in first


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"010-who.en.md": GOOD}, "who is not written in es"),
        ({"010-who.es.md": GOOD, "020-who.es.md": GOOD}, "who is there twice in this language"),
        ({"010-who.es.md": GOOD, "020-who.en.md": GOOD}, "stands at 20, in es at 10"),
        ({"010-who.es.md": GOOD, "010-what.es.md": GOOD}, "stands at 10 too"),
        (
            {"010-who.es.md": GOOD, "010-who.en.md": GOOD.replace("ACCESS", "CASES")},
            "010-who.en.md:2: the topic is CASES, in es ACCESS",
        ),
        ({}, "holds no questions"),
    ],
)
def test_files_that_do_not_go_together(
    tmp_path: Path, files: dict[str, str | bytes], what: str
) -> None:
    with pytest.raises(ContentError, match=what):
        read(written(tmp_path, files), "es")


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"010-a.es.md": "", "020-b.es.md": GOOD, "030-c.es.md": "x"}
    with pytest.raises(ContentError) as caught:
        read(written(tmp_path, files), "es")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.anyio
async def test_the_gateway_does_not_start_with_a_mistake(tmp_path: Path) -> None:
    table = {"path": str(written(tmp_path, {"010-a.es.md": ""}))}
    with pytest.raises(ContentError, match=r"010-a\.es\.md:1: "):
        await content.connector.start("help", table, Wiring())
    with pytest.raises(ContentError, match="there is no such folder"):
        await content.connector.start("help", {"path": str(tmp_path / "no")}, Wiring())
