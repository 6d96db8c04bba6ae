// GraphQL Yoga 5 with graphql-jit on Node's own http server.
import { createServer } from 'node:http'
import { useGraphQlJit } from '@envelop/graphql-jit'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import { createSchema, createYoga } from 'graphql-yoga'
import { cached, loaders, port, resolvers, SECONDS, typeDefs } from './systems.mjs'

const plugins = [useGraphQlJit()]
if (cached) plugins.push(useResponseCache({ session: () => null, ttl: SECONDS * 1000 }))
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context: () => loaders(), plugins, graphiql: false, logging: false, landingPage: false })
createServer(yoga).listen(port, '127.0.0.1')
