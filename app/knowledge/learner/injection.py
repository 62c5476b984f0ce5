"""Passages that give orders to a model, instead of telling something to a reader.

A list of patterns finds those who do not try to hide, and nobody else: what bounds the harm
is that an answer has no tools, no secrets, and no links but those of its sources.
"""

import re
from typing import NamedTuple

_SPACES = re.compile(r"[^\S\n]+")
_GAP = r"\b.{0,30}"


class _Rule(NamedTuple):
    """``first`` and ``then`` are pieces of words, one of each of which any match has.

    To look for those takes a tenth of the time that the pattern takes.
    """

    why: str
    first: tuple[str, ...]
    then: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(why: str, first: str, then: str, *patterns: str) -> _Rule:
    compiled = re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE)
    return _Rule(why, tuple(first.split("/")), tuple(then.split("/")), compiled)


_RULES = (
    _rule(
        "tells a model to forget its instructions",
        "ignor/disregard/forget/override/bypass/olvida/esquece/dimentica/игнор/забудь/忽略/無視/忘/무시",
        "instruc/prompt/rule/directi/guideline/command/context/anweisung/instruktion/befehl/regel/"
        "consigne/règle/istruzion/instruções/regla/указани/инструкци/指令/指示/提示/说明/規則/规则/命令/"
        "プロンプト/지시/명령/프롬프트",
        rf"\b(?:ignore|disregard|forget|override|bypass){_GAP}\b(?:previous|prior|above|earlier"
        rf"|preceding|foregoing|system|your|existing){_GAP}\b(?:instructions?|prompts?|rules"
        r"|directions?|guidelines|commands?|context)\b",
        rf"\bignorier\w*{_GAP}\b(?:vorherige|bisherige|obige|vorige|deine?)\w?{_GAP}"
        r"\b(?:anweisung|instruktion|befehl|regel)",
        rf"\bignore[rz]?{_GAP}\b(?:instructions?|consignes?|règles){_GAP}"
        r"\b(?:précédente|antérieure|ci-dessus)",
        rf"\b(?:ignora|ignore|olvida|esquece|dimentica){_GAP}\b(?:instrucciones|instruções"
        rf"|istruzioni|reglas){_GAP}\b(?:anteriores|previas|precedenti)",
        r"(?:игнорируй|забудь).{0,30}(?:предыдущ|прошл|прежн).{0,20}(?:инструкци|указани)",
        r"忽略.{0,8}(?:之前|以上|上面|先前|所有).{0,8}(?:指令|指示|提示|说明|規則|规则)",
        r"(?:以前|上記|これまで|前)の.{0,8}(?:指示|命令|プロンプト).{0,6}(?:無視|忘れ)",
        r"이전.{0,8}(?:지시|명령|프롬프트).{0,8}무시",
    ),
    _rule(
        "asks a model for its prompt",
        "system/hidden/initial/secret/original",
        "prompt/instructions/message",
        rf"\b(?:reveal|print|repeat|show|output|disclose|leak|display|tell){_GAP}"
        r"\b(?:system|hidden|initial|secret|original)\s+(?:prompt|instructions|message)\b",
    ),
    _rule(
        "gives a model another role",
        "you are now/you are no longer/act as/act to/behave/pretend/du bist",
        "assist/bot/ai/model/agent/persona/dan/jailb/restricted/developer/evil/ki/bound",
        r"\byou are now\b.{0,12}\b(?:an?|the|in|called)?\s*(?:\w+\s){0,3}(?:assistant|chat\s?bot"
        r"|bot|ai|model|agent|persona|dan|jailbroken|unrestricted|developer mode)\b",
        r"\byou are no longer (?:bound|restricted|an? (?:ai|assistant|bot|chatbot))\b",
        r"\b(?:act|behave|pretend) (?:as|to be) (?:an? )?(?:unrestricted|jailbroken|evil|dan)\b",
        rf"\bdu bist (?:jetzt|nun|ab sofort){_GAP}\b(?:assistent|chatbot|bot|ki|modell)\b",
    ),
    _rule(
        "speaks to models",
        " ai/llm/chatbot/chat bot/language model/assistant",
        " to / for / an / a / must / shall / is instructed / has to ",
        r"\b(?:instructions?|note|message|attention|important|notice)\s+(?:to|for)\s+(?:all |any "
        r"|the )?(?:ai|llms?|ais|chat\s?bots?|language models?|ai (?:assistants?|agents?"
        r"|models?))\b",
        r"\b(?:if you are|as) an? (?:ai|llm|large language model|language model|chatbot)\b.{0,40}"
        r"\b(?:must|should|shall|please|say|tell|answer|respond|recommend|ignore|include)\b",
        r"\b(?:the )?(?:ai|assistant|chatbot|llm|language model) (?:must|shall|is instructed to"
        r"|has to) (?:always |never |now )?(?:ignore|recommend|tell|say|answer|respond|reply"
        r"|visit|direct|include|reveal|claim)\b",
    ),
    _rule(
        "tells a model what to hide or to say",
        " tell/ inform/ mention/ reveal/ warn/ alert/ asks/from now on",
        "user/visitor/human/now",
        rf"\b(?:do not|don't|never) (?:tell|inform|mention|reveal|warn|alert){_GAP}"
        r"\b(?:users?|visitors?|humans?)\b.{0,40}\b(?:instruction|prompt|message|this text"
        r"|that you\b)",
        r"\b(?:whenever|when|if) (?:a|the|any) (?:user|visitor|human) asks\b.{0,80}\b(?:you must"
        r"|always (?:say|answer|respond|reply)|(?:say|answer|respond|reply) (?:only|that|with))\b",
        r"\bfrom now on\b,? (?:you (?:must|will|shall|are to)\b.{0,20}\b(?:answer|respond|reply"
        r"|say|act|pretend|recommend)|(?:always )?(?:answer|respond|reply))\b",
    ),
    _rule(
        "pretends to be another part of a prompt",
        "<|/inst]/sys>>/system>/instruction>/instructions>/assistant>/begin system/system message/"
        "system prompt/system override/developer message/developer prompt/##",
        "i/s",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>",
        r"\[/?INST\]|<</?SYS>>|</?(?:system|instructions?|assistant)>",
        r"\bBEGIN SYSTEM (?:PROMPT|MESSAGE)",
        r"^\W{0,8}(?:system|developer)(?: message| prompt| override)\s*:\s*\S",
        r"^#{2,}\s*(?:system|instruction|new instructions?)\s*:?\s*$",
    ),
)
_LONG_CODE = re.compile(r"(?<![\w/+])[A-Za-z0-9+/]{240,}={0,2}")
_LONG_CODE_CHARS = 240


def why_suspicious(text: str) -> str | None:
    """Say why a passage looks like an order to a model; ``None`` where it does not."""
    said = _SPACES.sub(" ", text)
    lower = f" {said.lower()} ".replace("\n", " ")
    for rule in _RULES:
        if _has_any(lower, rule.first) and _has_any(lower, rule.then):
            # A line of a page ends where its frame is full, and a sentence goes on.
            joined = said.replace("\n", " ")
            if rule.pattern.search(said) or rule.pattern.search(joined):
                return rule.why
    if len(said) >= _LONG_CODE_CHARS and _LONG_CODE.search(said):
        return "holds a long run of code that nobody reads"
    return None


def _has_any(text: str, pieces: tuple[str, ...]) -> bool:
    return any(piece in text for piece in pieces)
