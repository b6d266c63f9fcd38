/*
   Gatepost's own small set: shapes of attacks by mail that its readers do not name by themselves.
   Each rule says what it saw in `description`, and in `severity` (notice, warning, danger) what that is worth.
   More rules are read from the folder that the option yara_rules names.
*/

rule script_runs_what_it_fetched {
    meta:
        description = "a script that fetches a file and runs it"
        severity = "danger"
    strings:
        $fetch1 = "MSXML2.XMLHTTP" ascii wide nocase
        $fetch2 = "WinHttp.WinHttpRequest" ascii wide nocase
        $fetch3 = "MSXML2.ServerXMLHTTP" ascii wide nocase
        $save = "ADODB.Stream" ascii wide nocase
        $run1 = "WScript.Shell" ascii wide nocase
        $run2 = "Shell.Application" ascii wide nocase
        $write = "SaveToFile" ascii wide nocase
    condition:
        any of ($fetch*) and $save and $write and any of ($run*)
}

rule powershell_hides_and_fetches {
    meta:
        description = "a PowerShell command that hides itself and fetches or decodes what it runs"
        severity = "danger"
    strings:
        $shell = "powershell" ascii wide nocase
        $hide1 = /-w(in(dowstyle)?)?\s{1,4}(hidden|1)\b/ ascii wide nocase
        $hide2 = /-ex?e?c?(utionpolicy)?\s{1,4}bypass/ ascii wide nocase
        $get1 = "DownloadString(" ascii wide nocase
        $get2 = "DownloadFile(" ascii wide nocase
        $get3 = "Invoke-WebRequest" ascii wide nocase
        $get4 = "FromBase64String(" ascii wide nocase
        $get5 = /-e(nc(odedcommand)?)?\s{1,4}[A-Za-z0-9+\/=]{60}/ ascii wide nocase
    condition:
        $shell and any of ($hide*) and any of ($get*)
}

rule shortcut_to_interpreter {
    meta:
        description = "a Windows shortcut that starts an interpreter of commands"
        severity = "danger"
    strings:
        $a = "powershell" ascii wide nocase
        $b = "mshta" ascii wide nocase
        $c = "wscript" ascii wide nocase
        $d = "cmd.exe" ascii wide nocase
        $e = "rundll32" ascii wide nocase
        $f = "conhost" ascii wide nocase
        $g = "forfiles" ascii wide nocase
    condition:
        uint32(0) == 0x4C and uint32(4) == 0x00021401 and any of them
}

rule page_builds_a_file_for_saving {
    meta:
        description = "a web page that builds a file in the browser and has it saved (HTML smuggling)"
        severity = "danger"
    strings:
        $script = "<script" ascii wide nocase
        $decode1 = "atob(" ascii wide
        $decode2 = "Uint8Array" ascii wide
        $blob = "new Blob" ascii wide
        $save1 = "createObjectURL" ascii wide
        $save2 = "msSaveOrOpenBlob" ascii wide
        $save3 = ".download" ascii wide
    condition:
        filesize < 8MB and $script and $blob and any of ($decode*) and 2 of ($save*)
}

rule page_sends_passwords_to_chat_bot {
    meta:
        description = "a web page with a password field that reports to a chat robot"
        severity = "danger"
    strings:
        $field = /type\s{0,3}=\s{0,3}["']?password/ ascii wide nocase
        $bot1 = "api.telegram.org/bot" ascii wide nocase
        $bot2 = "discord.com/api/webhooks" ascii wide nocase
    condition:
        $field and any of ($bot*)
}

rule program_as_base64 {
    meta:
        description = "a Windows program hidden as base64 in a script or page"
        severity = "warning"
    strings:
        $mz1 = "TVqQAAMAAAAEAAAA" ascii wide
        $mz2 = "TVpQAAIAAAAEAA8A" ascii wide
        $run1 = "<script" ascii wide nocase
        $run2 = "CreateObject" ascii wide nocase
        $run3 = "FromBase64String" ascii wide nocase
        $run4 = "certutil" ascii wide nocase
        $run5 = "atob(" ascii wide
    condition:
        any of ($mz*) and any of ($run*) and not uint16(0) == 0x5A4D
}

rule equation_editor_object {
    meta:
        description = "an object of the equation editor, whose holes have been used for years"
        severity = "danger"
    strings:
        $rtf = "{\\rt" ascii
        $class1 = "4571756174696f6e2e33" ascii nocase
        $class2 = /\\objclass\s{1,4}Equation\.3/ ascii nocase
        $native = "E\x00q\x00u\x00a\x00t\x00i\x00o\x00n\x00 \x00N\x00a\x00t\x00i\x00v\x00e\x00"
    condition:
        ($rtf in (0..64) and any of ($class*)) or (uint32(0) == 0xE011CFD0 and $native)
}

rule notebook_with_program {
    meta:
        description = "a OneNote notebook with a program or script in it"
        severity = "danger"
    strings:
        $file = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $a = "<job" ascii nocase
        $b = "<hta:application" ascii nocase
        $c = "WScript.Shell" ascii wide nocase
        $d = "@echo off" ascii nocase
        $e = "powershell" ascii wide nocase
    condition:
        uint32(0) == 0x7B5C52E4 and $file and any of ($a, $b, $c, $d, $e)
}
