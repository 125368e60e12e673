"""What must never be seen, and the places in a step where it stands."""

from __future__ import annotations

from typing import Any, Optional

from .step import Step, fields_of


class Secret:
    """Bytes that never print, log, diff or reach a process list.

    On the controller a plan carries only the ``name`` (``slurm/munge.key``) and how many random bytes to make if the
    cluster has none yet; the engine fills in the ``value`` when the step is sent.

    Parameters
    ----------
    name
        Where it is kept, relative to the cluster's folder of secrets.
    size
        Length in bytes of a secret that is generated, before it takes its form; 0 for one that must exist.
    form
        ``bytes`` as they are; ``text``: URL-safe base64; ``base64``; ``hex``; ``ca-key``: the private key of a
        certificate authority, PEM; ``ca-certificate``: the certificate of the key whose name ends with ``.key`` instead
        of ``.crt``; ``rsa-key`` and ``rsa-public``: a pair to sign with, ``.key`` and ``.pub``; ``tls-key`` and
        ``tls-certificate``: by which a server is believed, ``.key`` and ``.crt``, signed by the authority ``ca`` in the
        same folder and made anew some months before it runs out.
    names
        Of the server that a ``tls-certificate`` is for: names and addresses, the first the one it calls itself.
    """

    __slots__ = ("_value", "form", "name", "names", "size")

    def __init__(
        self,
        name: str,
        *,
        size: int = 32,
        form: str = "bytes",
        names: "tuple[str, ...]" = (),
        value: Optional[bytes] = None,
    ) -> None:
        self.name = name
        self.size = size
        self.form = form
        self.names = names
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> "tuple[object, ...]":
        return self.name, self.size, self.form, self.names

    @property
    def known(self) -> bool:
        """Whether the value has been filled in."""
        return self._value is not None

    def reveal(self) -> bytes:
        """The value. Call it only at the place that needs it.

        Raises
        ------
        ValueError
            It was never filled in.
        """
        if self._value is None:
            raise ValueError(f"the secret {self.name} has no value here")
        return self._value

    def filled(self, value: bytes) -> "Secret":
        """The same secret with its value."""
        return Secret(self.name, size=self.size, form=self.form, names=self.names, value=value)


def secrets_in(value: Any) -> "list[Secret]":
    """All secrets a step holds, at any depth."""
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, Step):
        return [s for item in fields_of(value).values() for s in secrets_in(item)]
    if isinstance(value, (tuple, list)):
        return [s for item in value for s in secrets_in(item)]
    if isinstance(value, dict):
        return [s for item in value.values() for s in secrets_in(item)]
    return []


def with_secrets(step: Step, values: "dict[str, bytes]") -> Step:
    """The same step, its secrets filled in by name."""

    def fill(value: Any) -> Any:
        if isinstance(value, Secret):
            return value.filled(values[value.name])
        if isinstance(value, (tuple, list)):
            return tuple(fill(item) for item in value)
        if isinstance(value, dict):
            return {k: fill(v) for k, v in value.items()}
        return value

    return type(step)(**{k: fill(v) for k, v in fields_of(step).items()})
