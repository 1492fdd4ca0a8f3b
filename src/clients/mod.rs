//! Shared connections to the outside: PostgreSQL, HTTP, processes. Every call has a deadline.

/// The connections that probes and actions share; cheap to clone.
#[derive(Clone)]
pub struct Clients {}
