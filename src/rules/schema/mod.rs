//! What each rule file may say, as serde structs; each turns into the settings of the room it fills.

pub mod family;
pub mod launch;
pub mod names;
pub mod shared;
pub mod trace;
