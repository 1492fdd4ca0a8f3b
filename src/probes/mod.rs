//! Probes: periodic measurements. One file per kind.
