"""The server's settings and refusals. (What it sends is tested over a real socket in test_server.py.)"""

import socket
from pathlib import Path

import pytest
from streamlit import config

from dashboards.serve import is_loopback, serve, streamlit_options


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "bench.example", "", "localhost.example"])
def test_not_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "bench.example"])
def test_a_remote_host_needs_the_flag(host, tmp_path):
    with pytest.raises(ValueError, match="--allow-remote"):
        serve(tmp_path, host=host)


def test_a_taken_port_is_the_users_to_change(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ValueError, match="choose another --port"):
            serve(tmp_path, port=taken.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "192.168.1.4"])
def test_streamlit_phones_nobody_and_every_option_exists(host):
    options = streamlit_options(host, 8501)
    config.get_config_options()
    assert set(options) <= set(config._config_options_template)
    assert options["browser.gatherUsageStats"] is False
    assert options["client.toolbarMode"] == "viewer"
    assert options["browser.serverAddress"]
    assert options["browser.serverAddress"] != "0.0.0.0"


def test_other_machines_are_not_shown_stack_traces():
    assert streamlit_options("192.168.1.4", 1)["client.showErrorDetails"] == "none"


def test_the_app_script_is_where_the_server_looks():
    import dashboards.serve

    assert Path(dashboards.serve.APP_SCRIPT).is_file()
