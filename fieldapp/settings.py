"""Settings: read once from FIELDAPP_* variables; `fieldapp doctor` lists them."""

import contextlib
import dataclasses
import datetime as dt
import difflib
import fcntl
import functools
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from fieldapp.key_ring import MIN_KEY, ServerSecret, format_secret, make_secret, parse_secret

DATABASES = ("sqlite:", "postgresql:", "postgresql+psycopg:")
MIN_TOKEN = 20  # characters
# Claims that name somebody today and may name somebody else tomorrow.
CHANGING_CLAIMS = ("email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number")
COUNTS = ("shut_out_records", "shut_out_mb", "shut_out_attachments_mb", "refused_mb_a_day", "kept_mb_a_day")


class SettingsProblem(ValueError):
    """A setting that is unknown or cannot be used; the text says which and what to do."""


class KeyProblem(SettingsProblem):
    """The secret key cannot be used; the text says why, and what to do."""


class KeyMissing(KeyProblem):
    """There is no secret key yet, or it was lost: what is in the database tells which."""


LOOPBACK = ("127.0.0.1", "::1", "localhost")
FORGOTTEN = "forgotten.jsonl"  # the list of what people took back
HEALTH_NOTE = "last-check.json"  # what doctor found on this machine; in no backup
OWN_KEY = "secret_key"  # the key's file, where no other is named
CREDENTIAL = "fieldapp-key"  # the key, as the service manager hands it over
COMMAND_TIME = 30  # seconds
KEEP_IT = "Put back the key that this centre has used, from where you keep it apart from the backups. Do not make a new one."


def _setting(default: str, text: str) -> str:
    setting: str = field(default=default, metadata={"text": text})
    return setting


@dataclass(frozen=True)
class Settings:
    data: str = _setting("var", "Folder for the database, packages and all else that is not named below.")
    database_url: str = _setting("", "Database; empty means SQLite in the data folder. postgresql://… for PostgreSQL.")
    key_file: str = _setting("", "File with the server's secret key, outside the data folder; made on first use.")
    key_command: str = _setting("", "Command that prints the secret key, such as one of a key service; or empty.")
    secret_key: str = _setting("", "The secret key itself; empty means a file, the one above or one in the data folder.")
    host: str = _setting("127.0.0.1", "Address to serve on.")
    port: str = _setting("8000", "Port to serve on.")
    trusted_hosts: str = _setting(
        "", "Names that browsers may use to reach the app, with commas; empty means any, on this machine only."
    )
    trusted_proxies: str = _setting("0", "How many proxies in front pass on the visitor's address (X-Forwarded-For).")
    smtp_url: str = _setting(
        "", "Mail server for notices: smtp://user:password@host:587 or smtps://…; or a file, see above."
    )
    mail_from: str = _setting("", "Address that notices come from.")
    alerts_to: str = _setting(
        "", "Address that is told when a release fails for hours or a delivery for days, or when somebody must fix it."
    )
    delivery_secrets: str = _setting("", "Folder with the secrets of delivery targets; empty means one in the data folder.")
    forgotten: str = _setting("", "Folder with the list of what people took back; empty means the data folder.")
    forgotten_copy: str = _setting("", "A second folder for that list, off this machine; empty means none, so never safe.")
    copies: str = _setting(
        "",
        "Place off this machine for backups that count as safe: a folder, sftp://user@host/folder or "
        "s3://host/bucket/folder; empty means none, so nothing is safe beyond one disk.",
    )
    backup_at: str = _setting("02:30", "When the nightly backup is made there, by the clock of the centre.")
    custodians: str = _setting(
        "", "File with the public age keys of two or more custodians, who can open backups; empty means not encrypted."
    )
    drill_key: str = _setting(
        "", "File with the age key for restoring encrypted backups as a test, outside the data folder; made on first use."
    )
    secure_cookies: str = _setting(
        "", "yes or no: whether the app is reached over https only; empty means yes unless it serves this machine alone."
    )
    metrics_token: str = _setting(
        "", "What monitoring sends to read /metrics (Authorization: Bearer …); empty means nobody may."
    )
    sign_on_issuer: str = _setting(
        "", "Address of an organization's sign-on provider (OpenID Connect issuer), https://…; empty means none."
    )
    sign_on_client: str = _setting("", "Name by which that provider knows fieldapp (client id).")
    sign_on_secret: str = _setting("", "The secret that goes with this name; better as a file.")
    sign_on_name: str = _setting("", "What people call the provider; it stands on the button.")
    sign_on_claim: str = _setting("sub", "What of the provider's answer says who somebody is; never an e-mail address.")
    sign_on_second_step: str = _setting(
        "mfa", "What the provider's answer says (amr or acr) when it asked for a second step; several with commas."
    )
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
        """Return the list of what people took back."""
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
        """Return the place for backups off this machine where it is a folder; else None."""
        if self.copies and "://" not in self.copies:
            return Path(self.copies).resolve()
        return None

    @property
    def copies_target(self) -> dict[str, str]:
        """Return the parts of the address of the place for backups.

        Raises SettingsProblem when it is none.
        """
        return parse_place(self.copies)

    @property
    def backup_time(self) -> dt.time:
        """Return when the nightly backup is made."""
        return dt.time.fromisoformat(self.backup_at)

    @property
    def drill_key_file(self) -> Path | None:
        """Return the file with the age key for tests of backups; None when there is none."""
        if self.drill_key:
            return Path(self.drill_key).resolve()
        return None

    @property
    def custodians_file(self) -> Path | None:
        """Return the file with the custodians' public keys; None when backups are not encrypted."""
        if self.custodians:
            return Path(self.custodians).resolve()
        return None

    @property
    def sign_on_methods(self) -> frozenset[str]:
        """Return what the provider's answer says when it asked for a second step."""
        return frozenset(filter(None, (method.strip() for method in self.sign_on_second_step.split(","))))

    @property
    def is_for_this_machine(self) -> bool:
        """Say whether nobody else can reach the app, as far as the settings tell."""
        return self.host in LOOPBACK and self.trusted_proxies == "0"

    @property
    def is_https_only(self) -> bool:
        """Say whether cookies go over https only, and browsers are told to use nothing else."""
        if self.secure_cookies:
            return self.secure_cookies == "yes"
        return not self.is_for_this_machine

    def environment(self) -> dict[str, str]:
        """Return the variables that give another process the same settings."""
        return {f"FIELDAPP_{setting.name.upper()}": getattr(self, setting.name) for setting in dataclasses.fields(self)}

    @property
    def key_path(self) -> Path:
        """Return the file of the secret key; it counts only where `has_key_file`."""
        return Path(self.key_file).resolve() if self.key_file else self.own_key_path

    @property
    def own_key_path(self) -> Path:
        """Return where the key is in the data folder, as every installation had it."""
        return self.folder / OWN_KEY

    @property
    def has_key_file(self) -> bool:
        return bool(self.key_file) or not (self.key_command or self.secret_key)

    @property
    def key_place(self) -> str:
        """Return where the secret key is: the name of the setting, or the path of its file."""
        if self.has_key_file:
            return str(self.key_path)
        return "FIELDAPP_KEY_COMMAND" if self.key_command else "FIELDAPP_SECRET_KEY"

    def key(self) -> ServerSecret:
        """Return the secret key; raise KeyProblem when it is missing, empty, cut or too short."""
        if self.has_key_file:
            return _parse_key(self._read_key_file(), self.key_place)
        text = _run_key_command(self.key_command) if self.key_command else self.secret_key
        return _parse_key(text, self.key_place)

    def _read_key_file(self) -> str:
        try:
            return self.key_path.read_text().strip()
        except FileNotFoundError:
            text = f"There is no secret key at {self.key_path}."
            earlier = self.find_earlier_key()
            if earlier:
                # A new one beside it would be another key than phones and the database know.
                raise KeyProblem(f"{text} The one of this server is in {earlier}. Run: fieldapp keys move") from None
            raise KeyMissing(text) from None
        except UnicodeDecodeError:
            raise KeyProblem(f"{self.key_path} does not hold a secret key. {KEEP_IT}") from None

    def find_earlier_key(self) -> str:
        """Return where else a key of this server is, beside the file that counts; "" for nowhere."""
        if self.key_file and self.secret_key:
            return "FIELDAPP_SECRET_KEY"
        if self.own_key_path != self.key_path and self.own_key_path.exists():
            return str(self.own_key_path)
        return ""

    def without_key_file(self) -> "Settings":
        """Return the settings as they were before the key got a file of its own."""
        return dataclasses.replace(self, key_file="", key_command="")

    def make_key(self) -> ServerSecret:
        """Create the secret key, in full or not at all, and return it.

        When another process was first, its key is returned.
        """
        self._require_key_file()
        self._save_key(make_secret(dt.datetime.now(dt.UTC)), is_first=True)
        return self.key()

    def replace_key(self, secret: ServerSecret, is_first: bool = False) -> None:
        """Write the secret key's file, in full or not at all; with `is_first` never over another.

        Raises KeyProblem where the key is in no file, or its folder cannot be written.
        """
        self._require_key_file()
        try:
            self._save_key(secret, is_first)
        except OSError as error:
            text = f"The secret key's file cannot be written: {self.key_path}: {error.strerror}. Nothing was changed."
            raise KeyProblem(text) from None

    def _require_key_file(self) -> None:
        if not self.has_key_file:
            text = f"The secret key comes from {self.key_place}, so it cannot be changed here."
            raise KeyProblem(f"{text} Set FIELDAPP_KEY_FILE to a file, and run: fieldapp keys move")
        if self.key_file and not self.key_path.parent.is_dir():
            text = f"There is no folder {self.key_path.parent} for the secret key."
            raise KeyProblem(f"{text} Make it for the user of the server, with mode 700.")

    def _save_key(self, secret: ServerSecret, is_first: bool) -> None:
        folder = self.key_path.parent
        if not self.key_file:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written under another name first: a key that is cut short would lock the centre out of its
        # own data.
        descriptor, name = tempfile.mkstemp(prefix=".secret_key-", dir=folder)  # readable by its owner only
        try:
            with os.fdopen(descriptor, "w") as file:
                self._keep_owner(descriptor)
                file.write(format_secret(secret))
                file.flush()
                os.fsync(file.fileno())
            if is_first:
                with contextlib.suppress(FileExistsError):
                    os.link(name, self.key_path)  # never over a key that is there
            else:
                Path(name).replace(self.key_path)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(folder)

    def _keep_owner(self, descriptor: int) -> None:
        """Let a key's file belong to whom the one before it, or the data, belongs to.

        An administrator of the machine may run the command, and the server must be able to read the file.
        """
        for path in (self.key_path, self.own_key_path, self.folder):
            if path.exists():
                owner = path.stat()
                if os.geteuid() == 0:
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
                return

    @contextlib.contextmanager
    def only_change_of_key(self) -> Iterator[None]:
        """Let no other command change the key's file meanwhile.

        Raises KeyProblem where the key is in no file.
        """
        self._require_key_file()
        descriptor = os.open(self.key_path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@functools.cache  # a key service is asked once in a process
def _run_key_command(command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=COMMAND_TIME, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        # Nothing of what it printed: that may be the key.
        text = "FIELDAPP_KEY_COMMAND did not print the secret key: it failed, or took more than 30 seconds."
        raise KeyProblem(f"{text} Run it by hand, as the user of the server.") from None
    return done.stdout.strip()


def read_key_copy(path: Path) -> ServerSecret:
    """Return the secret key in a copy of a key's file; raise KeyProblem when it is none."""
    try:
        return _parse_key(path.read_text().strip(), str(path))
    except (OSError, UnicodeDecodeError):
        raise KeyProblem(f"{path} cannot be read, or does not hold a secret key.") from None


def _parse_key(text: str, where: str) -> ServerSecret:
    try:
        secret = parse_secret(text)
    except ValueError:
        raise KeyProblem(f"The secret key in {where} was cut or changed. {KEEP_IT}") from None
    for root in secret.roots:
        _require_length(root.secret, where)
    return secret


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
    if settings.has_key_file and not settings.key_file:
        settings = dataclasses.replace(settings, key_file=_find_credential(environment))
    problems += _check_values(settings)
    if problems:
        raise SettingsProblem("\n".join(problems))
    return settings


def _find_credential(environment: Mapping[str, str]) -> str:
    """Return the file with the key that the service manager (systemd) hands over; "" for none."""
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    path = Path(folder, CREDENTIAL)
    return str(path) if folder and path.is_file() else ""


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
    if settings.key_file and settings.key_path.is_relative_to(settings.folder):
        # Who takes the folder, or a copy of it, must not have the key as well.
        problems.append("FIELDAPP_KEY_FILE must be outside the data folder.")
    if settings.key_file and settings.key_command:
        problems.append("Set only one of FIELDAPP_KEY_FILE and FIELDAPP_KEY_COMMAND.")
    problems += _check_copies(settings)
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", settings.backup_at):
        problems.append("FIELDAPP_BACKUP_AT must be a time such as 02:30.")
    if settings.drill_key and Path(settings.drill_key).resolve().is_relative_to(settings.folder):
        problems.append("FIELDAPP_DRILL_KEY must be outside the data folder.")
    if settings.secure_cookies not in ("", "yes", "no"):
        # Anything else would be taken for no, and said nowhere.
        problems.append("FIELDAPP_SECURE_COOKIES must be yes or no.")
    if settings.metrics_token and len(settings.metrics_token) < MIN_TOKEN:
        problems.append("FIELDAPP_METRICS_TOKEN must have at least 20 characters. Make one: openssl rand -hex 20")
    problems += _check_sign_on(settings)
    if not settings.trusted_proxies.isdecimal():
        problems.append("FIELDAPP_TRUSTED_PROXIES must be a number, 0 when nothing stands in front.")
    for name in COUNTS:
        value = getattr(settings, name)
        # Text from outside that becomes a number of bytes.
        if not value.isdecimal() or len(value) > 7:
            problems.append(f"FIELDAPP_{name.upper()} must be a number, at most 9999999.")
    return problems


def _check_sign_on(settings: Settings) -> list[str]:
    problems = []
    if settings.sign_on_claim in CHANGING_CLAIMS:
        # It may be given to somebody else, or somebody may give it to themselves.
        problems.append(f"FIELDAPP_SIGN_ON_CLAIM must not be {settings.sign_on_claim}: that can become another person's.")
    if not settings.sign_on_issuer:
        return problems
    if not is_sign_on_address(settings.sign_on_issuer):
        problems.append("FIELDAPP_SIGN_ON_ISSUER must be the provider's address, beginning with https://.")
    for name in ("sign_on_client", "sign_on_name", "sign_on_claim"):
        if not getattr(settings, name):
            problems.append(f"FIELDAPP_SIGN_ON_ISSUER is set, so FIELDAPP_{name.upper()} must be, too.")
    return problems


def is_sign_on_address(text: str) -> bool:
    """Say whether a provider may be asked at this address: over https, or on this machine."""
    try:
        address = urlsplit(text)
        port = address.port
    except ValueError:
        return False
    is_safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
    has_more = address.username is not None or bool(address.fragment)
    return is_safe and bool(address.hostname) and port != 0 and not has_more


def _check_copies(settings: Settings) -> list[str]:
    if "://" not in settings.copies:
        return []
    try:
        parse_place(settings.copies)
    except SettingsProblem as problem:
        return [str(problem)]
    if not settings.custodians:
        # A mounted disk may be under lock; what goes over a network lies with somebody else.
        return [
            "FIELDAPP_COPIES is on another machine, and backups go there encrypted only. Set FIELDAPP_CUSTODIANS to a file "
            "with the public age keys of two custodians."
        ]
    return []


def parse_place(text: str) -> dict[str, str]:
    """Return the parts of an address such as sftp://user@host/folder.

    Raises SettingsProblem when it is none.
    """
    form = "FIELDAPP_COPIES must be a folder, sftp://user@host/folder or s3://host/bucket/folder"
    try:
        address = urlsplit(text)
        port = address.port
    except ValueError:
        raise SettingsProblem(f"{form}.") from None
    if address.password is not None:
        raise SettingsProblem(
            "FIELDAPP_COPIES must not hold a password: put it into the file backups among the delivery secrets."
        )
    if address.scheme == "sftp" and address.username and address.hostname and address.path.strip("/"):
        where = {"host": address.hostname, "port": str(port or 22), "username": unquote(address.username)}
        return {"kind": "sftp", **where, "folder": unquote(address.path)}
    bucket, _, prefix = address.path.strip("/").partition("/")
    is_local = address.hostname in ("127.0.0.1", "localhost")
    if (address.scheme == "s3" or (address.scheme == "s3+http" and is_local)) and address.hostname and bucket:
        scheme = "https" if address.scheme == "s3" else "http"  # plain http on this machine is for trying it out
        region = dict(parse_qsl(address.query)).get("region", "us-east-1")
        place = {"endpoint": f"{scheme}://{address.netloc}", "bucket": bucket, "prefix": unquote(prefix), "region": region}
        return {"kind": "s3", **place}
    raise SettingsProblem(f"{form}.")
