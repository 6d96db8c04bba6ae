"""A CRM that speaks as Salesforce does, over the rows that the sandbox keeps."""
