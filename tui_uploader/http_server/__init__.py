"""An HTTP/1.1 server for use inside a program: uvicorn, adapted.

server: `HttpServer`, started and stopped by its owner. connection_limits: limits of its connections.
Imported by the service and the local cloud; imports nothing of ours.
"""
