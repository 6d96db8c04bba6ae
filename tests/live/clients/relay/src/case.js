// The page of a case: what happened, from the end backwards, and what can be done about it.

import { graphql } from 'relay-runtime';

export const query = graphql`
  query casePageQuery($id: ID!) {
    node(id: $id) {
      ...caseTimeline_case @alias(as: "case")
    }
  }
`;

export const timeline = graphql`
  fragment caseTimeline_case on Case
  @argumentDefinitions(last: { type: "Int", defaultValue: 2 }, before: { type: "String" })
  @refetchable(queryName: "caseTimelinePageQuery") {
    status
    timeline(last: $last, before: $before) @connection(key: "caseTimeline_timeline") {
      edges {
        node {
          __typename
          ... on CaseOpened {
            at
          }
          ... on CaseComment {
            body
            author {
              name
            }
          }
          ... on Attachment {
            filename
            downloadUrl
          }
          ... on CaseStatusChanged {
            from
            to
          }
          ... on CaseRejection {
            message
          }
        }
      }
    }
  }
`;

export const comment = graphql`
  mutation caseCommentMutation($input: AddCaseCommentInput!, $connections: [ID!]!) {
    addCaseComment(input: $input) {
      comment @appendNode(connections: $connections, edgeTypeName: "CaseEventEdge") {
        body
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;

export const upload = graphql`
  mutation caseUploadMutation($input: CreateUploadInput!) {
    createUpload(input: $input) {
      upload {
        id
        url
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;

export const changed = graphql`
  subscription caseChangedSubscription($id: ID!) {
    caseChanged(id: $id) {
      event
      case {
        status
        ...caseTimeline_case
      }
    }
  }
`;
