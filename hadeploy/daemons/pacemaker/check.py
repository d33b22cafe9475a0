"""Pacemaker's own judges of a CIB: the schema, and crm_verify.

crm_verify answers 78 to errors and to warnings alike, and a CIB without a status section always gives warnings, so its
words decide. It passes unknown properties, nodes and parameters: the typed model and the spec's agent checks stand
there.
"""

from __future__ import annotations

from lxml import etree

from hadeploy.daemons.artifact import HostCheck
from hadeploy.design.release import Release

SCHEMAS = "/usr/share/pacemaker"


def cib_checks(release: Release) -> tuple[HostCheck, ...]:
    """Schema first: crm_verify would try to upgrade what does not fit."""
    schema = f"{SCHEMAS}/{release.validate_with}.rng"
    return (
        HostCheck(argv=("xmllint", "--noout", "--relaxng", schema, "{staged}"), needs=(schema,)),
        HostCheck(
            argv=("crm_verify", "-V", "--xml-file", "{staged}"),
            accept=(0, 78),
            reject_output=(r"\berror:", r"(?i)unable to", r"(?i)could not"),
            needs=(schema,),
        ),
    )


def with_members_online(xml: str) -> str:
    """The same CIB as if all members were up, for crm_verify without warnings and for crm_simulate."""
    cib = etree.fromstring(xml)
    cib.set("have-quorum", "1")
    status = cib.find("status")
    if status is None:
        status = etree.SubElement(cib, "status")
    for node in cib.iterfind("configuration/nodes/node"):
        etree.SubElement(
            status,
            "node_state",
            {
                "id": str(node.attrib["id"]),
                "uname": str(node.attrib["uname"]),
                "in_ccm": "true",
                "crmd": "online",
                "join": "member",
                "expected": "member",
            },
        )
    return etree.tostring(cib, pretty_print=True, encoding="unicode")
