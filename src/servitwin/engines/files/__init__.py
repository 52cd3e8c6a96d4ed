"""Files: documents, models and artefacts by the digest of their content."""

from servitwin.engines.files.folder import FileFolder

__all__ = ["FileFolder"]
