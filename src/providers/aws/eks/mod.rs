//! Elastic Kubernetes Service.

pub mod probe_nodegroup;
pub mod scale_nodegroup;
