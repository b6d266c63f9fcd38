"""Makes the list of common and default passwords that accounts are checked against.

In: nothing; the words below are our own judgement of what people take and makers ship. Out:
src/gatepost/store/accounts/data/common-passwords.txt, likeliest first, lower case unless a default is not.
Run it again after a change here; a test sees to it that list and tool agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src/gatepost/store/accounts/data/common-passwords.txt"

FIRST = """
123456 password 123456789 12345678 12345 qwerty 1234567890 1234567 password1 123123 111111 1234 abc123 qwerty123
1q2w3e4r admin iloveyou 000000 welcome monkey dragon letmein football baseball sunshine princess master shadow
superman qwertyuiop passw0rd p@ssw0rd p@ssword pa$$word pa$$w0rd password123 admin123 welcome1 654321 666666 121212
123321 1qaz2wsx qazwsx zaq12wsx changeme secret test guest root toor login hello freedom whatever trustno1 starwars
"""

# What makers of routers, cameras, printers, databases, mail servers and consoles ship, and what installers leave.
DEFAULTS = """
admin administrator Admin admin1 admin12 admin1234 admin12345 admin@123 admin#123 admin!123 adminadmin administrator1
root root123 rootroot toor calvin racadm ADMIN alpine raspberry pi ubnt ubnt1 default Default public private manager
cisco cisco123 Cisco123 class netgear netgear1 linksys dlink d-link tplink tp-link tplinkuser zyxel 1234admin mikrotik
huawei Huawei@123 Admin@huawei admin@huawei.com HuaweiUser telecomadmin admintelecom zte Zte521 zhone juniper juniper123
netscreen fortinet fortigate sonicwall barracuda sophos checkpoint paloalto password1 pfsense opnsense admin.1234
hikvision hik12345 dahua 888888 666666 7ujMko0admin 7ujMko0vizxv xc3511 vizxv jvbzd anko zlxx. xmhdipc juantech
tlJwpbo6 klv123 klv1234 ikwb Zte521 hi3518 fucker dreambox realtek 00000000 1111111 54321 smcadmin system meinsm
motorola comcast highspeed xfinity arris sysadm sysadmin operator supervisor super superuser support service services
support123 tech technician maint maintenance install installer monitor user user1 user123 username guest guest123
temp temp123 temporary test1 test12 test123 test1234 tester testing testtest demo demo123 example sample training
oracle oracle123 manager tiger scott system change_on_install sys dba dbadmin mysql postgres postgres123 postgresql
sa sapassword sqlserver sql2008 mssql db2admin db2inst1 informix sybase mongodb redis rabbitmq guestguest tomcat
s3cret tomcat123 jboss weblogic weblogic1 welcome1 websphere glassfish adminadmin hadoop cloudera ambari elastic
changeme kibana grafana prometheus zabbix nagios nagiosadmin cacti jenkins gitlab 5iveL!fe nexus nexus123 sonar
sonarqube artifactory portainer rancher docker kubernetes minio minioadmin vagrant ansible puppet chef openstack
vmware VMware1! vmware123 esxi xenroot nutanix nutanix/4u netapp netapp123 synology qnap freenas truenas openmediavault
wordpress joomla drupal magento prestashop typo3 nextcloud owncloud roundcube postfix dovecot zimbra zimbra123
mailadmin postmaster webmaster hostmaster mailman sendmail exchange exchange2010 exchange2013 exchange2016 lotus notes
smtp smtp123 imap mail mail123 mailbox email email123 webmail newsletter noreply no-reply spam info info123 office
office123 office365 outlook outlook123 contact sales sales123 marketing accounting billing invoice orders shop jobs
scanner scan scan123 scantomail copier copier1 printer print xerox 1111 x-admin canon 7654321 kyocera kyocera123 ricoh
sharp toshiba konica minolta sysAdmin brother initpass access lexmark epson epsonadmin hp hpadmin jetdirect voip
asterisk freepbx fusionpbx elastix eLaStIx. 3cx polycom 456 yealink grandstream snom mitel 1000 avaya admin01 siemens
step7 plc scada wago beckhoff schneider modbus wonderware factory factory123 letmein1 letmein123 opensesame
"""

WORDS = """
password passwort kennwort passwd passord wachtwoord motdepasse contrasena contrasenia parola senha haslo welcome
willkommen bienvenue bienvenido hello hallo bonjour sunshine princess dragon monkey master shadow superman batman
spiderman ironman starwars pokemon pikachu minecraft fortnite roblox football fussball soccer baseball basketball hockey
tennis golf rugby liverpool arsenal chelsea barcelona realmadrid juventus bayern dortmund schalke manchester everton
yankees cowboys lakers eagles steelers patriots ferrari porsche mercedes corvette mustang toyota yamaha harley honda
summer sommer spring autumn winter herbst fruehling ete printemps verano invierno january february march april may june
july august september october november december monday tuesday wednesday thursday friday saturday sunday montag freitag
london paris berlin munich muenchen hamburg vienna zurich madrid rome roma milano newyork boston chicago dallas texas
florida california canada america england scotland ireland france germany deutschland italia espana brasil mexico
australia russia india china japan turkey ukraine polska letmein iloveyou loveyou mylove lovely loveme lover forever
always together family freedom justice peace trustno1 nothing everything something whatever computer internet laptop
keyboard mouse monitor windows microsoft google facebook instagram twitter youtube whatsapp amazon apple iphone samsung
android linux ubuntu debian office outlook exchange server network wireless company business customer support service
account security secure secret private access control manager director employee student teacher school college
university hospital doctor lawyer engineer developer michael jennifer jessica ashley daniel matthew andrew joshua
christopher anthony robert william thomas charles joseph david richard james john george edward peter patrick steven
nicole amanda melissa samantha elizabeth victoria charlotte alexander alexandra andrea angela anna barbara benjamin
brandon brian catherine christian christine claudia daniela dennis diana dominik eduardo emily emma eric fabian felix
florian francesca francesco franziska gabriel giovanni giulia hannah heather helena isabella jacob jasmine jordan
julia julian justin katharina katrin kevin kimberly laura leonardo lisa lorenzo lucas luis madison marco margaret maria
martin martina matteo maximilian melanie michelle monica natalie natasha nathan nicolas oliver olivia pascal patricia
paul philipp rachel rebecca ricardo roberto sabrina sandra sarah sebastian silvia simone sophie stefan stefanie
stephanie susanne tanja theresa tiffany timothy tobias tyler valentina vanessa veronica vincent alejandro antonio carlos
fernando francisco guillermo javier jorge jose juan manuel miguel pablo pedro rafael sergio cookie chocolate cheese
banana orange apple cherry strawberry pepper ginger coffee whiskey vodka butter sugar candy honey peanut flower rose
butterfly rainbow unicorn angel heaven jesus christ god bless mother father mommy daddy brother sister babygirl baby
princess1 queen king prince knight warrior hunter killer ninja samurai pirate wizard merlin phoenix tiger panther lion
eagle falcon wolf bear horse rabbit kitten kitty doggy puppy buddy bailey charlie max bella lucky smokey tigger pumpkin
snoopy garfield mickey winnie sparky rocky bandit scooter purple yellow orange green black white silver golden diamond
crystal ocean river mountain island summer1 sunset thunder lightning storm matrix hacker cyber gamer player nirvana
metallica slipknot eminem beatles guitar music piano dance disco party happy smile cool crazy sexy hottie money dollar
bitcoin million success winner champion victory hardcore fuckyou fuckoff asshole bullshit schatz liebe hase maus engel
schatzi ichliebedich geheim sonne stern blume katze hund pferd fussball1 amour soleil chouchou doudou loulou azerty
marseille tequiero teamo amor estrella princesa mariposa corazon ciao amore juventus1 password letmein
"""

ENDINGS = ("", "1", "123", "12", "1234", "!", "01", "2024", "2025", "2026", "123!", "1!", "2023", "12345", "@123", "69")
FEW_ENDINGS = 9  # of the words beyond the first hundred

NUMBERS = """
123456789012 1234567890123 12345678901234 123456123456 123123123123 112233445566 111222333444 123454321 147258369
147852369 159357 159753 142536 102030 101010 112233 123654 789456123 789456 456123 987654321 9876543210 0987654321
098765 010203 20202020 12344321 11223344 13579 24680 1357924680 31415926 314159265359 271828 007007 696969 420420
"""
WALKS = """
qwertyuiop[] qwertyuiop123 qwerty12345 qwerty123456 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz@wsx 1qaz!qaz zaq1zaq1
zaq1@wsx !qaz2wsx qazwsxedc qazwsxedcrfv q1w2e3r4 q1w2e3r4t5 asdfghjkl asdfghjkl; asdfgh asdf1234 asdfasdf zxcvbnm
zxcvbnm123 zxcvbn qweasd qweasdzxc qwe123 qweqwe qwerasdf qwer1234 azertyuiop azerty123 qwertz qwertz123 qwertzuiop
abcd1234 abc12345 abcdef abcdefg abcdefgh abcdefghijkl a1b2c3 a1b2c3d4 aa123456 a123456789 a12345678 aaaaaaaaaaaa
p@ssw0rd123 p@ssw0rd1 passw0rd1 passw0rd123 p4ssw0rd p4ssword pa55word pa55w0rd passwordpassword password!@#
iloveyou1234 ihateyou qwertyqwerty adminadmin123 welcome@123 welcome@2024 welcome@2025 welcome@2026 changemenow
changeme123 changethis letmeinnow mypassword mypassword1 yourpassword newpassword oldpassword thepassword nopassword
password12345 password123456 correcthorsebatterystaple
"""


def entries() -> Iterator[str]:
    """Everything, likeliest first, with doubles."""
    yield from FIRST.split()
    yield from DEFAULTS.split()
    yield from (digit * length for length in (4, 6, 8, 12) for digit in "0123456789")
    yield from NUMBERS.split()
    yield from WALKS.split()
    words = list(dict.fromkeys(WORDS.split()))
    for number, ending in enumerate(ENDINGS):
        yield from (word + ending for word in (words if number < FEW_ENDINGS else words[:100]))
    yield from (f"{word}{word}" for word in words[:60])
    yield from (str(year) for year in range(1950, 2031))
    yield from (f"{day:02}{month:02}{year}" for year in (1980, 1985, 1990) for month in (1, 6, 12) for day in (1, 15))


def main() -> None:
    """Writes the list."""
    TARGET.write_text(text(), "utf-8")


def text() -> str:
    """The list as a file."""
    head = "# Common and default passwords, likeliest first; made by tools/make_passwords.py\n"
    return head + "".join(f"{entry}\n" for entry in dict.fromkeys(entries()))


if __name__ == "__main__":
    main()
