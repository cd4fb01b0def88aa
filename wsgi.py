"""The application object that servers and the `flask` command load."""

import gc

gc.disable()  # what imports make stays: looking for rubbish meanwhile takes a fifth of the start

from cms.factory import create_app  # noqa: E402

app = create_app()
gc.enable()
gc.freeze()
