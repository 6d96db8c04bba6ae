"""A Salesforce-shaped CRM, an SAP-shaped ERP and a WordPress-shaped site over SQLite, for trying
the real connectors without credentials."""
