//! `llm-prof matrix`: servers that run and servers that are launched, failures beside successes, runs that go on where
//! another ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::fake::{Fake, Flavour, Play};
use crate::process::{program, run};

/// A plan in a folder of its own.
struct Matrix {
    folder: TempDir,
}

impl Matrix {
    fn new(plan: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let matrix = Self { folder };
        matrix.write("plan.toml", plan);
        matrix
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it is written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        run(&[&["matrix", &self.path("plan.toml").to_string_lossy()], args].concat())
    }
}

/// The stand-in as a program of its own: this test, when it is told so.
#[test]
fn stand_in() {
    let Ok(port) = std::env::var("STAND_IN_PORT") else { return };
    let dir = PathBuf::from(std::env::var("STAND_IN_DIR").expect("a folder"));
    let (flavour, version) = match std::env::var("STAND_IN").expect("a framework").as_str() {
        "vllm" => (Flavour::Vllm, "0.32.0"),
        "trtllm" => (Flavour::Trtllm, "1.3.0"),
        _ => (Flavour::Sglang, "0.5.23"),
    };
    let _fake = Fake::start_at(Play::new(flavour, version, &dir), port.parse().expect("a port"));
    std::thread::sleep(Duration::from_mins(2));
}

/// The lines of a plan that launch it.
fn launched(framework: &str, more: &str) -> String {
    let program = std::env::current_exe().expect("this test");
    format!(
        "[[server]]\nframework = \"{framework}\"\nport = {}\nready-seconds = 60\n{more}\
         launch = ['{}', 'matrix::stand_in', '--exact', '--nocapture', '{{dir}}']\n\
         env = {{ STAND_IN = '{framework}', STAND_IN_PORT = '{{port}}', STAND_IN_DIR = '{{dir}}', MODULE = '{{stacks_on}}' }}\n",
        free_port(),
        program.display()
    )
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

const HEAD: &str =
    "title = 'Night run'\nfolder = 'runs'\nmodels = ['org/tiny']\n[capture]\nwarmup-steps = 1\nprobe-requests = 2\n";

#[test]
fn runs_are_made_one_failure_stops_no_other_and_what_is_done_is_not_made_again() {
    let traces = tempfile::tempdir().expect("a folder");
    let fake = Fake::start(Play::new(Flavour::Sglang, "0.5.23", traces.path()));
    let (dead, silent) = (free_port(), free_port());
    let dies = format!(
        "[[server]]\nframework = 'sglang'\nname = 'dies'\nport = {dead}\nlaunch = ['sh', '-c', 'echo no GPU here; exit 3']\n"
    );
    let hangs = format!(
        "[[server]]\nframework = 'sglang'\nname = 'hangs'\nport = {silent}\nready-seconds = 1\nlaunch = ['sleep', '300']\n"
    );
    let runs = format!("[[server]]\nframework = 'sglang'\nurl = '{}'\n", fake.url);
    let matrix = Matrix::new(&[HEAD, &dies, &hangs, &runs, &launched("vllm", "")].concat());
    let (code, shown, said) = matrix.run(&[]);
    assert_eq!(code, 1, "{said}");
    let lines: Vec<String> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let wanted = ["org/tiny dies failed", "org/tiny hangs failed", "org/tiny sglang done", "org/tiny vllm done"];
    assert_eq!(lines[..4], wanted, "{said}");
    for part in
        ["on dies: the server ended before it answered", "no GPU here", "on hangs: ", "after 1 s", "ready-seconds"]
    {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let report: Value = serde_json::from_str(&matrix.read("runs/org/tiny/analysis_vllm.json")).expect("JSON");
    assert_eq!(report["framework"], "vllm");
    let bundle: Value = serde_json::from_str(&matrix.read("runs/bundle.json")).expect("JSON");
    assert_eq!(bundle["models"].as_array().map(Vec::len), Some(1), "{bundle:#}");
    let markdown = matrix.read("runs/bundle.md");
    assert!(markdown.contains("Night run") && markdown.contains("SGLang") && markdown.contains("vLLM"), "{markdown}");
    assert!(matrix.path("runs/bundle.html").is_file());
    // Flags of the plan hold.
    let capture: Value = serde_json::from_str(&matrix.read("runs/org/tiny/sglang/capture.json")).expect("JSON");
    assert_eq!((&capture["asked"]["warmup_steps"], &capture["asked"]["probe_requests"]), (&1.into(), &2.into()));

    let starts = fake.posted("/start_profile").len();
    let (code, shown, _) = matrix.run(&["-q"]);
    assert_eq!((code, shown.matches("done before").count()), (1, 2), "{shown}");
    assert_eq!(fake.posted("/start_profile").len(), starts, "a run that is done is left alone");
    // Another question is another run.
    matrix.write("plan.toml", &[HEAD, "num-steps = 3\n", &runs].concat());
    let (code, shown, said) = matrix.run(&[]);
    assert_eq!((code, shown.contains("done before")), (0, false), "{shown}{said}");
    let capture: Value = serde_json::from_str(&matrix.read("runs/org/tiny/sglang/capture.json")).expect("JSON");
    assert_eq!(capture["asked"]["num_steps"], 3);
}

#[test]
fn a_launched_server_whose_stacks_are_off_gets_the_copy_with_stacks_on() {
    let plan = launched("trtllm", "profiler-module = 'profiling.py'\n");
    let matrix = Matrix::new(&[HEAD, "profile-workload = 'decode'\n", &plan].concat());
    let module = "'TLLM_TORCH_PROFILE_TRACE'\nclass PyExecutorProfileManager:\n p = torch.profiler.profile(record_shapes=True, with_modules=True)\n";
    matrix.write("profiling.py", module);
    let (code, shown, said) = matrix.run(&[]);
    assert_eq!(code, 0, "{shown}{said}");
    let copy = matrix.read("runs/org/tiny/trtllm-stacks-on-profiling.py");
    assert_eq!(copy, module.replace("with_modules=True", "with_modules=True, with_stack=True"));
    // A module that is not known: nothing is launched.
    matrix.write("profiling.py", "import torch\n");
    fs::remove_dir_all(matrix.path("runs")).expect("it is there");
    let (code, _, said) = matrix.run(&[]);
    assert!(code == 1 && said.contains("no file that starts the profiler"), "{said}");
    assert!(!matrix.path("runs/org/tiny/trtllm.log").exists());
}

#[test]
fn a_dry_run_prints_every_command_and_does_nothing() {
    let server = "[[server]]\nframework = 'trtllm'\nprofiler-module = '/opt/profiling.py'\nport = 8123\n\
                  launch = ['serve it', '{model}', '{port}', '{stacks_on}']\nenv = { HF_TOKEN = 'hf_1', N = 'a b' }\n\
                  [[server]]\nframework = 'sglang'\nurl = 'http://127.0.0.1:1'\ncapture = { num-steps = 7, api-key = 'k3y' }\n";
    let matrix = Matrix::new(&[HEAD, server].concat());
    let (code, shown, said) = matrix.run(&["--dry-run"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let home = matrix.path("runs/org/tiny").display().to_string();
    for line in [
        "# org/tiny on trtllm\n".to_owned(),
        format!("llm-prof trtllm patch --source /opt/profiling.py --output {home}/trtllm-stacks-on-profiling.py\n"),
        format!(
            "HF_TOKEN=\"$HF_TOKEN\" N='a b' 'serve it' org/tiny 8123 {home}/trtllm-stacks-on-profiling.py > {home}/trtllm.log 2>&1 &\n"
        ),
        "http://127.0.0.1:8123/v1/models".to_owned(),
        format!(
            "llm-prof capture http://127.0.0.1:8123 --framework trtllm -o {home}/trtllm --probe-requests=2 --warmup-steps=1\n"
        ),
        format!("llm-prof triage {home}/trtllm --framework trtllm -f json -o {home}/analysis_trtllm.json\n"),
        "kill -- -$!\n".to_owned(),
        "--api-key=\"$LLM_PROF_API_KEY\" --num-steps=7".to_owned(),
        "llm-prof bundle --analysis-root ".to_owned(),
        "--title 'Night run'".to_owned(),
    ] {
        assert!(shown.contains(&line), "no `{line}` in\n{shown}");
    }
    assert!(!shown.contains("k3y") && !shown.contains("hf_1"), "{shown}");
    assert!(!matrix.path("runs").exists());
    let parsed = Command::new("sh").args(["-n", "-c", &shown]).status().expect("a shell");
    assert!(parsed.success(), "a shell reads it: {shown}");
}

#[test]
fn every_mistake_of_a_plan_is_shown_at_its_place() {
    let head = "folder = 'runs'\nmodels = ['a', 'b']\n";
    let server = "[[server]]\nframework = 'sglang'\n";
    for (plan, place, parts) in [
        ("folder = \n".to_owned(), "1:", vec!["E023"]),
        (format!("{head}modles = []\n"), "3:1", vec!["modles", "rules schema plan"]),
        ("models = ['a']\n[[server]]\nframework = 'sglang'\nurl = 'x'\n".to_owned(), "1:1", vec!["folder"]),
        (format!("{head}[[server]]\nframework = 'sglnag'\nurl = 'x'\n"), "4:13", vec!["sglnag", "expected one of"]),
        (format!("{head}{server}"), "4:13", vec!["neither `url` nor `launch`"]),
        (format!("{head}{server}models = ['c']\nurl = 'x'\n"), "5:11", vec!["has no `c`"]),
        (format!("{head}{server}url = 'x'\n"), "5:7", vec!["more than one model"]),
        (format!("{head}{server}models = ['a']\nurl = 'x'\nport = 1\n"), "6:7", vec!["go with `launch`"]),
        (format!("{head}{server}launch = []\n"), "5:10", vec!["an empty command"]),
        (format!("{head}{server}launch = ['x']\n{server}launch = ['y']\n"), "7:13", vec!["two runs of `a`", "`name`"]),
        (format!("{head}[[server]]\nframework = 'vllm'\nlaunch = ['vllm']\n"), "5:10", vec!["`{dir}` is missing"]),
        (
            format!("{head}[[server]]\nframework = 'vllm'\nmodels = ['a']\nurl = 'x'\n"),
            "6:7",
            vec!["`traces` is missing"],
        ),
        (
            format!("{head}[[server]]\nframework = 'trtllm'\nlaunch = ['serve']\n"),
            "5:10",
            vec!["`profiler-module` is missing", "stacks = false"],
        ),
        (format!("{head}{server}launch = ['x']\ncapture.num-step = 3\n"), "6:20", vec!["did you mean `num-steps`?"]),
        (format!("{head}{server}launch = ['x']\ncapture.num-steps = 0\n"), "6:21", vec!["`num-steps` cannot be this"]),
        (format!("{head}{server}launch = ['x']\ncapture.take-over = 1\n"), "6:21", vec!["`true` or `false`"]),
    ] {
        let (code, _, said) = Matrix::new(&plan).run(&["--dry-run"]);
        assert_eq!(code, 2, "{plan}: {said}");
        for part in parts.iter().chain(&[format!("plan.toml:{place}").as_str(), "^"]) {
            assert!(said.contains(part), "no `{part}` for\n{plan}\nin\n{said}");
        }
    }
    let (code, _, said) = run(&["matrix", "nowhere.toml"]);
    assert!(code == 3 && said.contains("nowhere.toml"), "{said}");
}

#[test]
fn a_plan_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(&run(&["rules", "schema", "plan"]).1).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let text = [HEAD, "take-over = true\nseed = 7\n", &launched("vllm", "traces = 't'\n")].concat();
    let plan: Value = toml::from_str(&text).expect("TOML");
    let wrong: Vec<String> = schema.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(wrong, [""; 0]);
    let plan: Value = toml::from_str("folder = 1\nmodels = []\nserver = [{ url = 'x' }]\n").expect("TOML");
    assert!(schema.iter_errors(&plan).count() >= 2);
}

#[test]
fn a_server_is_not_launched_where_something_answers() {
    let traces = tempfile::tempdir().expect("a folder");
    let fake = Fake::start(Play::new(Flavour::Sglang, "0.5.23", traces.path()));
    let port = fake.url.rsplit(':').next().expect("a port");
    let server = format!("[[server]]\nframework = 'sglang'\nport = {port}\nlaunch = ['sleep', '300']\n");
    let (code, _, said) = Matrix::new(&[HEAD, &server].concat()).run(&[]);
    assert!(code == 1 && said.contains("something answers at"), "{said}");
    assert!(fake.posted("/start_profile").is_empty());
}

#[cfg(unix)]
fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
    // One that ended and was not waited for yet is no more.
    status.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The server that was launched, and what it started.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_servers_that_were_launched_with_their_workers() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let script = "sleep 300 & echo $! > worker; echo $$ > head; exec sleep 300";
        let server = format!(
            "[[server]]\nframework = 'sglang'\nport = {}\nlaunch = ['sh', '-c', 'cd \"$HOME_OF_TEST\"; {script}']\nenv = {{ HOME_OF_TEST = 'HERE' }}\n",
            free_port()
        );
        let matrix = Matrix::new("");
        let here = matrix.folder.path().display().to_string();
        matrix.write("plan.toml", &[HEAD, &server.replace("HERE", &here)].concat());
        let child =
            program(&["matrix", &matrix.path("plan.toml").to_string_lossy()]).spawn().expect("the binary starts");
        let begun = Instant::now();
        while !fs::read_to_string(matrix.path("head")).is_ok_and(|text| text.ends_with('\n')) {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is launched");
            std::thread::sleep(Duration::from_millis(20));
        }
        let (head, worker) = (matrix.read("head"), matrix.read("worker"));
        assert!(lives(&head) && lives(&worker));
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill is there");
        assert!(sent.success());
        let out = child.wait_with_output().expect("it ends");
        assert_eq!(out.status.code(), Some(code), "{}", String::from_utf8_lossy(&out.stderr));
        assert!(!lives(&head) && !lives(&worker), "{head}{worker}");
    }
}
