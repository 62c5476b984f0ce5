"""Servers for tests: each starts on a port of its own, and ends with its test.

``perch`` is the real gunicorn, begun by ``fork_server``; ``planted_server`` is one that can be
looked into. ``upstream`` is the scripted model (``upstream_script`` says what it does), ``redis``
and ``nginx`` are the real programs. ``peer`` decides every byte it sends, ``http_proxy`` and
``detour`` stand in the way of one, ``collector`` keeps what Sentry or a collector of traces
would, and ``site`` is somebody's web site. Convex has ``tests/convex_server``, the providers
``tests/providers``.
"""
