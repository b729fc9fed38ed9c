"""The composition root: settings → extensions → doors."""

from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from fieldapp import settings as settings_module
from fieldapp.paths import TRANSLATIONS
from fieldapp.services.failures import set_up_logs
from fieldapp.services.operations.backup import data_lock
from fieldapp.services.operations.server_key import usable_key
from fieldapp.services.phones.limits import MB, Limits
from fieldapp.settings import KeyMissing, Settings
from fieldapp.store.database import engine_for, prepare
from fieldapp.store.session import OperationalError, Session
from fieldapp.web import (
    answers,
    assets,
    formats,
    language,
    problem_words,
    problems,
    release_words,
    security_headers,
    sessions,
)
from fieldapp.web.collect.views import collect
from fieldapp.web.evaluator.views import evaluator
from fieldapp.web.odata.views import odata
from fieldapp.web.office import office
from fieldapp.web.phone.sync import sync
from fieldapp.web.phone.views import worker
from fieldapp.web.public.dashboards import dashboards
from fieldapp.web.public.views import public

MAX_REQUEST = 8_000_000  # bytes


def create_app(settings: Settings | None = None) -> Flask:
    """Return the web application. Nothing is written to the database: `fieldapp db upgrade` does that.

    Raise KeyProblem when the secret key does not open what is in the database.
    """
    settings = settings or settings_module.read()
    set_up_logs()
    app = Flask(__name__, static_folder=None, template_folder="web/templates")
    app.extensions["data_lock"] = data_lock.share(settings)
    app.config.update(
        SECRET_KEY=_key(settings),
        SETTINGS=settings,
        LIMITS=Limits(
            shut_out_records=int(settings.shut_out_records),
            shut_out_bytes=int(settings.shut_out_mb) * MB,
            shut_out_files=int(settings.shut_out_attachments_mb) * MB,
            refused_a_day=int(settings.refused_mb_a_day) * MB,
            kept_a_day=int(settings.kept_mb_a_day) * MB,
        ),
        SQLALCHEMY_DATABASE_URI=settings.url,
        SQLALCHEMY_ENGINE_OPTIONS={} if settings.url.startswith("sqlite") else {"pool_pre_ping": True, "pool_size": 10},
        TRUSTED_HOSTS=[host.strip() for host in settings.trusted_hosts.split(",") if host.strip()] or None,
        MAX_CONTENT_LENGTH=MAX_REQUEST,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies == "yes",
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
        BABEL_DEFAULT_LOCALE="en",
    )
    if proxies := int(settings.trusted_proxies):
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    sessions.db.init_app(app)
    with app.app_context():
        prepare(sessions.db.engine)
    Babel(app, locale_selector=language.select, timezone_selector=language.time_zone)
    sessions.init(app)
    csrf = CSRFProtect(app)
    csrf.exempt(sync)  # phones send a bearer token, never a cookie
    csrf.exempt(collect)  # a token in the address, never a cookie
    for door in (public, dashboards, office, evaluator, worker, sync, collect, odata):
        app.register_blueprint(door)
    for part in (answers, assets, formats, language, problem_words, problems, release_words, security_headers):
        part.init(app)
    return app


def _key(settings: Settings) -> str:
    """Return the secret key once it was held against the database; one that is down just now is asked by /healthz later."""
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session:
            return usable_key(session, settings)
    except OperationalError:
        try:
            return settings.key()
        except KeyMissing as missing:
            raise KeyMissing(f"{missing} Whether it was lost cannot be told: the database cannot be reached.") from None
    finally:
        engine.dispose()
