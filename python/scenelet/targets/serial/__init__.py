"""Host side of the wire protocol: framing, streams, retransmission, fault injection, the client."""
