//! What the program is made from: every dependency has its reason, no version is left open, unsafe code is argued where it
//! stands. Licences, advisories and sources: `.cargo/deny.toml`.

use std::path::{Path, PathBuf};

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines of a manifest that name a dependency.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if inside && line.contains('=') && !line.starts_with('#') {
            found.push(line);
        }
    }
    found
}

#[test]
fn every_dependency_has_its_reason() {
    for manifest in ["Cargo.toml", "tests/fuzz/Cargo.toml"] {
        let text = read(manifest);
        let all = dependencies(&text);
        assert!(all.len() > 3, "{manifest}: {all:?}");
        for line in all {
            let reason = line.rsplit_once(" # ").map_or("", |(_, reason)| reason.trim());
            assert!(!reason.is_empty(), "{manifest}: why is it there? {line}");
        }
    }
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[package]\nname = \"x\"\n[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n[lints]\na = 1\n";
    assert_eq!(dependencies(manifest), ["serde = \"1\""]);
}

/// The lock file has all that is built, each from the registry with its digest.
#[test]
fn the_lock_file_names_registry_and_digest_of_all_but_our_own() {
    for (lock, own) in [("Cargo.lock", &["llm-prof"][..]), ("tests/fuzz/Cargo.lock", &["llm-prof", "llm-prof-fuzz"])] {
        let lock: toml::Table = read(lock).parse().expect("TOML");
        let packages = lock["package"].as_array().expect("packages");
        for package in packages.iter().filter(|package| !own.contains(&package["name"].as_str().expect("a name"))) {
            let source = package.get("source").and_then(toml::Value::as_str);
            assert_eq!(source, Some("registry+https://github.com/rust-lang/crates.io-index"), "{package}");
            assert!(package.get("checksum").is_some(), "{package}");
        }
    }
}

/// The README tells people which Rust they need.
#[test]
fn the_readme_asks_for_the_rust_of_the_manifest() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let version = manifest["package"]["rust-version"].as_str().expect("a version");
    assert!(read("README.md").contains(&format!("Rust {version} or newer")), "the README does not say Rust {version}");
}

#[test]
fn unsafe_code_is_argued_where_it_stands() {
    let mut places = 0;
    for path in sources(Path::new("src")) {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (n, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                places += 1;
                let before = n.checked_sub(1).map_or("", |n| lines[n]);
                assert!(before.starts_with("// SAFETY: "), "{}:{}: why is this safe?", path.display(), n + 1);
            }
            if code.contains("(unsafe_code") {
                assert!(code.contains("#[expect(") && code.contains("reason = "), "{}:{}", path.display(), n + 1);
            }
        }
    }
    assert!(places > 0, "nothing was looked at");
}

/// Sources below a folder, as paths from the root of the repository.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&next)).expect("a folder");
        for entry in entries {
            let path = next.join(entry.expect("the checkout is readable").file_name());
            if Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
