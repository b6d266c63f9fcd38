"""Ordinary letters of today, written for the tests: the guard against a classifier that knows good mail of 2002 only.

In: nothing. Out: `LETTERS`, and each as a message in plain text and in HTML as mailings have it. They were made up by
hand, are never trained on, and the start model's level was chosen so that none of them is tagged.
"""

from __future__ import annotations

import re
from email.header import Header

from letters_wanted import WANTED

LETTERS: tuple[tuple[str, str, str], ...] = (
    (
        "Ann Miller <ann.miller@northwind.example>",
        "Re: Budget meeting on Thursday",
        "Hi Bob,\n"
        "\n"
        "Thursday at ten works for me. I have attached the draft of the budget; please look at the "
        "travel line before the meeting, I think we are over by about 4,000 EUR.\n"
        "\n"
        "Best regards\n"
        "Ann\n"
        "\n"
        "On Tue, Bob wrote:\n"
        "> Can we meet on Thursday?\n",
    ),
    (
        "Parcel Service <noreply@parcels.example>",
        "Your parcel is on its way",
        "Hello Bob,\n"
        "\n"
        "your order 4711-22 has been shipped. You can track your package here:\n"
        "https://www.parcels.example/track/4711\n"
        "\n"
        "Expected delivery: tomorrow between 10:00 and 14:00.\n"
        "\n"
        "Thank you for shopping with us.\n"
        "Unsubscribe: https://www.parcels.example/unsubscribe\n",
    ),
    (
        "Example Shop <service@shop.example>",
        "Order confirmation 88231",
        "Thank you for your order!\n"
        "\n"
        "1 x Desk lamp, white   39.90 EUR\n"
        "1 x USB cable           7.90 EUR\n"
        "Shipping                4.90 EUR\n"
        "Total                  52.70 EUR\n"
        "\n"
        "We will let you know as soon as your order has shipped. Questions? Reply to this message or "
        "visit https://shop.example/help\n",
    ),
    (
        "Account Team <no-reply@cloud.example>",
        "Password reset",
        "Hello Bob,\n"
        "\n"
        "somebody, hopefully you, asked to reset the password of your account. If it was you, follow "
        "this link within one hour:\n"
        "https://cloud.example/reset?token=abcdef\n"
        "\n"
        "If you did not ask for this, you can ignore this message; your password stays as it is.\n",
    ),
    (
        "Cloud Login <no-reply@cloud.example>",
        "Your verification code",
        "Your verification code is 492 113. It is valid for ten minutes. Never share it with anybody.\n",
    ),
    (
        "City Library <library@city.example>",
        "Two books are due on Friday",
        "Dear reader,\n"
        "\n"
        "the following items are due soon:\n"
        "- A History of Bridges\n"
        "- Cooking for Two\n"
        "\n"
        "You can renew them online in your account or by phone.\n"
        "\n"
        "Your city library\n",
    ),
    (
        "The Weekly Gardener <news@gardener.example>",
        "What to plant this week, and three recipes for squash",
        "Hello garden friends,\n"
        "\n"
        "Autumn is here and it is time to plant garlic. In this issue: how to store apples, three "
        "recipes for squash, and our reader's question about moss in the lawn.\n"
        "\n"
        "Read more: https://gardener.example/issues/112\n"
        "\n"
        "You receive this newsletter because you subscribed at gardener.example. Unsubscribe or change "
        "your preferences: https://gardener.example/preferences\n"
        "Privacy policy\n",
    ),
    (
        "Tech Digest <digest@techdigest.example>",
        "This week: new releases, a bug in the scheduler and an interview",
        "Welcome to this week's digest.\n"
        "\n"
        "The new release of the database brings faster indexes. We talked with the maintainers about the"
        " road ahead. Also: a bug in the scheduler that took two years to find.\n"
        "\n"
        "View in browser: https://techdigest.example/view/33\n"
        "Unsubscribe: https://techdigest.example/u/33\n"
        "(c) Tech Digest, all rights reserved\n",
    ),
    (
        "Fashion House <hello@fashion.example>",
        "Sale: 20% off all coats this weekend",
        "Our autumn sale starts today! Save 20% on all coats and jackets until Sunday, online and in our"
        " stores. Free shipping from 50 EUR.\n"
        "\n"
        "Shop now: https://fashion.example/sale\n"
        "\n"
        "You get this mail as a customer of Fashion House. Unsubscribe here: https://fashion.example/u\n",
    ),
    (
        "Calendar <calendar@work.example>",
        "Invitation: Project review, Mon 14:00",
        "You have been invited to the following event.\n"
        "\n"
        "Project review\n"
        "When: Monday 14:00 to 15:00\n"
        "Where: Room 3.12 or video call https://meet.work.example/abc-defg\n"
        "Who: ann@work.example, bob@work.example\n"
        "\n"
        "Going? Yes - Maybe - No\n",
    ),
    (
        "Issue Tracker <tracker@work.example>",
        "[PROJ-221] Login fails with long user names",
        "Carol commented on PROJ-221:\n"
        "\n"
        "I can reproduce it with names of over 64 characters. The database column is too short. Pull "
        "request follows.\n"
        "\n"
        "View this issue: https://tracker.work.example/PROJ-221\n"
        "You are watching this issue.\n",
    ),
    (
        "Dr. Weber Praxis <praxis@weber.example>",
        "Ihr Termin am Donnerstag",
        "Guten Tag Herr Braun,\n"
        "\n"
        "wir erinnern Sie an Ihren Termin am Donnerstag um 9:30 Uhr. Bitte bringen Sie Ihre "
        "Versichertenkarte mit. Falls Sie verhindert sind, sagen Sie bitte einen Tag vorher ab.\n"
        "\n"
        "Mit freundlichen Gruessen\n"
        "Ihr Praxisteam\n",
    ),
    (
        "Stadtwerke <service@stadtwerke.example>",
        "Ihre Rechnung für November",
        "Guten Tag,\n"
        "\n"
        "Ihre Rechnung über 84,20 Euro liegt in Ihrem Kundenkonto bereit. Der Betrag wird am 3. des "
        "Monats abgebucht.\n"
        "\n"
        "Zum Kundenkonto: https://kunden.stadtwerke.example\n"
        "\n"
        "Mit freundlichen Grüßen\n"
        "Ihre Stadtwerke\n",
    ),
    (
        "Bank <info@bank.example>",
        "Your statement is ready",
        "Dear customer,\n"
        "\n"
        "your account statement for October is now available in online banking. Please log in as usual; "
        "for your safety we never send links to the login page.\n"
        "\n"
        "Kind regards\n"
        "Your bank\n",
    ),
    (
        "Paul <paul@friends.example>",
        "Dinner on Saturday?",
        "Hey!\n"
        "\n"
        "Are you two free on Saturday? We thought of making pizza and watching the match. Bring the "
        "kids, they can play with the dog.\n"
        "\n"
        "Paul\n",
    ),
    (
        "HR <hr@work.example>",
        "Open enrolment starts on Monday",
        "Dear colleagues,\n"
        "\n"
        "open enrolment for health insurance starts on Monday and ends on the 30th. Please review your "
        "choices in the portal. If you do nothing, your current plan continues. Questions go to "
        "hr@work.example.\n"
        "\n"
        "Your HR team\n",
    ),
    (
        "Airline <bookings@air.example>",
        "Your booking reference KX4T9Q",
        "Dear Mr Brown,\n"
        "\n"
        "thank you for choosing us. Your flight from Hamburg to Lisbon departs at 07:45. Online check-in"
        " opens 24 hours before departure. One bag of up to 23 kg is included.\n"
        "\n"
        "Manage your booking: https://air.example/manage\n",
    ),
    (
        "Streaming <info@stream.example>",
        "Your subscription renews soon",
        "Hi Bob,\n"
        "\n"
        "your yearly plan renews on December 1 for 59.00 EUR. There is nothing you need to do. To change"
        " or cancel your plan, go to your account settings.\n"
        "\n"
        "Thanks for being a member.\n"
        "The Streaming team\n",
    ),
    (
        "Charity <team@helpers.example>",
        "Thank you for your donation",
        "Dear friend,\n"
        "\n"
        "thank you for your gift of 50 EUR. With your help we could drill two wells this year. Your "
        "receipt is attached. We would love to tell you more at our open day in May.\n"
        "\n"
        "With gratitude\n"
        "Maria\n",
    ),
    (
        "Supplier <orders@supplier.example>",
        "Invoice 2026-1183",
        "Dear Sir or Madam,\n"
        "\n"
        "please find attached our invoice 2026-1183 of 1,284.00 EUR for the delivery of last week. "
        "Payment is due within 30 days.\n"
        "\n"
        "Kind regards\n"
        "Accounts department\n",
    ),
    (
        "Social <notify@social.example>",
        "Carol commented on your photo",
        'Carol commented on your photo: "What a view! Where is this?"\n'
        "\n"
        "See the comment: https://social.example/p/123\n"
        "\n"
        "This message was sent to you because you have notifications on. Unsubscribe: "
        "https://social.example/settings\n",
    ),
    (
        "Recruiter <jobs@recruit.example>",
        "Position as systems engineer",
        "Dear Bob,\n"
        "\n"
        "I came across your profile and think you could be a good fit for a position as systems engineer"
        " with one of our clients in Bremen. Would you have time for a short call next week?\n"
        "\n"
        "Best\n"
        "Nina\n",
    ),
    (
        "School <office@school.example>",
        "Trip to the museum",
        "Dear parents,\n"
        "\n"
        "our trip to the museum takes place next Wednesday. Please give your child a packed lunch and 5 "
        "EUR for the entrance. We will be back at about 15:30.\n"
        "\n"
        "The class teacher\n",
    ),
    (
        "Software Vendor <news@vendor.example>",
        "Version 8.2 is here",
        "Version 8.2 is available today. It starts twice as fast, and you can now share a document with "
        "a link. Update now from the menu, or read the release notes: https://vendor.example/8.2\n"
        "\n"
        "You receive this because you have an account with us. Manage preferences | Privacy | Imprint\n",
    ),
    *WANTED,
)
_LINK = re.compile(r"(https?://\S+)")


def plain(number: int) -> bytes:
    """The letter as plain text."""
    return _message(number, "text/plain", LETTERS[number][2])


def rich(number: int) -> bytes:
    """The letter as HTML with what mailings have: a hidden first line, a tracking picture, links behind words."""
    _, subject, text = LETTERS[number]
    lines = (_LINK.sub(r"<a href='\1'>Click here</a>", line) for line in text.splitlines() if line)
    body = "\n".join(f'<p style="font-family:Arial">{line}</p>' for line in lines)
    hidden = f'<div style="display:none">{subject}</div>'
    picture = '<img src="https://img.example/p.png" width=1 height=1>'
    return _message(number, "text/html", f"<!DOCTYPE html><html><body>{hidden}{body}{picture}</body></html>\n")


def _message(number: int, kind: str, body: str) -> bytes:
    author, subject, _ = LETTERS[number]
    shown = subject if subject.isascii() else Header(subject, "utf-8").encode()
    return (
        f"From: {author}\nTo: Bob Brown <bob@example.net>\nSubject: {shown}\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n"
        f"Message-ID: <{number}.x@mail.example>\nMIME-Version: 1.0\nContent-Type: {kind}; charset=utf-8\n"
        f"Content-Transfer-Encoding: 8bit\n\n{body}"
    ).encode()
