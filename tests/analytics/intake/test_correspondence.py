"""Letters as people and their mail programs write them, in four languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.correspondence import block_hashes, cut_foreign

KETTLE = "The kettle you sent me leaks at the spout.\nPlease send a new one."
KANNE = "Der Wasserkocher tropft am Ausguss.\nBitte schicken Sie einen neuen."

QUOTATIONS = {
    "marked": "On Mon, Jan 8, 2024 at 9:14 AM Nora Bell <nora@acme.example> wrote:\n\n> We are "
    "sorry.\n>\n> Nora",
    "wrapped attribution": "On Mon, 8 Jan 2024 at 09:14, Nora Bell of Acme "
    "Support\n<nora@acme.example>\nwrote:\n> Sorry.",
    "unmarked": "On Mon, Jan 8, 2024 at 9:14 AM Nora Bell <nora@acme.example> wrote:\n\nWe are "
    "sorry.\n\nNora",
    "german": "Am 08.01.2024 um 09:14 schrieb Nora Bell <nora@acme.example>:\n> Es tut uns leid.",
    "german unmarked": "Am Mo., 8. Jan. 2024 um 09:14 Uhr schrieb Nora Bell <nora@acme.example>:\nEs tut "
    "uns leid.",
    "french": "Le lun. 8 janv. 2024 à 09:14, Nora Bell <nora@acme.example> a écrit :\n\n> Nous sommes "
    "désolés.",
    "spanish": "El lun, 8 ene 2024 a las 9:14, Nora Bell (<nora@acme.example>) escribió:\n\nLo sentimos.",
    "italian": "Il giorno lun 8 gen 2024 alle ore 09:14 Nora Bell <nora@acme.example> ha scritto:\n> Ci "
    "spiace.",
    "dutch": "Op ma 8 jan 2024 om 09:14 schreef Nora Bell <nora@acme.example>:\n> Het spijt ons.",
    "outlook": "From: Nora Bell <nora@acme.example>\nSent: Monday, January 8, 2024 9:14 AM\n"
    "To: Ann Lee <ann@home.example>\nSubject: Your order\n\nWe are sorry.\n\nNora",
    "outlook bold": "*From:* Nora Bell\n*Date:* Monday, 8 January 2024\n*To:* Ann\n*Subject:* Re: "
    "order\n\nSorry.",
    "outlook german": "________________________________\nVon: Nora Bell <nora@acme.example>\n"
    "Gesendet: Montag, 8. Januar 2024 09:14\nAn: Ann Lee\nBetreff: AW: Bestellung\n\nEs tut uns leid.",
    "outlook french": "De : Nora Bell\nEnvoyé : lundi 8 janvier 2024 09:14\nÀ : Ann Lee\nObjet : RE: "
    "commande\n\nDésolés.",
    "outlook spanish": "De: Nora Bell\nEnviado el: lunes, 8 de enero de 2024 9:14\nPara: Ann\nAsunto: RE: "
    "pedido\n\nSí.",
    "outlook dutch": "Van: Nora Bell\nVerzonden: maandag 8 januari 2024 09:14\nAan: Ann\nOnderwerp: RE: "
    "order\n\nSorry.",
    "outlook italian": "Da: Nora Bell\nInviato: lunedì 8 gennaio 2024 09:14\nA: Ann\nOggetto: R: "
    "ordine\n\nCi spiace.",
    "original message": "-----Original Message-----\nFrom: Nora Bell\nSubject: order\n\nWe are sorry.",
    "original german": "-----Ursprüngliche Nachricht-----\nVon: Nora Bell\nBetreff: Bestellung\n\nEs tut "
    "uns leid.",
    "forwarded": "---------- Forwarded message ---------\nFrom: Nora Bell <nora@acme.example>\nDate: Mon, "
    "8 Jan 2024\n\nHi",
    "apple forward": "Begin forwarded message:\n\nFrom: Nora Bell\nSubject: order\nDate: 8 January "
    "2024\nTo: Ann\n\nHi",
    "ticket system": "##- Please type your reply above this line -##\n\nNora (Acme)\n\nWe are sorry.",
}

SIGNATURES = {
    "delimiter": "-- \nAnn Lee\n12 Mill Lane, Leeds\nTel: +44 113 496 0000",
    "kind regards": "Kind regards,\nAnn Lee",
    "closing alone": "Best regards",
    "name on the line": "Kind regards, Ann Lee",
    "thanks and a name": "Thanks,\nAnn",
    "thanks and regards": "Many thanks and kind regards,\n\nAnn Lee\nHead of Purchasing\nLee & Sons Ltd\n"
    "+44 113 496 0000 | www.lee.example",
    "small letters": "regards\nann",
    "german": "Mit freundlichen Grüßen\n\nAnn Lee\nMühlweg 12\n04109 Leipzig\nTelefon: 0341 496000",
    "german thanks": "Vielen Dank und viele Grüße aus Leipzig\nAnn",
    "german short": "LG Ann",
    "swiss": "Freundliche Grüsse\nAnn Lee",
    "french": "Cordialement,\nAnn Lee",
    "french long": "Je vous prie d'agréer, Madame, Monsieur, l'expression de mes salutations "
    "distinguées.\nAnn Lee",
    "spanish": "Un saludo,\nAna Gil",
    "spanish thanks": "Muchas gracias y un cordial saludo,\nAna Gil",
    "iphone": "Sent from my iPhone",
    "iphone german": "Von meinem iPhone gesendet",
    "android german": "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "iphone french": "Envoyé de mon iPhone",
    "samsung spanish": "Enviado desde mi Samsung Galaxy",
    "outlook": "Get Outlook for Android<https://aka.ms/AAb9ysg>",
    "windows": "Sent from Mail for Windows 10",
    "name and phone": "Kind regards,\nAnn Lee\n\nSent from my iPhone",
}

DISCLAIMERS = {
    "english": "This e-mail and any attachments are confidential and intended solely for the addressee. "
    "If you\n"
    "have received it in error, please delete it.",
    "two paragraphs": "CONFIDENTIALITY NOTICE: The contents of this message are privileged.\n\n"
    "If you are not the intended recipient, any use is forbidden. Tell the sender.",
    "german": "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie "
    "nicht der\n"
    "richtige Adressat sind, informieren Sie bitte sofort den Absender.",
    "french": "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention de ses "
    "destinataires.",
    "spanish": "Este mensaje y sus archivos adjuntos son confidenciales y van dirigidos a su destinatario.",
    "environment": "Please consider the environment before printing this e-mail.",
    "environment german": "Bitte denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.",
}

AWAY = {
    "subject": "Automatic reply: Your order 4711\n\nI am away.",
    "english": "Thank you for your email. I am currently out of the office and will be back on Monday. In "
    "urgent "
    "cases please contact my colleague.",
    "german": "Vielen Dank für Ihre E-Mail. Ich bin bis zum 12.01. nicht im Büro. Ihre Nachricht wird nicht "
    "weitergeleitet.",
    "german subject": "Abwesenheitsnotiz: Ihre Bestellung\nIch bin im Urlaub.",
    "french": "Bonjour, merci pour votre message. Je suis absente jusqu'au 12 janvier. En cas d'urgence, "
    "appelez.",
    "spanish": "Gracias por su mensaje. Estaré fuera de la oficina hasta el lunes. Si es urgente, llame.",
}

CUSTOMERS_OWN = [
    KETTLE,
    KANNE,
    "",
    "On Monday I wrote to you:\nnobody answered, and 5 days later the kettle broke.",
    "On 3 May you wrote:\nwe refund within 14 days. Where is my money?",
    "Am Montag schrieb ich Ihnen:\nkeine Antwort.",
    "5 > 3, and three of five cups broke.",
    "The box said\n> 50 cm of cable\nand mine has 30.",
    "> 3 weeks of waiting and no answer",
    "Hi team,\n\nwhere is my order?",
    "Thank you for your help",
    "Thanks!",
    "I am out of the office all day, so the courier never finds me. Please deliver in the evening.",
    "The message I got says this e-mail is confidential. Is that a fraud?",
    "From: London\nTo: Leeds\nthe parcel took nine days.",
    "Best kettle ever\nbut the lid is loose.",
    "Thanks\n\nstill waiting for the invoice.",
    "--\nThe lid broke after a week.",
    "The lid broke. -- Not the first time -- I want my money back.",
    "I sent it from my phone and the page crashed.",
    "Sent you a mail last week",
    "Ich bin seit Tagen ohne Heizung und Ihr Service ist nicht erreichbar. Bitte melden, dringend!",
    "I am on holiday until Friday and it is urgent, I return on Monday.",
    "Auto reply - that is all I ever get from you",
    "Sent from my warehouse on Monday, it never arrived.",
    "Love it. Regards to the team that packed it so carefully.",
    "Gruß an das ganze Team, das so sorgfältig gepackt hat.",
    "Best",
    "5 stars -> 1 star",
]


@pytest.mark.parametrize("quotation", QUOTATIONS.values(), ids=QUOTATIONS.keys())
def test_a_quotation_below_is_cut(quotation: str) -> None:
    cut = cut_foreign(f"{KETTLE}\n\n{quotation}")
    assert cut.text == KETTLE
    assert {kind for kind, _ in cut.cuts} <= {"quoted_reply", "signature"}
    assert dict(cut.cuts)["quoted_reply"] > 10


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES.keys())
@pytest.mark.parametrize("text", [KETTLE, KANNE], ids=["english", "german"])
def test_a_signature_is_cut(text: str, signature: str) -> None:
    cut = cut_foreign(f"{text}\n\n{signature}")
    assert (cut.text, [kind for kind, _ in cut.cuts]) == (text, ["signature"])


@pytest.mark.parametrize("disclaimer", DISCLAIMERS.values(), ids=DISCLAIMERS.keys())
def test_a_disclaimer_is_cut(disclaimer: str) -> None:
    cut = cut_foreign(f"{KETTLE}\n\n{disclaimer}")
    assert (cut.text, [kind for kind, _ in cut.cuts]) == (KETTLE, ["disclaimer"])


@pytest.mark.parametrize(
    "warning",
    [
        "CAUTION: This email originated from outside of the organization. Do not click links or open "
        "attachments unless you recognize the sender.",
        "[EXTERNAL]",
        "ACHTUNG: Externe E-Mail, bitte prüfen Sie den Absender.",
    ],
)
def test_a_warning_above_takes_nothing_else_with_it(warning: str) -> None:
    cut = cut_foreign(f"{warning}\n{KETTLE}")
    assert (cut.text, [kind for kind, _ in cut.cuts]) == (KETTLE, ["disclaimer"])


@pytest.mark.parametrize("text", AWAY.values(), ids=AWAY.keys())
def test_a_note_of_absence_is_cut_whole(text: str) -> None:
    assert cut_foreign(text) == ("", [("out_of_office", len(text))])


@pytest.mark.parametrize("text", CUSTOMERS_OWN)
def test_what_a_customer_says_stays(text: str) -> None:
    assert cut_foreign(text) == (text, [])


def test_answers_between_quoted_lines_stay() -> None:
    text = (
        "Hello,\n\nOn Mon, Jan 8, 2024 at 9:14 AM Nora <nora@acme.example> wrote:\n> Which colour is it?\n\n"
        "It is the red one.\n\n> Did you descale it?\nYes, twice.\n\nThanks,\nAnn"
    )
    assert cut_foreign(text).text == "Hello,\n\nIt is the red one.\n\nYes, twice."


def test_answers_below_an_original_message_with_marks_stay() -> None:
    text = "-----Original Message-----\nFrom: Nora\nSent: today\nTo: Ann\nSubject: a\n\n> Which?\n\nThe red."
    assert cut_foreign(text).text == "The red."


def test_an_answer_below_an_unmarked_quotation_stays() -> None:
    text = f"{QUOTATIONS['outlook german']}\n\nViele Grüße\nNora Bell\nAcme\n\nHallo,\n\n{KANNE}\n\nLG\nAnn"
    assert cut_foreign(text).text == f"Hallo,\n\n{KANNE}"


def test_a_name_without_a_closing_is_a_signature_below_a_letter() -> None:
    assert cut_foreign(f"Hello,\n\n{KETTLE}\n\nAnn B. Lee").text == f"Hello,\n\n{KETTLE}"
    assert cut_foreign(f"{KETTLE}\n\nAnn Lee\nTel. 0113 496 0000\nann@home.example").text == KETTLE
    assert cut_foreign(f"{KETTLE}\n\nVery Sad").text == f"{KETTLE}\n\nVery Sad"
    assert cut_foreign(f"Hello,\n\n{KETTLE}\n\nThanks").text == f"Hello,\n\n{KETTLE}\n\nThanks"


def test_a_letter_with_everything() -> None:
    text = (
        f"[EXTERNAL]\nDear Acme,\n\n{KETTLE}\n\nKind regards,\nAnn Lee\n+44 113 496 0000\n\n"
        f"P.S. The box was fine.\n\nSent from my "
        f"iPhone\n\n{DISCLAIMERS['english']}\n\n{QUOTATIONS['outlook']}"
    )
    cut = cut_foreign(text)
    assert cut.text == f"Dear Acme,\n\n{KETTLE}\n\nP.S. The box was fine."
    assert [kind for kind, _ in cut.cuts] == ["disclaimer", "quoted_reply", "signature"]


def test_line_breaks_of_windows() -> None:
    text = f"{KETTLE}\n\n{SIGNATURES['kind regards']}\n\n{QUOTATIONS['outlook']}"
    assert cut_foreign(text.replace("\n", "\r\n")) == cut_foreign(text)


def test_a_flattened_letter() -> None:
    text = (
        "The kettle leaks. Please help. Kind regards, Ann Lee On Mon, Jan 8, 2024 at 9:14 AM Nora Bell "
        "<nora@acme.example> wrote: We are sorry."
    )
    assert cut_foreign(text).text == "The kettle leaks. Please help."


def test_the_headers_of_the_message_itself_are_cut_and_not_its_body() -> None:
    text = f"From: Ann <ann@home.example>\nTo: help@acme.example\nDate: 8 Jan 2024\nSubject: a\n\n{KETTLE}"
    assert cut_foreign(text).text == KETTLE


def test_macros_are_cut_as_paragraphs_and_as_sentences() -> None:
    macro = "Hi Ann,\nthank you for contacting Acme about order 4711. We will look into it within 2 days."
    paragraph, *_ = recurring = block_hashes(macro)
    other = macro.replace("Ann", "Bob").replace("4711", "815").replace("look", "LOOK")
    assert block_hashes(other) == recurring
    assert cut_foreign(f"{KETTLE}\n\n{other}", recurring).text == KETTLE
    assert paragraph > 0
    within = f"You wrote: whatever. We will look into it within 9 days. Nothing came, {KETTLE}"
    cut = cut_foreign(within, recurring)
    assert cut.text == f"You wrote: whatever. Nothing came, {KETTLE}"
    assert [kind for kind, _ in cut.cuts] == ["macro"]


def test_blocks_are_those_of_the_writer() -> None:
    assert block_hashes(f"{KETTLE}\n\n{QUOTATIONS['marked']}") == block_hashes(KETTLE)
    assert block_hashes("Thanks a lot") == []


PIECES = [*QUOTATIONS.values(), *SIGNATURES.values(), *DISCLAIMERS.values(), *AWAY.values(), *CUSTOMERS_OWN]
LINES = [line for piece in PIECES for line in piece.split("\n")] + ["", "> 5", "Ann", "Thanks,"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(LINES), st.text(max_size=20)), max_size=12),
    st.sampled_from(["\n", "\n\n", " "]),
)
def test_cutting_again_changes_nothing(pieces: list[str], between: str) -> None:
    once = cut_foreign(between.join(pieces))
    assert cut_foreign(once.text) == (once.text, [])
    assert len(once.text) <= len(between.join(pieces))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=15))
def test_what_is_left_was_there(lines: list[str]) -> None:
    """Words are never made or moved, only cut."""
    text = "\n".join(lines)
    words = iter(text.split())
    assert all(word in words for word in cut_foreign(text).text.split())


@pytest.mark.parametrize(
    "text",
    [">" * 100_000, "> a\n" * 20_000, "Thanks,\nAnn\n\n" * 7_000, "On " * 40_000, "From: a\n" * 15_000,
     "-- \nAnn\n" * 10_000, "This e-mail " * 10_000, "." * 100_000, " " * 100_000, "Kind regards " * 8_000,
     "a@" * 40_000, "Sent from my " * 8_000, "\n" * 100_000, "From: a\nTo: b\nSubject: c\n\n" * 5_000,
     "On 1 May 2024 a <a@b.c> wrote:\n> x\n" * 5_000],
)  # fmt: skip
def test_time_grows_with_length_only(text: str) -> None:
    import time

    started = time.perf_counter()
    cut_foreign(text)
    assert time.perf_counter() - started < 5
