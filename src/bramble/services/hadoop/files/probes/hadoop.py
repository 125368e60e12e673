"""What the probes share: a Hadoop command, and the file that they write and read. It stands before each of them."""

import hashlib
import os
import subprocess
import sys

os.environ["HADOOP_USER_NAME"] = "nobody"

#: Bytes of the file.
SIZE = 4 << 20


def hadoop(*words: str, given: bytes = b"") -> bytes:
    """What a command printed; where it fails, its most telling words are ours."""
    done = subprocess.run(words, input=given, capture_output=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        telling = [line for line in said if "Exception" in line or line.startswith(("ERROR", "FATAL"))]
        sys.exit(f"{' '.join(words[:3])}: {(telling or said or ['it said nothing'])[-1]}")
    return done.stdout


def content() -> bytes:
    """The same on every host, and nothing that compresses."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(SIZE // 32))


def forget(*places: str) -> None:
    """Take away what an earlier run may have left."""
    hadoop("hdfs", "dfs", "-rm", "-r", "-f", "-skipTrash", *places)


def finish(right: bool, line: str, otherwise: str) -> None:
    """Say how it came out."""
    sys.stdout.write((line if right else otherwise) + "\n")
