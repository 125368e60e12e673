"""``cms pi cluster ...``: hands the words on to bramble, which stays the real command."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys

from cloudmesh.shell.command import PluginCommand, command


class PiCommand(PluginCommand):
    """The verb ``pi`` of cms; cms finds it by the names of this class and its method."""

    @command
    def do_pi(self, args, arguments):
        """
        ::

          Usage:
            pi cluster deploy SERVICE... [--hosts=EXPR] [--cluster=NAME]... [--manager=HOST] [--set=SETTING]...
                              [--user=NAME] [--key=FILE] [--jump=HOST] [--dry-run] [--diff] [--no-verify] [-v]
            pi cluster verify SERVICE... [--hosts=EXPR] [--cluster=NAME]... [--user=NAME] [--key=FILE] [--jump=HOST]
            pi cluster status [--hosts=EXPR] [--cluster=NAME]... [--user=NAME] [--key=FILE] [--jump=HOST]
            pi cluster scale SERVICE [--add=EXPR] [--drop=EXPR] [--cluster=NAME] [--dry-run] [--yes]
            pi cluster remove SERVICE [--hosts=EXPR] [--cluster=NAME]... [--purge] [--dry-run] [--yes]
            pi cluster services [SERVICE]
            pi cluster hosts expand EXPR [--fold]
            pi cluster hosts check [--hosts=EXPR] [--cluster=NAME]...
            pi cluster hosts list
            pi cluster runs [show RUN]

          Turns a box of Raspberry Pis into working clusters, by bramble. Examples:

            cms pi cluster deploy slurm --hosts "red,red[01-red02]"
            cms pi cluster verify slurm
            cms pi cluster status

          cms gives no exit codes, and takes $ & | ; and quotes in arguments for itself. In scripts, and for all
          options, use bramble itself: bramble deploy slurm --hosts "red,red[01-02]"
        """
        # docopt has seen to it that the words make sense; they go on as they were typed.
        words = shlex.split(args)[1:]
        code = hand_on(words)
        if code:
            print(f"bramble ended with exit code {code}; cms itself does not pass it on", file=sys.stderr)
        return ""


def hand_on(words: list[str]) -> int:
    """Run bramble with these words on the same terminal; its exit code.

    Ctrl-C reaches both: bramble answers it by bringing the hosts to a clean stop, and is waited for.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [sys.executable, "-m", "bramble", *words],
            check=False,
            # What is ignored here would be ignored there, too, and Ctrl-C would do nothing at all.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)
