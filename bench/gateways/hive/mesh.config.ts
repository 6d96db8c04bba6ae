// What the systems offer, as a supergraph: their answers by example, and the portal's types beside them.
import { defineConfig } from '@graphql-mesh/compose-cli'
import { loadJSONSchemaSubgraph } from '@omnigraph/json-schema'

const asked = (field: string, path: string, names: string[], sample: unknown) => ({
  type: 'Query' as const,
  field,
  method: 'GET' as const,
  path,
  argTypeMap: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  responseSample: sample as object,
  responseTypeName: field[0].toUpperCase() + field.slice(1),
})

const person = { Name: 'n', Email: 'e', Title: 't' }
const line = { SalesOrderItem: '10', RequestedQuantity: '1', RequestedQuantityUnit: 'PC', Material: 'm', SalesOrderItemText: 't' }

export const composeConfig = defineConfig({
  subgraphs: [
    {
      sourceHandler: loadJSONSchemaSubgraph('systems', {
        endpoint: process.env.UPSTREAM!,
        operations: [
          asked('caseRows', '/services/data/v60.0/query?q={args.soql}', ['soql'], {
            records: [{ CaseNumber: '1', Subject: 's', Team__c: 't', Contact: person, Account: { Name: 'n', AccountNumber: '1' } }],
          }),
          asked('relationRows', '/services/data/v60.0/query?q={args.soql}', ['soql'], { records: [{ Contact: person }] }),
          asked('orderRows', '/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?{args.options}', ['options'], {
            d: { results: [{ SalesOrder: '1', PurchaseOrderByCustomer: 'p', to_Item: { results: [line] } }] },
          }),
          asked('posts', '/wp-json/wp/v2/posts?{args.options}', ['options'], [{ slug: 's', title: { rendered: 't' } }]),
        ],
      }),
    },
  ],
  additionalTypeDefs: /* GraphQL */ `
    scalar Date
    input DateRange { from: Date to: Date }
    input CaseFilter { number: String createdOn: DateRange }
    input OrderFilter { orderedOn: DateRange }
    extend type Query {
      viewer: Viewer
      cases(first: Int, filter: CaseFilter): CaseConnection
      orders(first: Int, filter: OrderFilter): OrderConnection
      news(first: Int): NewsArticleConnection
    }
    type Viewer { contact: Contact }
    type Contact { name: String! email: String jobTitle: String }
    type Account { name: String! number: String }
    type CaseConnection { nodes: [Case!]! }
    type Case { number: String subject: String! team: String contact: Contact account: Account }
    type OrderConnection { nodes: [Order!]! }
    type Order { number: String! customerReference: String lines(first: Int): OrderLineConnection }
    type OrderLineConnection { nodes: [OrderLine!]! }
    type OrderLine { position: String! quantity: String! unit: String! product: Product! }
    type Product { code: String! name: String! }
    type NewsArticleConnection { nodes: [NewsArticle!]! }
    type NewsArticle { slug: String! title: String! }
  `,
})
