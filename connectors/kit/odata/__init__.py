"""OData, V2 and V4: questions out of typed parts, and what an answer holds in either version."""
