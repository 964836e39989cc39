use serde::{Deserialize, Serialize};

use crate::engine::Behaviour;
use crate::mishap::FaultRule;

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// What has to be in `X-API-KEY`. It opens an invented world and nothing else.
    pub key: String,
    /// What follows from calls.
    pub behaviour: Behaviour,
    /// What goes wrong from the beginning.
    pub faults: Vec<FaultRule>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            key: "simulated-api-key".to_owned(),
            behaviour: Behaviour::default(),
            faults: Vec::new(),
        }
    }
}
