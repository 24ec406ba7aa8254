"""A door for people on the agent's own machine: commands over loopback, with a key in a file.

::

    messages   one line a message: a request, then answers; how large each may be
    door       the agent's side: who may come in, one command a connection
    client     a person's side: find the door by its file, ask, read the answers

What the commands do is not known here: `door` is handed them by name (`site_agent.ports.Command`).
"""
