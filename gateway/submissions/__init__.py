"""What customers send, kept until the CRM has it: written down first, then delivered, once."""
