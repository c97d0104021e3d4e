//! What each rule file may say, as serde structs; each turns into the settings of the room it fills.

pub mod fitness;
pub mod inputs;
pub mod names;
pub mod report;
pub mod trace;
