"""How far a resynchronisation is, as both generations of DRBD tell it."""

from __future__ import annotations

import json
import re


def progress_84(text: str, minor: int) -> tuple[int, str, str]:
    """KiB out of sync, percent and time left of one minor in /proc/drbd."""
    block = re.search(rf"^ *{minor}: cs:.*(?:\n[^\S\n]+.*)*", text, re.MULTILINE)
    if block is None:
        return 0, "", ""
    behind = re.search(r"\boos:(\d+)", block.group())
    percent = re.search(r"sync'ed:\s*([\d.]+)%", block.group())
    left = re.search(r"finish:\s*(\d+:\d\d:\d\d)", block.group())
    return (
        int(behind.group(1)) if behind else 0,
        percent.group(1) if percent else "",
        left.group(1) if left else "",
    )


def progress_9(text: str) -> tuple[int, str, str]:
    """KiB out of sync and percent in C(drbdsetup status --json --statistics) of one resource."""
    try:
        resources = json.loads(text)
        devices = [device for peer in resources[0]["connections"] for device in peer["peer_devices"]]
    except (ValueError, LookupError, TypeError):
        return 0, "", ""
    behind = max((int(device.get("out-of-sync", 0)) for device in devices), default=0)
    percents = [float(device["percent-in-sync"]) for device in devices if "percent-in-sync" in device]
    return behind, f"{min(percents):.1f}" if percents else "", ""
