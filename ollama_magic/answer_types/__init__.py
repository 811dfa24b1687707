"""What an answer must look like, and what it is: types and schemas, validation, records."""
