"""Where upstream publishes its programs, and the hashes that these must have."""

from __future__ import annotations

from ...artifact import Download

#: SHA-512 of kubernetes-server-linux-ARCHITECTURE.tar.gz, version by version: what CHANGELOG-1.34.md and
#: CHANGELOG-1.35.md of https://github.com/kubernetes/kubernetes list under "Server Binaries".
KUBERNETES = {
    ("1.34.4", "amd64"): "65c75e81e3ea488f6d42b493cad64d7577ddfa1e5372037a1c841ac069039997"
    "d359b5b2f2d44e7665bf04c48ed0065cf9d4c9801b1e63bb6a1b099ef00d4863",
    ("1.34.4", "arm64"): "a1fad7060ed67b5634f32f3256a295179dd887dab5c82b8550c2eb62c69df34c"
    "fbb311c8f93e7608d558eba32b9e2ddc23976db39e512fd747cc6bf9b4c1765f",
    ("1.35.4", "amd64"): "7454c2d9023de3230972e965e1e2a587a291e2a1abee703bb0737057e1646b23"
    "ebac538b93dd778e93579e3c293dc1fa8d002e6848ad5ebc01598bc47358fe44",
    ("1.35.4", "arm64"): "67187a2fe780be7816f9d10e082ed02cbba306bab379980280d00ba4c4017ff5"
    "3c50cd2ff81d248c91ddcc064276b8760e17c73a1a7da1d35067a6fc0ffbdc88",
}


def kubernetes(name: str, version: str, architecture: str) -> Download | None:
    """One of Kubernetes' own programs; None where upstream's hash is not known."""
    digest = KUBERNETES.get((version, architecture))
    if digest is None:
        return None
    file = f"kubernetes-server-linux-{architecture}.tar.gz"
    return Download(
        urls=(f"https://dl.k8s.io/v{version}/{file}",),
        digest=f"sha512:{digest}",
        member=f"kubernetes/server/bin/{name}",
    )


def etcd(name: str, version: str, architecture: str) -> Download:
    """A program of etcd's; its release has a list of hashes."""
    folder = f"etcd-v{version}-linux-{architecture}"
    place = f"https://github.com/etcd-io/etcd/releases/download/v{version}"
    return Download(urls=(f"{place}/{folder}.tar.gz",), sums=f"{place}/SHA256SUMS", member=f"{folder}/{name}")


def coredns(version: str, architecture: str) -> Download:
    """CoreDNS with all of upstream's plugins; each file of its release has its hash beside it."""
    file = f"coredns_{version}_linux_{architecture}.tgz"
    place = f"https://github.com/coredns/coredns/releases/download/v{version}/{file}"
    return Download(urls=(place,), sums=f"{place}.sha256", member="coredns")
