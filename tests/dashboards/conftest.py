"""Opens a page without a browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards.serve
from dashboards import charts

PAGES = Path(dashboards.serve.APP_SCRIPT).parent / "pages"


@pytest.fixture(autouse=True)
def _plots_are_held_against_their_schema(monkeypatch):
    monkeypatch.setattr(charts, "CHECK", True)


@pytest.fixture(scope="session")
def open_page():
    """open_page("compare.py", runs, run=…, …): the page over a runs folder, with the query of a link."""

    def go(name, runs, **query):
        app = AppTest.from_file(str(PAGES / name), default_timeout=60)
        app.secrets["moviegen"] = {"runs": str(runs)}
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return go
