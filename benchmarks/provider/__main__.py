"""A stand-in for both vendors' APIs, for tests and benchmarks: `python benchmarks/provider --port 0 --latency 0.2 ...`.

It answers from a hash of what it is asked, bills what a prompt cache would leave, and injects faults. It prints one line of JSON
with its address and serves this machine only, until its standard input is closed or it gets SIGTERM.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading

from aiohttp import web
from server import Provider
from settings import Settings, add_flags

FAREWELL = 0.1  # seconds that requests in flight have when the server ends


async def serve(settings: Settings, port: int) -> None:
    """Serve until told to stop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    runner = web.AppRunner(Provider(settings).application(), access_log=None, handler_cancellation=True, shutdown_timeout=FAREWELL)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await runner.cleanup()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock would be held when the interpreter ends
        pass
    loop.call_soon_threadsafe(stop.set)


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(prog="provider", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    add_flags(parser)
    flags = vars(parser.parse_args())
    port = flags.pop("port")
    try:
        settings = Settings(**flags)
    except ValueError as problem:
        parser.error(str(problem))
    asyncio.run(serve(settings, port))


if __name__ == "__main__":
    main()
