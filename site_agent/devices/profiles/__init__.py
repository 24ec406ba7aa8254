"""Devices described in a file: which registers say what, and how setpoints are written.

`document` reads hostile YAML safely, `schema` is the vocabulary of the files, `codec` turns
registers into numbers and back, `library` finds a profile by its id or path, `source` makes a
`Source` of it. The profiles that come with the agent stand in `catalog`.
"""
