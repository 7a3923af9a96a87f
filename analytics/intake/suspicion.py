"""Texts that speak to a language model instead of about a shop: told by their wording, in English and German.

Nothing in a document is ever an instruction; how prompts are built sees to that. This tells such texts apart,
so that they are counted, shown as what they are, and stand behind no figure and no sentence.
"""

from __future__ import annotations

import polars as pl

REASON = "speaks to a language model"

_EARLIER = (
    r"(?:(?:all|any|the|these|your|my|previous|prior|earlier|above|preceding|former)\s+){0,4}"
    r"(?:instructions?|prompts?|rules|directions|assignments?|guidelines|commands|orders|information|tasks"
    r"|documents(?: provided)?"
    r"|(?:everything|all|anything)\s+(?:that\s+|you\s+)?(?:above|before|previous(?:ly)?|prior|know))"
)
_MACHINE = r"(?:ai|a\.i\.|assistant|chat ?bot|chatgpt|language model|llm|gpt[- \d]*|linux terminal|\w*bot)"
_FRUEHER = (
    r"(?:(?:alle[sn]?|die|den|deine|meine|vorherige[rn]?|vorigen|bisherigen|obigen)\s+){0,4}"
    r"(?:anweisung(?:en)?|aufgaben|aufträge|angaben|informationen|anordnungen|instruktionen|ausführungen"
    r"|davor|vorherige|gesagte)"
)
_WORDINGS = (
    r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>",
    rf"\b(?:ignore|disregard|forget|override|bypass)\b(?:\s+about)?\s+{_EARLIER}\b",
    rf"\b(?:ignorieren?|missachten?|vergiss|vergessen\s+sie)\b(?:\s+(?:nun|jetzt|bitte))?\s+{_FRUEHER}",
    r"\b(?:act|respond|answer|behave|pretend to be|you are now|from now on you are)\s+(?:as\s+)?"
    rf"(?:an?\s+)?(?:\w+\s+){{0,2}}{_MACHINE}\b",
    r"\bi want you to act as\b|\bpretend (?:that )?(?:you are|you're) an?\b|\byou are role-?playing as\b",
    r"\b(?:just|only) (?:output|reply with|answer with|respond with)\b",
    r"\b(?:ignore|forget) (?:all|everything)(?: (?:you|that)\b[^.!?\n]{0,30})? and (?:just )?"
    r"(?:say|output|write|tell)",
    r"\bvergiss (?:nun |jetzt )?alles\b|\bwas sind deine anweisungen\b",
    r"\b(?:change|what are|tell me|reveal|ignore) your instructions\b|\badditional instructions?\b",
    r"\b(?:hello|hi|hey|hallo),? (?:chat)?gpt\b|\bby your own knowledge\b",
    r"\bich möchte, dass (?:sie|du) als \S+ fungier|\bsie fungieren als\b",
    r"\b(?:reveal|show|print|repeat|output|zeige?|nenne)\b[^.!?\n]{0,40}"
    r"\b(?:your|the|system|hidden|deine?n?)\s+(?:\w+\s+)?prompt\b|\bsystem prompt\b",
    r"\b(?:now|here) (?:follow|come|are) (?:some )?(?:new|more|further) (?:instructions|tasks|assignments)\b",
    r"\bnow (?:new|further) (?:tasks|instructions) (?:are followed|follow)\b|\b(?:a|the|your) new task[,:]",
    r"\b(?:write|say|use|include|mention|add|repeat|output|print|insert|end|begin|start)\b[^.!?\n]{0,60}"
    r"\b(?:in|into|to|with)?\s*(?:every|each|all|your|any)\s+(?:\w+\s+)?"
    r"(?:answers?|summar(?:y|ies)|repl(?:y|ies)|responses?|outputs?)\b",
    r"\b(?:your|every|each|the) (?:answer|summary|reply|response|output) (?:must|should|has to|shall) "
    r"(?:contain|include|be|say|mention|begin|start|end)\b",
    r"\b(?:nun|jetzt) folgen (?:\w+ )?(?:neue|weitere) (?:anweisungen|aufgaben)\b",
    r"\b(?:your|deine) (?:new|neue) (?:task|aufgabe)\b",
    r"\b(?:as|als) (?:an? |ein )?(?:ai |ki[- ])?(?:language model|sprachmodell)\b",
    r"\bdu bist (?:jetzt |nun )?(?:\w+bot|chatgpt|eine? ki)\b",
)
PATTERN = "(?i)" + "|".join(_WORDINGS)


def speaks_to_a_model(text: str) -> pl.Expr:
    """Whether a text has the wording of one that instructs a language model.

    Args:
        text: Column of the text.
    """
    return pl.col(text).fill_null("").str.contains(PATTERN)
