"""An organization's sign-on provider: asked who somebody is, and its answer checked.

The code flow of OpenID Connect with PKCE, state and nonce, as Authlib has it. Nothing of an answer is kept but who it
names and how they were checked; no token outlives the request that fetched it.

Sources: OpenID Connect Core 1.0, Discovery 1.0 and RP-Initiated Logout 1.0; RFC 9207 (the answer names its issuer).
"""

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from requests import RequestException, Response
from urllib3.exceptions import HTTPError

from fieldapp.services.people.sign_on_trips import LASTS, Identity, Journey
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import Settings, is_sign_on_address

log = logging.getLogger("fieldapp.sign_on")

CONNECT = 3.0  # seconds
READ = 5.0  # seconds without a byte
LONGEST = 10.0  # seconds for a whole answer
MOST = 1_000_000  # bytes of one
AT_ONCE = 2  # requests that wait for the provider: others must not wait with them
CACHED = 3600.0  # seconds
KEYS_AGAIN = 60.0  # seconds: an answer that names an unknown key makes us ask for new ones, but not all the time
REST = 10.0  # seconds after a failure in which the provider is not asked again
SKEW = 120  # seconds that clocks may be apart
LONGEST_NAME = 255  # characters
# Signed by a key that only the provider has: neither unsigned ones nor those with a secret that we share.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]

UNAVAILABLE = N_("{name} does not answer just now. Sign in with your user name and password, or try again later.")
REFUSED = N_(
    "What {name} answered cannot be accepted, so nobody was signed in. Begin once more; if it stays, tell an administrator."
)
LATE = N_("This took too long, or was begun in another browser. Begin once more.")
CANCELLED = N_("{name} did not confirm who you are, or you cancelled there. Nobody was signed in.")


class _Unusable(Exception):
    """The provider's answer cannot be used; the text holds nothing of it."""


class _Session(OAuth2Session):  # type: ignore[misc]
    """Authlib's session, for answers of a bounded size in a bounded time."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if not is_sign_on_address(url):
            raise _Unusable("it names an address without https")
        ends_at = time.monotonic() + LONGEST
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": (CONNECT, READ)}
        response: Response = super().request(method, url, *args, **kwargs)
        response._content = _read_bounded(response, ends_at)
        return response


def _read_bounded(response: Response, ends_at: float) -> bytes:
    """Return an answer's content; raise _Unusable when it is too long or takes too long."""
    content = bytearray()
    try:
        # What is there, piece by piece: an answer of a byte a second must not hold us up for hours.
        while piece := response.raw.read1(8192, decode_content=True):
            content += piece
            if len(content) > MOST or time.monotonic() > ends_at:
                raise _Unusable("its answer is too long, or takes too long")
    except HTTPError:
        raise _Unusable("its answer breaks off") from None
    finally:
        response.close()
    return bytes(content)


class Provider:
    """The provider of the settings.

    Its addresses and the keys of its signatures are asked for at most once an hour.
    """

    def __init__(self, settings: Settings):
        self.issuer = settings.sign_on_issuer
        self.name = settings.sign_on_name
        self._claim = settings.sign_on_claim
        self._client = settings.sign_on_client
        self._secret = settings.sign_on_secret
        self._methods = settings.sign_on_methods
        self._cached: dict[str, tuple[float, dict[str, Any]]] = {}
        self._keys_asked_at = -KEYS_AGAIN
        self._rests_until = 0.0
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def begin(self, back: str, *, is_again: bool = False) -> tuple[str, Journey]:
        """Return the address to go to, and what to keep meanwhile.

        `back` is where the provider sends people afterwards. Raises ActProblem "sign_on.unavailable".
        """
        journey = Journey(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            began_at=time.time(),
            is_again=is_again,
        )
        more: dict[str, Any] = {"nonce": journey.nonce}
        if is_again:
            more |= {"prompt": "login", "max_age": 0}
        address = self._read_metadata()["authorization_endpoint"]
        with self._open(back) as session:
            url, _state = session.create_authorization_url(
                address, state=journey.state, code_verifier=journey.verifier, **more
            )
        return str(url), journey

    def finish(self, answer: Mapping[str, str], journey: Journey, back: str) -> Identity:
        """Return whom the provider named in its answer to a journey.

        Raises ActProblem "sign_on.late", "sign_on.cancelled", "sign_on.refused" or "sign_on.unavailable".
        """
        is_ours = hmac.compare_digest(answer.get("state", "").encode(), journey.state.encode())
        if not is_ours or not 0 <= time.time() - journey.began_at <= LASTS:
            raise ActProblem("sign_on.late", LATE)
        metadata = self._read_metadata()
        names_issuer = metadata.get("authorization_response_iss_parameter_supported") is True or "iss" in answer
        if names_issuer and answer.get("iss") != self.issuer:
            self._refuse("it came from another provider")
        if "error" in answer or not answer.get("code"):
            raise ActProblem("sign_on.cancelled", CANCELLED, {"name": self.name})
        token = self._fetch_token(metadata, answer["code"], journey, back)
        return self._read_identity(token, journey)

    def find_end_address(self, back: str) -> str:
        """Return where people sign out of the provider.

        "" where it offers nothing, or does not answer.
        """
        try:
            address = self._read_metadata().get("end_session_endpoint")
        except ActProblem:
            return ""
        if not isinstance(address, str) or not is_sign_on_address(address):
            return ""
        joint = "&" if urlsplit(address).query else "?"
        # By our name and not by the token that said who it is: that is not kept.
        return f"{address}{joint}{urlencode({'client_id': self._client, 'post_logout_redirect_uri': back})}"

    def try_out(self) -> str:
        """Return why the provider cannot be used just now; "" when it can."""
        try:
            metadata = self._ask_metadata()
            self._import_keys(self._ask(metadata["jwks_uri"]))
        except _Unusable as problem:
            return f"{self.issuer} cannot be used for signing in: {problem}."
        except (RequestException, OSError) as error:
            return f"{self.issuer} does not answer ({type(error).__name__})."
        return ""

    def _open(self, back: str = "", method: str | None = None) -> _Session:
        return _Session(
            self._client,
            self._secret or None,
            token_endpoint_auth_method=method,
            redirect_uri=back,
            scope="openid",
            code_challenge_method="S256",
        )

    def _read_metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        return self._read("metadata", self._ask_metadata)

    def _read(self, name: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what was asked less than an hour ago, or ask for it."""
        asked_at, content = self._cached.get(name, (0.0, {}))
        now = time.monotonic()
        if content and now - asked_at < CACHED:
            return content
        if now < self._rests_until:
            self._give_up()
        try:
            content = self._wait(ask)
        except (_Unusable, RequestException, OSError):
            self._rests_until = time.monotonic() + REST
            self._give_up()
        self._cached[name] = (now, content)
        return content

    def _wait(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask the provider, unless others wait for it already."""
        if not self._places.acquire(timeout=CONNECT):
            raise _Unusable("others wait for it already")
        try:
            return ask()
        finally:
            self._places.release()

    def _ask(self, url: str) -> dict[str, Any]:
        with self._open() as session:
            response = session.request("GET", url, withhold_token=True, headers={"Accept": "application/json"})
        if response.status_code != 200:
            raise _Unusable(f"it answers with status {response.status_code}")
        try:
            content: object = response.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise _Unusable("its answer cannot be read")
        return content

    def _ask_metadata(self) -> dict[str, Any]:
        metadata = self._ask(get_well_known_url(self.issuer, external=True))
        if metadata.get("issuer") != self.issuer:
            raise _Unusable("it gives itself another name than FIELDAPP_SIGN_ON_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(metadata.get(name), str) or not is_sign_on_address(metadata[name]):
                raise _Unusable(f"it names no {name}")
        return metadata

    def _fetch_token(self, metadata: dict[str, Any], code: str, journey: Journey, back: str) -> dict[str, Any]:
        """Return the provider's answer for a code, which counts once."""
        method = "none"
        if self._secret:
            offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        url = metadata["token_endpoint"]

        def ask() -> dict[str, Any]:
            with self._open(back, method) as session:
                token = session.fetch_token(
                    url, code=code, code_verifier=journey.verifier, grant_type="authorization_code", redirect_uri=back
                )
            return dict(token)

        try:
            return self._wait(ask)
        except (_Unusable, RequestException, OSError):
            self._give_up()
        except (AuthlibBaseError, ValueError, TypeError) as error:
            self._refuse(f"no answer for a code: {type(error).__name__}")

    def _read_identity(self, token: dict[str, Any], journey: Journey) -> Identity:
        """Return whom a signed answer names, once all of it was checked."""
        text = token.get("id_token")
        if not isinstance(text, str) or len(text) > MOST:
            self._refuse("it does not say who it is about")
        try:
            signed = self._open_signed(text)
            options = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client}}
            expected = {
                "nonce": journey.nonce,
                "client_id": self._client,
                "access_token": token.get("access_token"),
            }
            claims = CodeIDToken(signed.claims, signed.header, options, expected)
            claims.validate(leeway=SKEW)
        except (_Unusable, JoseError, AuthlibBaseError, ValueError, TypeError, KeyError, OverflowError) as error:
            self._refuse(f"{type(error).__name__} {getattr(error, 'claim', '')}".strip())
        if journey.is_again and not self._is_fresh(claims.get("auth_time"), journey):
            self._refuse("its person was not asked again")
        name = claims.get(self._claim)
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            self._refuse(f"it has no {self._claim}")
        amr = claims.get("amr")
        methods = {method for method in [claims.get("acr"), *(amr or [])] if isinstance(method, str)}
        return Identity.of(self.issuer, self._claim, name, has_second_step=bool(methods & self._methods))

    def _is_fresh(self, proved_at: object, journey: Journey) -> bool:
        """Say whether somebody proved who they are after we asked for it again."""
        return isinstance(proved_at, int | float) and proved_at >= journey.began_at - SKEW

    def _open_signed(self, text: str) -> jwt.Token:
        """Return what a signed text holds; an unknown key lets us fetch the keys again."""
        keys = self._import_keys(self._read_keys())
        try:
            return jwt.decode(text, keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            if time.monotonic() - self._keys_asked_at < KEYS_AGAIN:
                raise
            self._cached.pop("keys", None)
            return jwt.decode(text, self._import_keys(self._read_keys()), algorithms=ALGORITHMS)

    def _read_keys(self) -> dict[str, Any]:
        """Return the keys of the provider's signatures."""
        address = self._read_metadata()["jwks_uri"]

        def ask() -> dict[str, Any]:
            self._keys_asked_at = time.monotonic()
            return self._ask(address)

        return self._read("keys", ask)

    def _import_keys(self, content: dict[str, Any]) -> KeySet:
        try:
            return KeySet.import_key_set({"keys": content["keys"]})
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise _Unusable("its keys cannot be read") from None

    def _give_up(self) -> NoReturn:
        raise ActProblem("sign_on.unavailable", UNAVAILABLE, {"name": self.name}) from None

    def _refuse(self, why: str) -> NoReturn:
        # For the operator. It holds names of claims and of errors, nothing of what the answer says.
        log.warning("an answer of the sign-on provider was refused: %s", why)
        raise ActProblem("sign_on.refused", REFUSED, {"name": self.name}) from None
