"""Folders that may lie on this machine, on a shared file system, or in an object store."""

from vaesearch.storage.core import (
    Folder,
    default_patience,
    folder_of,
    inside,
    is_url,
    place_of,
)

__all__ = ["Folder", "default_patience", "folder_of", "inside", "is_url", "place_of"]
