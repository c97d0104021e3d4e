//! Names of a trace that would be more than names.

use serde_json::{Value, json};

use super::{Browser, WIDE, make};

/// Names that would be markup, script, the end of an element, of a terminal's line, of a direction.
const HOSTILE: [&str; 6] = [
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror=\"window.broken = 2\">",
    "'\"><svg/onload=window.broken=3>&lt;b&gt;{{7*7}}",
    "</style><style>body{display:none}</style><!--",
    "bell\u{7}\u{1b}[31m\u{202e}txet\u{2066}\u{0}end",
    "javascript:window.broken=4//`${window.broken=5}`",
];

#[test]
fn no_name_of_a_trace_becomes_part_of_the_page() {
    let Some(browser) = Browser::start() else { return };
    let events: Vec<Value> = (HOSTILE.iter().enumerate())
        .flat_map(|(n, name)| {
            let at = 1000 + 100 * n as i64;
            let args = json!({ "device": 0, "stream": 7 + n % 2, "correlation": n + 1, "External id": n + 1 });
            let call = json!({ "correlation": n + 1 });
            [
                json!({ "ph": "X", "cat": "kernel", "name": name, "pid": 0, "tid": 7, "ts": at, "dur": 50, "args": args }),
                json!({ "ph": "X", "cat": "cpu_op", "name": name, "pid": 1, "tid": 1, "ts": at - 500, "dur": 90, "args": { "External id": n + 1 } }),
                json!({ "ph": "X", "cat": "python_function", "name": format!("vllm/{name}.py(7): {name}"), "pid": 1, "tid": 1, "ts": at - 510, "dur": 95, "args": {} }),
                json!({ "ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1, "ts": at - 490, "dur": 5, "args": call }),
            ]
        })
        .collect();
    let trace =
        json!({ "schemaVersion": 1, "deviceProperties": [{ "id": 0, "name": HOSTILE[1] }], "traceEvents": events });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("<b>hostile.trace.json");
    std::fs::write(&path, trace.to_string()).expect("room");
    let made = make(path.to_str().expect("UTF-8"), &["--min-share", "0"]);
    let browser = &mut browser.borrow_mut();
    browser.open(&made.page, WIDE, false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.value("window.broken ?? null"), Value::Null);
    assert_eq!(
        browser.value("document.querySelectorAll('img, main style, main script:not([type]), header b b').length"),
        json!(0)
    );
    let plain = |name: &str| {
        name.chars()
            .map(|c| if c.is_control() || ('\u{202a}'..='\u{2069}').contains(&c) { '\u{fffd}' } else { c })
            .collect::<String>()
    };
    let text = browser.text("document.getElementById('kernel-table').textContent");
    for name in HOSTILE {
        assert!(text.contains(&plain(name)), "{name:?} is shown as it is");
    }
    let page = std::fs::read_to_string(&made.page).expect("the page");
    assert!(!page.contains(|c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)));
    // And what the script makes of names while one looks at them.
    browser.value("document.querySelector('canvas').focus()");
    for _ in 0..HOSTILE.len() {
        browser.press("ArrowRight");
        browser.press("ArrowDown");
    }
    assert_eq!(browser.value("window.broken ?? null"), Value::Null);
    assert_eq!(browser.value("document.querySelectorAll('.tip img, .tip svg, .tip script').length"), json!(0));
}
