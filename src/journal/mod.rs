//! The journal: an append-only, hash-chained file of durable facts.
