"""Opening SSH connections."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import warnings

import asyncssh

from ...errors import UsageError
from ...model import Host
from ..dial import dial
from ..known_hosts import Judge, KnownHosts
from ..settings import HostKey, Settings
from .config import Config
from .identities import Identities
from .jumps import Jumps, Pass
from .login import KINDS, Login, Peek, algorithms, signatures
from .outside import words
from .route import Route, preferred, route
from .session import SSHConnection
from .trouble import FOREIGN, failed_login, no_way_on, slow_login

# Old servers still want it, and nobody who runs bramble can do anything about it.
warnings.filterwarnings("ignore", message="Diffie-Hellman over finite fields")

# The types of keys that a host shows one by one.
_SHOWN = [["ssh-ed25519"], [kind for kind in KINDS if kind.startswith("ecdsa")], ["ssh-rsa"], ["ssh-ed448"]]


class Client:
    """Opens the SSH connections of one run, with what they share: files read once, jump hosts."""

    def __init__(self, settings: Settings) -> None:
        # At its info level asyncssh writes whole commands into the log.
        asyncssh.set_log_level("WARNING")
        self._settings = settings
        self._config = Config(settings.config)
        self._books: dict[str, KnownHosts] = {}
        self._accepted = KnownHosts()
        self._remembered: set[str] = set()
        self._identities = Identities(settings)
        self._jumps = Jumps(self._through)

    async def connect(self, host: Host) -> SSHConnection:
        """As `bramble.connection.connect`."""
        login = await self._reach(route(host, self._settings, self._config), ())
        return SSHConnection(host, login)

    async def host_keys(self, host: Host) -> list[HostKey]:
        """As `bramble.connection.fetch_host_keys`."""
        way = route(host, self._settings, self._config)
        looks = await asyncio.gather(*(self._peek(way, kinds) for kinds in _SHOWN), return_exceptions=True)
        shown = [look for look in looks if isinstance(look, HostKey)]
        failures = [look for look in looks if isinstance(look, BaseException)]
        if failures and not shown:
            raise failures[0]
        return shown

    def terminal(self, host: Host) -> list[str]:
        """As `bramble.connection.terminal`."""
        return self._words(route(host, self._settings, self._config))

    def _words(self, way: Route) -> list[str]:
        through: list[str] = []
        if way.jumps:
            hop = route(way.jumps[-1], self._settings, self._config)
            through = self._words(dataclasses.replace(hop, jumps=way.jumps[:-1]))
        return words(way, self._judge(way, ""), self._settings, through)

    async def _through(self, hops: tuple[Host, ...], trail: tuple[str, ...]) -> asyncssh.SSHClientConnection:
        """The connection to the last of these hosts, through those before it."""
        way = route(hops[-1], self._settings, self._config)
        if len(hops) > 1:
            way = dataclasses.replace(way, jumps=hops[:-1])
        return (await self._reach(way, trail)).connection

    async def _reach(self, way: Route, trail: tuple[str, ...]) -> Login:
        """Log in to a host, through the hosts on the way; ``trail`` names those that this one is on the way to."""
        offer = self._identities.offer(way)
        passage = None
        try:
            await offer.check()
            passage = await self._enter(way, trail)
            line, peer = await self._dial(way, passage)
            login = Login(way, self._judge(way, peer), offer, self._settings, passage.leave if passage else None)
            try:
                await self._shake(login, line, passage, algorithms(login.judge))
            except FOREIGN as error:
                raise failed_login(error, login) from None
            finally:
                self._remember(login)
            return login
        except BaseException:
            if passage is not None:
                passage.leave()
            raise
        finally:
            offer.close()

    async def _peek(self, way: Route, kinds: list[str]) -> HostKey:
        """Look at the host's key of these types."""
        passage = await self._enter(way, ())
        try:
            line, peer = await self._dial(way, passage)
            peek = Peek(way, self._judge(way, peer), self._identities.offer(way), self._settings)
            try:
                await self._shake(peek, line, passage, signatures(kinds))
            except FOREIGN as error:
                if peek.shown is None:
                    raise failed_login(error, peek) from None
            assert peek.shown is not None  # a peek refuses every key, so that it always ends in an error
            return peek.shown
        finally:
            if passage is not None:
                passage.leave()

    async def _enter(self, way: Route, trail: tuple[str, ...]) -> Pass | None:
        if not way.jumps:
            return None
        trail = (*trail, way.host.name)
        gate = way.jumps[-1].name
        if gate in trail:
            raise UsageError(
                f"the way to {trail[0]} goes in a circle: {' → '.join((*trail, gate))}",
                hint=f"in ~/.ssh/config, give {gate} a block of its own, above the others, with: ProxyJump none",
            )
        return await self._jumps.enter(way.jumps, way.host.name, trail)

    async def _dial(self, way: Route, passage: Pass | None) -> tuple[socket.socket | None, str]:
        """The line to the host with the address at its other end, where it is for us to make it."""
        if passage is not None or way.proxied:
            return None, ""
        line = await dial(
            way.host,
            way.address,
            way.port,
            family=way.family,
            source=way.source,
            timeout=self._settings.connect_timeout,
        )
        return line, str(line.getpeername()[0])

    def _judge(self, way: Route, peer: str) -> Judge:
        books = []
        for path in way.known_hosts:
            if path not in self._books:
                self._books[path] = KnownHosts.read(path)
            books.append(self._books[path])
        return Judge(way.names(peer), [*books, self._accepted], way.bare_names(peer))

    async def _shake(
        self, login: Login, line: socket.socket | None, passage: Pass | None, kinds: list[str]
    ) -> asyncssh.SSHClientConnection:
        way, settings = login.route, self._settings
        try:
            async with asyncio.timeout(settings.connect_timeout) as login.limit:
                return await asyncssh.connect(
                    way.address,
                    way.port,
                    sock=line,
                    tunnel=passage.to(way.address, way.port) if passage else None,
                    proxy_command=() if way.proxied else None,
                    options=way.options,
                    config=None,  # it has been read
                    client_factory=lambda: login,
                    host_key_alias=way.principal,
                    known_hosts=([], [], []),  # so that every key is shown to `login`
                    server_host_key_algs=kinds if way.setting("HostKeyAlgorithms") is None else (),
                    keepalive_interval=settings.keepalive,
                    keepalive_count_max=settings.keepalive_count,
                    connect_timeout=None,
                    login_timeout=0,
                    **preferred(way.options),
                )
        except asyncssh.ChannelOpenError as error:
            raise no_way_on(error, way) from None
        except TimeoutError:
            raise slow_login(login, settings) from None
        finally:
            if line is not None and not login.connected:
                line.close()

    def _remember(self, login: Login) -> None:
        key = login.new_key
        if key is None or not login.proven or key.line in self._remembered:
            return
        self._remembered.add(key.line)
        self._accepted.add(key.line, "accepted in this run")
        if self._settings.on_new_key is not None:
            self._settings.on_new_key(login.route.host, key)
