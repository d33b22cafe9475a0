"""Logical volumes in volume groups that are there: made and grown, never shrunk."""

from __future__ import annotations

from ansible.module_utils.hadeploy_drbd_look import gib


class LogicalVolumes:
    """Those of one host, with the programs of the module that it works for."""

    def __init__(self, owner) -> None:
        self.owner = owner

    def refuse(self, volume: dict, replica: dict) -> str:
        """Whether the volume group is there and has room."""
        code, out, err = self.owner.drbd.program(
            "vgs", "--noheadings", "--nosuffix", "--units=b", "--options=vg_free", replica["volume_group"]
        )
        if code == 127 and self.owner.module.check_mode:
            return ""
        if code != 0:
            return f"{volume['name']}: there is no volume group {replica['volume_group']} on {self.owner.host}: {err.strip()}"
        missing = volume["size"] - self.size(replica)
        if missing > int(float(out.strip() or 0)):
            return f"{volume['name']}: {replica['volume_group']} has only {gib(int(float(out.strip() or 0)))} left"
        return ""

    def size(self, replica: dict) -> int:
        """Bytes of the logical volume; 0 where there is none."""
        code, out, _ = self.owner.drbd.program(
            "lvs",
            "--noheadings",
            "--nosuffix",
            "--units=b",
            "--options=lv_size",
            f"{replica['volume_group']}/{replica['logical_volume']}",
        )
        return int(float(out.strip() or 0)) if code == 0 else 0

    def make(self, volume: dict, replica: dict) -> None:
        """Made where there is none, grown where it is smaller; never shrunk."""
        path = f"{replica['volume_group']}/{replica['logical_volume']}"
        size = self.size(replica)
        if not size:
            # Extents are free only where nobody's data is: an old signature in them is a leftover.
            self.owner.do(
                f"logical volume {path} of {gib(volume['size'])}",
                "lvcreate",
                "--yes",
                "--wipesignatures=y",
                f"--size={volume['size']}b",
                f"--name={replica['logical_volume']}",
                replica["volume_group"],
            )
        elif size < volume["size"]:
            self.owner.do(
                f"logical volume {path} grown from {gib(size)} to {gib(volume['size'])}",
                "lvextend",
                f"--size={volume['size']}b",
                path,
            )
