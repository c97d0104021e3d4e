//! What a person made wrong, with the place, as rustc would show it.
