// What every Node gateway of the comparison shares: the schema's part that is asked, and the systems behind it.
//
// CALLS=least asks for contact and account in the question for the cases; CALLS=loaders asks for them by id through
// DataLoader, as a schema over systems without joins would. CLIENT=fetch asks by Node's own fetch, CLIENT=pool by a pool
// of undici, which is faster and which one has to know.
import DataLoader from 'dataloader'
import { Pool } from 'undici'

const upstream = new Pool(process.env.UPSTREAM, { connections: 128, pipelining: 1 })
const ACCOUNT = "'001SB00000ANDNAQA1'", CONTACT = "'003SB00000ANATQAA1'", CUSTOMER = "'17100001'"
const embedded = (process.env.CALLS ?? 'least') === 'least'

export const typeDefs = /* GraphQL */ `
  type Query {
    viewer: Viewer
    cases(first: Int, filter: CaseFilter): CaseConnection
    orders(first: Int, filter: OrderFilter): OrderConnection
    news(first: Int): NewsArticleConnection
  }
  scalar Date
  input DateRange { from: Date to: Date }
  input CaseFilter { number: String createdOn: DateRange }
  input OrderFilter { orderedOn: DateRange }
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
`

const ask = process.env.CLIENT === 'fetch' ? fetched : pooled

async function fetched(path) {
  const answer = await fetch(process.env.UPSTREAM + path, { headers: { accept: 'application/json' } })
  if (!answer.ok) throw new Error(`upstream answered ${answer.status}`)
  return answer.json()
}

async function pooled(path) {
  const { statusCode, body } = await upstream.request({ method: 'GET', path, headers: { accept: 'application/json' } })
  if (statusCode !== 200) throw new Error(`upstream answered ${statusCode}`)
  return body.json()
}

async function soql(text) {
  return (await ask('/services/data/v60.0/query?q=' + encodeURIComponent(text))).records
}

const personOf = (row) => row && { name: row.Name, email: row.Email, jobTitle: row.Title }
const companyOf = (row) => row && { name: row.Name, number: row.AccountNumber }

async function viewer() {
  const rows = await soql(
    `SELECT ContactId,Contact.Name,Contact.Email FROM AccountContactRelation WHERE ContactId IN (${CONTACT})`)
  return { contact: personOf(rows[0].Contact) }
}

async function cases(_, { first = 20, filter }) {
  const of = filter?.number ? ` AND CaseNumber = '${filter.number.replace(/[\\']/g, '\\$&')}'` : ''
  const until = filter?.createdOn?.to ? ` AND CreatedDate < ${filter.createdOn.to}T05:00:00Z` : ''
  const joined = embedded ? ',Contact.Name,Contact.Email,Contact.Title,Account.AccountNumber,Account.Name' : ''
  const rows = await soql(`SELECT Id,AccountId,CaseNumber,Subject,CreatedDate,Team__c,ContactId${joined} FROM Case ` +
    `WHERE AccountId IN (${ACCOUNT})${of}${until} ORDER BY CreatedDate DESC,Id DESC LIMIT ${first + 1}`)
  return {
    nodes: rows.slice(0, first).map((row) => ({
      number: row.CaseNumber,
      subject: row.Subject,
      team: row.Team__c,
      contactId: row.ContactId,
      accountId: row.AccountId,
      contact: embedded ? personOf(row.Contact) : undefined,
      account: embedded ? companyOf(row.Account) : undefined,
    })),
  }
}

async function orders(_, { first = 20, filter }) {
  const until = filter?.orderedOn?.to ? `%20and%20SalesOrderDate%20le%20datetime'${filter.orderedOn.to}T00:00:00'` : ''
  const answer = await ask('/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$select=SalesOrder,SoldToParty,SalesOrderDate,' +
    'PurchaseOrderByCustomer,to_Item/SalesOrderItem,to_Item/Material,to_Item/SalesOrderItemText,to_Item/RequestedQuantity,' +
    `to_Item/RequestedQuantityUnit&$expand=to_Item&$filter=SoldToParty%20eq%20${CUSTOMER}${until}` +
    `&$orderby=SalesOrderDate%20desc,SalesOrder%20desc&$top=${first + 1}`)
  return {
    nodes: answer.d.results.slice(0, first).map((row) => ({
      number: row.SalesOrder,
      customerReference: row.PurchaseOrderByCustomer,
      lines: {
        nodes: row.to_Item.results.map((line) => ({
          position: line.SalesOrderItem,
          quantity: line.RequestedQuantity,
          unit: line.RequestedQuantityUnit,
          product: { code: line.Material, name: line.SalesOrderItemText },
        })),
      },
    })),
  }
}

async function news(_, { first = 20 }) {
  const rows = await ask(`/wp-json/wp/v2/posts?_fields=id%2Cslug%2Ctitle%2Cdate_gmt&categories=8&orderby=date&order=desc&per_page=${first + 1}`)
  return { nodes: rows.slice(0, first).map((row) => ({ slug: row.slug, title: row.title.rendered })) }
}

const byId = (table, columns, shape) => new DataLoader(async (ids) => {
  const rows = await soql(`SELECT Id,${columns} FROM ${table} WHERE Id IN (${ids.map((id) => `'${id}'`)})`)
  const found = new Map(rows.map((row) => [row.Id, shape(row)]))
  return ids.map((id) => found.get(id) ?? null)
})

export const loaders = () => embedded ? {} : {
  contacts: byId('Contact', 'Name,Email,Title', personOf),
  accounts: byId('Account', 'Name,AccountNumber', companyOf),
}

export const resolvers = {
  Query: { viewer, cases, orders, news },
  ...(embedded ? {} : {
    Case: {
      contact: (row, _, context) => context.contacts.load(row.contactId),
      account: (row, _, context) => context.accounts.load(row.accountId),
    },
  }),
}

export const port = Number(process.env.PORT)
export const cached = process.env.CACHED === '1'
export const SECONDS = 3600
