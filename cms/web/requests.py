"""One id for each request, in its logs, its audit entries and its answer; and who the peer is."""

import secrets
from ipaddress import IPv6Address, ip_address
from typing import Any

import structlog
from flask import Flask, Request, Response
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from cms.accounts import audit
from cms.core.config import Network, Settings
from cms.core.limits import most


def connect(app: Flask) -> None:
    settings: Settings = app.config["SEEDBED"]
    app.request_class = MeasuredRequest
    app.before_request(_name_request)
    app.after_request(_tell_name)
    if settings.proxies:
        app.wsgi_app = ListedProxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]


class MeasuredRequest(Request):
    """Only a form with files may be as large as files; one of words is read at once, so it may not."""

    @property
    def max_content_length(self) -> int | None:
        if self.mimetype == "multipart/form-data":
            return most("request_bytes")
        return most("form_bytes")

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        raise AttributeError("limits stand in one table: cms.core.limits")

    def _load_form_data(self) -> None:
        super()._load_form_data()
        # Werkzeug would read a form of words without a length up to the limit and take the part.
        if self.content_length is None and getattr(self.stream, "is_exhausted", False):
            raise RequestEntityTooLarge


class ListedProxies:
    """Believes forwarded addresses only from the proxies that the settings name."""

    def __init__(self, inner: Any, proxies: tuple[Network, ...]) -> None:
        self.inner = inner
        self.trusting = ProxyFix(inner, x_for=1, x_proto=1, x_host=1)
        self.proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        is_listed = self._is_listed(environ.get("REMOTE_ADDR", ""))
        return (self.trusting if is_listed else self.inner)(environ, start_response)

    def _is_listed(self, peer: str) -> bool:
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:  # a socket has no address
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped  # how a server that listens on both families writes it
        return any(address in network for network in self.proxies)


def _name_request() -> None:
    name = secrets.token_hex(8)
    audit.request_id.set(name)
    structlog.contextvars.bind_contextvars(request_id=name)


def _tell_name(response: Response) -> Response:
    response.headers["X-Request-ID"] = audit.request_id.get() or ""
    structlog.contextvars.unbind_contextvars("request_id")
    return response
