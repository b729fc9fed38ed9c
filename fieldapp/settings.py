"""Settings: read once from FIELDAPP_* variables, each documented here and listed by `fieldapp doctor`."""

import dataclasses
import difflib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingsProblem(ValueError):
    """A setting that is unknown or cannot be used; the text says which and what to do."""


def _setting(default: str, text: str) -> str:
    found: str = field(default=default, metadata={"text": text})
    return found


@dataclass(frozen=True)
class Settings:
    data: str = _setting("var", "Folder for the database, packages and the secret key.")
    database_url: str = _setting("", "Database; empty means SQLite in the data folder. postgresql://… for PostgreSQL.")
    secret_key: str = _setting("", "Signs sessions; empty means one made on first use and kept in the data folder.")
    host: str = _setting("127.0.0.1", "Address to serve on.")
    port: str = _setting("8000", "Port to serve on.")
    trusted_hosts: str = _setting("", "Names that browsers may use to reach the app, with commas; empty means any.")
    trusted_proxies: str = _setting("0", "How many proxies in front pass on the visitor's address (X-Forwarded-For).")
    smtp_url: str = _setting(
        "", "Mail server for notices: smtp://user:password@host:587 or smtps://…; or a file, see above."
    )
    mail_from: str = _setting("", "Address that notices come from.")
    alerts_to: str = _setting(
        "", "Address that is told when a release fails for hours or a delivery for days, or when somebody must mend it."
    )
    delivery_secrets: str = _setting("", "Folder with the secrets of delivery targets; empty means one in the data folder.")
    secure_cookies: str = _setting("no", "yes when the app is reached over https only.")

    @property
    def folder(self) -> Path:
        return Path(self.data).resolve()

    @property
    def url(self) -> str:
        url = self.database_url or f"sqlite:///{self.folder / 'fieldapp.db'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    @property
    def secrets_folder(self) -> Path:
        return Path(self.delivery_secrets).resolve() if self.delivery_secrets else self.folder / "delivery-secrets"

    def environment(self) -> dict[str, str]:
        """Return the variables that give another process the same settings."""
        return {f"FIELDAPP_{setting.name.upper()}": getattr(self, setting.name) for setting in dataclasses.fields(self)}

    def key(self) -> str:
        """Return the secret key; make one on first use, readable by its owner only."""
        if self.secret_key:
            return self.secret_key
        path = self.folder / "secret_key"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_text().strip()


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raise SettingsProblem naming every variable that is not known."""
    known = {f"FIELDAPP_{setting.name.upper()}": setting.name for setting in dataclasses.fields(Settings)}
    values: dict[str, str] = {}
    problems: list[str] = []
    for name, value in environment.items():
        if not name.startswith("FIELDAPP_"):
            continue
        if name in known:
            values[known[name]] = value
        elif name.removesuffix("_FILE") in known:
            try:
                values[known[name.removesuffix("_FILE")]] = Path(value).read_text().strip()
            except OSError as error:
                problems.append(f"{name}: the file cannot be read ({error.strerror}).")
        else:
            near = difflib.get_close_matches(name, known, 1)
            problems.append(f"{name} is not a setting." + (f" Did you mean {near[0]}?" if near else ""))
    settings = Settings(**values)
    if not settings.port.isdecimal() or not 0 < int(settings.port) < 65536:
        problems.append("FIELDAPP_PORT must be a number from 1 to 65535.")
    if settings.database_url and not settings.database_url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        problems.append("FIELDAPP_DATABASE_URL must begin with postgresql:// or sqlite:///, or be empty.")
    if not settings.trusted_proxies.isdecimal():
        problems.append("FIELDAPP_TRUSTED_PROXIES must be a number, 0 when nothing stands in front.")
    if problems:
        raise SettingsProblem("\n".join(problems))
    return settings
