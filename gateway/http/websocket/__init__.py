"""GraphQL by WebSocket, in the subprotocol graphql-transport-ws."""
