// Apollo Server 5, standalone.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import responseCache from '@apollo/server-plugin-response-cache'
import { cached, loaders, port, resolvers, SECONDS, typeDefs } from './systems.mjs'

const plugins = cached
  ? [ApolloServerPluginCacheControl({ defaultMaxAge: SECONDS }), (responseCache.default ?? responseCache)()]
  : []
const server = new ApolloServer({ typeDefs, resolvers, plugins, introspection: false })
await startStandaloneServer(server, { listen: { host: '127.0.0.1', port }, context: async () => loaders() })
