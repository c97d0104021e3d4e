//! Names of a trace that would be more than names.

use serde_json::{Value, json};

use super::hostile_trace::{self, NAMES};
use super::{Browser, WIDE, make};

#[test]
fn no_name_of_a_trace_becomes_part_of_the_page() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = hostile_trace::write(folder.path());
    let made = make(path.to_str().expect("UTF-8"), &["--min-share", "0"]);
    let browser = &mut browser.borrow_mut();
    browser.open(&made.page, WIDE, false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.value("window.broken ?? null"), Value::Null);
    assert_eq!(
        browser.value("document.querySelectorAll('img, main style, main script:not([type]), header b b').length"),
        json!(0)
    );
    let text = browser.text("document.getElementById('kernel-table').textContent");
    for name in NAMES {
        assert!(text.contains(&llm_prof::plain::clean(name)), "{name:?} is shown as it is");
    }
    let page = std::fs::read_to_string(&made.page).expect("the page");
    assert!(!page.contains(|c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)));
    // And what the script makes of names while one looks at them.
    browser.value("document.querySelector('canvas').focus()");
    for _ in 0..NAMES.len() {
        browser.press("ArrowRight");
        browser.press("ArrowDown");
    }
    assert_eq!(browser.value("window.broken ?? null"), Value::Null);
    assert_eq!(browser.value("document.querySelectorAll('.tip img, .tip svg, .tip script').length"), json!(0));
}
