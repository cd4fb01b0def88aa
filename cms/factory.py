"""Makes the application: settings, extensions, wiring, edges."""

from flask import Flask
from flask_babel import Babel
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

import audience.wiring
import content_library.wiring
import feedback.wiring
import schedules.wiring
from cms import api, cli
from cms.core import config, jobs
from cms.core.config import ROOT, Mode, Settings, settings_from
from cms.core.db import db
from cms.core.limits import most
from cms.web import areas, errors, frame, guard, headers, login, requests, sessions, styleguide
from cms.web.numbers import RowNumber

csrf = CSRFProtect()
migrate = Migrate()


def create_app(settings: Settings | None = None) -> Flask:
    """Build one application; raises BadSettings with every fault in the environment."""
    settings = settings or settings_from()
    config.use(settings)
    app = Flask("seedbed", root_path=str(ROOT))
    app.config.from_mapping(
        SEEDBED=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        MAX_CONTENT_LENGTH=most("request_bytes"),
        MAX_FORM_MEMORY_SIZE=most("form_bytes"),
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE=settings.timezone,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "cms" / "translations"),
        WTF_CSRF_TIME_LIMIT=None,
        TRUSTED_HOSTS=[
            *settings.hosts,
            settings.base_url.split("//")[1].split(":")[0],
            settings.link_base_url.split("//")[1].split(":")[0],
            "127.0.0.1",
            "localhost",
        ],
    )
    app.url_map.converters["int"] = RowNumber
    _connect_extensions(app, settings)
    for package in (audience, content_library, schedules, feedback):
        package.wiring.connect()
    for blueprint in areas.BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.mode is not Mode.PRODUCTION:
        app.register_blueprint(styleguide.bp)
    for edge in (requests, sessions, login, guard, frame, headers, errors, api, cli):
        edge.connect(app)
    return app


def _connect_extensions(app: Flask, settings: Settings) -> None:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    db.init_app(app)
    jobs.connect(settings.redis_url)
    migrate.init_app(app, db, directory=str(ROOT / "cms" / "migrations"), render_as_batch=True)
    Babel(app, locale_selector=frame.choose_locale)
    csrf.init_app(app)


def _engine_options(settings: Settings) -> dict[str, object]:
    quiet: dict[str, object] = {"hide_parameters": True}  # tracebacks would tell what people typed
    if settings.is_sqlite:
        return quiet
    # A wire that was cut says nothing: without limits a process would wait for it for a quarter of an hour.
    patience = {
        "connect_timeout": 5,
        "tcp_user_timeout": 20_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
    }
    return quiet | {
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 20,
        "connect_args": patience,
    }
