"""Schemes as people make them: editor, files, examples, differences, and what is wrong with one."""
