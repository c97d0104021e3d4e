//! The part of `rules/servers/<framework>.yaml` for servers that are profiled without a route: what the environment of
//! one run says, and how their own module is made to record stacks.

use schemars::JsonSchema;
use serde::Deserialize;

/// A server that records one window of iterations in each of its runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowRun {
    /// Variables of the environment; holes are window, dir, stage.
    pub variables: Vec<Variable>,
    /// First iteration of the window, when there is no warm-up.
    pub first: Stages<u64>,
    /// Texts in the module of a release that leaves out the last iteration of a window; any of them.
    pub leaves_out_last: Vec<String>,
    /// What is sent to the server; holes are warmup, steps.
    pub then: Stages<String>,
}

/// Something for each stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stages<T> {
    /// Of prefill.
    pub prefill: T,
    /// Of decode.
    pub decode: T,
}

/// A variable of the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl<T> Stages<T> {
    /// The one of decode, or that of prefill.
    pub fn of(&self, decode: bool) -> &T {
        if decode { &self.decode } else { &self.prefill }
    }
}

impl WindowRun {
    /// The window of `steps` steps after a warm-up of so many; `module` is the text of the server's own module, when it
    /// is known.
    pub fn window(&self, decode: bool, warm_up: u64, steps: u64, module: Option<&str>) -> String {
        let leaves_out = module.is_some_and(|text| self.leaves_out_last.iter().any(|sign| text.contains(sign)));
        let first = self.first.of(decode).saturating_add(warm_up);
        let last = first.saturating_add(steps).saturating_sub(u64::from(!leaves_out));
        format!("{first}-{last}")
    }
}

/// How a module of the server, which starts its profiler without stacks, is made to record them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StacksOn {
    /// Places of that module over the releases, newest first.
    pub modules: Vec<Module>,
    /// Function whose call starts the profiler.
    pub call: String,
    /// Arguments that the call must have.
    pub has: Vec<String>,
    /// Argument that it must not have in any form.
    pub lacks: String,
    /// The argument of `has` behind which something is put.
    pub behind: String,
    /// What is put there.
    pub put: String,
}

/// A module of the server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its path in the package.
    pub path: String,
    /// Texts that it has, all of them.
    pub marks: Vec<String>,
}
