//! `rules/hardware.yaml`: devices and vendors.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::PatternText;
use crate::attribution::{Hardware, Settings};

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardwareFile {
    /// Version of the format.
    pub version: u32,
    devices: Vec<DeviceEntry>,
    #[serde(default)]
    runtimes: Vec<RuntimeEntry>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEntry {
    name: PatternText,
    vendor: String,
    arch: Option<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuntimeEntry {
    call: PatternText,
    vendor: String,
}

impl HardwareFile {
    /// Fills its part of the settings.
    pub fn fill(self, settings: &mut Settings) {
        settings.hardware = self
            .devices
            .into_iter()
            .map(|d| Hardware { name: d.name.into(), vendor: d.vendor, arch: d.arch })
            .collect();
        settings.runtimes = self.runtimes.into_iter().map(|r| (r.call.into(), r.vendor)).collect();
    }
}
