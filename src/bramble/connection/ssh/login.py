"""At the door of a host: whether it is the right one, and whether it lets us in."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence

import asyncssh

from ...errors import ChangedHostKey, HostError, UnknownHostKey
from ..known_hosts import Judge, Verdict, fingerprint
from ..settings import HostKey, Settings
from .identities import Offer
from .route import Route

# The type of a key, and the names of its signatures in the negotiation of host keys.
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}

#: Types of host keys in the order we like them: short and quick first. RSA with SHA-1 only as a last resort.
KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "ssh-ed448",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def signatures(kinds: list[str]) -> list[str]:
    """The names that ask for keys of these types."""
    return [name for kind in kinds for name in _SIGNATURES.get(kind, (kind,))]


def algorithms(judge: Judge) -> list[str]:
    """The types of key to ask the host for, the best first.

    Those known for it lead, so that a known key is not taken for a changed one because the host would rather show
    another; all others follow.
    """
    known = [kind for kind in judge.kinds() if kind in KINDS]
    wanted = signatures([*known, *(kind for kind in KINDS if kind not in known)])
    if judge.authorities():
        wanted = [f"{name.removesuffix('@openssh.com')}-cert-v01@openssh.com" for name in wanted] + wanted
        wanted = [name for name in wanted if not name.startswith("ssh-ed448-cert")]
    return wanted


class Login(asyncssh.SSHClient):
    """One login: asyncssh asks, this answers, and remembers what happened for the error message.

    Parameters
    ----------
    route, judge, offer, settings
        Where to, what is known of its key, what to show, and how.
    on_lost
        Called when the connection has ended, for whatever reason.
    """

    def __init__(
        self,
        route: Route,
        judge: Judge,
        offer: Offer,
        settings: Settings,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.route, self.judge, self.offer = route, judge, offer
        self._settings, self._on_lost = settings, on_lost
        #: The connection, from the moment that bytes can flow.
        self.connected: asyncssh.SSHClientConnection | None = None
        #: Why the host is not believed, where that is so.
        self.refusal: HostError | None = None
        #: Whether the host has shown its key, and it was right.
        self.believed = False
        #: The key that ``accept_new`` let in; ``proven`` once the host has shown that it is its own.
        self.new_key: HostKey | None = None
        self.proven = False
        #: Whether a password was asked for, and given.
        self.password_tried = False
        #: Why the connection ended.
        self.ended_by: Exception | None = None
        #: Ways to log in that the host offers.
        self.methods: list[str] = []
        #: What the host says before the login.
        self.banner = ""
        #: Bounds the wait; moved on once the host is believed.
        self.limit: asyncio.Timeout | None = None

    @property
    def connection(self) -> asyncssh.SSHClientConnection:
        """The connection of a login that went well."""
        assert self.connected is not None
        return self.connected

    @property
    def spoke(self) -> bool:
        """Whether the host has said that it speaks SSH."""
        return self.connected is not None and bool(self.connected.get_extra_info("server_version"))

    # The host's side.

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Called by asyncssh when the bytes can flow."""
        self.connected = conn

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncssh when the connection has ended."""
        self.ended_by = exc
        if self._on_lost is not None:
            self._on_lost()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called by asyncssh with every key that a host shows: we gave it no list of trusted ones."""
        shown = self._described(key)
        verdict, known = self.judge.judge(key.public_data)
        if verdict is Verdict.NEW and self._settings.accept_new:
            self.new_key = shown
        elif verdict is not Verdict.KNOWN:
            self.refusal = self._refused(verdict, shown, [(fingerprint(entry.blob), entry.place) for entry in known])
            return False
        self._believe()
        return True

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called by asyncssh with the key that signed a host's certificate."""
        trusted = key.public_data in self.judge.authorities()
        if trusted:
            self._believe()
        return trusted

    def _described(self, key: asyncssh.SSHKey) -> HostKey:
        text = base64.b64encode(key.public_data).decode()
        kind = key.get_algorithm()
        return HostKey(kind, f"{self.route.written} {kind} {text}", fingerprint(key.public_data))

    def _believe(self) -> None:
        self.believed = True
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time() + self._settings.login_timeout)

    def _refused(self, verdict: Verdict, shown: HostKey, known: list[tuple[str, str]]) -> HostError:
        name = self.route.host.name
        if verdict is Verdict.NEW:
            problems = self.judge.problems()
            return UnknownHostKey(
                f"its key is not known: {shown.fingerprint} ({shown.kind})",
                host=name,
                fingerprint=shown.fingerprint,
                why=f"lines that cannot be read: {', '.join(problems)}" if problems else "",
                hint=f"compare it with the host's own, then: bramble hosts trust {name}",
            )
        if verdict is Verdict.REVOKED:
            return ChangedHostKey(
                f"its key has been revoked: {shown.fingerprint} ({shown.kind})",
                host=name,
                fingerprint=shown.fingerprint,
                why=f"by {known[0][1]}",
                hint="somebody may be pretending to be this host; give the host a new key before it is used again",
            )
        before = ", ".join(f"{print_} ({place})" for print_, place in dict(known).items())
        return ChangedHostKey(
            f"its key has changed: it shows {shown.fingerprint} ({shown.kind})",
            host=name,
            fingerprint=shown.fingerprint,
            why=f"accepted before: {before}",
            hint=f"if the card was burned anew: bramble hosts trust --replace {name}; "
            "if not, somebody may be pretending to be this host: do not go on",
        )

    # Our side.

    def auth_completed(self) -> None:
        """Called by asyncssh when we are in."""
        self.proven = True

    def auth_banner_received(self, msg: str, lang: str) -> None:
        """Called by asyncssh with what the host wants people to read before they log in."""
        self.banner = msg.strip()[:500]

    async def public_key_auth_requested(self) -> asyncssh.SSHKeyPair | None:
        """Called by asyncssh for the next key to show."""
        self._asked()
        return await self.offer.next()

    def password_auth_requested(self) -> str | None:
        """Called by asyncssh for a password, once."""
        self._asked()
        return self._password()

    def kbdint_auth_requested(self) -> str | None:
        """Called by asyncssh where the host asks questions: many ask for nothing but the password."""
        self._asked()
        return "" if self._settings.password is not None else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Called by asyncssh with the questions."""
        if not prompts:
            return []
        password = self._password() if len(prompts) == 1 and "password" in prompts[0][0].lower() else None
        return None if password is None else [password]

    def _asked(self) -> None:
        # Nothing is asked before the exchange of keys is done.
        self.proven = True
        # Each method that fails is struck off asyncssh's list, so the first look is the one that counts.
        if self.connected is not None and not self.methods:
            self.methods = list(self.connected.get_server_auth_methods())

    def _password(self) -> str | None:
        secret = self._settings.password
        if secret is None or self.password_tried:
            return None
        self.password_tried = True
        return secret.reveal().decode()


class Peek(Login):
    """A look at the key that a host shows; goes no further."""

    shown: HostKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called by asyncssh with the key."""
        self.shown = self._described(key)
        return False
