"""Settings: no default secrets, no debugger in production, every fault told at once."""

import stat
import subprocess

import pytest

from cms.core import sealing
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


def test_the_example_in_place_of_a_secret_is_refused(environ):
    """Whoever copies a file of settings would share the key with everybody else who did."""
    for example in (
        "at-least-32-characters-the-same-everywhere",
        "At-Least-32-Characters-please-and-thank-you",
    ):
        with pytest.raises(BadSettings, match=r"SEEDBED_SECRET_KEY.*openssl rand"):
            settings_from(environ | {"SEEDBED_SECRET_KEY": example})


class TestSeveralHosts:
    SHARED = {
        "DATABASE_URL": "postgresql://seedbed:word@db.example.com/seedbed",
        "REDIS_URL": "redis://redis.example.com:6379/0",
    }
    KEYS = {
        "SEEDBED_SECRET_KEY": "a" * 44,
        "SEEDBED_CREDENTIAL_KEYS": sealing.new_key(),
    }

    def test_each_would_make_keys_of_its_own_so_both_are_given(self, environ, tmp_path):
        assert settings_from(environ | self.SHARED | self.KEYS)
        with pytest.raises(BadSettings) as refused:
            settings_from(environ | self.SHARED)
        secret, credential = refused.value.faults
        assert secret.startswith("SEEDBED_SECRET_KEY: ")
        assert credential.startswith("SEEDBED_CREDENTIAL_KEYS: ")
        assert "openssl rand -base64 32 | tr /+ _-" in secret
        assert "openssl rand -base64 32 | tr /+ _-" in credential
        assert list(tmp_path.glob("home/*.key")) == []
        for one in self.KEYS:
            left = environ | self.SHARED | self.KEYS | {one: ""}
            with pytest.raises(BadSettings, match=one) as refused:
                settings_from(left)
            assert len(refused.value.faults) == 1

    def test_one_that_made_its_own_before_is_told_where_they_are(self, environ, tmp_path):
        settings_from(environ)
        with pytest.raises(BadSettings) as refused:
            settings_from(environ | self.SHARED)
        for fault, name in zip(refused.value.faults, ("secret.key", "credential.key"), strict=True):
            assert str(tmp_path / "home" / name) in fault
            assert "openssl" not in fault

    def test_what_can_be_one_machine_only_makes_its_own(self, environ):
        alone = {"REDIS_URL": "unix:///run/redis/redis.sock"}
        assert settings_from(environ | self.SHARED | alone)
        for name in self.SHARED:
            assert settings_from(environ | {name: self.SHARED[name]})

    def test_the_command_told_makes_both(self, environ):
        words = "openssl rand -base64 32 | tr /+ _-"
        made = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True)
        given = dict.fromkeys(self.KEYS, made.stdout.strip())
        assert settings_from(environ | self.SHARED | given)


def test_proxies_are_addresses_or_networks(environ):
    given = settings_from(environ | {"SEEDBED_PROXIES": "127.0.0.1, 172.18.0.0/16,::1"}).proxies
    assert [str(one) for one in given] == ["127.0.0.1/32", "172.18.0.0/16", "::1/128"]
    assert settings_from(environ).proxies == ()
    for text in ("localhost", "172.18.0.1/16", "172.18.*.*", "127.0.0.1:80", "127.0.0.1 10.0.0.1"):
        with pytest.raises(BadSettings, match="SEEDBED_PROXIES"):
            settings_from(environ | {"SEEDBED_PROXIES": text})
