//! A cut tells nobody what is nobody's business; the rules prove it by their own tests.

use super::*;
use crate::rules::schema::{cut::CutFile, sites::SitesFile};

fn file() -> CutFile {
    serde_yaml::from_str(include_str!("../../rules/cut.yaml")).expect("rules/cut.yaml")
}

fn attribution() -> crate::attribution::Settings {
    let mut settings = crate::attribution::Settings::default();
    let sites: SitesFile = serde_yaml::from_str(include_str!("../../rules/sites.yaml")).expect("rules/sites.yaml");
    sites.fill(&mut settings).expect("sites");
    settings
}

#[test]
fn texts_come_out_as_the_rules_say() {
    let (file, settings) = (file(), attribution());
    let scrubber = Scrubber::new(&file, &settings.sites).expect("the rules");
    assert!(file.tests.len() > 8);
    for test in &file.tests {
        assert_eq!(scrubber.text(&test.text), test.scrubbed.as_deref().unwrap_or(&test.text));
    }
}

#[test]
fn a_word_of_the_user_goes_wherever_it_stands() {
    let (file, settings) = (file(), attribution());
    let scrubber = Scrubber::new(&file, &settings.sites).expect("the rules");
    let mut header = crate::trace::Header::default();
    header.values.insert("host_name".to_owned(), "\"gpu-17\"".to_owned());
    header.values.insert("username".to_owned(), "\"bo\"".to_owned());
    let scrubber = scrubber.with_secrets(&header, &["x".to_owned()]);
    assert_eq!(scrubber.text("on gpu-17: max"), "on hidden: mahidden");
    assert_eq!(scrubber.text("bob"), "bob", "two letters stand in too many words");
}

#[test]
fn threads_of_no_known_form_lose_their_names() {
    let (file, settings) = (file(), attribution());
    let scrubber = Scrubber::new(&file, &settings.sites).expect("the rules");
    assert_eq!(scrubber.name("thread 12 (python3)", "thread"), "thread 12 (python3)");
    assert_eq!(scrubber.name("alice's worker", "thread"), "thread");
}
