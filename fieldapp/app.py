"""The composition root: settings, extensions, then the pages of each audience."""

from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from fieldapp import settings as settings_module
from fieldapp.key_ring import SESSIONS_LAST, ServerSecret
from fieldapp.paths import TRANSLATIONS
from fieldapp.services.consent import forgotten
from fieldapp.services.consent.lowered_list import lower_listed
from fieldapp.services.consent.withdrawals import end_listed
from fieldapp.services.failures import set_up_logs
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import data_lock, leftovers
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.phones.limits import MB, Limits
from fieldapp.settings import KeyMissing, Settings
from fieldapp.store import migrations
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
    server_keys,
    sessions,
    sign_on,
)
from fieldapp.web.collect.views import collect
from fieldapp.web.evaluator.views import evaluator
from fieldapp.web.odata.views import odata
from fieldapp.web.office import office
from fieldapp.web.phone.sync import sync
from fieldapp.web.phone.views import worker
from fieldapp.web.public.dashboards import dashboards
from fieldapp.web.public.forgotten import forgotten as forgotten_password
from fieldapp.web.public.second_step import second_step
from fieldapp.web.public.sign_on import sign_on as sign_on_pages
from fieldapp.web.public.slips import slips
from fieldapp.web.public.views import public

MAX_REQUEST = 8_000_000  # bytes


def create_app(settings: Settings | None = None) -> Flask:
    """Return the web application; it changes no tables: `fieldapp db upgrade` does that.

    Raises KeyProblem when the secret key does not open what is in the database.
    """
    settings = settings or settings_module.read()
    set_up_logs()
    app = Flask(__name__, static_folder=None, template_folder="web/templates")
    app.extensions["data_lock"] = data_lock.share(settings)
    leftovers.delete_leftovers(settings)  # while that lock is held, no restore is running
    server_keys.init(app, settings, _load_key(settings))
    app.config.update(
        SETTINGS=settings,
        LIMITS=_make_limits(settings),
        SQLALCHEMY_DATABASE_URI=settings.url,
        SQLALCHEMY_ENGINE_OPTIONS=_make_engine_options(settings),
        TRUSTED_HOSTS=_list_trusted_hosts(settings),
        MAX_CONTENT_LENGTH=MAX_REQUEST,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        # With this prefix a browser takes it from this very host over https only, whatever other hosts set.
        SESSION_COOKIE_NAME="__Host-session" if settings.is_https_only else "session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https_only,
        PERMANENT_SESSION_LIFETIME=SESSIONS_LAST,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
        BABEL_DEFAULT_LOCALE="en",
    )
    proxies = int(settings.trusted_proxies)
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    sessions.db.init_app(app)
    with app.app_context():
        prepare(sessions.db.engine)
        attach_keys(sessions.db.engine, settings)
        forgotten.attach(sessions.db.engine, settings)
    Babel(app, locale_selector=language.select, timezone_selector=language.time_zone)
    sessions.init(app)
    sign_on.init(app, settings)
    csrf = CSRFProtect(app)
    csrf.exempt(sync)  # phones send a bearer token, never a cookie
    csrf.exempt(collect)  # a token in the address, never a cookie
    csrf.exempt(slips)  # no cookie either: a form elsewhere could do nothing that its maker cannot
    for pages in (
        public,
        second_step,
        forgotten_password,
        sign_on_pages,
        dashboards,
        slips,
        office,
        evaluator,
        worker,
        sync,
        collect,
        odata,
    ):
        app.register_blueprint(pages)
    for part in (answers, assets, formats, language, problem_words, problems, release_words, security_headers):
        part.init(app)
    return app


def _end_cards(session: Session, settings: Settings) -> None:
    """End the cards, and lower the consent, that only the list outside the database knows of.

    Before anybody can see them.
    """
    forgotten.attach(session.get_bind().engine, settings)
    if migrations.is_current(session.get_bind().engine):
        end_listed(session)
        lower_listed(session)


def _make_limits(settings: Settings) -> Limits:
    return Limits(
        shut_out_records=int(settings.shut_out_records),
        shut_out_bytes=int(settings.shut_out_mb) * MB,
        shut_out_files=int(settings.shut_out_attachments_mb) * MB,
        refused_a_day=int(settings.refused_mb_a_day) * MB,
        kept_a_day=int(settings.kept_mb_a_day) * MB,
    )


def _make_engine_options(settings: Settings) -> dict[str, Any]:
    if settings.url.startswith("sqlite"):
        return {}
    return {"pool_pre_ping": True, "pool_size": 10}


def _list_trusted_hosts(settings: Settings) -> list[str] | None:
    """Return the host names that requests may use; None allows any."""
    hosts = [host.strip() for host in settings.trusted_hosts.split(",")]
    return [host for host in hosts if host] or None


def _load_key(settings: Settings) -> ServerSecret:
    """Return the secret key, after comparing it with the database.

    When the database cannot be reached just now, /healthz compares it later.
    """
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    try:
        with Session(engine) as session:
            key = load_usable_key(session, settings)
            _end_cards(session, settings)
            return key
    except OperationalError:
        try:
            return settings.key()
        except KeyMissing as missing:
            text = f"{missing} Whether it was lost cannot be told: the database cannot be reached."
            raise KeyMissing(text) from None
    finally:
        engine.dispose()
