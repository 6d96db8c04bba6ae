"""The steps by which the gateway's tables came to be what they are, in order."""
