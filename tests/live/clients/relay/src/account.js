// The page of a company: its cases by twenty, its people, and the frequent questions beside them.

import { graphql } from 'relay-runtime';

export const query = graphql`
  query accountPageQuery($id: ID!) {
    account(id: $id) {
      name
      ...accountCases_account
      ...accountContacts_account
    }
    ...accountQuestions_query
  }
`;

export const cases = graphql`
  fragment accountCases_account on Account
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" })
  @refetchable(queryName: "accountCasesPageQuery") {
    cases(first: $first, after: $after, filter: { statuses: [NEW, IN_PROGRESS, WAITING_ON_CUSTOMER, RESOLVED] })
      @connection(key: "accountCases_cases") {
      totalCount
      edges {
        node {
          number
          subject
          order {
            number
            total {
              amount
              currency
            }
          }
        }
      }
    }
  }
`;

export const contacts = graphql`
  fragment accountContacts_account on Account
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" })
  @refetchable(queryName: "accountContactsPageQuery") {
    contacts(first: $first, after: $after) @connection(key: "accountContacts_contacts") {
      edges {
        node {
          name
          email
        }
      }
    }
  }
`;

export const questions = graphql`
  fragment accountQuestions_query on Query
  @argumentDefinitions(first: { type: "Int", defaultValue: 3 }, after: { type: "String" })
  @refetchable(queryName: "accountQuestionsPageQuery") {
    faqs(first: $first, after: $after) @connection(key: "accountQuestions_faqs") {
      edges {
        node {
          question
        }
      }
    }
  }
`;
