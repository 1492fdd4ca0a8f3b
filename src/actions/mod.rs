//! Actions: what changes the world. One file per kind.
