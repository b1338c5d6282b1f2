"""The examples return the tokens with which the inbound function is tested."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

from unsubscribe_link import unsubscribe_headers, unsubscribe_token  # noqa: E402

KNOWN = json.loads((ROOT / "shared/unsubscribe-token/tests/data/unsubscribe-tokens.json").read_text())


def test_unsubscribe_tokens_are_those_that_the_inbound_function_accepts():
    for known in KNOWN["tokens"]:
        kind, _, name = known["scope"].partition(":")
        scope = {} if kind == "global" else {kind: name}
        token = unsubscribe_token(
            KNOWN["key"] + "\n", known["address"], **scope, contact_list=known["list"], topic=known["topic"]
        )
        assert token == known["token"]
        headers = unsubscribe_headers(token, "unsubscribe@shop.example")
        assert headers == {"List-Unsubscribe": f"<{known['mailto']}>"}


def test_one_click_needs_both_headers():
    headers = unsubscribe_headers("1abc", "out@shop.example", "https://shop.example/u/{token}")
    assert headers == {
        "List-Unsubscribe": "<mailto:out+1abc@shop.example?subject=unsubscribe>, <https://shop.example/u/1abc>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
