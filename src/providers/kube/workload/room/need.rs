//! What a pod asks for.
//! <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/>

use crate::providers::kube::quantity::quantity;
use serde_json::Value;

/// Of one pod; 0 of what it does not ask for.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Need {
    pub cpu_cores: f64,
    pub memory_bytes: f64,
    pub limit_cpu_cores: f64,
    pub limit_memory_bytes: f64,
}

impl Need {
    /// Of the specification of a pod: all containers together, or the largest of those that run before them.
    pub fn of(spec: &Value) -> Self {
        let of = |list: &str| {
            let all = spec[list].as_array().cloned().unwrap_or_default();
            all.iter().map(Self::of_container).collect::<Vec<_>>()
        };
        let together = of("containers").into_iter().fold(Self::default(), |a, b| a.join(b, |a, b| a + b));
        of("initContainers").into_iter().fold(together, |a, b| a.join(b, f64::max))
    }

    fn of_container(container: &Value) -> Self {
        let of = |kind: &str, name: &str| amount(&container["resources"][kind][name]);
        Self {
            cpu_cores: of("requests", "cpu"),
            memory_bytes: of("requests", "memory"),
            limit_cpu_cores: of("limits", "cpu"),
            limit_memory_bytes: of("limits", "memory"),
        }
    }

    fn join(self, other: Self, how: fn(f64, f64) -> f64) -> Self {
        Self {
            cpu_cores: how(self.cpu_cores, other.cpu_cores),
            memory_bytes: how(self.memory_bytes, other.memory_bytes),
            limit_cpu_cores: how(self.limit_cpu_cores, other.limit_cpu_cores),
            limit_memory_bytes: how(self.limit_memory_bytes, other.limit_memory_bytes),
        }
    }
}

/// A quantity as the API tells it; 0 where there is none.
pub fn amount(value: &Value) -> f64 {
    match value.as_str() {
        Some(text) => quantity(text).unwrap_or(0.0),
        None => value.as_f64().unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_are_added_and_init_containers_count_where_they_are_larger() {
        let one =
            |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
        let both = [one("250m", "1Gi"), one("1", "512Mi")];
        let need = Need::of(&json!({"containers": both, "initContainers": [one("2", "64Mi")]}));
        assert_eq!((need.cpu_cores, need.memory_bytes), (2.0, 1.5 * 1024.0 * 1024.0 * 1024.0));
        assert_eq!(Need::of(&json!({"containers": [{}]})), Need::default());
    }
}
