"""What can go wrong with a test cluster."""

__all__ = ["ClusterError", "FolderInUseError", "MissingError"]


class ClusterError(Exception):
    """There is no cluster, or it does not do what was asked; the text says why."""


class FolderInUseError(ClusterError):
    """Another process is at work in the folder of the cluster."""


class MissingError(ClusterError):
    """Such a cluster cannot run on this machine, until something is installed or allowed."""
