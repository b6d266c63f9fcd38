"""Letters of today that look like advertising and are wanted: shops, invoices, invitations, in four languages.

In: nothing. Out: `WANTED`, part of `letters_of_today.LETTERS`. Made up by hand, never trained on.
"""

from __future__ import annotations

WANTED: tuple[tuple[str, str, str], ...] = (
    (
        "Outdoor Shop <news@outdoor.example>",
        "Last chance: 30% off all tents until Sunday!",
        "Hi Bob,\n\n"
        "our summer sale ends on Sunday. Save up to 30% on tents, sleeping bags and stoves, while supplies last. "
        "Free shipping on all orders over 60 EUR, and you can return everything within 100 days for a full refund.\n\n"
        "Shop now: https://outdoor.example/sale\n"
        "New in store: the light tent for two, 1.4 kg, now 219.00 EUR instead of 299.00 EUR.\n\n"
        "You are receiving this email because you signed up at outdoor.example. If you no longer wish to receive our "
        "newsletter, unsubscribe here: https://outdoor.example/u\n"
        "Outdoor Shop Ltd, 12 Mill Lane, Leeds. Privacy policy\n",
    ),
    (
        "Office Supplies <orders@office-supplies.example>",
        "Order confirmation 2026-48113: toner and paper",
        "Dear Mr Brown,\n\n"
        "thank you for your order of 23 November.\n\n"
        "2 x Toner cartridge, black      79.80 EUR\n10 x Copy paper A4, 500 sheets  44.90 EUR\n"
        "Shipping and handling            0.00 EUR\nTotal incl. VAT                124.70 EUR\n\n"
        "Payment by credit card. Delivery in two working days. Questions? Call us toll free on 0800 123 4567 or "
        "visit https://office-supplies.example/orders/48113\n",
    ),
    (
        "Conference Office <info@webconf.example>",
        "Invitation: early bird tickets for WebConf end on Friday",
        "Hello Bob,\n\n"
        "you attended WebConf last year, so we would like to invite you again. Three days, forty talks, on search "
        "engine optimization, accessibility and web design. Early bird tickets cost 390 EUR until Friday; register "
        "now: https://webconf.example/tickets\n\n"
        "Group discounts are available. We look forward to seeing you in Vienna!\n\n"
        "To stop receiving invitations, reply to this mail or click here: https://webconf.example/stop\n",
    ),
    (
        "Home Bank <service@homebank.example>",
        "Your mortgage: the fixed interest rate ends in May",
        "Dear Mr Brown,\n\n"
        "the fixed interest rate of your mortgage 44-1123 ends on 31 May 2027. From then on the variable rate applies "
        "unless you refinance or agree on a new fixed rate with us. Your monthly payments may change.\n\n"
        "Your adviser, Ms Stone, will gladly explain the current rates; appointments without obligation at "
        "https://homebank.example/appointments\n\nKind regards\nHome Bank\n",
    ),
    (
        "Großhandel Nord <vertrieb@grosshandel-nord.example>",
        "Unsere neue Preisliste ab 1. Januar",
        "Sehr geehrter Herr Braun,\n\n"
        "anbei erhalten Sie unsere neue Preisliste, gültig ab 1. Januar. Bei Bestellung bis zum 15. Dezember gewähren "
        "wir Ihnen noch die bisherigen Preise, solange der Vorrat reicht. Ab 500 Euro liefern wir frei Haus.\n\n"
        "Als Stammkunde erhalten Sie weiterhin 5 % Rabatt. Jetzt bestellen: https://grosshandel-nord.example/bestellen\n\n"
        "Mit freundlichen Grüßen\nSabine Kröger, Vertrieb\n",
    ),
    (
        "Buchhandlung am Markt <post@buchhandlung.example>",
        "Neu bei uns: Lesung am 5. Dezember und 20 % auf Kalender",
        "Liebe Leserinnen und Leser,\n\n"
        "am 5. Dezember liest Anna Vogt bei uns aus ihrem neuen Roman. Der Eintritt ist kostenlos, bitte melden Sie "
        "sich an. Nur noch bis Samstag: 20 % auf alle Kalender. Und das Gewinnspiel: Unter allen Anmeldungen verlosen "
        "wir drei Exemplare!\n\n"
        "Zur Anmeldung: https://buchhandlung.example/lesung\n\n"
        "Sie erhalten diese E-Mail, weil Sie unseren Newsletter bestellt haben. Abbestellen: "
        "https://buchhandlung.example/abmelden\n",
    ),
    (
        "Librairie du Port <contact@librairie.example>",
        "Votre commande 5521 est confirmée",
        "Bonjour Bob,\n\n"
        "merci pour votre commande ! Nous la préparons avec soin.\n\n"
        "1 x Le guide des oiseaux   24,90 EUR\nFrais de port gratuits dès 35 EUR : 4,50 EUR\nTotal   29,40 EUR\n\n"
        "Satisfait ou remboursé pendant 30 jours. Suivez votre colis : https://librairie.example/suivi/5521\n\n"
        "Profitez de 10 % sur votre prochaine commande avec le code MERCI10, offre valable jusqu'au 31 décembre.\n\n"
        "L'équipe de la Librairie du Port\n",
    ),
    (
        "Ville de Brest, Culture <agenda@culture-brest.example>",
        "L'agenda du mois : concerts gratuits et ateliers",
        "Bonjour,\n\n"
        "découvrez les rendez-vous de décembre : trois concerts gratuits à la médiathèque, un atelier de gravure et le "
        "marché de Noël. Les places sont limitées, inscrivez-vous : https://culture-brest.example/agenda\n\n"
        "Vous recevez ce message car vous êtes abonné à notre lettre. Pour vous désinscrire, cliquez ici : "
        "https://culture-brest.example/stop\n",
    ),
    (
        "Zapatería Sol <hola@zapateriasol.example>",
        "¡Rebajas de invierno! Hasta 40 % de descuento",
        "Hola, Bob:\n\n"
        "ya están aquí las rebajas. Hasta 40 % de descuento en botas y zapatos, por tiempo limitado. Envío gratis a "
        "partir de 50 EUR y devolución gratis en 30 días.\n\n"
        "Ver las ofertas: https://zapateriasol.example/rebajas\n\n"
        "Recibe este correo porque se suscribió a nuestro boletín. Para darse de baja, haga clic aquí: "
        "https://zapateriasol.example/baja\n",
    ),
    (
        "Seguros Castilla <clientes@seguroscastilla.example>",
        "Factura de su seguro de coche",
        "Estimado cliente:\n\n"
        "adjuntamos la factura de su seguro de coche para 2027, por un importe de 312,40 euros. El recibo se cargará "
        "en su cuenta el 2 de enero; no tiene que hacer nada.\n\n"
        "Si tiene alguna pregunta, llámenos o escriba a clientes@seguroscastilla.example.\n\n"
        "Un cordial saludo\nSeguros Castilla\n",
    ),
)
