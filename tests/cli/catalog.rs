//! `llm-prof catalog ..`.

use super::run;

#[test]
fn info_names_version_age_and_counts() {
    let done = run(&["catalog", "info"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("Catalog 20"), "{}", done.out);
    assert!(done.out.contains("Families last compared with their sources on 20"), "{}", done.out);
    let rows: Vec<&str> = done.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for framework in ["framework", "any", "sglang", "tokenspeed", "trtllm", "vllm", "all"] {
        assert!(rows.contains(&framework), "{framework}: {}", done.out);
    }
}

#[test]
fn info_counts_what_globs_leave() {
    let done = run(&["catalog", "info", "--include", "vllm/*"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("\nvllm ") && !done.out.contains("\nsglang "), "{}", done.out);
}

/// A family that says something of each kind, and where a release has it.
const TINY: &str = r#"
version: 1
id: sglang/tiny
title: Tiny
kind: fuse
origin: mainline
sources:
  - python/sglang/srt/layers/norm.py
  - python/sglang/srt/old/moved_norm.py
  - { path: python/sglang/srt/layers/gone.py, until: "0.5.23" }
  - flashinfer/norm.py
kernels:
  - { name: fused_tiny_kernel, package: sglang }
  - { name: fusedTinyKernel, package: sglang }
  - { name: tiny_kernel, package: sglang }
  - { name: fused_small_norm_kernel, package: sglang }
  - { name: elsewhere_kernel, package: vllm }
when: { frameworks: [sglang] }
fused: name("fused_tiny") and op("sglang::tiny_norm", "sglang::old_norm") and not module("TinyNorm")
toggles:
  - { name: --enable-tiny, value: "true", where: server_args }
  - { name: SGLANG_NO_TINY, value: "0", where: env }
  - { name: SGLANG_OLD_TINY, value: "0", where: env, until: "0.5.10" }
rationale: A test.
tests:
  - { name: fused, chain: [fused_tiny_kernel], expect: candidate }
  - { name: fused, chain: [{ kernel: fused_tiny_kernel, op: "sglang::tiny_norm", module: Other }], expect: fused }
  - { name: another, chain: [nvjet_tst_64x64], expect: none }
"#;

const FILES: [(&str, &str); 4] = [
    ("sglang-0.5.23.dist-info/METADATA", "Metadata-Version: 2.4\nName: sglang\nVersion: 0.5.23\n\nVersion: 9\n"),
    (
        "sglang/srt/layers/norm.py",
        "def fused_tiny_kernel(): pass\nclass TinyNorm: pass\nenable_tiny = False\nlibrary.define('tiny_norm(Tensor x)')\n",
    ),
    ("sglang/srt/layers/moved_norm.py", "def fused_small_rms_norm_kernel(): my_tiny_kernel_2()\n"),
    ("sglang/lib.so", "\0_ZN6sglang15fusedTinyKernelIfEEvPT_\0"),
];

/// The tiny family in a folder of catalogs, and a folder for a release.
fn tiny() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let families = dir.path().join("catalogs/fuse/sglang");
    std::fs::create_dir_all(&families).expect("a folder");
    std::fs::write(families.join("tiny.yaml"), TINY).expect("a file");
    dir
}

fn wheel(path: &std::path::Path) {
    let mut wheel = zip::ZipWriter::new(std::fs::File::create(path).expect("a file"));
    for (name, text) in FILES {
        wheel.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        std::io::Write::write_all(&mut wheel, text.as_bytes()).expect("its text");
    }
    wheel.finish().expect("a wheel");
}

fn check(dir: &std::path::Path, release: &str, more: &[&str]) -> super::Done {
    let release = dir.join(release).display().to_string();
    let catalogs = dir.join("catalogs").display().to_string();
    let mut args = vec!["catalog", "check", "--wheel", &release, "--catalogs", &catalogs, "--include", "sglang/tiny"];
    args.extend(more);
    run(&args)
}

#[test]
fn check_lists_what_a_wheel_does_not_have_and_what_is_near() {
    let dir = tiny();
    wheel(&dir.path().join("sglang-0.5.23-py3-none-any.whl"));
    let done = check(dir.path(), "sglang-0.5.23-py3-none-any.whl", &[]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    let said: Vec<&str> =
        done.out.lines().map(|line| line.rsplit_once("tiny.yaml:").map_or(line, |(_, end)| end)).collect();
    assert_eq!(
        said,
        [
            "9: sglang/tiny: path python/sglang/srt/old/moved_norm.py is not there; nearest sglang/srt/layers/moved_norm.py",
            "15: sglang/tiny: kernel tiny_kernel is not there; nearest fused_tiny_kernel",
            "16: sglang/tiny: kernel fused_small_norm_kernel is not there; nearest fused_small_rms_norm_kernel",
            "22: sglang/tiny: toggle SGLANG_NO_TINY is not there",
            "sglang 0.5.23: 10 claims looked for, 4 stale (1 path, 2 kernel, 1 toggle), 2 said of other versions",
        ],
        "{}",
        done.out
    );
}

#[test]
fn check_reads_a_folder_like_its_wheel_and_says_the_same_in_json() {
    let dir = tiny();
    for (name, text) in FILES {
        let path = dir.path().join("unpacked").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let done = check(dir.path(), "unpacked", &["--format", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let all: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((all["package"].as_str(), all["version"].as_str()), (Some("sglang"), Some("0.5.23")));
    assert_eq!((&all["looked_for"], &all["other_versions"]), (&10.into(), &2.into()));
    let stale = all["stale"].as_array().expect("a list");
    assert_eq!(stale.len(), 4);
    assert_eq!(stale[0]["looked_for"][0], "python/sglang/srt/old/moved_norm.py");
    assert_eq!(stale[0]["nearest"], "sglang/srt/layers/moved_norm.py");
    assert_eq!((&stale[0]["line"], &stale[3]["nearest"]), (&9.into(), &serde_json::Value::Null));
}

#[test]
fn check_reads_an_sdist_and_asks_what_is_said_of_its_version() {
    let dir = tiny();
    let file = std::fs::File::create(dir.path().join("sglang-0.5.9.tar.gz")).expect("a file");
    let mut sdist = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    for (path, text) in [
        ("sglang-0.5.9/PKG-INFO", "Name: sglang\nVersion: 0.5.9\n"),
        ("sglang-0.5.9/python/sglang/srt/layers/norm.py", "fused_tiny_kernel"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        sdist.append_data(&mut header, path, text.as_bytes()).expect("an entry");
    }
    sdist.into_inner().and_then(flate2::write::GzEncoder::finish).expect("an sdist");
    let done = check(dir.path(), "sglang-0.5.9.tar.gz", &[]);
    assert_eq!(done.code, 1, "{}", done.err);
    for asked in ["layers/gone.py is not there", "SGLANG_OLD_TINY is not there"] {
        assert!(done.out.contains(asked), "{asked}: {}", done.out);
    }
    for there in ["path python/sglang/srt/layers/norm.py is", "kernel fused_tiny_kernel is"] {
        assert!(!done.out.contains(there), "{there}: {}", done.out);
    }
    assert!(done.out.contains(" 0 said of other versions"), "{}", done.out);
}

#[test]
fn check_says_what_it_cannot_read() {
    let dir = tiny();
    std::fs::write(dir.path().join("no.whl"), "no zip").expect("a file");
    let done = check(dir.path(), "no.whl", &[]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("no.whl: cannot be read"), "{}", done.err);
    std::fs::create_dir_all(dir.path().join("other")).expect("a folder");
    let done = check(dir.path(), "other", &[]);
    assert!(done.code == 3 && done.err.contains("no METADATA or PKG-INFO"), "{}", done.err);
    std::fs::write(dir.path().join("other/PKG-INFO"), "Name: numpy\nVersion: 1.0\n").expect("a file");
    let done = check(dir.path(), "other", &[]);
    assert!(
        done.code == 5 && done.err.contains("is a release of numpy; rules/releases.yaml knows sglang"),
        "{}",
        done.err
    );
}
