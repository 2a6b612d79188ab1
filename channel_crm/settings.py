"""All settings. Values come from the environment; without it the defaults are safe.

`DEBUG` is off unless asked for. In production `SECRET_KEY`, `ALLOWED_HOSTS`, `DATABASE_URL` and
`REDIS_URL` are required; on a developer's machine `channel_crm.local` fills the last two in and the
secret key is generated once into `var/`.
"""

import ipaddress
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = environ.Env()

# --- What kind of place is this? -----------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# A local installation is one that was started by `make run` or a bare `manage.py`: plain HTTP on
# this machine. Everything else is production and must be told its secrets.
LOCAL = env.bool("LOCAL", default=False)


def _local_secret_key() -> str:
    path = VAR_DIR / "secret_key"
    VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    try:
        with path.open("x") as file:
            file.write(secrets.token_urlsafe(50))
        path.chmod(0o600)
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = env("SECRET_KEY", default="")
if not SECRET_KEY:
    if not (LOCAL or DEBUG):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it, or set LOCAL=1 to use this machine's own key."
        )
    SECRET_KEY = _local_secret_key()

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Applications, in the order of the layers -----------------------------------------------------
INSTALLED_APPS = [
    "core",
    "accounts",
    "catalog",
    "partners",
    "sales",
    "performance",
    "insights",
    "channel_crm",  # no models: its command `demo` may import everything
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_fsm",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "pgtrigger",
    "rest_framework",
]
MIDDLEWARE = [
    "core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "accounts.middleware.ApiCallMiddleware",
    "core.api.middleware.ApiProblemMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "channel_crm.urls"
WSGI_APPLICATION = "channel_crm.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context_processors.frame",
            ],
        },
    }
]

# Widgets of our own are found among the templates.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data -----------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///channel_crm")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
}
# The triggers of django-pgtrigger ask for each row whether they are to be ignored. Where this was
# never set the question is an error that they catch, and each such error walks all foreign keys
# that the transaction has still to check: 60,000 targets took a minute, now four seconds.
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = f"{_options.get('options', '')} -c pgtrigger.ignore={{}}".strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")


def next_database(url: str) -> str:
    """The same Redis server, the database after the one that `url` names: …/0 → …/1."""
    parts = urlsplit(url)
    index = parts.path.strip("/") or "0"
    if parts.scheme not in ("redis", "rediss") or not index.isdigit():
        raise ImproperlyConfigured(
            "REDIS_URL names no numbered database (redis://host:6379/0). Set CACHE_URL, too."
        )
    return parts._replace(path=f"/{int(index) + 1}").geturl()


# The queue must survive what clears the cache, so they never share a database.
CACHE_URL = env("CACHE_URL", default="") or next_database(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "channel_crm",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_BEAT_SCHEDULE = {
    "performance-tick": {"task": "performance.tasks.tick", "schedule": 60},
    "resume-jobs": {"task": "core.tasks.resume_jobs", "schedule": 60},
    "reporting-tick": {"task": "sales.tasks.report_tick", "schedule": 3600},
    "forget-answers": {"task": "core.tasks.forget_answers", "schedule": 3600},
    "send-webhooks": {
        "task": "core.webhooks.tasks.send_webhooks",
        "schedule": 5,
        "options": {"expires": 5},  # busy workers need not catch up with what the next one does
    },
    "forget-deliveries": {"task": "core.webhooks.tasks.forget_deliveries", "schedule": 3600},
    "forget-calls": {"task": "accounts.tasks.forget_calls", "schedule": 3600},
}

# --- Users ----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Channel CRM"
# Addresses are entered by an administrator; nobody signs up with one of their own.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", default="Asia/Shanghai")
USE_THOUSAND_SEPARATOR = False

# --- The house's own ------------------------------------------------------------------------------
SCOPE_ROOT = "partners.Partner"
CURRENCY = env("CURRENCY", default="CNY")
FISCAL_YEAR_START = env.int("FISCAL_YEAR_START", default=1)
# An evaluation of more partners than this is cut into parts of so many, and asks so many other
# workers at most to help.
EVALUATION_SHARD = env.int("EVALUATION_SHARD", default=5_000)
EVALUATION_HELPERS = env.int("EVALUATION_HELPERS", default=15)
# Rows in one request of the API that is loaded as a job.
BULK_MAX_ROWS = env.int("BULK_MAX_ROWS", default=1_000_000)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=500 * 1024 * 1024)
# Networks inside that webhooks may go to nevertheless ("10.20.0.0/16,127.0.0.0/8").
WEBHOOKS_ALLOW_PRIVATE = [
    ipaddress.ip_network(text) for text in env.list("WEBHOOKS_ALLOW_PRIVATE", default=[])
]
WEBHOOKS_ALLOW_HTTP = env.bool("WEBHOOKS_ALLOW_HTTP", default=False)

# --- Files ----------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
ICONS_DIR = BASE_DIR / "vendor" / "icons"  # drawn into the pages; not served
MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- Safety ---------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=not (LOCAL or DEBUG))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies stand before us, each adding the address of its caller to X-Forwarded-For.
TRUSTED_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "core.views.pages.csrf_failure"
SESSION_COOKIE_AGE = 14 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        # ECharts and Tabler set style attributes from script; no foreign style sheet is loaded.
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- API ------------------------------------------------------------------------------------------
# Requests a user or a client without a limit of its own may make in a window ("1200/min"), and
# how often one address may ask for tokens; empty: as many as they like.
API_RATE = env("API_RATE", default="1200/min")
API_TOKEN_RATE = env("API_TOKEN_RATE", default="60/min")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_auth.ClientAuthentication",
        "core.api.permissions.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.ModelPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api_auth.ClientThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.problems.handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Channel CRM",
    "DESCRIPTION": (
        "Partners, sales, schemes and scores. Each error is a problem document (RFC 9457)."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,  # ?fields= leaves out any of them
    "ENUM_NAME_OVERRIDES": {
        "ProductLineRole": "catalog.models.ProductLine.Role",
        "ContactRole": "partners.models.Contact.Role",
        "PartnerState": "partners.models.Partner.State",
        "SchemeVersionState": "performance.models.SchemeVersion.State",
        "EvaluationState": "performance.models.Evaluation.State",
        "BacktestReportState": "performance.models.BacktestReport.State",
        "JobState": "core.models.Job.State",
        "ImportState": "core.importing.models.Import.State",
        "SalesKind": "sales.models.SalesKind",
        "ControlKind": "sales.models.ControlKind",
        "TargetKind": "sales.models.TargetKind",
        "ReportState": "sales.models.Report.State",
        "ClosedPeriodState": "sales.models.ClosedPeriod.State",
        "AdjustmentCause": "sales.models.Adjustment.Cause",
        "SiteKind": "partners.models.Site.Kind",
        "MeasureUnit": "performance.models.DerivedMeasure.Unit",
        "DeductionState": "performance.models.Deduction.State",
        "TargetPlanState": "sales.models.TargetPlan.State",
        "ConsequenceKind": "performance.models.ConsequenceKind",
        "ConsequenceState": "performance.models.Consequence.State",
        "ImprovementPlanState": "performance.models.ImprovementPlan.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_problems",
    ],
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "SCOPES": {
        "read": "Read what the client's user may see",
        "write": "Change what the client's user may change",
    },
    "SCOPES_BACKEND_CLASS": "accounts.api_auth.ClientScopes",
    # Knows client credentials and no other grant.
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "accounts.api_auth.ClientValidator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # RFC 9700, the best practice for OAuth, in full. (TOKEN_STORAGE: the database keeps hashes.)
    **{
        f"COMPLIANT_BCP_RFC9700_{practice}": True
        for practice in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "PKCE_REQUIRED",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
        )
    },
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

# --- Logs -----------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "core.logging.RequestIdFilter"}},
    "formatters": {
        "json": {"()": "core.logging.JsonFormatter"},
        "plain": {
            "format": "%(levelname)s %(name)s [%(request_id)s] %(message)s",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request"],
            "formatter": "plain" if DEBUG or LOCAL else "json",
        }
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING")},
    "loggers": {"channel_crm": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="channel-crm@localhost")
# What links in letters begin with: https://crm.example.com. Without it letters name the page.
SITE_URL = env("SITE_URL", default="").rstrip("/")
