"""Bringing content in from elsewhere."""

from content_library.importers.markdown_folder import Options, import_folder
from content_library.importers.report import FileResult, Outcome, Report, picture_of
from content_library.importers.sources import Archive, Folder, Source

__all__ = [
    "Archive",
    "FileResult",
    "Folder",
    "Options",
    "Outcome",
    "Report",
    "Source",
    "import_folder",
    "picture_of",
]
