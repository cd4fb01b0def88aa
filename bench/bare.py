"""The product with a naked Flask route beside it, so that both are measured on one server."""

from flask import Flask, redirect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from cms.factory import create_app

naked = Flask("naked")


@naked.get("/")
def away() -> Response:
    """What a redirect costs that looks nothing up and remembers nothing."""
    return redirect("/somewhere")


app = create_app()
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/bare": naked})  # type: ignore[method-assign]
