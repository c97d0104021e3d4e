//! What the files about servers say of themselves.

use super::plan::Part;
use super::server::{Probes, judge};
use super::stage::steps_sent;
use crate::rules::load_servers;
use crate::rules::schema::servers::{Answer as Rule, AnswerCase, Means, ServerFile, Servers, pick};

fn servers() -> Servers {
    load_servers(None).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn means(case: &AnswerCase, own: &[Rule], servers: &Servers) -> Means {
    let answer = super::http::Answer { status: case.status, body: case.body.clone() };
    judge(&answer, own, &servers.common.answers).map_or(Means::Refused, |rule| rule.means)
}

/// Each file holds the answers, versions and shapes it was written for, and those of its neighbours.
#[test]
fn the_cases_of_every_server_hold() {
    let servers = servers();
    assert_eq!(servers.servers.len(), 4);
    for file in &servers.servers {
        for (n, case) in file.cases.iter().enumerate() {
            let place = format!("{} case {}", file.id, n + 1);
            let start = pick(&file.start, case.version.as_deref()).expect("a start for any version");
            let given = [case.start.is_some(), case.stop.is_some(), case.identify.is_some(), case.steps.is_some()];
            assert_eq!(given.iter().filter(|given| **given).count(), 1, "{place}: one thing is tried");
            if let Some(answer) = &case.start {
                assert_eq!(means(answer, &start.answers, &servers), answer.means, "{place}");
            }
            if let Some(answer) = &case.stop {
                assert_eq!(means(answer, &file.stop.answers, &servers), answer.means, "{place}");
            }
            if let Some(shape) = &case.identify {
                assert_eq!(Probes::of(&shape.answers).is(file), shape.is, "{place}");
            }
            if let Some(steps) = &case.steps {
                let sent = steps_sent(file, start, case.version.as_deref(), steps.wanted, true);
                assert_eq!(sent, steps.sent, "{place}");
            }
        }
        assert!(file.cases.len() >= 6, "{}: too few cases", file.id);
    }
}

/// What shows one server shows no other, so the order in which they are asked decides nothing.
#[test]
fn no_shape_of_one_server_is_taken_for_another() {
    let servers = servers();
    for owner in &servers.servers {
        for shape in owner.cases.iter().filter_map(|case| case.identify.as_ref()).filter(|shape| shape.is) {
            let mut probes = Probes::of(&shape.answers);
            let taken: Vec<&ServerFile> = servers.servers.iter().filter(|file| probes.is(file)).collect();
            assert_eq!(taken.len(), 1, "{}: {:?}", owner.id, shape.answers);
        }
    }
}

/// A server may say anything: so many ranks that their product is no number are as many as there can be.
#[test]
fn sizes_that_no_machine_has_are_no_panic() {
    let servers = servers();
    let huge = serde_json::json!({ "tp_size": u64::MAX, "pp_size": u64::MAX, "internal_states": [{}] });
    let answers = [("/server_info".to_owned(), huge)].into();
    let sglang = servers.of("sglang").expect("a server");
    let facts = Probes::of(&answers).facts(sglang, &servers);
    // Without all three of them the number is unknown.
    assert_eq!(facts.ranks, None);
    let huge = serde_json::json!({ "tp_size": u64::MAX, "pp_size": 7, "dp_size": 9 });
    let answers = [("/server_info".to_owned(), huge)].into();
    assert_eq!(Probes::of(&answers).facts(sglang, &servers).ranks, Some(u64::MAX));
}

#[test]
fn success_is_200_and_nothing_else() {
    let servers = servers();
    for file in &servers.servers {
        for status in [201, 202, 204, 206, 301, 307] {
            let case = AnswerCase { status, body: String::new(), means: Means::Refused };
            for start in &file.start {
                assert_ne!(means(&case, &start.answers, &servers), Means::Done, "{} {status}", file.id);
            }
            assert_ne!(means(&case, &file.stop.answers, &servers), Means::Done, "{} {status}", file.id);
        }
    }
}

#[test]
fn parts_are_named_after_their_stages() {
    assert_eq!([Part::Prefill, Part::Decode, Part::Legacy].map(Part::id), ["prefill", "decode", "legacy"]);
}
