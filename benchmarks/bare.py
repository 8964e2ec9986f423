"""A FastAPI application that does nothing: what any on this machine could reach. Usage: bare.py PORT."""

import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

application = FastAPI()


@application.get("/dict")
async def small() -> dict[str, str]:
    """Answer a small object."""
    return {"status": "ok"}


@application.get("/bytes/{size}")
async def sized(size: int) -> Response:
    """Answer so many bytes that are there already."""
    return Response(b" " * size, media_type="application/json")


@application.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    """Read a body and keep nothing of it."""
    return {"bytes": len(await request.body())}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
