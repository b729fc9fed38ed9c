"""Settings: read once from FIELDAPP_* variables; `fieldapp doctor` lists them."""

import contextlib
import dataclasses
import difflib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DATABASES = ("sqlite:", "postgresql:", "postgresql+psycopg:")
COUNTS = ("shut_out_records", "shut_out_mb", "shut_out_attachments_mb", "refused_mb_a_day", "kept_mb_a_day")


class SettingsProblem(ValueError):
    """A setting that is unknown or cannot be used; the text says which and what to do."""


class KeyProblem(SettingsProblem):
    """The secret key cannot be used; the text says why, and what to do."""


class KeyMissing(KeyProblem):
    """There is no secret key yet, or it was lost: what is in the database tells which."""


FORGOTTEN = "forgotten.jsonl"  # the list of ended cards
MIN_KEY = 32  # bytes
KEEP_IT = "Put back the key that this centre has used, from where you keep it apart from the backups. Do not make a new one."


def _setting(default: str, text: str) -> str:
    setting: str = field(default=default, metadata={"text": text})
    return setting


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
        "", "Address that is told when a release fails for hours or a delivery for days, or when somebody must fix it."
    )
    delivery_secrets: str = _setting("", "Folder with the secrets of delivery targets; empty means one in the data folder.")
    forgotten: str = _setting("", "Folder with the list of ended cards; empty means the data folder.")
    forgotten_copy: str = _setting("", "A second folder for that list, off this machine; empty means none, so never safe.")
    copies: str = _setting(
        "",
        "Folder off this machine for backups that count as safe; empty means none, so nothing is safe beyond one disk.",
    )
    secure_cookies: str = _setting("no", "yes when the app is reached over https only.")
    shut_out_records: str = _setting(
        "1000", "How many records are kept of a phone that was shut out, besides those that it had said were waiting."
    )
    shut_out_mb: str = _setting("10", "How many MB of records are kept of a phone that was shut out.")
    shut_out_attachments_mb: str = _setting("200", "How many MB of attachments are kept of a phone that was shut out.")
    refused_mb_a_day: str = _setting("50", "How many MB of records that are refused are kept of one phone a day.")
    kept_mb_a_day: str = _setting("1000", "How many MB of records and attachments are kept of one phone a day.")

    @property
    def folder(self) -> Path:
        return Path(self.data).resolve()

    @property
    def url(self) -> str:
        url = self.database_url or f"sqlite:///{self.folder / 'fieldapp.db'}"
        # One driver is installed; operators write the usual name of the scheme.
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    @property
    def secrets_folder(self) -> Path:
        if self.delivery_secrets:
            return Path(self.delivery_secrets).resolve()
        return self.folder / "delivery-secrets"

    @property
    def forgotten_file(self) -> Path:
        """Return the list of ended cards."""
        if self.forgotten:
            return Path(self.forgotten).resolve() / FORGOTTEN
        return self.folder / FORGOTTEN

    @property
    def second_forgotten_file(self) -> Path | None:
        """Return the second list of ended cards; None when there is none."""
        if self.forgotten_copy:
            return Path(self.forgotten_copy).resolve() / FORGOTTEN
        return None

    @property
    def copies_folder(self) -> Path | None:
        """Return the folder off this machine for backups; None when there is none."""
        if self.copies:
            return Path(self.copies).resolve()
        return None

    def environment(self) -> dict[str, str]:
        """Return the variables that give another process the same settings."""
        return {f"FIELDAPP_{setting.name.upper()}": getattr(self, setting.name) for setting in dataclasses.fields(self)}

    @property
    def key_file(self) -> Path:
        return self.folder / "secret_key"

    @property
    def key_place(self) -> str:
        """Return where the secret key is: the name of the setting, or the path of its file."""
        return "FIELDAPP_SECRET_KEY" if self.secret_key else str(self.key_file)

    def key(self) -> str:
        """Return the secret key; raise KeyProblem when it is missing, empty or too short."""
        if self.secret_key:
            return _require_length(self.secret_key, self.key_place)
        try:
            key = self.key_file.read_text().strip()
        except FileNotFoundError:
            raise KeyMissing(f"There is no secret key at {self.key_file}.") from None
        except UnicodeDecodeError:
            raise KeyProblem(f"{self.key_file} does not hold a secret key. {KEEP_IT}") from None
        return _require_length(key, self.key_place)

    def make_key(self) -> str:
        """Create the secret key, in full or not at all, and return it.

        When another process was first, its key is returned.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written under another name first: a key that is cut short would lock the centre out of its
        # own data.
        descriptor, name = tempfile.mkstemp(prefix=".secret_key-", dir=self.folder)  # readable by its owner only
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(MIN_KEY))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(name, self.key_file)  # never over a key that is there
        finally:
            Path(name).unlink()
        sync_folder(self.folder)
        return self.key()


def _require_length(key: str, where: str) -> str:
    size = len(key.encode())
    if size == 0:
        raise KeyProblem(f"The secret key in {where} is empty. {KEEP_IT}")
    if size < MIN_KEY:
        text = f"The secret key in {where} is too short: {size} bytes, it needs at least {MIN_KEY}."
        advice = "Only for a centre that has not begun: make one with `openssl rand -hex 32`."
        raise KeyProblem(f"{text} {KEEP_IT} {advice}")
    return key


def sync_folder(folder: Path) -> None:
    """Make sure that a power cut does not undo what was named or renamed in a folder."""
    # A rename is on the disk only when the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raise SettingsProblem that names everything wrong with them."""
    values, problems = _read_values(environment)
    settings = Settings(**values)
    problems += _check_values(settings)
    if problems:
        raise SettingsProblem("\n".join(problems))
    return settings


def _read_values(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the values that are set, and what is wrong with their names or files."""
    names = {f"FIELDAPP_{setting.name.upper()}": setting.name for setting in dataclasses.fields(Settings)}
    values: dict[str, str] = {}
    problems: list[str] = []
    for variable, value in environment.items():
        if not variable.startswith("FIELDAPP_"):
            # Every wrong variable is named at once: an operator should not have to start the server
            # five times.
            continue
        if variable in names:
            values[names[variable]] = value
        elif variable.removesuffix("_FILE") in names:
            name = names[variable.removesuffix("_FILE")]
            try:
                # Docker and systemd hand secrets over as files, under the same name with _FILE.
                values[name] = Path(value).read_text().strip()
            except OSError as error:
                problems.append(f"{variable}: the file cannot be read ({error.strerror}).")
            except UnicodeDecodeError:
                problems.append(f"{variable}: the file does not hold text.")
            # Empty is worse than missing: it would pass for "make one", and the old key would never
            # be looked for.
            if variable == "FIELDAPP_SECRET_KEY_FILE" and values.get("secret_key") == "":
                problems.append(f"{variable}: the file is empty. {KEEP_IT}")
        else:
            # A typo in a setting that protects something must stop the start, not be ignored.
            problems.append(_describe_unknown(variable, names))
    return values, problems


def _describe_unknown(variable: str, names: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(variable, names, 1)
    advice = f" Did you mean {near[0]}?" if near else ""
    return f"{variable} is not a setting.{advice}"


def _check_values(settings: Settings) -> list[str]:
    problems = []
    if not settings.port.isdecimal() or not 0 < int(settings.port) < 65536:
        problems.append("FIELDAPP_PORT must be a number from 1 to 65535.")
    if settings.database_url and not settings.database_url.startswith(DATABASES):
        problems.append("FIELDAPP_DATABASE_URL must begin with postgresql:// or sqlite:///, or be empty.")
    if not settings.trusted_proxies.isdecimal():
        problems.append("FIELDAPP_TRUSTED_PROXIES must be a number, 0 when nothing stands in front.")
    for name in COUNTS:
        value = getattr(settings, name)
        # Text from outside that becomes a number of bytes.
        if not value.isdecimal() or len(value) > 7:
            problems.append(f"FIELDAPP_{name.upper()} must be a number, at most 9999999.")
    return problems
