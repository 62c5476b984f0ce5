"""What every request passes before its route is called, in this order.

Who may call which route stands in ``access.py``.
"""

from collections.abc import Callable, Mapping

from flask import Flask, Response, current_app

from app.domain.errors import NotFound, Unauthorized
from app.settings import Settings
from app.web.current_request import Request, current_request
from app.web.guards.access import Guard, access_of
from app.web.guards.client_address import ClientAddresses
from app.web.guards.dashboard import require_operator
from app.web.guards.keys import AdminKeys, find_assistant, require_assistant
from app.web.guards.origins import refuse_foreign_origin
from app.web.guards.sessions import read_token, require_key_or_token, require_token
from app.web.proxies import TrustedProxies
from app.web.services import services

Step = Callable[[Request], Response | None]
"""Refuses a request by raising, answers it, or lets it pass."""


def register(app: Flask, settings: Settings) -> None:
    """Let every request of an application pass these steps, up to the first that answers it."""
    steps: tuple[Step, ...] = (
        _find_access,
        _keep_to_private_routes(settings),
        _find_client(settings),
        find_assistant,  # None where the key is wrong, or another guard's
        _refuse_foreign_origins,
        _answer_preflights,
        _count,  # before the key is looked at, as in the original
        _require(settings),
    )

    @app.before_request
    def pass_all() -> Response | None:
        request = current_request()
        for step in steps:
            answer = step(request)
            if answer is not None:
                return answer
        return None


def _find_access(request: Request) -> None:
    request.access = access_of(request.endpoint)


def _keep_to_private_routes(settings: Settings) -> Step:
    port = str(settings.metrics_port) if settings.metrics_port is not None else None

    def step(request: Request) -> None:
        # The listener's own port, by gunicorn's word: no header can change it.
        if port is not None and request.environ.get("SERVER_PORT") == port:
            request.is_private = True
            if not request.access.private:
                raise NotFound

    return step


def _find_client(settings: Settings) -> Step:
    clients = ClientAddresses(
        settings.trusted_proxy_hops,
        settings.client_ip_header,
        TrustedProxies(settings.trusted_proxies),
    )

    def step(request: Request) -> None:
        request.client_address = clients.find(request.environ)

    return step


def _refuse_foreign_origins(request: Request) -> None:
    if request.access.open:
        return
    # A token names its assistant as well, but it is read later: see `require_token`.
    who = request.assistant or services().assistants
    refuse_foreign_origin(request, who.origins)


def _answer_preflights(request: Request) -> Response | None:
    if _is_options(request) and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ:
        return current_app.response_class(status=204)  # a browser sends no key with it
    return None


def _count(request: Request) -> None:
    if request.access.counted and not _is_options(request):
        services().limits.count_chat(request.assistant_id, request.client_key)
        request.is_counted = True


def _require(settings: Settings) -> Step:
    guards = _guards(settings)

    def step(request: Request) -> Response | None:
        return guards[request.access.guard](request)

    return step


def _guards(settings: Settings) -> Mapping[Guard, Step]:
    # Few monitoring systems can send a header of ours; all can send a bearer token.
    monitor_keys = AdminKeys(settings.admin_api_keys, "x-admin-api-key", "Authorization")

    def refuse(_request: Request) -> None:
        raise Unauthorized

    def let_pass(_request: Request) -> None:
        pass

    def chat(request: Request) -> None:
        require_assistant(request)
        read_token(request)

    def metrics(request: Request) -> None:
        if not request.is_private:
            monitor_keys.require(request)

    def development(_request: Request) -> None:
        if not settings.is_development:
            raise NotFound

    return {
        Guard.NOBODY: refuse,
        Guard.ANYONE: let_pass,
        Guard.WIDGET_KEY: require_assistant,
        Guard.CHAT: chat,
        Guard.FRONT_END: require_key_or_token,
        Guard.SESSION: require_token,
        Guard.ADMIN_KEY: AdminKeys(settings.admin_api_keys, "x-admin-api-key").require,
        Guard.OPERATOR: require_operator,
        Guard.METRICS: metrics,
        Guard.DEVELOPMENT: development,
    }


def _is_options(request: Request) -> bool:
    return bool(request.environ["REQUEST_METHOD"] == "OPTIONS")
