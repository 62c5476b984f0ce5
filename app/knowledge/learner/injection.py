"""Passages that give orders to a model, instead of telling something to a reader.

A list of patterns finds those who do not try to hide, and nobody else: what bounds the harm
is that an answer has no tools, no secrets, and no links but those of its sources.
"""

import re

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "tells a model to forget its instructions",
        (
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier"
            r"|preceding|foregoing|system|your|existing)\b.{0,30}\b(?:instructions?|prompts?|rules"
            r"|directions?|guidelines|commands?|context)\b"
            r"|\bignorier\w*\b.{0,30}\b(?:vorherigen?|bisherigen?|obigen?|vorigen?|deine)\b.{0,30}"
            r"\b(?:anweisung\w*|instruktion\w*|befehl\w*|regel\w*)"
            r"|\bignore[rz]?\b.{0,30}\b(?:instructions?|consignes?|règles)\b.{0,20}"
            r"\b(?:précédentes?|antérieures?|ci-dessus)"
            r"|\b(?:ignora|ignore|olvida|esquece|dimentica)\b.{0,30}\b(?:instrucciones|instruções"
            r"|istruzioni|reglas)\b.{0,20}\b(?:anteriores|previas|precedenti)"
            r"|(?:игнорируй|забудь)\w*.{0,30}(?:предыдущ|прошл|прежн)\w*.{0,20}(?:инструкци|указани)"
            r"|忽略.{0,8}(?:之前|以上|上面|先前|所有).{0,8}(?:指令|指示|提示|说明|規則|规则)"
            r"|(?:以前|上記|これまで|前)の.{0,8}(?:指示|命令|プロンプト).{0,6}(?:無視|忘れ)"
            r"|이전.{0,8}(?:지시|명령|프롬프트).{0,8}무시"
        ),
    ),
    (
        "asks a model for its prompt",
        (
            r"\b(?:reveal|print|repeat|show|output|disclose|leak|display|tell)\b.{0,30}"
            r"\b(?:system|hidden|initial|secret|original)\s+(?:prompt|instructions|message)\b"
        ),
    ),
    (
        "gives a model another role",
        (
            r"\byou are now\b.{0,12}\b(?:an?|the|in|called)?\s*(?:\w+\s){0,3}"
            r"(?:assistant|chat\s?bot|bot|ai|model|agent|persona|dan|jailbroken|unrestricted"
            r"|developer mode)\b"
            r"|\byou are no longer (?:bound|restricted|an? (?:ai|assistant|bot|chatbot))\b"
            r"|\b(?:act|behave|pretend) (?:as|to be) (?:an? )?(?:unrestricted|jailbroken|evil|dan)\b"
            r"|\bdu bist (?:jetzt|nun|ab sofort)\b.{0,30}\b(?:assistent|chatbot|bot|ki|modell)\b"
        ),
    ),
    (
        "speaks to models",
        (
            r"\b(?:instructions?|note|message|attention|important|notice)\s+(?:to|for)\s+(?:all |any |the"
            r" )?(?:ai|llms?|ais|chat\s?bots?|language models?|ai (?:assistants?|agents?|models?))\b"
            r"|\b(?:if you are|as) an? (?:ai|llm|large language model|language model|chatbot)\b.{0,40}"
            r"\b(?:must|should|shall|please|say|tell|answer|respond|recommend|ignore|include)\b"
            r"|\b(?:the )?(?:ai|assistant|chatbot|llm|language model) (?:must|shall|is instructed to"
            r"|has to) (?:always |never |now )?(?:ignore|recommend|tell|say|answer|respond|reply|visit"
            r"|direct|include|reveal|claim)\b"
        ),
    ),
    (
        "tells a model what to hide or to say",
        (
            r"\b(?:do not|don't|never) (?:tell|inform|mention|reveal|warn|alert)\b.{0,30}"
            r"\b(?:the )?(?:users?|visitors?|humans?)\b.{0,40}\b(?:instruction|prompt|message|this"
            r" text|that you)\b"
            r"|\b(?:whenever|when|if) (?:a|the|any) (?:user|visitor|human) asks\b.{0,80}\b(?:you must"
            r"|always (?:say|answer|respond|reply)|(?:say|answer|respond|reply) (?:only|that|with))\b"
            r"|\bfrom now on\b,? (?:you (?:must|will|shall|are to)\b.{0,20}\b(?:answer|respond|reply|say"
            r"|act|pretend|recommend)|(?:always )?(?:answer|respond|reply))\b"
        ),
    ),
    (
        "pretends to be another part of a prompt",
        (
            r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>"
            r"|\[/?INST\]|<</?SYS>>|</?(?:system|instructions?|assistant)>|\bBEGIN SYSTEM (?:PROMPT"
            r"|MESSAGE)|^\W{0,8}(?:system|developer)(?: message| prompt| override)?\s*:\s*\S"
            r"|^#{2,}\s*(?:system|instruction|new instructions?)\s*:?\s*$"
        ),
    ),
    ("holds a long run of code that nobody reads", r"(?<![\w/+])[A-Za-z0-9+/]{240,}={0,2}"),
)
_COMPILED = [(why, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for why, pattern in _PATTERNS]
_SPACES = re.compile(r"\s+")


def why_suspicious(text: str) -> str | None:
    """Say why a passage looks like an order to a model; ``None`` where it does not."""
    joined = _SPACES.sub(" ", text)
    for why, pattern in _COMPILED:
        if pattern.search(joined) or ("\n" in text and pattern.search(text)):
            return why
    return None
