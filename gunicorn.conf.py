"""How gunicorn runs Perch: a bare `gunicorn` in this folder starts it."""

from gevent import config as gevent_config
from gevent import monkey

# Of each greenlet, gevent would keep who started it and from which line.
gevent_config.track_greenlet_tree = False
# First of all, or TLS recurses without end in a preloaded application.
monkey.patch_all()

import gc  # noqa: E402

# What is imported stays: looking through it again and again is a sixth of a start.
# The master makes garbage when it reloads, and workers have it on again.
gc.disable()

import logging  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from app.domain.errors import ServiceError, StorageUnavailable  # noqa: E402
from app.observability import logs  # noqa: E402
from app.observability.metric_values import free_slot, shared_values  # noqa: E402
from app.operations.diagnostics import reason_of, store_is_missing  # noqa: E402
from app.server import bad_http  # noqa: E402
from app.server.listening import addresses  # noqa: E402
from app.server.worker import MAX_SILENT  # noqa: E402
from app.settings import SettingsFaults, load_all  # noqa: E402

log = logging.getLogger(__name__)

try:
    _settings = load_all()
except SettingsFaults as error:
    raise SystemExit(error.in_words()) from error

# Where the workers post their figures; the same one when this file is read again.
_shared = shared_values()

# Of a start, so much may go into indexes of pages that this machine has not.
_KNOWLEDGE_PATIENCE_S = 30.0

# Running turns are ended this long before gunicorn would kill them: past
# the graceful timeout nothing is saved.
_SAVE_S = min(5.0, _settings.graceful_timeout_s / 3)

wsgi_app = "wsgi:app"
bind = [f"{host}:{_settings.port}" for host in addresses(_settings.hosts)]
if _settings.metrics_bind:
    bind.append(_settings.metrics_bind)
worker_class = "app.server.worker.Worker"
workers = _settings.web_concurrency
# Above the app's own cap, so that /health answers when all streams are taken
# and a crowd is connected that says nothing.
worker_connections = _settings.max_streams + _settings.max_waiting + MAX_SILENT + 500
# Loaded once, shared by all workers, and a worker that died is back at once.
preload_app = True
graceful_timeout = _settings.graceful_timeout_s
# The hub's heartbeat, not a limit on requests.
timeout = 60
# An idle connection delays the shutdown by this much at most.
keepalive = 5
# A restart of the only worker would leave the service dark for seconds.
max_requests = 0
# Its socket is shared by all gunicorns of a user.
control_socket_disable = True
# On memory: a heartbeat file on a slow disk stops the worker.
worker_tmp_dir = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108
# A request's head, in bytes and lines. A domain's cookies alone may be 8 KB
# and more; the whole head is bounded by `app.server.incoming`.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 32 * 1024
# Gunicorn would believe headers named SCRIPT_NAME and PATH_INFO, by which a path goes
# around a proxy's rules. What proxies say is read by app.web.proxies, and nowhere else.
forwarder_headers = "NONE"
secure_scheme_headers: dict[str, str] = {}
# Nobody is believed more than another: asking whose address it is takes 15 µs a request.
forwarded_allow_ips = "*"
accesslog = None
errorlog = "-"
logger_class = logs.GunicornLogger


def when_ready(_server: Any) -> None:
    """Tell a developer where to look."""
    if _settings.is_development:
        _welcome()


def on_reload(_server: Any) -> None:
    """Free the application before this one."""
    gc.collect()


def pre_fork(server: Any, worker: Any) -> None:
    """Give a worker the slot of one that is gone."""
    taken = (other.slot for other in server.WORKERS.values() if hasattr(other, "slot"))
    worker.slot = free_slot(taken)


def post_fork(_server: Any, _worker: Any) -> None:
    """Make room for many connections, and spare the garbage collector what stays."""
    _allow_descriptors()
    # A full collection walks 150,000 objects of imported modules: 50 ms in
    # which no stream moves. Frozen, they are never walked, and stay shared.
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


def post_worker_init(worker: Any) -> None:
    """Watch for the worker's end, to end its turns in time."""
    bad_http.answer_in_json()
    worker.send_timeout_s = _settings.send_timeout_s
    # SIGINT (Ctrl-C, and Fly's way to stop) would drop every stream: make it
    # what SIGTERM is. Gunicorn tells its workers with SIGQUIT.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, worker.handle_exit)
    gevent.spawn(_drain_when_stopped, worker)
    services = worker.wsgi.extensions["perch"]
    services.metrics.take_slot(_shared, worker.slot)
    services.retry_queue.adopt()
    gevent.spawn(services.learning.watch)
    gevent.spawn(services.sender.watch)
    if services.retention:
        gevent.spawn(services.retention.watch)
    _prepare_knowledge(services)
    if store_is_missing(_settings):
        # Commands make none, and the switch must work before the first chat.
        gevent.spawn(_make_store, services.store)


def worker_exit(_server: Any, worker: Any) -> None:
    """Post what a worker counted last, and let nobody be told twice who was just being told."""
    if getattr(worker, "wsgi", None):
        services = worker.wsgi.extensions["perch"]
        services.metrics.post()
        services.sender.end(_SAVE_S)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget what was so while a worker lived."""
    _shared.leave(worker.slot)


def on_exit(_server: Any) -> None:
    """Leave nothing behind in memory."""
    _shared.remove()


def _allow_descriptors() -> None:
    # A stream takes two, and as many again may wait to be served; the usual soft
    # limit of 1024 would end at 500 streams.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * worker_connections + 500
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _drain_when_stopped(worker: Any) -> None:
    services = worker.wsgi.extensions["perch"]
    turns = services.turns
    while worker.alive:
        gevent.sleep(0.1)
    services.waiting.end()
    services.sender.end(0)
    gevent.spawn(services.learning.stop)
    turns.drain(patience_s=max(0.5, _settings.graceful_timeout_s - _SAVE_S))


def _prepare_knowledge(services: Any) -> None:
    """Have indexes built that this machine has not, before the first request is taken."""
    try:
        versions = services.store.read_state().knowledge
    except StorageUnavailable as error:  # of several assistants, none waits for it again
        log.warning("Indexes are looked after later: %s", reason_of(error))
        return
    missing = []
    for assistant in services.assistants:
        version = versions.get(assistant.id, 0)
        assistant.knowledge.forget_newer(version)
        if version and not assistant.knowledge.has_index():
            missing.append(assistant.knowledge)
    for each in missing:
        each.request_build()
    if missing and not services.index_builds.wait_until(
        lambda: all(each.has_index() for each in missing), _KNOWLEDGE_PATIENCE_S
    ):
        log.warning("The pages are not indexed yet: answers come without them meanwhile")


def _make_store(store: Any) -> None:
    try:
        store.ping()
    except ServiceError as error:  # `/ready` says so, too
        log.error("There is no store yet: %s", reason_of(error))


def _welcome() -> None:
    host = _settings.hosts[0] if _settings.hosts else "localhost"
    base = f"http://{host}:{_settings.port}"
    print(  # noqa: T201
        f"\n  Perch is running at {base}\n\n"
        f"  the widget      {base}/demo/widget\n"
        f"  the HTTP API    {base}/demo/headless   (reference: {base}/docs)\n"
        + (
            ""
            if _settings.assistant.model.is_real
            else "  the model       a built-in demo: set OPENAI_API_KEY\n"
        ),
        flush=True,
    )
