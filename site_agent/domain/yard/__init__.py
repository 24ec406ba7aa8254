"""The yard list: who plugs in where, and when to swap, where there are more vehicles than plugs."""
