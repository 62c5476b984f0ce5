"""Why there is no usable response."""


class HttpFailure(Exception):
    """No usable response."""


class HttpConnectFailed(HttpFailure):
    """No connection could be made: nothing was sent, repeating is safe."""


class HttpProxyRefused(HttpConnectFailed):
    """A proxy lets nobody like us through: its owner, or ours, must act."""


class HttpAddressRefused(HttpConnectFailed):
    """All of a name's addresses are such as the caller does not want to reach."""


class HttpTimeout(HttpFailure):
    """The server was silent too long; it may have acted on the request."""


class HttpBroken(HttpFailure):
    """The connection broke or spoke nonsense; the request may have been acted on."""


class ClosedWhileIdle(Exception):
    """A kept connection was dead before it brought a byte; for the pool alone."""
