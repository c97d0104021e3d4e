//! What strangers wrote is shown and does nothing: through a terminal, every line lands where it stands and only ends of
//! lines move the cursor; through a markdown reader, every cell is in its table. The page is in `tests/html/hostile.rs`.

use std::ffi::OsString;
use std::path::Path;

use llm_prof::cli::Streams;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

#[path = "common/hostile.rs"]
mod hostile;

/// What nobody may write to a terminal but us, and we only colours.
const ESCAPE: char = '\u{1b}';

/// What a run of the program, on a terminal, wrote to both of its streams.
fn run(args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = {
        let mut streams = Streams::buffers(&mut out, &mut err);
        (streams.out_is_terminal, streams.err_is_terminal) = (true, true);
        streams.width = Some(160);
        let args = std::iter::once("llm-prof").chain(args.iter().copied());
        llm_prof::cli::run(args.map(OsString::from), &mut streams)
    };
    (code, String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"))
}

/// The text without colours.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let colour = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        let (digits, rest) = colour.unwrap_or_else(|| panic!("no colour: {part:?}"));
        assert!(digits.chars().all(|c| c.is_ascii_digit() || c == ';'), "no colour: {part:?}");
        plain.push_str(rest);
    }
    plain
}

/// Shows the text on a terminal: its screen is the lines of the text.
fn check(text: &str, place: &str) {
    // The sign for what is not shown, which this terminal does not know.
    let text = &text.replace('\u{fffd}', "?");
    let plain = uncoloured(text);
    let moving = plain.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
    assert_eq!(moving, None, "{place}: {text:?}");
    let lines: Vec<&str> = plain.lines().collect();
    let (rows, columns) = (lines.len() as u16 + 2, 2000);
    let mut terminal = vt100::Parser::new(rows, columns, 0);
    for (row, line) in text.split_inclusive('\n').enumerate() {
        terminal.process(line.trim_end_matches('\n').as_bytes());
        assert_eq!(usize::from(terminal.screen().cursor_position().0), row, "{place}: {line:?} left its row");
        if line.ends_with('\n') {
            terminal.process(b"\r\n");
        }
    }
    let screen: Vec<String> = terminal.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    let wanted: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(screen[..lines.len()], wanted, "{place}");
    assert!(screen[lines.len()..].iter().all(String::is_empty), "{place}: more than the lines");
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor(), "{place}");
}

/// What a name says that would be a line of its own: nobody may take it for one of ours.
const FORGED: &str = "forged";

/// Runs and looks at both streams; the exit code and all that was written.
fn shown(args: &[&str]) -> (u8, String) {
    let (code, out, err) = run(args);
    let place = format!("{args:?}");
    check(&out, &place);
    check(&err, &place);
    let said = uncoloured(&out) + &uncoloured(&err);
    let forged = said.lines().find(|line| line.starts_with(FORGED));
    assert_eq!(forged, None, "{place}: a name broke its line: {said}");
    (code, said)
}

/// Runs what prints a document for programs: nothing hidden stands in it as itself.
fn still(args: &[&str]) -> String {
    let (code, out, err) = run(args);
    assert_eq!(code, 0, "{args:?}: {err}");
    check(&err, &format!("{args:?}"));
    let hidden = out.chars().find(|c| *c != '\n' && llm_prof::plain::is_hidden(*c));
    assert_eq!(hidden, None, "{args:?}: {out}");
    out
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn results_and_messages_of_a_hostile_trace_move_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = hostile::write(&folder.path().join("run\u{1b}[31m\u{7}"));
    let (trace, cut) = (text(&trace), folder.path().join("cut\u{1b}[2J.json"));
    let flags = ["--isolated", "--no-progress", "--rules", "rules", "-vv"];
    let mut all = String::new();
    for (wanted, args) in [
        (0, &["triage", trace, "--min-share", "0", "--color", "never"][..]),
        (0, &["triage", trace, "--min-share", "0", "--color", "always"]),
        (0, &["compare", trace, trace, "--color", "always"]),
        (5, &["check", trace, "--budget", "other=100"]),
        (0, &["explain", "sglang/qk-norm-rope", trace]),
        (0, &["cut", trace, "-o", text(&cut), "--window", "0ms..1ms"]),
    ] {
        let (code, said) = shown(&[args, &flags].concat());
        assert!(code == wanted, "{args:?}: {code}: {said}");
        all.push_str(&said);
    }
    shown(&[&["doctor", trace][..], &flags].concat());
    for name in ["bell", "over", "zero", "row"] {
        assert!(all.contains(name), "the name with `{name}` is shown");
    }
}

#[test]
fn mistakes_in_hostile_files_and_flags_move_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        std::fs::write(&path, content).expect("room");
        text(&path).to_owned()
    };
    let evil = "\u{1b}[2J\u{9b}5A\r\u{202e}\u{7}\nforged";
    let no_trace = at(&format!("{evil}.json"), "no trace \u{1b}[2J");
    let broken = at("broken.trace.json", "{\"traceEvents\": [{\"ph\": \"X\", \u{1b}[2J}]}");
    let config = at("config.toml", "\"\\u001b[2J\" = 1\n\"triage\" = { \"\\u009b5A\" = \"\\u202e\" }\n");
    let no_config = at(&format!("{evil}.toml"), "= \u{1b}[2J \u{9b}5A");
    let report = at(
        &format!("{evil}.report.json"),
        "{\"schema_version\": \"\u{9b}5A\", \"tool\": \"\\u001b[2J\", \"kernels\": []}",
    );
    let absent = folder.path().join(evil);
    let absent = text(&absent);
    let mut runs: Vec<Vec<&str>> = vec![
        vec!["triage", &no_trace],
        vec!["triage", &broken],
        vec!["triage", absent],
        vec!["triage", &broken, "--framework", evil],
        vec!["triage", evil, evil],
        vec![evil],
        vec!["triage", "--format", evil],
        vec!["triage", &broken, "--rules", absent],
        vec!["triage", &broken, "--config", &config],
        vec!["triage", &broken, "--config", &no_config],
        vec!["compare", &report, &report],
        vec!["explain", evil],
        vec!["bundle", "--analysis-root", absent],
    ];
    let families = [
        "version: 1\nid: \"any/\\e[2J\\u202e\"\n\"\\e]0;title\\a\": \u{9b}5A\n".to_owned(),
        format!("version: 1\nid: any/x\ntitle: {}\nkind: \u{202e}\u{9b}[31m\n", "\u{85}\u{feff}"),
        "version: 1\nid: any/x\nkind: fuse\nsplit: name(\"a\u{9b}5A\") ~> wat\u{202e}(\"b\") # \u{9b}\n".to_owned(),
        format!("version: 1\nid: {evil}\n"),
    ];
    let catalogs: Vec<String> = (families.iter().enumerate())
        .map(|(n, family)| {
            let root = format!("catalog-{n}");
            at(&format!("{root}/fuse/any/x{evil}.yaml"), family);
            text(&folder.path().join(root)).to_owned()
        })
        .collect();
    runs.extend(catalogs.iter().map(|root| vec!["triage", broken.as_str(), "--catalogs", root.as_str()]));
    runs.extend(catalogs.iter().map(|root| vec!["rules", "check", "--catalogs", root.as_str()]));
    for args in &runs {
        let (code, said) = shown(args);
        assert!(!said.is_empty(), "{args:?} says nothing");
        assert!((1..=4).contains(&code), "{args:?}: {code}: {said}");
    }
}

/// A catalog of one family, sound but for what its texts hold, in a folder whose name holds it, too.
fn hostile_catalog(folder: &Path) -> std::path::PathBuf {
    let evil = "a\\e[2J\\x9b5A\\r\\u202e\\nforged";
    let family = format!(
        "version: 1\nid: any/hostile\ntitle: \"{evil}\"\nkind: fuse\norigin: inflight\npr: [\"{evil}\"]\nstatus: trial\n\
         sources: [\"{evil}.py\"]\nwhen: {{ models: {{ none: [\"{evil}\"] }} }}\n\
         fused: name(\"hostile_fused\")\nsplit: name(\"hostile_a\") ~> name(\"hostile_b\")\n\
         toggles: [{{ name: hostile, value: \"{evil}\", where: server_args }}]\naliases: [any/hostile-before]\n\
         rationale: \"{}\"\ntests:\n  \
         - {{ name: \"hit {evil}\", chain: [hostile_a, hostile_b], expect: split }}\n  \
         - {{ name: \"fails {evil}\", chain: [hostile_a, hostile_b, \"x{evil}\"], expect: none }}\n  \
         - {{ name: \"known {evil}\", chain: [hostile_a], expect: split, todo: true }}\n  \
         - {{ name: miss, chain: [hostile_a], expect: none }}\n  \
         - {{ name: fused, chain: [hostile_fused], expect: fused }}\n",
        // Of several lines, if its author likes.
        evil.replace("\\n", "")
    );
    let catalog = folder.join("catalog\u{1b}[2J\u{9b}\nforged");
    std::fs::create_dir_all(catalog.join("fuse/any")).expect("room");
    std::fs::write(catalog.join("fuse/any/hostile.yaml"), family).expect("room");
    catalog
}

#[test]
fn what_rules_of_users_say_moves_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = hostile_catalog(folder.path());
    let trace = hostile::write(&folder.path().join("run"));
    let (catalog, trace) = (text(&catalog), text(&trace));
    let mine = ["--catalogs", catalog];
    let list = ["rules", "list", "--origin", "inflight", "--framework", "any"];
    let mut all = String::new();
    for (wanted, args) in [
        (0, &["rules", "check"][..]),
        (0, &list),
        (0, &[&list[..], &["--format", "markdown"]].concat()),
        (0, &[&list[..], &["--format", "json"]].concat()),
        (0, &["rules", "list", "--kernel", "hostile_a\u{1b}[2J\nforged"]),
        (0, &["rules", "list", "--terms", "--kernel", "hostile_a\u{1b}[2J\nforged"]),
        (0, &["rules", "show", "any/hostile"]),
        (0, &["explain", "any/hostile"]),
        (0, &["explain", "any/hostile", trace, "--isolated"]),
        (0, &["rules", "docs"]),
        (0, &["catalog", "info"]),
        (1, &["rules", "test", "any/hostile"]),
        (1, &["rules", "test", "any/hostile", "--format", "github"]),
        (0, &["triage", trace, "--isolated", "--format", "markdown"]),
        (5, &["check", trace, "--isolated", "--require", "any/hostile"]),
    ] {
        let whole: Vec<&str> = args.iter().copied().chain(mine).collect();
        let (code, said) = shown(&whole);
        assert!(code == wanted, "{args:?}: {code}: {said}");
        all.push_str(&said);
    }
    assert!(all.contains("?forged") || all.contains("\u{fffd}forged"), "the texts are shown: {all}");
    for root in [catalog, &format!("{catalog}/fuse/any/hostile.yaml")] {
        shown(&["rules", "fmt", "--check", root]);
        shown(&["rules", "fmt", root]);
    }
    let unlike = folder.path().join("unlike\u{1b}[2J\nforged.yaml");
    std::fs::write(&unlike, "\u{9b}: [\n").expect("room");
    shown(&["rules", "fmt", text(&unlike)]);
    shown(&["rules", "new", "fuse", "any/more", "--catalogs", catalog]);
    shown(&["rules", "docs", "--check", catalog]);
    shown(&["rules", "schema", "--check", catalog]);
}

#[test]
fn documents_over_hostile_runs_move_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = hostile::write(&folder.path().join("run\u{1b}[31m\u{7}\nforged"));
    let trace = text(&trace);
    let model = format!("m\u{1b}[2J\u{9b}5A\r\nforged={trace}");
    let fleet = folder.path().join("fleet\u{1b}[2J\nforged");
    let fleet = text(&fleet);
    let flags = ["--isolated", "--no-progress"];
    for args in [
        &["bundle", &model, "--title", "t\u{1b}[2J\nforged"][..],
        &["fleet", trace, "/nowhere/\u{1b}[2J\nforged", "-o", fleet],
        &["fleet", "report", fleet],
        &["fleet", "report", fleet, "--baseline", fleet],
        &["compare", trace, trace],
        &["check", trace, "--forbid", "sglang/qk-norm-rope"],
        &["doctor", trace],
        &["triage", trace, "--min-share", "0"],
        &["triage", trace, "--rank", "all"],
    ] {
        let whole: Vec<&str> = args.iter().copied().chain(flags).collect();
        let (code, said) = shown(&whole);
        assert!(matches!(code, 0 | 5), "{args:?}: {code}: {said}");
    }
    for args in [
        &["bundle", &model][..],
        &["fleet", "report", fleet],
        &["compare", trace, trace],
        &["triage", trace, "--min-share", "0"],
    ] {
        for format in ["json", "html"] {
            let document = still(&[args, &flags, &["--format", format]].concat());
            assert!(document.contains("forged"), "{args:?}: {document}");
        }
        shown(&[args, &flags, &["--format", "markdown"]].concat());
    }
    let names = still(&["triage", trace, "--isolated", "--format", "json"]);
    let names: serde_json::Value = serde_json::from_str(&names).expect("JSON");
    let rows = names["kernels"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["name"] == hostile::NAMES[8]), "JSON has the whole name");
    still(&["fleet", "tables", fleet]);
}

/// A server that answers everything with this, until the test ends.
fn server(status: &'static str, body: String) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 1 << 12];
            // Who asks for nothing is answered all the same.
            let _ = stream.read(&mut request);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

#[test]
fn answers_of_hostile_servers_move_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let traces = folder.path().join("traces\u{1b}[2J\nforged");
    let evil = "a\u{1b}[2J\u{9b}5A\r\u{202e}\nforged";
    let answer = serde_json::json!({
        "object": "list", "data": [{ "id": evil }], "version": evil, "model_path": evil, "text": evil, "error": evil,
        "choices": [{ "message": { "content": evil } }], "detail": evil, "message": evil,
    });
    for (status, body, framework) in [
        ("200 OK", answer.to_string(), "auto"),
        ("200 OK", evil.to_owned(), "sglang"),
        ("404 Not Found", evil.to_owned(), "auto"),
        ("500 Broken \u{9b}2J", format!("{evil}{answer}"), "vllm"),
    ] {
        let url = server(status, body);
        let asked = ["--framework", framework, "--isolated"];
        for format in ["text", "markdown"] {
            let few = ["--requests", "1", "--timeout", "2", "--format", format];
            shown(&[&["probe", &url][..], &few, &asked].concat());
        }
        // A server that says yes to everything is waited for.
        if !status.starts_with("200") {
            shown(&[&["capture", &url, "-o", text(&traces)][..], &asked].concat());
        }
    }
    shown(&["probe", &format!("http://127.0.0.1:1/{evil}"), "--isolated"]);
    shown(&["probe", evil, "--isolated"]);
}

#[test]
fn names_break_no_table_of_markdown_and_are_no_markup() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = hostile::write(folder.path());
    let flags = ["--isolated", "--no-progress", "--min-share", "0"];
    let (code, markdown, said) = run(&[&["triage", text(&trace), "--format", "markdown"][..], &flags].concat());
    assert_eq!(code, 0, "{said}");
    let (_, json, _) = run(&[&["triage", text(&trace), "--format", "json"][..], &flags].concat());
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let rows = json["kernels"].as_array().expect("rows").iter().filter(|row| row["shown"] == true).count();
    assert!(rows >= hostile::NAMES.len(), "{rows} rows");

    let (mut columns, mut cells, mut kernels, mut codes) = (0, 0, 0, Vec::new());
    let (mut heading, mut in_heading) = (String::new(), false);
    for event in Parser::new_ext(&markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow) => {
                assert_eq!(cells, columns);
                kernels += usize::from(heading == "Kernel table");
            }
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                in_heading = true;
                heading.clear();
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(text) if in_heading => heading.push_str(&text),
            Event::Code(code) => codes.push(code.into_string()),
            Event::Html(html) | Event::InlineHtml(html) => assert_eq!(&*html, "<br>", "{markdown}"),
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough | Tag::Strong)) => {
                panic!("{tag:?}:\n{markdown}");
            }
            _ => {}
        }
    }
    assert_eq!(kernels, rows, "rows of the kernel table:\n{markdown}");
    for name in ["window.broken = 1", "onerror", "onload", "bell", "link", "over", "zero"] {
        assert!(codes.iter().any(|code| code.contains(name)), "{name} is in a cell: {codes:?}");
    }
    // A row with more cells than its head loses them when it is read: each row is as long as it was written.
    let table = markdown.split("\n## ").find(|part| part.starts_with("Kernel table")).expect("a kernel table");
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), rows + 2, "{table}");
    for line in lines {
        assert_eq!(unescaped_bars(line), KERNEL_COLUMNS + 1, "{line}");
    }
}

const KERNEL_COLUMNS: usize = 7;

/// As GitHub counts them: a backslash takes what is behind it along, be it in code or not.
fn unescaped_bars(row: &str) -> usize {
    row.replace("\\\\", "").replace("\\|", "").matches('|').count()
}
