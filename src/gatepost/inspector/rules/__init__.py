"""The rules, in the order in which they are run. A rule that is not in this list is not run.

In: nothing. Out: `RULES`, and `active_rules` for some settings. Not here: what a rule is (`inspector.rule`).
"""

from __future__ import annotations

import difflib
from functools import lru_cache

from gatepost.errors import ConfigError
from gatepost.inspector.rule import Rule, Runs, in_runs
from gatepost.inspector.rules import (
    arc,
    attachment_archives,
    attachment_documents,
    attachment_names,
    attachment_pages,
    attachment_pdf,
    attachment_programs,
    client,
    dates,
    dkim,
    dmarc,
    door,
    fields,
    lists,
    path,
    scanner,
    senders,
    spf,
)
from gatepost.inspector.settings import InspectorSettings

RULES: tuple[Rule, ...] = (
    scanner.malware_found,
    scanner.not_scanned,
    dmarc.dmarc_fail,
    dmarc.dmarc_temperror,
    dmarc.dmarc_permerror,
    dmarc.dmarc_none,
    dmarc.dmarc_pass,
    dmarc.dmarc_aligned,
    spf.spf_fail,
    spf.spf_softfail,
    spf.spf_neutral,
    spf.spf_none,
    spf.spf_temperror,
    spf.spf_permerror,
    spf.spf_ehlo_fail,
    spf.spf_pass,
    dkim.dkim_fail,
    dkim.dkim_permerror,
    dkim.dkim_expired,
    dkim.dkim_weak_key,
    dkim.dkim_policy,
    dkim.dkim_temperror,
    dkim.dkim_body_length,
    dkim.dkim_unsigned_fields,
    dkim.dkim_none,
    dkim.dkim_pass,
    arc.arc_fail,
    arc.arc_temperror,
    arc.arc_pass,
    arc.arc_trusted,
    client.no_reverse_dns,
    client.reverse_unconfirmed,
    client.reverse_temperror,
    client.reverse_confirmed,
    client.ehlo_not_a_name,
    client.ehlo_literal_differs,
    client.ehlo_is_ours,
    client.ehlo_not_in_dns,
    door.early_talker,
    door.pipelining,
    door.watched,
    lists.local_block,
    lists.list_ip,
    lists.list_domain,
    lists.list_uri,
    lists.list_email,
    lists.list_hash,
    lists.list_allow,
    lists.local_allow,
    lists.local_allow_unproven,
    lists.list_watched,
    lists.list_sick,
    attachment_programs.program,
    attachment_programs.script,
    attachment_programs.shortcut,
    attachment_programs.disk_image,
    attachment_programs.pattern,
    attachment_names.blocked_extension,
    attachment_names.double_extension,
    attachment_names.direction_override,
    attachment_names.invisible_characters,
    attachment_names.pushed_out_of_sight,
    attachment_names.names_differ,
    attachment_names.type_differs,
    attachment_documents.macro,
    attachment_documents.macro_sheet,
    attachment_documents.remote_template,
    attachment_documents.external_object,
    attachment_documents.dde,
    attachment_documents.program_in_document,
    attachment_documents.equation_object,
    attachment_documents.rtf_object,
    attachment_documents.onenote,
    attachment_pdf.pdf_launch,
    attachment_pdf.pdf_script,
    attachment_pdf.pdf_form,
    attachment_pdf.pdf_embedded_file,
    attachment_pages.html_smuggling,
    attachment_pages.html_script,
    attachment_pages.page_asks_password,
    attachment_pages.svg_script,
    attachment_pages.code_with_link,
    attachment_archives.password_in_text,
    attachment_archives.locked_archive,
    attachment_archives.locked_document,
    attachment_archives.default_password,
    attachment_archives.two_kinds,
    attachment_archives.archive_trick,
    path.time_goes_backward,
    path.long_delay,
    path.many_hops,
    path.judged_by_received,
    path.sender_unknown,
    path.envelope_unknown,
    senders.own_domain_spoofed,
    senders.name_carries_address,
    senders.reply_to_elsewhere,
    senders.unreadable_from,
    senders.several_authors,
    senders.odd_from,
    fields.several_from,
    fields.no_from,
    fields.duplicate_field,
    fields.duplicate_mime_field,
    fields.no_message_id,
    fields.no_date,
    fields.nul,
    fields.raw_8bit,
    fields.malformed,
    fields.bare_line_ends,
    dates.unreadable,
    dates.malformed,
    dates.in_future,
    dates.long_ago,
)


@lru_cache(maxsize=8)
def active_rules(disabled: tuple[str, ...]) -> Runs:
    """`RULES` without those whose codes are in `disabled`."""
    return in_runs(rule for rule in RULES if rule.code not in disabled)


def check_codes(settings: InspectorSettings) -> None:
    """Raises ConfigError for a code in `settings` that no rule has."""
    known = {rule.code for rule in RULES}
    for option in ("disabled_rules", "quarantine_codes", "reject_codes", "weights"):
        for code in getattr(settings, option):
            if code not in known:
                near = difflib.get_close_matches(code, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "`gatepost rules` lists them"
                raise ConfigError(f"inspector.{option}", code, f"is no rule's code; {hint}")
