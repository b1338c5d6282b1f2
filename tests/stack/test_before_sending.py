"""The answer of docs/before-you-send.md to "may I mail this address?", in Python, against what the function wrote."""

import sys

import pytest
from conftest import ROOT, eventually

sys.path.insert(0, str(ROOT / "examples"))
from why_not import why_not  # noqa: E402


def test_the_page_shows_the_example_that_is_tested():
    example = (ROOT / "examples" / "why_not.py").read_text()
    assert example in (ROOT / "docs" / "before-you-send.md").read_text()


def test_a_sender_in_another_language_reads_the_same_answer(stack, unique):
    dead, angry, fine = (f"{word}-{unique}@Example.com" for word in ("dead", "angry", "fine"))
    stack.local_ses.bounce(dead)
    stack.local_ses.complain(angry)
    eventually(lambda: stack.suppressions(dead) and stack.suppressions(angry))

    table = stack.table
    assert why_not(table, fine) is None
    assert why_not(table, dead).startswith("hard bounce, user-unknown")
    assert why_not(table, angry) is None, "a complaint concerns the sender it is about"
    for domain, refused in {"stack-test.example": True, "News.Stack-Test.Example": True, "other.example": False}.items():
        assert (why_not(table, angry, domain=domain) is not None) == refused
        asked = stack.postroomctl("check", angry, "--identity", domain)
        assert (asked.returncode == 1) == refused

    assert stack.postroomctl("suppression", "release", dead, "--reason", "stack test").returncode == 0
    assert why_not(table, dead) is None
    assert stack.postroomctl("check", dead).returncode == 0


@pytest.mark.parametrize(
    "spelling",
    ["{0}@faß.example", "Jane <{0}@FASS.example>", "<{0}@xn--fa-hia.example>", "{0}@faß.example.", "{0}@straße.de"],
)
def test_both_find_the_same_row_for_any_spelling(stack, unique, spelling):
    address = spelling.format(f"key-{unique}")
    bare = address.strip("<>").rpartition("<")[2].rstrip(">")
    assert stack.postroomctl("suppression", "put", bare, "--reason", "spelling").returncode == 0
    assert why_not(stack.table, address) is not None
    assert stack.postroomctl("check", address).returncode == 1
