"""The socket's side: GraphQL over HTTP, health, and the page for people."""
