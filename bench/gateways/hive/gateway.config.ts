// How the portal's fields are answered from the systems'.
import { defineConfig } from '@graphql-hive/gateway'

const ACCOUNT = "'001SB00000ANDNAQA1'", CONTACT = "'003SB00000ANATQAA1'", CUSTOMER = "'17100001'"

const asking = (field: string, selectionSet: string) => (args: object, context: any, info: any) =>
  context.systems.Query[field]({ args, context, info, selectionSet, root: {} })

const caseRows = asking('caseRows', '{ records { CaseNumber Subject Team__c Contact { Name Email Title } Account { Name AccountNumber } } }')
const relationRows = asking('relationRows', '{ records { Contact { Name Email } } }')
const orderRows = asking('orderRows', '{ d { results { SalesOrder PurchaseOrderByCustomer to_Item { results { SalesOrderItem RequestedQuantity RequestedQuantityUnit Material SalesOrderItemText } } } } }')
const posts = asking('posts', '{ slug title { rendered } }')

const personOf = (row: any) => row && { name: row.Name, email: row.Email, jobTitle: row.Title }

async function viewer(_: unknown, __: unknown, context: any, info: any) {
  const soql = `SELECT ContactId,Contact.Name,Contact.Email FROM AccountContactRelation WHERE ContactId IN (${CONTACT})`
  const { records } = await relationRows({ soql: encodeURIComponent(soql) }, context, info)
  return { contact: personOf(records[0].Contact) }
}

async function cases(_: unknown, { first = 20, filter }: any, context: any, info: any) {
  const of = filter?.number ? ` AND CaseNumber = '${filter.number.replace(/[\\']/g, '\\$&')}'` : ''
  const until = filter?.createdOn?.to ? ` AND CreatedDate < ${filter.createdOn.to}T05:00:00Z` : ''
  const soql = 'SELECT Id,AccountId,CaseNumber,Subject,CreatedDate,Team__c,ContactId,Contact.Name,Contact.Email,Contact.Title,' +
    `Account.AccountNumber,Account.Name FROM Case WHERE AccountId IN (${ACCOUNT})${of}${until} ORDER BY CreatedDate DESC,Id DESC LIMIT ${first + 1}`
  const { records } = await caseRows({ soql: encodeURIComponent(soql) }, context, info)
  return {
    nodes: records.slice(0, first).map((row: any) => ({
      number: row.CaseNumber,
      subject: row.Subject,
      team: row.Team__c,
      contact: personOf(row.Contact),
      account: row.Account && { name: row.Account.Name, number: row.Account.AccountNumber },
    })),
  }
}

async function orders(_: unknown, { first = 20, filter }: any, context: any, info: any) {
  const until = filter?.orderedOn?.to ? `%20and%20SalesOrderDate%20le%20datetime'${filter.orderedOn.to}T00:00:00'` : ''
  const options = '$select=SalesOrder,SoldToParty,SalesOrderDate,PurchaseOrderByCustomer,to_Item/SalesOrderItem,to_Item/Material,' +
    'to_Item/SalesOrderItemText,to_Item/RequestedQuantity,to_Item/RequestedQuantityUnit&$expand=to_Item&$filter=' +
    `SoldToParty%20eq%20${CUSTOMER}${until}&$orderby=SalesOrderDate%20desc,SalesOrder%20desc&$top=${first + 1}`
  const { d } = await orderRows({ options }, context, info)
  return {
    nodes: d.results.slice(0, first).map((row: any) => ({
      number: row.SalesOrder,
      customerReference: row.PurchaseOrderByCustomer,
      lines: {
        nodes: row.to_Item.results.map((line: any) => ({
          position: line.SalesOrderItem,
          quantity: line.RequestedQuantity,
          unit: line.RequestedQuantityUnit,
          product: { code: line.Material, name: line.SalesOrderItemText },
        })),
      },
    })),
  }
}

async function news(_: unknown, { first = 20 }: any, context: any, info: any) {
  const options = `_fields=id%2Cslug%2Ctitle%2Cdate_gmt&categories=8&orderby=date&order=desc&per_page=${first + 1}`
  const rows = await posts({ options }, context, info)
  return { nodes: rows.slice(0, first).map((row: any) => ({ slug: row.slug, title: row.title.rendered })) }
}

export const gatewayConfig = defineConfig({
  supergraph: './supergraph.graphql',
  additionalResolvers: { Query: { viewer, cases, orders, news } },
  jit: true,
  landingPage: false,
  graphiql: false,
  logging: 'error',
  ...(process.env.CACHED === '1' ? { responseCaching: { session: () => null, ttl: 3_600_000 } } : {}),
})
