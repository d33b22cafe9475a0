"""What unattended-upgrades and needrestart would do, read from their configuration as Debian ships it and people change it."""

from __future__ import annotations

import pytest

from hadeploy.observe.upkeep import parse_apt_config, parse_needrestart

APT = """\
APT "";
APT::Architecture "amd64";
APT::Periodic "";
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade "";
Unattended-Upgrade::Origins-Pattern "";
Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename},label=Debian";
Unattended-Upgrade::Package-Blacklist "";
Unattended-Upgrade::Package-Blacklist:: "linux-";
Unattended-Upgrade::Package-Blacklist:: "^pacemaker$";
"""


def test_unattended_upgrades_as_debian_installs_it():
    assert parse_apt_config(APT) == (True, False, ("linux-", "^pacemaker$"))
    assert parse_apt_config(APT + 'Unattended-Upgrade::Automatic-Reboot "true";\n')[:2] == (True, True)


@pytest.mark.parametrize(
    "off",
    [
        'APT::Periodic::Unattended-Upgrade "0";\n',
        'APT::Periodic::Enable "0";\n',
    ],
)
def test_the_last_word_counts(off):
    assert parse_apt_config(APT + off)[0] is False


def test_nothing_is_installed_where_nothing_is_configured():
    assert parse_apt_config("") == (False, False, ())


SHIPPED = """\
# Restart mode: (l)ist only, (i)nteractive or (a)utomatically.
#$nrconf{restart} = 'i';
#$nrconf{restart} = 'a';
$nrconf{override_rc} = {
    # DBus
    qr(^dbus) => 0,
    #qr(^corosync) => 0,
    qr(^(open|free|libre|strong)swan) => 0,
    qr(^getty@.+\\.service) => 0,
};
"""


def test_needrestart_as_debian_ships_it_restarts_nothing_by_itself():
    restarts, left_alone = parse_needrestart(SHIPPED)
    assert not restarts
    assert left_alone == ("^dbus", "^(open|free|libre|strong)swan", "^getty@.+\\.service")


def test_needrestart_that_asks_nobody():
    text = SHIPPED + "$nrconf{restart} = 'a';\n$nrconf{override_rc}{qr(^corosync)} = 0;\n"
    restarts, left_alone = parse_needrestart(text)
    assert restarts
    assert left_alone[-1] == "^corosync"
    assert parse_needrestart(text + '$nrconf{restart} = "l";\n')[0] is False
