"""The office's work, without HTTP."""
