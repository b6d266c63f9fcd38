"""The whole configuration as one frozen type, composed of the rooms' own settings.

In: nothing. Out: `Settings`. Not here: reading the file (`load`); the options' reference (`describe`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from gatepost.net.settings import CertificateSettings
from gatepost.server.certificates.settings import live_files
from gatepost.server.settings import GateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(GateSettings):
    """Everything that gatepost.toml can say. Today that is the gate; later rooms add their tables here."""

    def anchored(self, folder: Path) -> Settings:
        """The same with relative paths made absolute from `folder`."""
        managed = live_files(_anchored(folder, self.store.folder))
        own = bool(self.acme.names) and not (self.tls.certificate or self.tls.key)
        acme = dataclasses.replace(
            self.acme,
            ca_file=_anchored(folder, self.acme.ca_file),
            eab_key_file=_anchored(folder, self.acme.eab_key_file),
        )
        tls, store, delivery, content, geo = self.tls, self.store, self.delivery, self.content, self.geo
        signing = self.signing
        elsewhere = {
            name: dataclasses.replace(one, keys={key: _anchored(folder, path) for key, path in one.keys.items()})
            for name, one in signing.domains.items()
        }
        return dataclasses.replace(
            self,
            store=dataclasses.replace(store, folder=_anchored(folder, store.folder)),
            tls=dataclasses.replace(
                tls,
                certificate=managed[0] if own else _anchored(folder, tls.certificate),
                key=managed[1] if own else _anchored(folder, tls.key),
                names={
                    name: CertificateSettings(
                        certificate=_anchored(folder, one.certificate), key=_anchored(folder, one.key)
                    )
                    for name, one in tls.names.items()
                },
            ),
            submission=dataclasses.replace(self.submission, client_ca=_anchored(folder, self.submission.client_ca)),
            geo=dataclasses.replace(
                geo, file=_anchored(folder, geo.file), network_file=_anchored(folder, geo.network_file)
            ),
            directory=dataclasses.replace(
                self.directory,
                password_file=_anchored(folder, self.directory.password_file),
                ca_file=_anchored(folder, self.directory.ca_file),
            ),
            content=dataclasses.replace(content, yara_rules=_anchored(folder, content.yara_rules)),
            bulk=dataclasses.replace(self.bulk, unsubscribe_secret=_anchored(folder, self.bulk.unsubscribe_secret)),
            acme=acme,
            publish=dataclasses.replace(self.publish, key_file=_anchored(folder, self.publish.key_file)),
            signing=dataclasses.replace(signing, folder=_anchored(folder, signing.folder), domains=elsewhere),
            delivery=dataclasses.replace(delivery, ca_file=_anchored(folder, delivery.ca_file)),
        )


def _anchored(folder: Path, path: str) -> str:
    """`path` from `folder`; an empty one stays empty."""
    return str(folder / path) if path else ""
