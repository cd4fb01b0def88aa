"""Accounts that speak to demo carriers say so, and lead there; others say nothing of the kind."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cms.accounts.models import Role
from cms.core import config, demo_carriers, health
from cms.core.beats import ProcessBeat
from cms.core.clock import now
from cms.core.db import session, transaction
from tests import factories
from tests.signing_in import sign_in

URL = "http://127.0.0.1:9100"


@pytest.fixture(autouse=True)
def here(app) -> Iterator[None]:
    """An installation whose demo carriers run."""
    config.use(replace(config.current(), carriers_url=URL))
    demo_carriers.open_mail()
    yield
    demo_carriers.close_mail()


@pytest.fixture
def admin(client):
    return sign_in(client, factories.user(Role.ADMINISTRATOR))


def page_of(client, account) -> str:
    return client.get(f"/settings/accounts/{account.id}").text


def test_an_account_leads_to_its_demo_carrier(admin) -> None:
    robot = factories.account(channel="wecom_robot", settings={"base_url": f"{URL}/wecom"})
    hook = factories.account(channel="webhook", settings={"url": f"{URL}/receiver/hook"})
    assert f'href="{URL}/wecom/"' in page_of(admin, robot)
    assert f'href="{URL}/receiver/"' in page_of(admin, hook)


def test_an_account_of_the_real_site_does_not(admin) -> None:
    usual = factories.account(channel="wecom_robot", settings={})
    other = factories.account(channel="wecom_robot", settings={"base_url": f"{URL}0/wecom"})
    for account in (usual, other):
        assert "demo carrier" not in page_of(admin, account)


def test_letters_lead_to_the_mailbox_only_while_no_server_is_set(admin) -> None:
    letters = factories.account(channel="email")
    assert f'href="{URL}/mail/"' in page_of(admin, letters)
    assert f'href="{URL}/mail/"' in admin.get("/settings/alerts").text
    settings = replace(
        config.current(), smtp_url="smtp://mail.example.com", mail_from="a@b.example"
    )
    config.use(settings)
    assert "/mail/" not in page_of(admin, letters)
    assert f"{URL}/mail/" not in admin.get("/settings/alerts").text


def test_a_post_and_the_settings_lead_there(admin) -> None:
    account = factories.account(channel="feishu", settings={"base_url": f"{URL}/feishu"})
    post = factories.post(account=account, state="uncertain")
    page = admin.get(f"/today/publications/{post.publication.id}").text
    assert f'href="{URL}/feishu/"' in page
    assert f'href="{URL}/"' in admin.get("/settings/").text
    demo_carriers.close_mail()
    assert URL not in admin.get("/settings/").text


def test_health_misses_them_while_they_are_wanted(app) -> None:
    with transaction():
        session.add(beat("web"))
    assert health.examine()["processes"].figures["missing"]["carriers"] == 1
    with transaction():
        session.add(beat("carriers"))
    assert "carriers" not in health.examine()["processes"].figures["missing"]


def beat(kind: str) -> ProcessBeat:
    return ProcessBeat(
        id=f"here:{kind}:1", kind=kind, host="here", pid=1, started_at=now(), beat_at=now()
    )
