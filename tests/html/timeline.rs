//! The typical step: drawn, zoomed, moved and walked through.

use serde_json::json;

use super::{Browser, PREFILL, opened};

const CANVAS: &str = "document.querySelector('canvas')";
const VIEW: &str = "document.querySelector('figure.timeline output').textContent";

/// Pixels of the canvas that are not empty, and how many colours they have.
fn drawn(browser: &mut Browser) -> (f64, f64) {
    browser.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    let ask = format!(
        "(() => {{ const one = {CANVAS}; const data = new Uint32Array(one.getContext('2d')\
         .getImageData(0, 0, one.width, one.height).data.buffer); const some = data.filter(pixel => pixel); \
         return [some.length, new Set(some).size]; }})()"
    );
    let answer = browser.value(&ask);
    (answer[0].as_f64().expect("a number"), answer[1].as_f64().expect("a number"))
}

fn view(browser: &mut Browser) -> String {
    browser.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    browser.text(VIEW)
}

#[test]
fn a_step_is_drawn_and_zooms_by_wheel_drag_button_and_key() {
    let Some((browser, made)) = opened(PREFILL, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let (pixels, colours) = drawn(browser);
    assert!(pixels > 5_000.0 && colours > 4.0, "{pixels} pixels in {colours} colours");
    let whole = view(browser);
    let at = browser.middle("canvas");
    browser.mouse("mouseWheel", at, &json!({ "deltaX": 0, "deltaY": -400, "modifiers": 2 }));
    let zoomed = view(browser);
    assert!(zoomed.contains('×') && zoomed != whole, "Ctrl and the wheel zoom: {zoomed}");
    browser.mouse("mousePressed", at, &json!({ "button": "left", "clickCount": 1 }));
    browser.mouse("mouseMoved", (at.0 - 120.0, at.1), &json!({ "button": "left", "buttons": 1 }));
    browser.mouse("mouseReleased", (at.0 - 120.0, at.1), &json!({ "button": "left", "clickCount": 1 }));
    let moved = view(browser);
    assert!(moved.contains('×') && moved != zoomed, "a drag moves: {moved}");
    browser.click("button[data-do=in]");
    let closer = view(browser);
    assert_ne!(closer, moved, "a button zooms");
    browser.click("button[data-do=all]");
    assert_eq!(view(browser), whole, "and one shows all");
    browser.value(&format!("{CANVAS}.focus()"));
    browser.press("+");
    assert!(view(browser).contains("2.0×"), "a key zooms");
    browser.press("0");
    assert_eq!(view(browser), whole);
    assert!(made.json["typical_steps"][0]["launches"].as_array().expect("launches").len() > 20);
}

#[test]
fn keys_go_from_launch_to_launch_and_name_each() {
    let Some((browser, made)) = opened(PREFILL, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let step = &made.json["typical_steps"][0];
    browser.value(&format!("{CANVAS}.focus()"));
    browser.press("ArrowRight");
    browser.press("ArrowRight");
    let lane: Vec<_> = step["launches"].as_array().expect("launches").iter().filter(|one| one["lane"] == 0).collect();
    let kernel = lane[1]["kernel"].as_u64().expect("an index") as usize;
    let name = step["kernels"][kernel]["name"].as_str().expect("a name");
    assert_eq!(browser.text("document.querySelector('.tip code').textContent"), name);
    assert_eq!(browser.value("document.querySelector('.tip').hidden"), json!(false));
    assert!(browser.text("document.getElementById('said').textContent").contains("begins at"), "and it is said");
    browser.press("Escape");
    assert_eq!(browser.value("document.querySelector('.tip').hidden"), json!(true));
}

#[test]
fn a_finding_is_marked_and_leads_to_its_row_and_back() {
    let Some((browser, made)) = opened(PREFILL, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let (all, _) = drawn(browser);
    browser.value("(() => { const one = document.querySelector('figure.timeline select'); one.value = '-'; one.dispatchEvent(new Event('input')); })()");
    let (none, _) = drawn(browser);
    assert!(none < all, "marks are drawn: {none} pixels without, {all} with them");
    let row = made.json["typical_steps"][0]["findings"][0]["row"].as_str().expect("a row");
    browser.value(&format!("document.getElementById({row:?}).querySelector('th button').click()"));
    browser.click(&format!("[id={row:?}] button[data-mark]"));
    assert!(view(browser).contains('×'), "its first occurrence fills the view");
    assert_eq!(browser.text("document.querySelector('figure.timeline select').value"), row);
    assert_eq!(browser.text("document.activeElement.localName"), "canvas");
    browser.press("Enter");
    browser.value("new Promise(done => setTimeout(done, 50))");
    assert_eq!(browser.text("decodeURIComponent(location.hash)"), format!("#{row}"));
    assert_eq!(browser.value("document.activeElement.matches('tbody th button')"), json!(true));
}
