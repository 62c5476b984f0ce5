"""What can be wrong between us and Convex, in the operator's words."""

from app.domain.errors import StorageUnavailable


class ConvexTrouble(StorageUnavailable):
    """Convex did not do what was asked: ``reason`` is for the operator.

    Its text is what a visitor may read. ``uncertain`` says that the call
    may have been applied nevertheless.
    """

    def __init__(self, reason: str, *, uncertain: bool = False) -> None:
        super().__init__()
        self.reason = reason
        self.uncertain = uncertain


class ConvexBusy(ConvexTrouble):
    """It may work the next time."""


class FunctionFailed(ConvexTrouble):
    """The function threw, or is not there; in production Convex does not tell which."""


def unreachable(url: str, why: object, *, uncertain: bool = False) -> ConvexBusy:
    """No usable answer came from the deployment."""
    reason = f"Convex cannot be reached at {url} ({why}): check CONVEX_URL and the network"
    return ConvexBusy(reason, uncertain=uncertain)


def overloaded(status: int, code: str) -> ConvexBusy:
    """Convex applied nothing, and says so."""
    return ConvexBusy(f"Convex is too busy ({status} {code})")


def broken(status: int) -> ConvexBusy:
    """Convex answered, but not as its API does."""
    reason = f"Convex answered {status} and nothing usable: check CONVEX_URL, or wait for Convex"
    return ConvexBusy(reason, uncertain=True)


def refused(status: int, code: str) -> ConvexTrouble:
    """The deployment does not accept our key, or not for this."""
    if code == "OperationNotPermitted":
        return ConvexTrouble(
            f"Convex refused CONVEX_DEPLOY_KEY ({status} {code}): the key needs the permissions "
            "deployment:functions:runInternalQueries and deployment:functions:runInternalMutations"
        )
    return ConvexTrouble(
        f"Convex refused CONVEX_DEPLOY_KEY ({status} {code}): make a deploy key for this "
        "deployment, see docs/convex.md"
    )


def malformed(status: int, code: str) -> ConvexTrouble:
    """Convex does not understand the call."""
    return ConvexTrouble(f"Convex did not understand the call ({status} {code})")


def failed(path: str, message: str) -> FunctionFailed:
    """Tell where to look for what a function said."""
    return FunctionFailed(
        f"the Convex function {path} failed ({message}): its log is in Convex's dashboard, "
        "under this request id"
    )


def not_deployed(expected: int) -> ConvexTrouble:
    """There are no functions of ours."""
    return ConvexTrouble(
        f"Perch's functions (version {expected}) are not deployed: run `npm run deploy` in convex/"
    )


def outdated(found: int, expected: int) -> ConvexTrouble:
    """There are functions of ours, but older ones than this server needs."""
    return ConvexTrouble(
        f"Perch's functions are deployed in version {found}, this server needs version "
        f"{expected}: run `npm run deploy` in convex/"
    )
