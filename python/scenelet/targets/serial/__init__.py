"""The wire protocol, host side: frames, streams, retransmission, the client."""
