"""What every connection promises: one suite for SSH, this machine and the fake."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.sshserver import SimulatedHost, until

from bramble.connection import (
    TAIL_LINES,
    Completed,
    Connection,
    FakeConnection,
    LocalConnection,
    Settings,
    connect,
)
from bramble.connection.fake import Answer, FakeOutput
from bramble.connection.inbox import Inbox
from bramble.connection.process import Process
from bramble.errors import ConnectionLost, HostError
from bramble.model import Host


async def fake_cat(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
    while data := await stdin.read(65536):
        stdout.write(data)
        await stdout.drain()
    return 0


async def fake_sleep(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
    await asyncio.sleep(60)
    return 0


async def fake_lines(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
    stdout.error(b"".join(b"line %d\n" % n for n in range(1, 101)))
    stdout.error(b"x" * 100_000)
    return 0


async def fake_mebibytes(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
    for _ in range(64):
        stdout.write(b"\0" * 65536)
        await stdout.drain()
    return 0


async def fake_killed(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
    return -signal.SIGTERM


HUNDRED_LINES = "for n in $(seq 100); do echo line $n >&2; done; head -c 100000 /dev/zero | tr '\\0' x >&2"

#: The commands of this suite, as the fake knows them. The others run them.
SCRIPT: dict[str, Answer] = {
    "true": 0,
    "exit 3": 3,
    "echo out; echo err >&2": Completed(0, b"out\n", b"err\n"),
    "cat": fake_cat,
    "sleep 60": fake_sleep,
    "PASSWORD=hunter2 sleep 60": fake_sleep,
    "kill -TERM $$": fake_killed,
    HUNDRED_LINES: fake_lines,
    "head -c 4194304 /dev/zero": fake_mebibytes,
    "printf 'one\\ntwo'": "one\ntwo",
    "printf '<%s>' 'a  b' '$HOME' '\"' '*'": '<a  b><$HOME><"><*>',
    "echo $((6 * 7))": "42\n",
}


#: For what only real processes show.
real = pytest.mark.parametrize("red01", ["ssh", "local"], indirect=True)


@pytest.fixture(params=["ssh", "local", "fake"])
async def red01(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> AsyncIterator[Connection]:
    if request.param == "ssh":
        async with SimulatedHost("red01") as host:
            connection = await connect(host.host, Settings(known_hosts=(host.known_hosts(tmp_path),)))
            async with connection:
                yield connection
    elif request.param == "local":
        async with LocalConnection(Host(name="red01")) as connection:
            yield connection
    else:
        async with FakeConnection(Host(name="red01"), SCRIPT) as connection:
            yield connection


async def test_a_command_ends_with_its_status_and_all_it_printed(red01: Connection) -> None:
    assert await red01.run("exit 3", timeout=10) == Completed(3, b"", b"")
    assert await red01.run("echo out; echo err >&2", timeout=10) == Completed(0, b"out\n", b"err\n")


async def test_words_arrive_as_they_are_and_a_string_goes_to_the_shell(red01: Connection) -> None:
    words = ["printf", "<%s>", "a  b", "$HOME", '"', "*"]
    assert (await red01.run(words, timeout=10)).stdout == b'<a  b><$HOME><"><*>'
    assert (await red01.run("echo $((6 * 7))", timeout=10)).stdout == b"42\n"


async def test_a_program_that_is_not_there_is_said_by_the_shell(red01: Connection) -> None:
    done = await red01.run(["no-such-program"], timeout=10)
    assert done.status == 127
    assert b"not found" in done.stderr


async def test_input_arrives_and_ends(red01: Connection) -> None:
    data = bytes(range(256)) * 8192
    assert (await red01.run(["cat"], input=data, timeout=20)).stdout == data


async def test_input_that_nobody_reads_is_no_error(red01: Connection) -> None:
    assert (await red01.run(["true"], input=b"x" * 4_000_000, timeout=20)).status == 0


async def test_much_output_arrives_whole(red01: Connection) -> None:
    assert len((await red01.run(["head", "-c", "4194304", "/dev/zero"], timeout=20)).stdout) == 4194304


async def test_too_much_output_is_refused(red01: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.connection.process.MOST_OUTPUT", 1 << 20)
    with pytest.raises(HostError, match="more than 1 MiB"):
        await red01.run(["head", "-c", "4194304", "/dev/zero"], timeout=20)
    assert (await red01.run(["true"], timeout=10)).status == 0


async def test_a_command_that_takes_too_long_is_killed(red01: Connection) -> None:
    with pytest.raises(HostError, match=r"sleep did not end within 0\.2 s") as caught:
        await red01.run(["sleep", "60"], timeout=0.2)
    assert caught.value.host == "red01"
    assert (await red01.run(["true"], timeout=10)).status == 0


async def test_an_error_does_not_repeat_arguments(red01: Connection) -> None:
    with pytest.raises(HostError) as caught:
        await red01.run("PASSWORD=hunter2 sleep 60", timeout=0.2)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Completed(0, b"hunter2", b"hunter2"))


async def test_a_process_is_talked_to_line_by_line(red01: Connection) -> None:
    channel = await red01.start(["cat"])
    await channel.write(b"one\ntw")
    assert await channel.readline() == b"one\n"
    await channel.write(b"o\n\nthree")
    assert await channel.readline() == b"two\n"
    assert await channel.readline() == b"\n"
    assert await channel.read(3) == b"thr"
    channel.close_input()
    assert await channel.readline() == b"ee"
    assert await channel.readline() == b""
    assert await channel.read(1) == b""
    assert await channel.wait() == 0


async def test_a_last_line_without_an_end_is_a_line(red01: Connection) -> None:
    channel = await red01.start(["printf", "one\\ntwo"])
    assert [await channel.readline() for _ in range(3)] == [b"one\n", b"two", b""]


async def test_a_long_line_arrives_whole(red01: Connection) -> None:
    channel = await red01.start(["cat"])
    line = b"x" * (16 << 20) + b"\n"
    writing = asyncio.create_task(channel.write(line))
    async with asyncio.timeout(30):
        assert await channel.readline() == line
        await writing
    channel.close_input()
    assert await channel.wait() == 0


async def test_an_endless_line_is_given_up(red01: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.connection.inbox.LONGEST_LINE", 1 << 20)
    channel = await red01.start(["head", "-c", "4194304", "/dev/zero"])
    with pytest.raises(ConnectionLost, match="a line of more than 1 MiB"):
        await channel.readline()
    channel.kill()


async def test_only_the_end_of_standard_error_is_kept(red01: Connection) -> None:
    channel = await red01.start(HUNDRED_LINES)
    assert await channel.readline() == b""
    assert await channel.wait() == 0
    tail = channel.stderr_tail()
    assert len(tail) == TAIL_LINES
    assert tail[0] == "line 52"
    assert tail[-2] == "line 100"
    assert tail[-1] == "x" * 4096


async def test_a_process_ended_by_a_signal_says_which(red01: Connection) -> None:
    assert (await red01.run("kill -TERM $$", timeout=10)).status == -signal.SIGTERM


async def test_kill_ends_a_process_at_once(red01: Connection) -> None:
    channel = await red01.start(["sleep", "60"])
    async with asyncio.timeout(10):
        channel.kill()
        assert await channel.wait() == -signal.SIGKILL
        assert await channel.readline() == b""
    channel.kill()


async def test_writing_to_a_process_that_has_ended_says_so(red01: Connection) -> None:
    channel = await red01.start("echo out; echo err >&2")
    assert await channel.wait() == 0
    assert await channel.readline() == b"out\n"
    with pytest.raises(ConnectionLost, match="the process at the other end has ended"):
        await channel.write(b"more")


async def test_unread_output_does_not_fill_the_memory(red01: Connection) -> None:
    channel = await red01.start(["cat"])
    writing = asyncio.create_task(channel.write(b"x" * (32 << 20)))
    await asyncio.sleep(0.5)
    assert isinstance(channel, Process)
    assert 0 < len(channel.stdout) < 4 << 20
    channel.kill()
    writing.cancel()


async def test_many_processes_at_once(red01: Connection) -> None:
    async def echo(word: bytes) -> bytes:
        return (await red01.run(["cat"], input=word, timeout=20)).stdout

    words = [b"%d" % n for n in range(8)]
    assert await asyncio.gather(*map(echo, words)) == words


async def test_a_cancelled_command_is_killed_and_the_connection_goes_on(red01: Connection) -> None:
    running = asyncio.create_task(red01.run(["sleep", "60"], timeout=60))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await red01.run(["true"], timeout=10)).status == 0


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def pid_in(path: Path) -> int:
    """The process number in a file, 0 while it is not there."""
    text = path.read_text() if path.exists() else ""
    return int(text) if text.endswith("\n") else 0


@real
async def test_a_cancelled_command_really_ends(red01: Connection, tmp_path: Path) -> None:
    running = asyncio.create_task(red01.run(f"echo $$ > {tmp_path}/pid; exec sleep 60", timeout=60))
    await until(lambda: is_alive(pid_in(tmp_path / "pid")))
    running.cancel()
    await until(lambda: not is_alive(pid_in(tmp_path / "pid")))


@real
async def test_kill_ends_what_the_process_has_started(red01: Connection, tmp_path: Path) -> None:
    channel = await red01.start(f"sleep 60 & echo $! > {tmp_path}/pid; wait")
    await until(lambda: is_alive(pid_in(tmp_path / "pid")))
    channel.kill()
    await until(lambda: not is_alive(pid_in(tmp_path / "pid")))


@real
async def test_a_process_that_ends_with_input_under_way_says_so(red01: Connection) -> None:
    channel = await red01.start("sleep 0.2; exit 3")
    with pytest.raises(ConnectionLost, match=r"the process at the other end (has ended|takes no more input)"):
        await channel.write(b"x" * (32 << 20))
    assert await channel.wait() == 3


async def test_a_process_here_that_closes_its_input_and_lives_on_keeps_nobody_waiting() -> None:
    connection = LocalConnection(Host(name="red01"))
    try:
        channel = await connection.start("exec <&-; sleep 60")
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionLost, match="takes no more input"):
                await channel.write(b"x" * (32 << 20))
            with pytest.raises(ConnectionLost, match="takes no more input"):
                await channel.write(b"x")
    finally:
        await connection.close()


async def test_a_closed_connection_ends_what_runs_over_it(red01: Connection) -> None:
    channel = await red01.start(["sleep", "60"])
    reading = asyncio.create_task(channel.readline())
    await asyncio.sleep(0)
    await red01.close()
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionLost):
            await reading
        with pytest.raises(ConnectionLost):
            await channel.wait()
        with pytest.raises(ConnectionLost):
            await channel.write(b"x")
    await red01.close()
    with pytest.raises(ConnectionLost) as caught:
        await red01.run(["true"], timeout=10)
    assert caught.value.host == "red01"
    with pytest.raises(ConnectionLost):
        await red01.start(["true"])


async def test_it_closes_with_its_block(red01: Connection) -> None:
    async with red01 as same:
        assert same is red01
    with pytest.raises(ConnectionLost):
        await red01.start(["true"])


async def test_it_says_whose_connection_it_is(red01: Connection) -> None:
    assert red01.host.name == "red01"
    assert "red01" in repr(red01)
