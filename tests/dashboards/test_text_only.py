"""No page may render text as markup: what could do so is not called anywhere in dashboards/."""

import ast
from pathlib import Path

import pytest

import dashboards

SOURCES = sorted(Path(dashboards.__file__).parent.rglob("*.py"))
# Calls whose text Streamlit reads as Markdown or HTML. Those below may be given our own words only.
FORBIDDEN = {"markdown", "html", "write", "write_stream", "iframe", "latex", "table", "chat_message"}
# The player's own page: an address of ours, made of a run and clips that its route looks up again.
FRAMES = {"player.py"}
OWN_WORDS_ONLY = {"title", "header", "subheader", "caption", "info", "warning", "error", "success", "badge"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_markup(source):
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword):
            assert node.arg not in {"unsafe_allow_html", "unsafe_allow_javascript"}, f"line {node.value.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            framed = node.func.attr == "iframe" and source.name in FRAMES
            assert framed or node.func.attr not in FORBIDDEN, f"line {node.lineno}: st.{node.func.attr}"
            if node.func.attr in OWN_WORDS_ONLY and node.args:
                assert isinstance(node.args[0], ast.Constant), f"line {node.lineno}: {node.func.attr} of a variable"


def test_the_check_sees_the_pages():
    assert {"app.py", "leaderboard.py", "side_by_side.py"} <= {path.name for path in SOURCES}
