//! Managed Streaming for Apache Kafka.

pub mod probe_cluster;
