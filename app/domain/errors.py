"""Every failure that Perch names.

    ServiceError
    ├── InvalidRequest             the request cannot be understood
    │   ├── LengthRequired
    │   ├── PayloadTooLarge
    │   ├── MediaTypeUnsupported
    │   └── RequestTimeout
    ├── Unauthorized               no key, a wrong key, a dead token
    │   ├── SessionExpired
    │   └── SessionRequired
    ├── Forbidden                  an origin or a session that may not
    │   ├── OriginNotAllowed
    │   └── IdentityRefused
    ├── NotFound
    │   ├── ConversationNotFound
    │   ├── MessageNotFound
    │   └── TurnNotFound
    ├── Conflict                   the turn cannot begin now, or never
    │   ├── TurnInProgress
    │   ├── TurnMismatch
    │   ├── TurnNotLast
    │   └── UserMismatch
    ├── TooManyRequests            a limit was hit
    │   ├── SendingTooFast
    │   ├── TooManySessions
    │   ├── DailyLimitReached
    │   └── BudgetExhausted
    ├── ModelFailure               no answer, or not the whole answer
    │   ├── ModelUnavailable
    │   ├── ModelPaused
    │   ├── ModelTimeout
    │   ├── ModelRateLimited
    │   ├── ModelMisconfigured
    │   ├── ModelRefused
    │   └── ModelInterrupted
    ├── StorageUnavailable
    ├── Overloaded                 full, or going down
    │   └── ServerRestarting
    ├── SwitchedOff                by the owner, for now
    └── NotConfigured              a part that the owner has switched off

The texts are what a visitor may read: they name no vendor and no setting.
``web/problems.py`` holds the only table from these to HTTP statuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class ServiceError(Exception):
    """A failure with a sentence for the caller and a code for programs.

    ``retry_after_s`` is set where waiting that long may help; ``details``
    names faulty fields and the rules that they break, in our own words: it
    is shown to the caller, and never holds what the caller sent.
    """

    code: ClassVar[str] = "internal_error"
    text: ClassVar[str] = "Internal server error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        text: str | None = None,
        *,
        retry_after_s: float | None = None,
        details: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(text or self.text)
        self.retry_after_s = retry_after_s
        self.details = details


class InvalidRequest(ServiceError):
    """The request cannot be understood, and repeating it will not help."""

    code = "invalid_request"
    text = "Invalid request payload"


class LengthRequired(InvalidRequest):
    """A body came without ``Content-Length``, and not in chunks."""

    code = "length_required"
    text = "Content-Length is required"


class PayloadTooLarge(InvalidRequest):
    """The body is larger than any valid request."""

    code = "payload_too_large"
    text = "Request body is too large"


class MediaTypeUnsupported(InvalidRequest):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"
    text = "Content-Type must be application/json"


class RequestTimeout(InvalidRequest):
    """The body did not arrive in time."""

    code = "request_timeout"
    text = "The request took too long to arrive"
    retryable = True


class Unauthorized(ServiceError):
    """No key or token, or one that does not hold."""

    code = "unauthorized"
    text = "Unauthorized"


class SessionExpired(Unauthorized):
    """The session's token was live once, or its visitor deleted the session."""

    code = "session_expired"
    text = "This session has expired"


class SessionRequired(Unauthorized):
    """This session is open only to the holder of its token."""

    code = "session_required"
    text = "A session token is required"


class Forbidden(ServiceError):
    """Known, but not allowed."""

    code = "forbidden"
    text = "Forbidden"


class OriginNotAllowed(Forbidden):
    """The page's origin is not on the owner's list."""

    code = "origin_not_allowed"
    text = "Origin not allowed"


class IdentityRefused(Forbidden):
    """The JWT that names the visitor does not hold."""

    code = "identity_refused"
    text = "The identity could not be verified"


class NotFound(ServiceError):
    """Nothing stands at this address."""

    code = "not_found"
    text = "Not found"


class ConversationNotFound(NotFound):
    """No conversation has this id, or it was deleted."""

    code = "conversation_not_found"
    text = "Conversation not found"


class MessageNotFound(NotFound):
    """No message of this session has this id."""

    code = "message_not_found"
    text = "Message not found"


class TurnNotFound(NotFound):
    """The session has no such turn, or it is too old to be told again."""

    code = "turn_not_found"
    text = "There is no such question in this session"


class Conflict(ServiceError):
    """The turn contradicts what is stored."""

    code = "conflict"
    text = "This request conflicts with the conversation"


class TurnInProgress(Conflict):
    """A turn of the session is running: ``turn_id``, where the store knows it."""

    code = "turn_in_progress"
    text = "The previous message is still being answered"
    retryable = True

    def __init__(self, *, retry_after_s: float | None = None, turn_id: str | None = None) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.turn_id = turn_id


class TurnMismatch(Conflict):
    """The turn id was used for another question."""

    code = "turn_mismatch"
    text = "This turnId belongs to a different message"


class TurnNotLast(Conflict):
    """Only the conversation's last turn may be answered anew."""

    code = "turn_not_last"
    text = "Only the last message can be answered again"


class UserMismatch(Conflict):
    """The session was identified as another user's."""

    code = "user_mismatch"
    text = "This session belongs to another user"


class AssistantMismatch(Conflict):
    """The session was begun with another assistant."""

    code = "assistant_mismatch"
    text = "This session belongs to another assistant: begin a new one"


class TooManyRequests(ServiceError):
    """A limit was hit; ``retry_after_s`` says when it opens again."""

    code = "too_many_requests"
    text = "Too many requests"
    retryable = True


class SendingTooFast(TooManyRequests):
    """One session asks faster than people read."""

    code = "sending_too_fast"
    text = "You are sending messages very fast. Please wait a moment"


class TooManySessions(TooManyRequests):
    """One address opens session after session."""

    code = "too_many_sessions"
    text = "Too many chats were started from your network. Please try again later"


class DailyLimitReached(TooManyRequests):
    """One session or address has had its share of the day."""

    code = "daily_limit_reached"
    text = "You have reached the limit for today. Please come back tomorrow"


class BudgetExhausted(TooManyRequests):
    """The whole service has spent its day's budget; the owner may say it otherwise."""

    code = "budget_exhausted"
    text = "The assistant has answered all it may today. Please come back tomorrow"


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a provider said in place of an answer, in its own words.

    As read they may quote a visitor or a key; the message and the location of
    a ``ModelFailure`` do not any more.
    ``status`` is HTTP's, or the number that an error within a stream names;
    0 where there is none. ``reason`` is any further word of a code's kind.
    """

    status: int = 0
    code: str = ""
    type: str = ""
    reason: str = ""
    param: str = ""
    message: str = ""
    loc: tuple[str, ...] = ()
    location: str = ""


class ModelFailure(ServiceError):
    """The model gave no answer, or not the whole of it.

    ``is_free`` tells that the provider did nothing that it charges for: it
    was never reached, or refused with a 4xx; ``has_spoken`` that it failed behind
    words or thoughts, or a usage of some. ``cause`` is for the owner: one
    bounded line without a visitor's words or a key; ``mend`` names the settings
    that it concerns, where only the owner can mend it. ``provider`` is set where
    a provider said what is wrong; ``is_explained`` is false where that tells
    nothing. ``attempts`` are set where two models were asked: the failure of each.
    """

    code = "model_error"
    text = "The assistant could not answer"
    retryable = True
    is_free: bool = False
    has_spoken: bool = False
    cause: str = ""
    mend: str = ""
    provider: ProviderError | None = None
    is_explained: bool = True
    attempts: tuple["ModelFailure", ...] = ()


class ModelUnavailable(ModelFailure):
    """The model could not be reached, or answered 5xx."""

    code = "model_unavailable"
    text = "The assistant is not available right now"


class ModelPaused(ModelFailure):
    """The model failed again and again, so it is not asked for a while."""

    code = "model_paused"
    text = "The assistant is not available right now"
    is_free = True


class ModelTimeout(ModelFailure):
    """The model was silent too long, or the turn's deadline passed."""

    code = "model_timeout"
    text = "The assistant took too long to answer"


class ModelRateLimited(ModelFailure):
    """The model's provider wants us to slow down."""

    code = "model_rate_limited"
    text = "The assistant is very busy right now"
    is_free = True


class ModelMisconfigured(ModelFailure):
    """The provider refuses our key, quota or model name: the owner must act."""

    code = "model_misconfigured"
    text = "The assistant is not set up correctly"
    retryable = False
    is_free = True


class ModelRefused(ModelFailure):
    """The provider refuses this very request; repeating it will not help.

    Where ``is_explained`` is false, nothing tells that it is the visitor's
    message: it may as well be how every request is made.
    """

    code = "model_refused"
    text = "The assistant cannot answer this message"
    retryable = False
    is_free = True


class ModelInterrupted(ModelFailure):
    """The answer broke off before the model said that it was complete.

    ``ran_out`` tells that it never began: all that it may say went on thoughts.
    """

    code = "model_interrupted"
    text = "The answer was interrupted"
    ran_out: bool = False


class StorageUnavailable(ServiceError):
    """The store could not be reached or did not answer in time."""

    code = "storage_unavailable"
    text = "Conversations are not available right now"
    retryable = True


class Overloaded(ServiceError):
    """More streams are open than this server may hold."""

    code = "overloaded"
    text = "The assistant is very busy right now"
    retryable = True


class ServerRestarting(Overloaded):
    """The server is going down; another will take the same request."""

    code = "server_restarting"
    text = "The assistant is restarting"


class SwitchedOff(ServiceError):
    """The owner has switched the assistant off; the owner may say it otherwise."""

    code = "switched_off"
    text = "The assistant is switched off right now. Please come back later"
    retryable = True


class NotConfigured(ServiceError):
    """A part of the service that its owner has not switched on."""

    code = "not_configured"
    text = "This is not configured on this deployment"


def failure_named(code: str) -> ServiceError:
    """Return a failure of which no more is known than its code."""
    kinds = [ServiceError]
    for kind in kinds:
        if kind.code == code:
            return kind()
        kinds += kind.__subclasses__()
    return ServiceError()


def mend_of(error: ServiceError) -> str:
    """Return the settings that a failure concerns, or nothing."""
    return error.mend if isinstance(error, ModelFailure) else ""


def cause_of(error: ServiceError) -> str:
    """Return what the owner may know of a failure, which is more than a visitor."""
    told = error.cause if isinstance(error, ModelFailure) else ""
    return told or str(error.__cause__ or error)
