"""Settings: no default secrets, no debugger in production, every fault told at once."""

import stat

import pytest

from cms.core.config import BadSettings, settings_from


@pytest.fixture
def environ(tmp_path):
    return {"SEEDBED_HOME": str(tmp_path / "home")}


@pytest.mark.parametrize("debug", ["1", "true", "yes"])
def test_no_debugger_in_production(environ, debug):
    with pytest.raises(BadSettings, match="FLASK_DEBUG"):
        settings_from(environ | {"FLASK_DEBUG": debug})
    assert settings_from(environ | {"FLASK_DEBUG": debug, "SEEDBED_ENV": "development"})
    assert settings_from(environ | {"FLASK_DEBUG": "0"})


def test_each_installation_makes_its_own_secret_and_keeps_it(environ, tmp_path):
    made = settings_from(environ).secret_key
    assert len(made) >= 48
    assert settings_from(environ).secret_key == made
    assert settings_from({"SEEDBED_HOME": str(tmp_path / "other")}).secret_key != made
    file = tmp_path / "home" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made not in repr(settings_from(environ))


def test_a_weak_secret_is_refused(environ):
    with pytest.raises(BadSettings, match="at least 32 characters"):
        settings_from(environ | {"SEEDBED_SECRET_KEY": "changeme"})


def test_every_fault_is_told_at_once(environ):
    with pytest.raises(BadSettings) as refused:
        settings_from(environ | {"PORT": "x", "SEEDBED_TIMEZONE": "Mars", "REDIS_URL": "ftp://x"})
    assert len(refused.value.faults) == 3


def test_faults_are_planted_in_tests_only(environ):
    assert settings_from(environ | {"FAULT": "kill"}).faults == ""


def test_demo_carriers_live_on_this_machine_only(environ):
    """Their address is chosen once; none run without a demo, or when the setting says nothing."""
    chosen = settings_from(environ).carriers_url
    assert chosen.startswith("http://127.0.0.1:")
    assert settings_from(environ).carriers_url == chosen
    assert settings_from(environ | {"SEEDBED_CARRIERS_URL": ""}).carriers_url == ""
    assert settings_from(environ | {"SEEDBED_DEMO": "off"}).carriers_url == ""
    for url in ("http://0.0.0.0:9100", "http://192.168.1.4:9100", "https://127.0.0.1:9100"):
        with pytest.raises(BadSettings, match="SEEDBED_CARRIERS_URL"):
            settings_from(environ | {"SEEDBED_CARRIERS_URL": url})
