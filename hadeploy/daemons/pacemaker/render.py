"""The CIB's model to XML.

Every id says what it names and depends on nothing but names, so that a change in one place
is a change of one element in crm_diff. Comments are left out: Pacemaker would carry them through every patch.
"""

from __future__ import annotations

from lxml import etree

from hadeploy.daemons.pacemaker.config import (
    CibClone,
    CibConfig,
    CibFailureLocation,
    CibGroup,
    CibNode,
    CibOperation,
    Pairs,
    Primitive,
)


def render_cib(config: CibConfig) -> str:
    """The CIB, pretty, ending with a newline."""
    cib = etree.Element(
        "cib",
        {
            "validate-with": config.validate_with,
            "crm_feature_set": config.crm_feature_set,
            "admin_epoch": "0",
            "epoch": "0",
            "num_updates": "0",
        },
    )
    configuration = etree.SubElement(cib, "configuration")
    crm_config = etree.SubElement(configuration, "crm_config")
    _pairs(crm_config, "cluster_property_set", "cib-bootstrap-options", config.properties)
    _nodes(etree.SubElement(configuration, "nodes"), config.nodes)
    resources = etree.SubElement(configuration, "resources")
    for device in config.fence_devices:
        _primitive(resources, device)
    for clone in config.clones:
        _clone(resources, clone)
    for group in config.groups:
        _group(resources, group)
    _constraints(etree.SubElement(configuration, "constraints"), config)
    if config.levels:
        _levels(etree.SubElement(configuration, "fencing-topology"), config)
    defaults = etree.SubElement(configuration, "rsc_defaults")
    _pairs(defaults, "meta_attributes", "rsc-options", config.resource_defaults)
    etree.SubElement(cib, "status")
    return etree.tostring(cib, pretty_print=True, encoding="unicode")


def _pairs(parent: etree._Element, tag: str, identity: str, pairs: Pairs) -> None:
    """A set of name-value pairs; an empty set is no set."""
    if not pairs:
        return
    holder = etree.SubElement(parent, tag, {"id": identity})
    for name, value in pairs:
        etree.SubElement(holder, "nvpair", {"id": f"{identity}-{name}", "name": name, "value": value})


def _nodes(parent: etree._Element, nodes: tuple[CibNode, ...]) -> None:
    for node in nodes:
        element = etree.SubElement(parent, "node", {"id": str(node.node_id), "uname": node.name})
        _pairs(element, "utilization", f"node-{node.name}-utilization", node.utilization)


def _primitive(parent: etree._Element, primitive: Primitive) -> None:
    attributes = {"id": primitive.name, "class": primitive.standard}
    if primitive.provider:
        attributes["provider"] = primitive.provider
    element = etree.SubElement(parent, "primitive", {**attributes, "type": primitive.type})
    _pairs(element, "meta_attributes", f"{primitive.name}-meta", primitive.meta)
    _pairs(element, "instance_attributes", f"{primitive.name}-parameters", primitive.parameters)
    for node, parameters in primitive.by_node:
        identity = f"{primitive.name}-parameters-{node}"
        _pairs(element, "instance_attributes", identity, parameters)
        _only_on(element[-1], identity, node)
    _pairs(element, "utilization", f"{primitive.name}-utilization", primitive.utilization)
    operations = etree.SubElement(element, "operations")
    for operation in primitive.operations:
        _operation(operations, primitive.name, operation)


def _only_on(holder: etree._Element, identity: str, node: str) -> None:
    """The set holds on one node alone (Pacemaker Explained, "Using Rules to Control Resource Options")."""
    rule = etree.Element("rule", {"id": f"{identity}-rule", "score": "INFINITY"})
    expression = {"id": f"{identity}-uname", "attribute": "#uname", "operation": "eq", "value": node}
    etree.SubElement(rule, "expression", expression)
    holder.insert(0, rule)


def _operation(parent: etree._Element, resource: str, operation: CibOperation) -> None:
    attributes = {
        "id": f"{resource}-{operation.name}-{operation.interval}",
        "name": operation.name,
        "interval": operation.interval,
        "timeout": operation.timeout,
    }
    if operation.role:
        attributes |= {
            "id": f"{resource}-{operation.name}-{operation.role.lower()}-{operation.interval}",
            "role": operation.role,
        }
    if operation.on_fail:
        attributes["on-fail"] = operation.on_fail
    element = etree.SubElement(parent, "op", attributes)
    if operation.depth:
        _pairs(
            element,
            "instance_attributes",
            f"{attributes['id']}-parameters",
            (("OCF_CHECK_LEVEL", str(operation.depth)),),
        )


def _group(parent: etree._Element, group: CibGroup) -> None:
    element = etree.SubElement(parent, "group", {"id": group.name})
    _pairs(element, "meta_attributes", f"{group.name}-meta", group.meta)
    for member in group.members:
        _primitive(element, member)


def _clone(parent: etree._Element, clone: CibClone) -> None:
    element = etree.SubElement(parent, "clone", {"id": clone.name})
    _pairs(element, "meta_attributes", f"{clone.name}-meta", clone.meta)
    _primitive(element, clone.member)


def _constraints(parent: etree._Element, config: CibConfig) -> None:
    for location in config.locations:
        role = {"role": location.role} if location.role else {}
        etree.SubElement(
            parent,
            "rsc_location",
            {
                "id": f"location-{location.resource}-{location.node}",
                "rsc": location.resource,
                **role,
                "node": location.node,
                "score": location.score,
            },
        )
    for failure in config.failure_locations:
        _failure_location(parent, failure)
    for colocation in config.colocations:
        role = {"with-rsc-role": colocation.with_role} if colocation.with_role else {}
        etree.SubElement(
            parent,
            "rsc_colocation",
            {
                "id": f"colocation-{colocation.resource}-{colocation.with_resource}",
                "rsc": colocation.resource,
                "with-rsc": colocation.with_resource,
                **role,
                "score": colocation.score,
            },
        )
    for order in config.orders:
        etree.SubElement(
            parent,
            "rsc_order",
            {
                "id": order.name,
                "first": order.first,
                "first-action": order.first_action,
                "then": order.then,
                "then-action": order.then_action,
                **({} if order.mandatory else {"kind": "Optional"}),
                **({} if order.symmetrical else {"symmetrical": "false"}),
            },
        )


def _failure_location(parent: etree._Element, failure: CibFailureLocation) -> None:
    """Pacemaker keeps the count of each operation's failures as an attribute of the node, and drops it with failure-timeout."""
    identity = f"location-{failure.group}-{failure.resource}-written"
    location = etree.SubElement(parent, "rsc_location", {"id": identity, "rsc": failure.group})
    rule = etree.SubElement(location, "rule", {"id": f"{identity}-rule", "score": failure.score})
    etree.SubElement(
        rule,
        "expression",
        {
            "id": f"{identity}-expression",
            "attribute": f"fail-count-{failure.resource}#monitor_{failure.interval_ms}",
            "operation": "not_defined",
        },
    )
    if not failure.nodes:
        return
    rule.set("boolean-op", "and")
    either = etree.SubElement(rule, "rule", {"id": f"{identity}-nodes", "boolean-op": "or"})
    for node in failure.nodes:
        identity_of_node = {
            "id": f"{identity}-{node}",
            "attribute": "#uname",
            "operation": "eq",
            "value": node,
        }
        etree.SubElement(either, "expression", identity_of_node)


def _levels(parent: etree._Element, config: CibConfig) -> None:
    for level in config.levels:
        etree.SubElement(
            parent,
            "fencing-level",
            {
                "id": f"fencing-{level.target}-{level.index}",
                "target": level.target,
                "index": str(level.index),
                "devices": ",".join(level.devices),
            },
        )
