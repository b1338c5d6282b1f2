"""The Python example of docs/before-you-send.md, compared with postroomctl and with the functions' entries."""

import sys

import pytest
from conftest import ROOT, eventually

sys.path.insert(0, str(ROOT / "examples"))
from why_not import why_not  # noqa: E402


def test_the_documentation_contains_the_tested_example():
    example = (ROOT / "examples" / "why_not.py").read_text()
    assert example in (ROOT / "docs" / "before-you-send.md").read_text()


def test_the_python_example_and_postroomctl_give_the_same_answer(stack, unique):
    bounced, complained, other = (f"{name}-{unique}@Example.com" for name in ("bounced", "complained", "other"))
    stack.local_ses.bounce(bounced)
    stack.local_ses.complain(complained)
    eventually(lambda: stack.suppressions(bounced) and stack.suppressions(complained))

    table = stack.table
    assert why_not(table, other) is None
    assert "user-unknown" in why_not(table, bounced)
    assert why_not(table, complained) is None, "a complaint holds in the sender's scope"
    for domain, blocked in {"stack-test.example": True, "News.Stack-Test.Example": True, "other.example": False}.items():
        assert (why_not(table, complained, domain=domain) is not None) == blocked
        check = stack.postroomctl("check", complained, "--identity", domain)
        assert (check.returncode == 1) == blocked

    assert stack.postroomctl("suppression", "release", bounced, "--reason", "stack test").returncode == 0
    assert why_not(table, bounced) is None
    assert stack.postroomctl("check", bounced).returncode == 0


@pytest.mark.parametrize(
    "spelling",
    ["{0}@faß.example", "Jane <{0}@FASS.example>", "<{0}@xn--fa-hia.example>", "{0}@faß.example.", "{0}@straße.de"],
)
def test_both_find_the_entry_for_any_spelling_of_the_address(stack, unique, spelling):
    address = spelling.format(f"key-{unique}")
    bare = address.strip("<>").rpartition("<")[2].rstrip(">")
    assert stack.postroomctl("suppression", "put", bare, "--reason", "spelling").returncode == 0
    assert why_not(stack.table, address) is not None
    assert stack.postroomctl("check", address).returncode == 1
