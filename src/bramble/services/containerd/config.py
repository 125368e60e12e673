"""Options of the containerd service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """How containers are run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    systemd_groups: bool = Field(
        default=True,
        description="Let systemd make the control groups of Kubernetes' containers, as kubeadm expects it. "
        "Containers that are started by `ctr` make their own.",
    )
    pause_image: str = Field(
        default="bramble.invalid/pause:3.10.1",
        description="The image that holds the namespaces of a pod. By default the one that the kubernetes service "
        "brings; no registry has it.",
    )
