//! By keyboard alone, and for those who listen.

use serde_json::{Value, json};

use super::{PREFILL, RICH, opened};

/// Presses Tab until an expression holds of the page; how often.
fn tab_until(browser: &mut super::Browser, holds: &str) -> usize {
    for n in 1..200 {
        browser.press("Tab");
        if browser.value(holds) == true {
            return n;
        }
    }
    panic!("no Tab leads to where {holds}");
}

#[test]
fn a_table_is_sorted_and_a_row_opened_without_a_mouse() {
    let Some((browser, _made)) = opened(RICH, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    assert_eq!(tab_until(browser, "document.activeElement.matches('a.skip')"), 1, "the first stop skips to the tables");
    tab_until(browser, "document.activeElement.closest('#kernel-table thead th[data-number]') !== null");
    assert_eq!(browser.value("getComputedStyle(document.activeElement).outlineStyle"), "solid", "focus can be seen");
    browser.press("Enter");
    let sorted = "document.activeElement.closest('th').getAttribute('aria-sort')";
    assert_eq!(browser.text(sorted), "descending");
    assert!(browser.text("document.getElementById('said').textContent").starts_with("sorted by"));
    tab_until(browser, "document.activeElement.matches('#kernel-table tbody th button')");
    assert_eq!(browser.text("document.activeElement.getAttribute('aria-expanded')"), "false");
    browser.press("Enter");
    assert_eq!(browser.text("document.activeElement.getAttribute('aria-expanded')"), "true");
    let opened = "document.getElementById(document.activeElement.getAttribute('aria-controls')).offsetHeight";
    assert!(browser.number(opened) > 30.0);
}

#[test]
fn all_that_acts_has_a_name_and_tables_have_heads() {
    let Some((browser, _made)) = opened(PREFILL, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    browser.value("document.querySelectorAll('tbody th button').forEach(button => button.click())");
    let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
    let nodes: Vec<(&str, &str)> = (tree["nodes"].as_array().expect("nodes").iter())
        .filter(|node| node["ignored"] != true)
        .map(|node| (node["role"]["value"].as_str().unwrap_or(""), node["name"]["value"].as_str().unwrap_or("")))
        .collect();
    let acts = ["button", "searchbox", "combobox", "checkbox", "link", "application", "region", "image"];
    for (role, name) in &nodes {
        assert!(!acts.contains(role) || !name.trim().is_empty(), "a {role} has no name");
    }
    for role in ["table", "columnheader", "rowheader", "searchbox", "combobox", "application", "navigation", "main"] {
        assert!(nodes.iter().any(|(other, _)| *other == role), "no {role}");
    }
    let bare = "[...document.querySelectorAll('thead th:not([scope=col]), tbody > tr > th:not([scope=row])')].length";
    assert_eq!(browser.value(bare), json!(0), "every head says of what it is one");
    let twice = "(() => { const ids = [...document.querySelectorAll('[id]')].map(one => one.id); \
                 return ids.filter((id, at) => ids.indexOf(id) !== at); })()";
    assert_eq!(browser.value(twice), Value::Array(Vec::new()), "ids are unique");
}
