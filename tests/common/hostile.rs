//! A trace whose every name, and the names of its files, would be more than names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Names that would be markup, script, the end of an element, of a table's cell, of a terminal's line, of a direction.
pub(crate) const NAMES: [&str; 10] = [
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror=\"window.broken = 2\">",
    "'\"><svg/onload=window.broken=3>&lt;b&gt;{{7*7}}",
    "</style><style>body{display:none}</style><!--",
    "bell\u{7}\u{1b}[31m\u{202e}txet\u{2066}\u{0}end",
    "javascript:window.broken=4//`${window.broken=5}`",
    "cell|`code`|``\n|---|\n| row | \\| ~~~ ```",
    "[link](javascript:window.broken=6) ![i](http://example.com/x.png) # *b* _i_",
    "\u{1b}[2J\u{1b}[1;1H\u{1b}]0;title\u{7}\u{1b}[8m\u{9b}5A\u{85}\u{2028}over\rwritten\u{8}\u{8}\tend",
    "\u{1b}P+q\u{1b}\\\u{1b}[?1049h\u{1b}c\u{e}zero\u{200b}\u{feff}\u{ad}width\u{e0041}",
];

/// Writes the trace, and the server's arguments beside it, into `folder`, which is made; the trace.
pub(crate) fn write(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("room");
    let events: Vec<Value> = (NAMES.iter().enumerate())
        .flat_map(|(n, name)| {
            let at = 1000 + 100 * n as i64;
            let args = json!({ "device": 0, "stream": 7 + n % 2, "correlation": n + 1, "External id": n + 1 });
            let call = json!({ "correlation": n + 1 });
            let frame = format!("vllm/{name}.py(7): {name}");
            [
                json!({ "ph": "X", "cat": "kernel", "name": name, "pid": 0, "tid": 7, "ts": at, "dur": 50, "args": args }),
                json!({ "ph": "X", "cat": "cpu_op", "name": name, "pid": 1, "tid": 1, "ts": at - 500, "dur": 90, "args": { "External id": n + 1 } }),
                json!({ "ph": "X", "cat": "python_function", "name": frame, "pid": 1, "tid": 1, "ts": at - 510, "dur": 95, "args": {} }),
                json!({ "ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1, "ts": at - 490, "dur": 5, "args": call }),
                json!({ "ph": "X", "cat": name, "name": name, "pid": 1, "tid": 1, "ts": at, "dur": 1 }),
                json!({ "ph": "X", "cat": "kernel", "name": name, "pid": name, "tid": name, "ts": name, "dur": 1 }),
            ]
        })
        .collect();
    let device = json!({ "id": 0, "name": NAMES[1] });
    let trace = json!({ "schemaVersion": 1, "deviceProperties": [device], "traceEvents": events });
    let path = folder.join("<b>\u{1b}[2Jhostile\r\u{202e}\u{9b}.trace.json");
    std::fs::write(&path, trace.to_string()).expect("room");
    let arguments = json!({ "model_path": NAMES[8], "tp_size": 1, NAMES[4]: NAMES[9] });
    std::fs::write(folder.join("server_args.json"), arguments.to_string()).expect("room");
    path
}
