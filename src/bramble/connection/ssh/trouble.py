"""What can go wrong with SSH, in our words. Every exception of asyncssh ends here."""

from __future__ import annotations

import errno
import re

import asyncssh

from ...errors import AuthenticationFailed, BrambleError, ConnectionLost, HostError, UnknownHostKey, Unreachable
from ..known_hosts import SSH_PORT
from ..settings import Settings
from .login import Login
from .route import Route

#: What asyncssh raises for troubles of the other side, or of the way there. Anything else is a bug.
FOREIGN = (asyncssh.Error, OSError, ValueError, EOFError)


def slow_login(login: Login, settings: Settings) -> HostError:
    """A host that did not get through the login in time."""
    host, port = login.route.host.name, login.route.port
    if login.believed:
        return Unreachable(
            f"the login was not done within {settings.login_timeout:g} s",
            host=host,
            hint="the host may be busy or still booting: try again, or give it more time",
        )
    what = f"shows no key on port {port}" if login.spoke else f"takes the connection on port {port} but says nothing"
    return Unreachable(
        f"{what} within {settings.connect_timeout:g} s",
        host=host,
        hint="it may be busy or still booting; else see that sshd listens there",
    )


def failed_login(error: BaseException, login: Login) -> BrambleError:
    """A login that came to nothing."""
    route, host = login.route, login.route.host.name
    if login.refusal is not None:
        return login.refusal
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return UnknownHostKey(
            "its host key or certificate is not valid",
            host=host,
            fingerprint="",
            why=_reason(error),
            hint=f"look at what it shows now: bramble hosts trust {host}",
        )
    if "nologin" in login.banner:
        return Unreachable(
            "it lets nobody in just now: it is booting or shutting down",
            host=host,
            why=" ".join(login.banner.split()),
            hint="try again in a minute",
        )
    if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in str(error).lower():
        return _not_let_in(error, login)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return Unreachable(
            "we and its sshd have no way to encrypt in common, or the exchange of keys failed",
            host=host,
            why=_short(_reason(error)),
            hint="bring its sshd up to date: sudo apt-get install openssh-server",
        )
    if isinstance(error, (asyncssh.ProtocolError, asyncssh.ProtocolNotSupported)) or not login.spoke:
        return _no_ssh(error, route, spoke=login.spoke)
    return Unreachable(
        "it ended the connection before the login was done",
        host=host,
        why=_reason(error),
        hint="too many logins at once (MaxStartups), or a ban after failed ones (fail2ban)? wait a little, try again",
    )


def _no_ssh(error: BaseException, route: Route, spoke: bool) -> Unreachable:
    if route.proxied:
        return Unreachable(
            "the ProxyCommand in ~/.ssh/config made no connection",
            host=route.host.name,
            why=_reason(error),
            hint=f"try it by hand: ssh {route.host.name}",
        )
    if isinstance(error, (asyncssh.ConnectionLost, ConnectionError)):
        return Unreachable(
            f"port {route.port} takes the connection and ends it at once",
            host=route.host.name,
            why=_reason(error),
            hint="is it sshd that listens there? it may also turn away too many logins at once, or a banned address",
        )
    what = f"what answers on port {route.port} does not speak SSH as it should"
    return Unreachable(what, host=route.host.name, why=_short(_reason(error)), hint=f"is {route.port} sshd's port?")


def _not_let_in(error: BaseException, login: Login) -> AuthenticationFailed:
    host, user, offer = login.route.host.name, login.route.user, login.offer
    parts = [f"keys tried: {', '.join(offer.shown)}" if offer.shown else "there was no key to try"]
    if login.password_tried:
        parts.append("the password was not accepted either")
    elif login.methods and "publickey" not in login.methods:
        parts = [f"it takes no keys, only: {', '.join(login.methods)}"]
    if offer.flaws:
        parts.append(f"passed over: {', '.join(offer.flaws)}")
    if login.banner:
        parts.append(f"it says: {' '.join(login.banner.split())}")
    if "authentication failures" in str(error).lower():
        parts.append("it allows no more tries")
        hint = "name the right key, which is then tried first: --key FILE"
    elif offer.hint:
        hint = offer.hint
    else:
        port = "" if login.route.port == SSH_PORT else f"-p {login.route.port} "
        hint = f"put your key there: ssh-copy-id {port}{user}@{login.route.address}; or log in otherwise: --user, --key"
    return AuthenticationFailed(f"{user} is not let in", host=host, why="; ".join(parts), hint=hint)


def no_channel(error: BaseException, host: str, closed: bool) -> HostError:
    """A process that could not be started over a connection."""
    if closed or not isinstance(error, asyncssh.ChannelOpenError):
        return lost(error, host)
    return HostError(
        "sshd starts no further process over this connection",
        host=host,
        why=_reason(error),
        hint="allow more in its /etc/ssh/sshd_config: MaxSessions 10",
    )


def no_way_on(error: BaseException, route: Route) -> HostError:
    """A jump host that makes no connection to the host behind it."""
    gate = route.jumps[-1].name
    return Unreachable(
        f"{gate} makes no connection to port {route.port} of {route.address}",
        host=route.host.name,
        why=_reason(error),
        hint=f"see whether it can be reached from there: ssh {gate} nc -vz {route.address} {route.port}",
    )


def lost(error: BaseException | None, host: str) -> ConnectionLost:
    """A connection that broke in the middle."""
    why = "" if error is None else _reason(error)
    if "keepalive" in why:
        why = "it does not answer any more"
    return ConnectionLost(
        "the connection broke in the middle",
        host=host,
        why=why,
        hint="when the host is back, run the same command again: it goes on where it stopped",
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, (asyncssh.DisconnectError, asyncssh.ChannelOpenError)):
        text = error.reason
    elif isinstance(error, OSError):
        text = error.strerror or (errno.errorcode.get(error.errno, "") if error.errno else "") or str(error)
    else:
        text = str(error)
    return re.sub(r"\s+", " ", text).strip()


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + " …"
