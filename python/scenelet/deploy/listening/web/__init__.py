"""The local page: a server on 127.0.0.1 that shows a browser what is heard."""
