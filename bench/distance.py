"""Distance: TCP forwarders on loopback that hold back every byte for half a round trip.

Where the kernel has netem (tc-netem(8)) it would do too; a forwarder serves everywhere. It delays what a
conversation waits for, and models neither loss nor slow start.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lab.access import host_key, public_key
from lab.paths import STATE
from lab.topology import Host

FIRST_PORT = 22000
KNOWN_HOSTS = STATE / "bench_known_hosts"
READ = 65536  # bytes


@contextmanager
def at(round_trip: float, hosts: Sequence[Host]) -> Iterator[int | None]:
    """Have hosts at a distance, and give the port of the first; None where there is no distance.

    :param round_trip: seconds
    """
    if not round_trip:
        yield None
        return
    lines = [
        f"[127.0.0.1]:{FIRST_PORT + place} {public_key(host_key(host)).strip()}\n"
        for place, host in enumerate(hosts)
    ]
    KNOWN_HOSTS.write_text("".join(lines))
    words = [sys.executable, "-m", "bench.distance", str(round_trip), *(host.ipv4 for host in hosts)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as forwarders:
        try:
            assert forwarders.stdout
            assert forwarders.stdout.readline() == b"ready\n"
            yield FIRST_PORT
        finally:
            forwarders.terminate()


async def serve(round_trip: float, addresses: Sequence[str]) -> None:
    """Forward ports to the addresses' SSH, until the end."""
    servers = []
    for place, address in enumerate(addresses):

        async def accept(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str = address
        ) -> None:
            await asyncio.sleep(round_trip)  # what opening the connection would take
            far_reader, far_writer = await asyncio.open_connection(address, 22)
            await asyncio.gather(
                pump(reader, far_writer, round_trip / 2), pump(far_reader, writer, round_trip / 2)
            )

        servers.append(await asyncio.start_server(accept, "127.0.0.1", FIRST_PORT + place, backlog=100))
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Carry bytes one way, each so much later."""
    loop = asyncio.get_running_loop()
    try:
        while chunk := await reader.read(READ):
            loop.call_later(delay, writer.write, chunk)
    except ConnectionError:
        pass
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), sys.argv[2:]))
