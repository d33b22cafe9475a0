"""Runs on a node, by its own Python: keeps numbered records in a table of the database that runs there.

``write CLIENT TABLE``: each number that comes in goes out again once it is committed. ``read CLIENT TABLE``: all that are
there. Kept to the standard library, because it runs on hosts that have nothing of hadeploy.
"""

import subprocess
import sys

CLIENTS = {
    "postgresql": (
        *("runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
        *("--set=ON_ERROR_STOP=1", "--dbname=postgres"),
    ),
    "mariadb": ("mariadb", "--batch", "--skip-column-names", "--unbuffered", "--database=mysql"),
}
"""Each ends at the first error, so that nothing is answered after one; each talks to the server of its own node."""

PADDING = "." * 500


def statements(table: str, number: int) -> str:
    """The answer is a statement of its own: it comes after the one before was committed."""
    return f"INSERT INTO {table} VALUES ({number}, '{PADDING}'); SELECT {number};\n"  # noqa: S608 (no input of others)


def write_records(client: tuple[str, ...], table: str) -> int:
    """Until no more numbers come, or the server is gone."""
    process = subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (asked for above)
    process.stdin.write(f"CREATE TABLE IF NOT EXISTS {table} (number BIGINT PRIMARY KEY, padding TEXT);\n")
    for line in sys.stdin:
        process.stdin.write(statements(table, int(line)))
        process.stdin.flush()
        if process.stdout.readline() != line:
            break
        sys.stdout.write(line)
        sys.stdout.flush()
    process.stdin.close()
    return process.wait()


def main(verb: str, name: str, table: str) -> int:
    """Write what comes in, or print what is there."""
    if verb == "read":
        query = f"SELECT number FROM {table} ORDER BY number;\n"  # noqa: S608 (no input of others)
        return subprocess.run(CLIENTS[name], input=query, text=True, check=False).returncode
    return write_records(CLIENTS[name], table)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
