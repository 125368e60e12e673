"""The user's kubeconfig: what bramble adds goes again, and all else stays to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bramble.errors import BrambleError
from bramble.inventory import kubeconfig
from bramble.inventory.kubeconfig import Access

#: As kubectl writes it, as a person writes it, as JSON, and with nothing in it.
FORMS = {
    "kubectl": """apiVersion: v1
clusters:
- cluster:
    insecure-skip-tls-verify: true
    server: https://10.1.1.9:6443
  name: work
contexts:
- context:
    cluster: work
    namespace: web
    user: me
  name: work
current-context: work
kind: Config
preferences: {}
users:
- name: me
  user:
    token: abc
""",
    "by hand": """# mine, do not touch
kind:   Config
apiVersion: v1
users:   # people
  - name: me
    user: {token: 'abc'}   # secret

contexts:
  - {name: work, context: {cluster: work, user: me}}
clusters:
  - name: work
    cluster: {server: "https://10.1.1.9:6443"}
current-context: "work"
# the end
""",
    "json": '{"kind": "Config", "apiVersion": "v1", "clusters": [{"name": "work", "cluster": {}}], '
    '"contexts": [{"name": "work", "context": {"cluster": "work", "user": "me"}}], '
    '"users": [{"name": "me", "user": {}}], "current-context": "work"}',
    "nothing": 'apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n',
    "no end of line": "apiVersion: v1\nkind: Config\ncurrent-context: ''",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path / ".kube" / "config"


def access(cluster: str = "red", server: str = "https://10.1.1.1:6443") -> Access:
    return Access(cluster=cluster, server=server, authority=b"CA", certificate=b"CERT", key=b"KEY")


def said(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    return found


def names(file: Path, part: str) -> list[str]:
    return [one["name"] for one in said(file)[part]]


@pytest.mark.parametrize("form", FORMS)
def test_all_else_stays_to_the_byte(file: Path, form: str) -> None:
    file.parent.mkdir()
    file.write_text(FORMS[form])
    assert kubeconfig.put(access()) == "red"
    assert names(file, "contexts")[-1] == "red" and said(file)["current-context"] == "red"
    assert kubeconfig.find("red") == access()
    if form in ("kubectl", "by hand"):
        # Each line of before is there, in its order, but the one that names the current context.
        lines = iter(file.read_text().splitlines())
        assert all(line in lines for line in FORMS[form].splitlines() if "current-context" not in line)
    assert kubeconfig.drop("red")
    assert file.read_text() == FORMS[form]
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_was_not_there_goes_again(file: Path) -> None:
    kubeconfig.put(access())
    assert file.stat().st_mode & 0o777 == 0o600
    assert said(file)["current-context"] == "red" and said(file)["kind"] == "Config"
    assert kubeconfig.drop("red") and not file.parent.exists()
    assert not kubeconfig.drop("red")


def test_two_clusters_come_and_go_in_any_order(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(FORMS["kubectl"])
    kubeconfig.put(access("red"))
    kubeconfig.put(access("blue", "https://10.1.1.2:6443"))
    assert said(file)["current-context"] == "blue"
    kubeconfig.drop("red")
    assert names(file, "contexts") == ["work", "blue"] and names(file, "users") == ["me", "blue-admin"]
    assert said(file)["current-context"] == "blue"
    kubeconfig.drop("blue")
    assert names(file, "contexts") == ["work"] and said(file)["current-context"] == ""


def test_what_others_changed_meanwhile_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(FORMS["by hand"])
    kubeconfig.put(access())
    file.write_text(file.read_text().replace("# the end", "# my end"))
    kubeconfig.drop("red")
    assert file.read_text() == FORMS["by hand"].replace("# the end", "# my end")


def test_a_context_of_this_name_of_the_users_own_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(FORMS["kubectl"])
    assert kubeconfig.put(access("work")) == "bramble-work"
    assert names(file, "contexts") == ["work", "bramble-work"]
    assert kubeconfig.context_of("work") == "bramble-work"
    kubeconfig.drop("work")
    assert file.read_text() == FORMS["kubectl"]


def test_renewing_leaves_the_current_context_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(FORMS["kubectl"])
    kubeconfig.put(access())
    file.write_text(file.read_text().replace("current-context: red", "current-context: work"))
    kubeconfig.put(access(server="https://10.1.1.7:6443"))
    assert said(file)["current-context"] == "work"
    assert kubeconfig.find("red") == access(server="https://10.1.1.7:6443")
    assert names(file, "clusters") == ["work", "red"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("a: [", "line"), ("just words", "keys and values"), ("clusters: [red]\n", "entries with a name")],
)
def test_what_is_no_kubeconfig_is_left_as_it_is(file: Path, text: str, why: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    for verb in (kubeconfig.context_of, lambda _: kubeconfig.put(access()), kubeconfig.drop):
        with pytest.raises(BrambleError, match="left as it is") as caught:
            verb("red")
        assert why in caught.value.why
    assert file.read_text() == text and list(file.parent.iterdir()) == [file]


def test_the_first_file_of_the_variable_is_meant_and_a_link_stays_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "dotfiles"
    real.write_text(FORMS["kubectl"])
    link = tmp_path / "link"
    link.symlink_to(real)
    monkeypatch.setenv("KUBECONFIG", f"{link}:{file}")
    kubeconfig.put(access())
    assert link.is_symlink() and names(real, "contexts") == ["work", "red"] and not file.exists()
    kubeconfig.drop("red")
    assert real.read_text() == FORMS["kubectl"]


def test_kubectl_that_is_writing_is_waited_for_and_then_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "PATIENCE", 0.2)
    file.parent.mkdir()
    (file.parent / "config.lock").touch()
    with pytest.raises(BrambleError, match="something else is writing"):
        kubeconfig.put(access())
    assert not file.exists() and (file.parent / "config.lock").exists()


def test_keys_never_show() -> None:
    assert "KEY" not in repr(access())
