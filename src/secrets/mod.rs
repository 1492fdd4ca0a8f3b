//! Secrets: a type that cannot be printed, and the places it is resolved from.
