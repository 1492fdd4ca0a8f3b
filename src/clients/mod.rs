//! Shared connections to the outside: PostgreSQL, HTTP, processes. Every call has a deadline.
