// Mercurius on Fastify, documents compiled by graphql-jit at their first use.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import cache from 'mercurius-cache'
import { cached, loaders, port, resolvers, SECONDS, typeDefs } from './systems.mjs'

const app = Fastify({ logger: false })
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1, graphiql: false, context: () => loaders() })
if (cached) app.register(cache, { ttl: SECONDS, all: true })
await app.listen({ host: '127.0.0.1', port })
