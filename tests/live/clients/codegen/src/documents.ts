// What this portal asks.

import { graphql } from './gql/index.js';

export const latestCases = graphql(`
  query latestCases($first: Int!, $filter: CaseFilter) {
    viewer {
      name
    }
    cases(first: $first, filter: $filter, orderBy: { field: CREATED_AT, direction: DESC }) {
      totalCount
      nodes {
        ...caseLine
        order {
          total {
            amount
            currency
          }
        }
      }
    }
  }
`);

export const caseLine = graphql(`
  fragment caseLine on Case {
    id
    number
    status
    createdAt
  }
`);

export const openCase = graphql(`
  mutation openCase($input: CreateCaseInput!) {
    createCase(input: $input) {
      case {
        ...caseLine
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`);

export const happened = graphql(`
  query happened($number: String!) {
    case(by: { number: $number }) {
      timeline(first: 3) {
        nodes {
          __typename
          ... on CaseComment {
            body
          }
          ... on CaseStatusChanged {
            from
            to
          }
        }
      }
    }
  }
`);
