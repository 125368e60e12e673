"""What ~/.ssh/config says counts, where the host's own fields say nothing; its mistakes are shown with their line."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from tests.sshserver import SimulatedHost

from bramble.connection import Settings, connect
from bramble.connection.ssh.config import Config
from bramble.errors import Unreachable, UsageError
from bramble.model import Host


async def login(red01: SimulatedHost, folder: Path, config: str = "~/.ssh/config") -> None:
    settings = Settings(known_hosts=(red01.known_hosts(folder),), config=config)
    async with await connect(red01.host, settings) as connection:
        assert (await connection.run(["true"], timeout=10)).status == 0


async def test_ssh_config_says_where_and_as_whom(tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("red01") as red01:
        (home / ".ssh" / "config").write_text(
            f"Host red01\n  HostName 127.0.0.1\n  Port {red01.port}\n  User pi\nHost *\n  User somebody\n"
        )
        async with await connect(
            Host(name="red01"), Settings(known_hosts=(red01.known_hosts(tmp_path),))
        ) as connection:
            assert (await connection.run(["true"], timeout=10)).status == 0


async def test_the_hosts_own_fields_win(tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("red01") as red01:
        (home / ".ssh" / "config").write_text("Host red01\n  HostName red.invalid\n  Port 1\n  User somebody\n")
        await login(red01, tmp_path)


async def test_no_config_is_read_where_none_is_wanted(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host red01\n  Port one\n")
    async with SimulatedHost("red01") as red01:
        await login(red01, tmp_path, config="")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Host red01\n  Port one\n", ":2: Invalid Port integer value: one"),
        ("Host red01\n\n  User 'pi\n", ":3: No closing quotation"),
        ("Host red01\n  Ciphers\n", ":2: Missing Ciphers value"),
        ("Host red01\n  IdentityFile %Q\n", " cannot be used: Invalid token"),
    ],
)
async def test_a_mistake_in_ssh_config_is_shown_with_its_line(text: str, said: str, home: Path) -> None:
    config = home / ".ssh" / "config"
    config.write_text(text)
    with pytest.raises(UsageError) as caught:
        await connect(Host(name="red01"), Settings())
    assert said in str(caught.value)
    assert str(config) in str(caught.value) or "~/.ssh/config" in str(caught.value)


async def test_a_mistake_in_an_included_file_is_shown_there(home: Path) -> None:
    (home / ".ssh" / "more").write_text("\nPort one\n")
    (home / ".ssh" / "config").write_text("Include more\n")
    with pytest.raises(UsageError, match=r"/\.ssh/more:2: Invalid Port"):
        await connect(Host(name="red01"), Settings())


async def test_a_proxy_command_makes_the_connection(tmp_path: Path, home: Path) -> None:
    relay = home / "relay"
    relay.write_text(
        "import socket,sys,threading,os\n"
        "s=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
        "def back():\n"
        "  while d:=s.recv(65536): os.write(1,d)\n"
        "  os._exit(0)\n"
        "threading.Thread(target=back,daemon=True).start()\n"
        "while d:=os.read(0,65536): s.sendall(d)\n"
    )
    async with SimulatedHost("red01") as red01:
        (home / ".ssh" / "config").write_text(
            f"Host red01\n  HostName 127.0.0.1\n  Port {red01.port}\n  User pi\n  ProxyCommand python3 {relay} %h %p\n"
        )
        async with await connect(
            Host(name="red01"), Settings(known_hosts=(red01.known_hosts(tmp_path),))
        ) as connection:
            assert (await connection.run(["echo", "hello"], timeout=10)).stdout == b"hello\n"


@pytest.mark.parametrize("command", ["false", "/no/such/program %h"])
async def test_a_proxy_command_that_fails_is_told(command: str, home: Path) -> None:
    (home / ".ssh" / "config").write_text(f"Host red01\n  ProxyCommand {command}\n")
    with pytest.raises(Unreachable, match=r"the ProxyCommand in ~/\.ssh/config made no connection") as caught:
        await connect(Host(name="red01"), Settings())
    assert caught.value.hint == "try it by hand: ssh red01"
    await asyncio.sleep(0.2)  # asyncio takes note of the end of the command before its loop closes


async def test_a_jump_host_of_our_own_takes_the_place_of_a_proxy_command(tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("gate") as gate, SimulatedHost("red01") as red01:
        (home / ".ssh" / "config").write_text("Host red01\n  ProxyCommand false\n")
        settings = Settings(known_hosts=(gate.known_hosts(tmp_path), red01.known_hosts(tmp_path)), accept_new=True)
        host = replace(red01.host, jump=f"pi@127.0.0.1:{gate.port}")
        async with await connect(host, settings) as connection:
            assert (await connection.run(["true"], timeout=10)).status == 0
        assert gate.logins == 1


# Only the blocks that can matter are read


FORMS = """\
User everybody
Host red01
  User one
Host red02 red03
  User two
HOST=red04
  User four
  host red05
    User five
Host "red06"
  User six
Host red0[7] red*8 !red09
  User pattern
Host red10,red11
  User comma
Match host red12
  User match
Host red01
  Port 2201
Match all
  IdentityFile ~/.ssh/all
"""


@pytest.mark.parametrize("number", range(14))
def test_leaving_blocks_out_changes_nothing(number: int, home: Path) -> None:
    """Beside what asyncssh makes of the whole file."""
    text = FORMS.replace("User everybody\n", "")
    (home / ".ssh" / "config").write_text(text)
    name = f"red{number:02}"
    whole = asyncssh.SSHClientConnectionOptions(config=[home / ".ssh" / "config"], host=name, client_keys=None)
    read = Config("~/.ssh/config").options(Host(name=name))
    assert (read.username, read.port, read.host) == (whole.username, whole.port, whole.host)
    assert read.config.get("IdentityFile") == whole.config.get("IdentityFile") == ["~/.ssh/all"]


def test_what_stands_before_all_blocks_counts_for_all(home: Path) -> None:
    (home / ".ssh" / "config").write_text(FORMS)
    assert {Config("~/.ssh/config").options(Host(name=name)).username for name in ("red01", "x")} == {"everybody"}


def test_a_mistake_in_the_block_of_another_host_is_not_ours(home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host red01\n  Port one\nHost red02\n  Port 2\nHost red03\n  Port three\n")
    config = Config("~/.ssh/config")
    assert config.options(Host(name="red02")).port == 2
    with pytest.raises(UsageError, match=r"/\.ssh/config:6: Invalid Port integer value: three") as caught:
        config.options(Host(name="red03"))
    assert caught.value.hint == f"mend line 6 of {home}/.ssh/config"


def test_a_config_that_cannot_be_read(home: Path) -> None:
    (home / ".ssh" / "config").mkdir()
    with pytest.raises(UsageError, match=r"~/\.ssh/config cannot be read: Is a directory"):
        Config("~/.ssh/config")


def test_a_block_for_each_host_costs_the_others_nothing(home: Path) -> None:
    def seconds(blocks: int) -> float:
        lines = (f"Host red{n}\n  HostName 10.1.1.1\n  User pi\n  Port 22\n" for n in range(blocks))
        (home / ".ssh" / "config").write_text("".join(lines))
        config = Config("~/.ssh/config")
        began = time.process_time()
        for n in range(10):
            assert config.options(Host(name=f"red{n}")).host == "10.1.1.1"
        return time.process_time() - began

    # Read in full, a hundred times the blocks cost ninety times as much; left out they double it at most.
    assert min(seconds(1000) for _ in range(3)) < 10 * min(seconds(10) for _ in range(3))
