//! What a repository of rules takes from here: the hooks of `.pre-commit-hooks.yaml` and the workflow
//! `.github/workflows/rules.yml`. Their commands run on a good repository and on broken ones.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const FAMILY: &str = include_str!("common/family.yaml");

/// A repository whose one family has this text, with the tool and a `cargo` that only says its arguments on the path.
struct Repository(tempfile::TempDir);

impl Repository {
    fn of(family: &str) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let (families, bin) = (root.path().join("catalogs/fuse/any"), root.path().join("bin"));
        for folder in [&families, &bin] {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(families.join("x.yaml"), family).expect("a file");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_llm-prof"), bin.join("llm-prof")).expect("a link");
        std::os::unix::fs::symlink("/bin/echo", bin.join("cargo")).expect("a link");
        Self(root)
    }

    /// Exit code and what was said.
    fn run(&self, command: &str, env: &[(&str, &str)]) -> (i32, String) {
        let path = format!("{}:{}", self.0.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
        let all: [(&str, &str); 5] =
            [("CATALOGS", "catalogs"), ("RULES", ""), ("VERSION", ""), ("FROM", ""), ("STRICT", "yes")];
        let done = Command::new("bash")
            .args(["-e", "-c", command])
            .current_dir(self.0.path())
            .envs(all)
            .envs(env.iter().copied())
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.code().unwrap_or(-1), said)
    }

    fn family(&self) -> String {
        fs::read_to_string(self.0.path().join("catalogs/fuse/any/x.yaml")).expect("a file")
    }
}

/// A test that fails.
const WRONG: &str = "  - { name: wrong, chain: [step_two], expect: split }\n";

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file");
    serde_yaml::from_str(&text).expect("YAML")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The command of a hook as pre-commit runs it.
fn hook(id: &str) -> String {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hook = hooks.as_array().expect("a list").iter().find(|hook| hook["id"] == id).expect("the hook");
    let args = hook["args"].as_array().into_iter().flatten().map(|arg| arg.as_str().expect("a text"));
    let files = if hook["pass_filenames"] == false { None } else { Some("catalogs/fuse/any/x.yaml") };
    [text(hook, "entry")].into_iter().chain(args).chain(files).collect::<Vec<_>>().join(" ")
}

/// The command of a step of the workflow.
fn step(name: &str) -> String {
    let workflow = yaml(".github/workflows/rules.yml");
    let steps = workflow["jobs"]["rules"]["steps"].as_array().expect("steps").clone();
    text(steps.iter().find(|step| step["name"] == name).expect("the step"), "run").to_owned()
}

#[test]
fn hooks_pass_on_a_good_repository() {
    let good = Repository::of(FAMILY);
    for id in ["llm-prof-rules-check", "llm-prof-rules-test", "llm-prof-rules-fmt"] {
        let (code, said) = good.run(&hook(id), &[]);
        assert_eq!(code, 0, "{id}: {said}");
    }
    assert_eq!(good.family(), FAMILY, "what is in order stays as it is");
}

#[test]
fn hooks_fail_on_what_is_wrong_in_the_repository() {
    let (code, said) = Repository::of(&FAMILY.replace("title: T", "titel: T")).run(&hook("llm-prof-rules-check"), &[]);
    assert!(code == 1 && said.contains("there is no key `titel` here"), "{code}: {said}");
    let (code, said) = Repository::of(&(FAMILY.to_owned() + WRONG)).run(&hook("llm-prof-rules-test"), &[]);
    assert!(code == 1 && said.contains("any/x · wrong"), "{code}: {said}");
    let disorder = Repository::of(&FAMILY.replace("title: T\nkind: fuse\n", "kind: fuse\ntitle: T\n"));
    assert_eq!(disorder.run(&hook("llm-prof-rules-fmt"), &[]).0, 0);
    assert_eq!(disorder.family(), FAMILY, "pre-commit fails on a file that a hook changed");
}

/// A hook that could not find the families must not pass.
#[test]
fn a_repository_without_catalogs_is_no_success() {
    let empty = Repository::of(FAMILY);
    fs::remove_dir_all(empty.0.path().join("catalogs")).expect("removed");
    for command in [hook("llm-prof-rules-check"), hook("llm-prof-rules-test"), step("check"), step("test")] {
        let (code, said) = empty.run(&command, &[]);
        assert!(code != 0 && said.contains("--catalogs catalogs: there is no such folder"), "{command}: {said}");
    }
}

#[test]
fn the_workflow_passes_on_a_good_repository_and_fails_on_broken_ones() {
    let good = Repository::of(FAMILY);
    for name in ["check", "test", "order of keys"] {
        let (code, said) = good.run(&step(name), &[]);
        assert_eq!(code, 0, "{name}: {said}");
    }
    let (code, said) = Repository::of(&FAMILY.replace("title: T", "titel: T")).run(&step("check"), &[]);
    assert!(code == 1 && said.contains("::error file=catalogs/fuse/any/x.yaml,line=3,col=1,title=E003"), "{said}");
    let (code, said) = Repository::of(&(FAMILY.to_owned() + WRONG)).run(&step("test"), &[]);
    assert!(code == 1 && said.contains("::error file=catalogs/fuse/any/x.yaml,line=11"), "{said}");
    let disorder = Repository::of(&FAMILY.replace("title: T\nkind: fuse\n", "kind: fuse\ntitle: T\n"));
    assert_eq!(disorder.run(&step("order of keys"), &[]).0, 1);
    let odd = Repository::of(&FAMILY.replace("[step_two, step_one]", "[step_two, stpe_one]"));
    assert_eq!(odd.run(&step("check"), &[]).0, 1, "warnings fail");
    assert_eq!(odd.run(&step("check"), &[("STRICT", "")]).0, 0, "unless they need not");
}

#[test]
fn the_workflow_installs_what_it_is_told_to() {
    let repository = Repository::of(FAMILY);
    for (env, wanted) in [
        (&[][..], "install --locked llm-prof\n"),
        (&[("VERSION", "0.2.0")], "install --locked --version 0.2.0 llm-prof\n"),
        (
            &[("FROM", "https://example.org/x"), ("VERSION", "v1")],
            "install --locked --git https://example.org/x --tag v1 llm-prof\n",
        ),
    ] {
        assert_eq!(repository.run(&step("install"), env), (0, wanted.to_owned()));
    }
}
