"""keepalived: floating addresses of stateless services, under VRRPv3."""
