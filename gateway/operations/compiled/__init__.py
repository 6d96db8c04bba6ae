"""Operations, worked out once: a checked document becomes a plan that runs breadth first, a whole
level of the answer at a time, to the same answer that graphql-core gives."""
