"""Which setting, or what at the provider, mends a refusal that only the owner can mend."""

import re

from app.domain.errors import ProviderError

MODEL = "OPENAI_MODEL"
ADDRESS = "OPENAI_BASE_URL"
KEY = "OPENAI_API_KEY"
PROXY = "HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_ACCOUNT = "the account at the provider, its credit and its limits"
_PLACE = "whether the provider serves the country and the address that this server asks from"
_ANYTHING = f"{KEY}, {MODEL} and {ADDRESS}"

# Of codes and kinds, and of sentences where those tell nothing; the first row that fits decides.
_ROWS = (
    (_PLACE, re.compile(r"country|region|territor|location|\bip[_ ]")),
    (
        _ACCOUNT,
        re.compile(
            r"quota|billing|balance|credit|arrear|overdue|budget|payment|fund|suspend|deactivat"
            r"|restricted|terminated|usage limits|余额|额度"
        ),
    ),
    (MODEL, re.compile(r"model|deployment|v1/responses|模型")),
    (ADDRESS, re.compile(r"unknown_url|invalid url|\bhttps\b|unknown endpoint|no route|path")),
    (KEY, re.compile(r"key|auth|token|permission|access|organi[sz]ation|project|credential")),
)
_STATUSES = {
    401: KEY,
    402: _ACCOUNT,
    403: KEY,
    404: f"{ADDRESS} and {MODEL}",
    407: PROXY,
}


def mend_of(error: ProviderError) -> str:
    """Return what an owner may look at, whom a provider refuses with this."""
    if 300 <= error.status < 400 or error.status in (405, 410, 411, 415, 426, 501, 505):
        return ADDRESS
    words = " ".join((error.code, error.type, error.reason)).lower()
    for told in (words, error.message.lower()):
        found = next((mend for mend, says in _ROWS if says.search(told)), None)
        if found is not None:
            return found
    return _STATUSES.get(error.status, _ANYTHING)


def of_fallback(mend: str) -> str:
    """Return the same for the second model, whose settings have names of their own."""
    return re.sub(r"\bOPENAI_(?=(?:MODEL|BASE_URL|API_KEY)\b)", "OPENAI_FALLBACK_", mend)
