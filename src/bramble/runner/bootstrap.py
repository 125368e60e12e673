"""The first lines that run on a host: take in the runner, unless it is there, and start it.

Sent as ``python3 -c``, so it must work on any Python 3 and say so where that is too old. The runner is kept under its
content hash on a tmpfs (``/run``): nothing of it outlives a reboot, and its byte code is compiled only once.
"""

import json
import os
import sys

say = lambda **message: print(json.dumps(message), flush=True)  # noqa: E731, T201
say(kind="hello", python="%d.%d.%d" % sys.version_info[:3], root=os.getuid() == 0)
# Whatever comes before the mark is a password that sudo did not ask for.
line = b" "
while line and line != b"bramble\n":
    line = sys.stdin.buffer.readline()
name = sys.argv[1]
base = "/run/bramble" if os.getuid() == 0 else "/run/user/%d/bramble" % os.getuid()
if not os.path.isdir(os.path.dirname(base)):
    base = os.path.expanduser("~/.cache/bramble")
home = os.path.join(base, name)
if sys.version_info >= (3, 9) and line:
    if not os.path.isdir(home):
        say(kind="need")
        size = int(sys.stdin.buffer.readline())
        data = sys.stdin.buffer.read(size)
        import hashlib
        import zlib

        text = zlib.decompress(data) if len(data) == size else b""
        if hashlib.sha256(text).hexdigest()[:16] != name:
            sys.exit("the runner did not arrive whole")
        new = "%s.%d" % (home, os.getpid())
        for path, source in json.loads(text.decode()).items():
            target = os.path.join(new, "bramble_runner", path)
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(source)
        try:
            os.rename(new, home)
        except OSError:
            if not os.path.isdir(home):  # not another run that was quicker: a real failure
                raise
    say(kind="ready")
    sys.path.insert(0, home)
    import importlib

    importlib.import_module("bramble_runner." + sys.argv[2]).main()
