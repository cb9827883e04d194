"""Tables as one self-contained HTML page: nothing remote, no script, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def tables_page(title: str, facts: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """A heading, lines of facts, and each table under its name. An empty table says so."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = _cell
    shown = [(name, list(frame.columns), frame.itertuples(index=False, name=None)) for name, frame in tables.items()]
    return environment.from_string(_PAGE).render(title=title, facts=facts, tables=shown)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #6a737d; --line: #d8dee4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1200px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.soft { color: var(--soft); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% for fact in facts %}
<p class="soft">{{ fact }}</p>
{% endfor %}
{% for name, columns, rows in tables %}
<h2>{{ name }}</h2>
<div class="scroll"><table>
<tr>{% for column in columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in rows %}
<tr>{% for value in row %}<td>{{ value | cell }}</td>{% endfor %}</tr>
{% else %}
<tr><td class="soft" colspan="{{ columns | length }}">nothing here</td></tr>
{% endfor %}
</table></div>
{% endfor %}
</body>
</html>
"""
