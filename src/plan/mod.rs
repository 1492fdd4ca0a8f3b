//! Plan files: schema, loading, validation, diagnostics.
