"""See that an image is whole, and that a container could be made from it; prints what it found.

Its content is looked at as an engine does it that runs it: its files are laid out, and looked into. Nothing of the
image's own is run.
"""

import os
import subprocess
import sys
import tempfile

ENGINE, NAME, DIGEST = sys.argv[1:]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _must(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip() or f"{words[0]} ended with {done.returncode}")
    return done.stdout


def _containerd() -> None:
    images = ("ctr", "--namespace", "k8s.io", "images")
    found = [line.split() for line in _must(*images, "check", f"name=={NAME}").splitlines()[1:]]
    if not found:
        sys.exit(f"{NAME} is not there")
    if found[0][2] != DIGEST:
        sys.exit(f"{NAME} is another image: {found[0][2]}")
    _say("whole" if found[0][3] == "complete" else " ".join(found[0][3:5]))
    with tempfile.TemporaryDirectory() as folder:
        _must(*images, "mount", NAME, folder)
        try:
            _say("files" if os.listdir(folder) else "no files")
        finally:
            _must(*images, "unmount", "--rm", folder)


def _docker() -> None:
    if _must("docker", "image", "inspect", "--format", "{{.Id}}", NAME).strip() != DIGEST:
        sys.exit(f"{NAME} is another image")
    _say("whole")
    made = _must("docker", "create", NAME, "/bin/true").strip()
    try:
        _say("files")
    finally:
        _must("docker", "rm", made)


_docker() if ENGINE == "docker" else _containerd()
