//! What each rule file may say, as serde structs; each turns into the settings of the room it fills.

pub mod attribution;
pub mod compare;
pub mod cut;
pub mod family;
pub mod fitness;
pub mod fleet;
pub mod frameworks;
pub mod hardware;
pub mod inputs;
pub mod json;
pub mod kernels;
pub mod launch;
pub mod mapping;
pub mod names;
pub mod overlap;
pub mod pattern;
pub mod plan;
pub mod releases;
pub mod report;
pub mod server_log;
pub mod servers;
pub mod shared;
pub mod similarity;
pub mod sites;
pub mod stages;
pub mod trace;
