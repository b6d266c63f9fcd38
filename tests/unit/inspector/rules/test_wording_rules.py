"""What fraudsters write, in four languages, and honest texts that use the same words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.inspector import rules as all_rules
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import judge
from gatepost.inspector.people import People
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import wording as rules
from gatepost.ports import Acquaintance
from judging import CLEAN_HEADER, DATE, NOW, dmarc, make_facts, see

DAY = 86400.0
STRANGER = Acquaintance(since=NOW - 99 * DAY, by_recipient={"bob@example.net": 0})
FRIEND = replace(STRANGER, first_seen=NOW - 50 * DAY, messages=9)
BITCOIN = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"  # of the protocol's own documentation

# wording.bank-change wording.gift-card wording.errand wording.password wording.invoice wording.extortion
# wording.advance-fee wording.parcel wording.prize
FRAUD: list[tuple[Rule, str]] = [
    (rules.bank_change, "Please note our new bank details and use them for the payment of all open invoices."),
    (rules.bank_change, "I have changed my bank and would like to update my direct deposit before the next pay day."),
    (rules.bank_change, "Bitte beachten Sie unsere neue Bankverbindung bei der Überweisung der Rechnung."),
    (rules.bank_change, "Veuillez noter notre nouveau RIB pour le virement de la facture."),
    (rules.bank_change, "Le informamos de nuestra nueva cuenta bancaria para el pago de la factura."),
    (rules.gift_card, "I need some Amazon gift cards. Scratch off the back and send me the codes, I'll reimburse you."),
    (rules.gift_card, "Kannst du kaufen: Google Play Karten für Kunden. Schick mir die Codes, es ist vertraulich."),
    (rules.gift_card, "Peux-tu acheter pour moi des cartes cadeaux ? Envoie une photo des cartes."),
    (rules.gift_card, "Necesito tarjetas de regalo, es una sorpresa. Envíame los códigos."),
    (rules.errand, "Are you available? I'm in a meeting and can't talk, I need you to handle something urgently."),
    (rules.errand, "Sind Sie im Büro? Ich bin in einer Besprechung, es ist dringend."),
    (rules.errand, "Êtes-vous disponible ? Je suis en réunion, c'est une opération confidentielle."),
    (rules.errand, "¿Estás disponible? Estoy en una reunión y no puedo hablar."),
    (rules.password, "Your password expires today. Your mailbox will be deactivated unless you verify your account."),
    (rules.password, "Your mailbox has e\u200bxceeded its limit: your password will expire, confirm your identity."),
    (rules.password, "Ihr Konto wurde vorübergehend gesperrt. Bestätigen Sie Ihre Daten innerhalb von 24 Stunden."),
    (rules.password, "Votre compte a été suspendu. Veuillez confirmer vos informations sous 24 heures."),
    (rules.password, "Su cuenta ha sido bloqueada. Verifique su identidad en 24 horas."),
    (rules.invoice, "Your order has been placed: 399 USD. If you did not authorize it, call our toll free number."),
    (rules.invoice, "Offene Rechnung: letzte Mahnung vor dem gerichtlichen Mahnverfahren."),
    (rules.invoice, "Facture impayée : dernier rappel avant poursuites judiciaires."),
    (rules.invoice, "Factura pendiente: último aviso antes de acciones legales."),
    (rules.extortion, "I recorded you through your webcam on adult sites. Send 900 USD in Bitcoin within 48 hours."),
    (rules.extortion, "Ich habe Sie über Ihre Webcam beim Masturbieren gefilmt. Zahlen Sie in Bitcoin, 48 Stunden."),
    (rules.extortion, "J'ai piraté votre webcam. Payez en Bitcoin sous 48 heures ou tous vos contacts verront."),
    (rules.extortion, "He hackeado tu cámara. Paga en Bitcoin en 48 horas o enviaré el vídeo a tus contactos."),
    (
        rules.advance_fee,
        "I am the lawyer of a late client with 5 million dollars; stand as the next of kin. God bless.",
    ),
    (rules.advance_fee, "Erbschaft über 5 Millionen Euro: kontaktieren Sie mich, streng vertraulich."),
    (rules.advance_fee, "Un héritage de 3 millions d'euros vous attend. Envoyez votre nom complet."),
    (rules.advance_fee, "Una herencia de 3 millones de euros. Envíe su número de teléfono y nombre completo."),
    (rules.parcel, "Your parcel is on hold: the customs fee is unpaid. Pay now to reschedule your delivery."),
    (rules.parcel, "Ihr Paket konnte nicht zugestellt werden. Zahlen Sie die Zollgebühren von 1,99 EUR."),
    (rules.parcel, "Votre colis est en attente : payez les frais de douane de 1,99 €."),
    (rules.parcel, "Su paquete está retenido: pague los gastos de aduana."),
    (rules.prize, "Congratulations, you have won! Claim your prize."),
    (rules.prize, "Sie haben gewonnen! Jetzt Ihren Gewinn sichern."),
    (rules.prize, "Vous avez gagné ! Réclamez votre lot."),
    (rules.prize, "¡Has ganado! Reclama tu premio."),
]

HONEST = (
    "Your invoice for November is attached. Thank you for your order; payment is due in 30 days.",
    "The gift cards for the raffle have arrived, thank you all for coming to the party!",
    "Your password was changed. If this was you, there is nothing to do.",
    "Your parcel has been shipped and will arrive on Friday. Track it on our site.",
    "I am in a meeting until four; are you free for lunch tomorrow?",
    "The webcam driver crashes on resume, see the patch. It also fixes the camera of the T61.",
    "Bitcoin fell by four percent today, while the euro was stable.",
    "The beneficiary of the insurance is named in section 4 of the contract.",
    "We moved to a new bank account for the club's coffee money, the tin is gone.",
    "Anbei die Rechnung für Oktober. Zahlbar innerhalb von 14 Tagen.",
    "Ihr Paket ist unterwegs und kommt am Freitag. Die Versandkosten betragen 4,90 Euro.",
    "Ihr Kennwort wurde geändert.",
    "Votre facture du mois de novembre est disponible dans votre espace client.",
    "Votre colis a été expédié.",
    "Su factura de noviembre está disponible. Gracias por su pago.",
    "",
    "\ufffd" * 50,
)


@pytest.mark.parametrize(("rule", "text"), FRAUD, ids=lambda value: getattr(value, "code", None))
def test_fraud_is_seen(rule: Rule, text: str) -> None:
    found = see(rule, body=f"Dear customer,\n\n{text}\n\nRegards")
    assert found is not None
    assert found.evidence["phrases"]


@pytest.mark.parametrize("text", HONEST)
def test_honest_texts_are_let_be(text: str) -> None:
    facts = make_facts(body=text or " ")
    assert not [f.code for f in judge(facts).findings if f.code.startswith("wording.")]


def test_every_topic_has_every_language() -> None:
    tried = {rule.code for rule, _ in FRAUD}
    mine = {rule.code for rule in all_rules.RULES if rule.code.startswith("wording.")}
    assert mine - tried == {"wording.wallet", "wording.false-face"}


def test_case_accents_and_line_ends_do_not_count() -> None:
    text = "VÖTRE\u00a0COMPTE a\nété  suspendu;\r\nveuillez CONFIRMER\tVOS informations"
    assert see(rules.password, body=text) is not None
    assert see(
        rules.password, header=CLEAN_HEADER + "Subject: your password will expire, verify your account\n", body="x"
    )


def test_words_across_groups_alone_say_nothing() -> None:
    assert see(rules.password, body="your password") is None
    assert see(rules.password, body="will expire verify your") is None
    assert see(rules.password, body="yours passwords will expired verify yours") is None


def test_wording_wallet() -> None:  # wording.wallet
    found = see(rules.wallet, body=f"Pay to {BITCOIN} now")
    assert found is not None
    assert found.evidence["wallets"] == [BITCOIN]
    for other in (BITCOIN[:-1] + "3", "1" * 30, "bc1" + "b" * 39, "0x" + "a" * 39, f"https://x.example/{BITCOIN}"):
        assert see(rules.wallet, body=f"commit {other} is fine") is None
    assert see(rules.wallet, body="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") is not None
    assert see(rules.wallet, body="0x" + "ab" * 20) is not None


def test_extortion_with_a_wallet_is_graver() -> None:
    text = FRAUD[[rule for rule, _ in FRAUD].index(rules.extortion)][1]
    plain, paid = see(rules.extortion, body=text), see(rules.extortion, body=f"{text} {BITCOIN}")
    assert plain is not None
    assert paid is not None
    assert paid.weight > plain.weight


def test_acquaintances_may_speak_of_money_but_spoofers_of_them_may_not() -> None:
    text = FRAUD[0][1]
    friend = see(rules.bank_change, body=text, acquaintance=FRIEND)
    spoofer = see(rules.bank_change, body=text, acquaintance=FRIEND, dmarc=dmarc("fail", "none"))
    assert friend is not None
    assert spoofer is not None
    assert friend.weight < 1 < spoofer.weight


def test_wording_false_face() -> None:  # wording.false-face
    header = f"From: Ann Miller <ceo@gmail.com>\nTo: bob@example.net\nDate: {DATE}\nMessage-ID: <1@x>\n"
    people = People({"Ann Miller": ["ann@example.net"]})
    options = {"header": header, "people": people, "acquaintance": STRANGER, "dmarc": dmarc("none", domain="gmail.com")}
    found = see(rules.false_face, body=FRAUD[5][1], **options)
    assert found is not None
    assert found.evidence["topics"] == "gift-card"
    assert see(rules.false_face, body="Shall we have lunch?", **options) is None
    assert see(rules.false_face, body=FRAUD[5][1]) is None
    decision = judge(make_facts(body=FRAUD[5][1], **options)).decide()
    assert decision.action in (Action.QUARANTINE, Action.REJECT)


def test_long_and_hostile_texts_are_bounded() -> None:
    for text in ("your password " * 100_000, "\u200b" * 500_000, "a" * 500_000, "ﷺ" * 100_000, "1" * 300_000):
        judge(make_facts(body=text))
    assert see(rules.prize, body="x " * 30_000 + FRAUD[-4][1]) is None
