//! The capture of one stage as a state machine: all of its transitions.
//!
//! ```text
//! check ─> warm up ─> lead ─> arm ─> drive ─> stop ─> flush ─> verify ─> kept
//!   └────────┴────────┴───────┤ \     │        │       │         └────> partial
//!                             v  \    v        │       │                 ^
//!                           nothing  call off ─┴───────┴──> salvage ─────┘
//! ```

/// Where the capture of a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Whether it can work at all: options, lengths, folder.
    Check,
    /// Requests before the profiler is touched.
    WarmUp,
    /// Decode only: the requests that will be profiled are sent and begin to answer, so that their prefill is over.
    Lead,
    /// The profiler is started.
    Arm,
    /// The work that is profiled.
    Drive,
    /// The profiler is stopped.
    Stop,
    /// Traces become whole.
    Flush,
    /// Whether they hold what was asked for.
    Verify,
    /// Something went wrong while the profiler ran, or may have: it is stopped.
    CallOff,
    /// What there is of traces is kept.
    Salvage,
    /// The end.
    Ended(End),
}

/// How the capture of a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Traces are whole and in their place.
    Kept,
    /// Something of them was kept apart.
    Partial,
    /// The profiler was not touched.
    Nothing,
}

/// What came of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is done.
    Done,
    /// It failed, and everybody knows.
    Failed,
    /// It failed, and the server may have done it all the same.
    Lost,
}

/// The next state.
pub(super) fn next(state: State, event: Event) -> State {
    use {Event as E, State as S};
    match (state, event) {
        (S::Check, E::Done) => S::WarmUp,
        (S::WarmUp, E::Done) => S::Lead,
        (S::Lead, E::Done) => S::Arm,
        (S::Check | S::WarmUp | S::Lead, _) | (S::Arm, E::Failed) => S::Ended(End::Nothing),
        (S::Arm, E::Done) => S::Drive,
        (S::Drive, E::Done) => S::Stop,
        (S::Arm, E::Lost) | (S::Drive, _) => S::CallOff,
        (S::Stop, E::Done) => S::Flush,
        (S::Flush, E::Done) => S::Verify,
        (S::Stop | S::Flush | S::CallOff, _) => S::Salvage,
        (S::Verify, E::Done) => S::Ended(End::Kept),
        (S::Verify | S::Salvage, _) => S::Ended(End::Partial),
        (S::Ended(end), _) => S::Ended(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 10] = [
        State::Check,
        State::WarmUp,
        State::Lead,
        State::Arm,
        State::Drive,
        State::Stop,
        State::Flush,
        State::Verify,
        State::CallOff,
        State::Salvage,
    ];

    fn path(mut state: State, events: &[Event]) -> Vec<State> {
        let mut out = Vec::new();
        for event in events {
            state = next(state, *event);
            out.push(state);
        }
        out
    }

    #[test]
    fn all_well_goes_through_every_state_of_the_first_line() {
        let all = path(State::Check, &[Event::Done; 8]);
        assert_eq!(all.last(), Some(&State::Ended(End::Kept)));
        assert!(!all.contains(&State::CallOff) && !all.contains(&State::Salvage), "{all:?}");
    }

    #[test]
    fn whatever_happens_each_state_has_an_end() {
        for state in STATES {
            for event in [Event::Done, Event::Failed, Event::Lost] {
                let all = path(state, &[event; 10]);
                assert!(matches!(all.last(), Some(State::Ended(_))), "{state:?} {event:?}: {all:?}");
            }
        }
    }

    /// From the moment the profiler may run, no end is reached without a stop.
    #[test]
    fn an_armed_profiler_is_stopped_on_every_way_out() {
        for failing in [Event::Failed, Event::Lost] {
            assert_eq!(next(State::Drive, failing), State::CallOff);
        }
        assert_eq!(next(State::Arm, Event::Lost), State::CallOff);
        assert_eq!(next(State::Drive, Event::Done), State::Stop);
    }

    /// A refused start left nothing to clean up; before it the profiler was not touched.
    #[test]
    fn nothing_is_stopped_that_was_not_started() {
        assert_eq!(next(State::Arm, Event::Failed), State::Ended(End::Nothing));
        for state in [State::Check, State::WarmUp, State::Lead] {
            for event in [Event::Failed, Event::Lost] {
                assert_eq!(next(state, event), State::Ended(End::Nothing));
            }
        }
    }
}
