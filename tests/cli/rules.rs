//! `llm-prof rules ..` and `llm-prof explain`.

use std::fs;
use std::path::Path;

use super::{DECODE, PREFILL, run, run_in};

#[test]
fn all_tests_of_the_rules_pass_and_the_totals_stand_last() {
    let done = run(&["rules", "test"]);
    let last = done.out.lines().last().unwrap_or_default();
    assert!(last.ends_with(" passed, 0 failed"), "{}{}", done.out, done.err);
    assert_eq!(done.code, 0);
}

#[test]
fn a_family_can_be_tested_alone() {
    let done = run(&["rules", "test", "--family", "sglang/qk-norm*"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("sglang/qk-norm-rope: ") && !done.out.contains("term "), "{}", done.out);
    assert_eq!(run(&["rules", "test", "sglang/qk-norm*"]).out, done.out, "without the flag, too");
    assert_eq!(run(&["rules", "test", "--family", "no/such"]).code, 2);
}

#[test]
fn the_list_has_a_line_a_family_and_globs_narrow_it() {
    let all = run(&["rules", "list"]);
    let some = run(&["rules", "list", "--include", "sglang/*", "--exclude", "*qk*"]);
    assert!(all.out.lines().count() > some.out.lines().count());
    let mut lines = some.out.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("sglang: ")), "{}", some.out);
    let families: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(families.len() > 50, "{}", some.out);
    assert!(families.iter().all(|line| line.starts_with("sglang/") && !line.contains("/qk")), "{}", some.out);
}

#[test]
fn a_line_of_the_list_fits_the_terminal_and_the_end_counts() {
    let list = |columns: usize| {
        run_in(&["rules", "list"], |streams| {
            streams.out_is_terminal = true;
            streams.width = Some(columns);
        })
        .out
    };
    for columns in [100, 160] {
        let out = list(columns);
        let families: Vec<&str> = out.lines().filter(|line| line.contains('/')).collect();
        assert!(families.len() > 150);
        assert!(families.iter().all(|line| line.chars().count() <= columns), "{out}");
    }
    let piped = run(&["rules", "list"]).out;
    assert!(piped.lines().any(|line| line.chars().count() > 100), "a pipe has whole titles");
    let end = piped.lines().last().expect("a line");
    assert!(end.contains(" families: ") && end.contains(" stable, "), "{end}");
}

#[test]
fn the_list_is_narrowed_by_framework_origin_status_and_kernel() {
    let ids = |args: &[&str]| -> Vec<String> {
        let args: Vec<&str> = ["rules", "list", "--format", "json"].iter().chain(args).copied().collect();
        let rows = run(&args).report();
        rows.as_array().expect("a list").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    let all = ids(&[]);
    assert!(ids(&["--framework", "vLLM"]).iter().all(|id| id.starts_with("vllm/")));
    assert!(!ids(&["--framework", "TensorRT-LLM"]).is_empty(), "as people write it");
    assert!(ids(&["--origin", "mainline"]).len() < all.len());
    assert!(ids(&["--status", "stable"]).len() + ids(&["--status", "trial"]).len() <= all.len());
    let fused = "void sglang::fused_qknorm_rope_warp<128l, 128l, true, true>(sglang::Params)";
    assert!(ids(&["--kernel", fused]).contains(&"sglang/qk-norm-rope".to_owned()));
    assert!(ids(&["--kernel", "fused_qknorm_rope"]).len() < all.len());
    assert_eq!(run(&["rules", "list", "--framework", "vlm"]).code, 2);
    assert!(run(&["rules", "list", "--format", "markdown"]).out.starts_with("## any\n\n| Family |"));
}

#[test]
fn a_family_has_a_page() {
    let page = run(&["rules", "show", "sglang/qk-norm-rope"]);
    assert!(page.out.starts_with("# Fused QK RMSNorm + RoPE\n\n`sglang/qk-norm-rope`, mainline"), "{}", page.out);
    assert!(page.out.contains("- split: `") && page.out.contains("- turn on: `--enable-fused-qk-norm-rope`"));
    assert_eq!(run(&["explain", "sglang/qk-norm-rope"]).out, page.out);
    let wrong = run(&["rules", "show", "sglang/qk-norm-rop"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean sglang/qk-norm-rope"), "{}", wrong.err);
}

#[test]
fn what_the_code_of_a_mistake_means_is_explained() {
    let done = run(&["explain", "e012"]);
    assert_eq!(done.code, 0);
    assert!(done.out.starts_with("E012 unknown-term\n\n"), "{}", done.out);
}

#[test]
fn every_row_of_a_report_can_be_explained() {
    let report = run(&["triage", "--format", "json", PREFILL]).report();
    let kernel = report["kernels"][0]["id"].as_str().expect("an id").to_owned();
    let done = run(&["explain", &kernel, PREFILL]);
    assert_eq!(done.code, 0, "{}", done.err);
    let name = report["kernels"][0]["name"].as_str().expect("a name");
    assert!(
        done.out.starts_with(name) && done.out.contains("\nwords ") && done.out.contains("\nterms "),
        "{}",
        done.out
    );
    let fuse = report["fuse"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(run(&["explain", &fuse, PREFILL]).code, 0);
    let trace = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";
    let report = run(&["triage", "--format", "json", trace]).report();
    let overlap = report["overlap"].as_array().expect("rows").iter().find(|row| row["family"].is_null());
    let overlap = overlap.expect("a row of no family");
    let done = run(&["explain", overlap["id"].as_str().expect("an id"), trace]);
    assert_eq!(done.code, 0, "{}", done.err);
    let reason = overlap["reasons"][0].as_str().expect("a reason");
    assert!(
        done.out.starts_with(overlap["kernel"].as_str().expect("a name")) && done.out.contains(reason),
        "{}",
        done.out
    );
    assert_eq!(run(&["explain", "overlap/headroom/decode/0123456789ab", PREFILL]).code, 2);
    assert_eq!(run(&["explain", "kernel/decode/0123456789ab", PREFILL]).code, 2);
    assert_eq!(run(&["explain", &kernel]).code, 2, "a row needs its trace");
}

fn scaffolded(kind: &str, args: &[&str]) -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = root.path().display().to_string();
    let all: Vec<&str> = ["rules", "new", kind].iter().chain(args).copied().chain(["--catalogs", &catalog]).collect();
    let done = run(&all);
    assert_eq!(done.code, 0, "{}", done.err);
    for then in [
        &["rules", "test", "--family", args[0], "--catalogs", &catalog][..],
        &["rules", "check", "--strict", "--catalogs", &catalog],
        &["rules", "fmt", "--check", &catalog],
    ] {
        let done = run(then);
        assert_eq!(done.code, 0, "{then:?}: {}{}", done.out, done.err);
    }
    let text = fs::read_to_string(root.path().join(format!("{kind}/{}.yaml", args[0]))).expect("a family");
    (root, text)
}

#[test]
fn the_tests_of_a_new_family_run_at_once() {
    let (root, text) = scaffolded("fuse", &["any/my-fusion"]);
    assert!(text.contains("fused: name(\"my_fusion\")\n"), "{text}");
    let again = run(&["rules", "new", "fuse", "any/my-fusion", "--catalogs", &root.path().display().to_string()]);
    assert!(again.code == 2 && again.err.contains("there already"), "{}", again.err);
    assert_eq!(run(&["rules", "new", "fuse", "My_Fusion"]).code, 2);
}

#[test]
fn a_new_family_can_begin_with_a_real_trace() {
    let trace = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";
    let (_root, text) =
        scaffolded("fuse", &["vllm/norm-mlp", "--from", trace, "--kernels", "rms_norm,nvjet,act_and_mul"]);
    assert!(text.contains("vllm::fused_add_rms_norm_kernel") && text.contains("frameworks: [vllm]"), "{text}");
    let missing = ["rules", "new", "fuse", "vllm/x", "--from", DECODE, "--kernels", "no_such_kernel"];
    let done = run(&missing);
    assert!(done.code == 2 && done.err.contains("`no_such_kernel`"), "{}", done.err);
}

#[test]
fn an_overlap_family_is_made_as_well() {
    let (_root, text) = scaffolded("overlap", &["any/two-sides"]);
    assert!(
        text.contains("kind: overlap\n") && text.contains("overlap: exposed(name(\"side_one\")) beside "),
        "{text}"
    );
    let trace = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";
    let (_root, text) = scaffolded("overlap", &["vllm/x", "--from", trace, "--kernels", "rms_norm,nvjet"]);
    assert!(
        text.contains("vllm::rms_norm_kernel") && text.contains("exposed(rms_norm) beside exposed(gemm)"),
        "{text}"
    );
    let one = run(&["rules", "new", "overlap", "vllm/y", "--from", trace, "--kernels", "nvjet"]);
    assert!(one.code == 2 && one.err.contains("an overlap has two sides"), "{}", one.err);
}

#[test]
fn terms_are_listed_all_or_those_that_know_a_kernel() {
    let all = run(&["rules", "list", "--terms"]);
    assert!(all.out.lines().any(|line| line.starts_with("gemm ")) && all.out.lines().count() > 50, "{}", all.out);
    let kernel = "void at::native::vectorized_elementwise_kernel<4, at::native::BinaryFunctor<float, float, float, \
                  at::native::binary_internal::MulFunctor<float> >, std::array<char*, 3ul> >(int)";
    let some = run(&["rules", "list", "--terms", "--kernel", kernel]);
    assert!(some.out.contains("mul functor\n") && some.out.contains("\nmul    eager multiplication"), "{}", some.out);
    let none = run(&["rules", "list", "--terms", "--kernel", "qzx_kernel"]);
    assert!(none.out.starts_with("words  qzx kernel\nno term knows it"), "{}", none.out);
    let rows = run(&["rules", "list", "--terms", "--format", "json"]).report();
    assert!(rows[0]["term"].is_string() && rows[0]["is"].is_string());
}

#[test]
fn a_test_of_an_overlap_can_name_a_trace_too() {
    let root = tempfile::tempdir().expect("a folder");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/two-streams.trace.json.gz");
    let dir = root.path().display().to_string();
    fs::create_dir_all(root.path().join("overlap/any")).expect("a folder");
    let tested = |expect: &str, row: &str| {
        let text = format!(
            "version: 1\nid: any/x\ntitle: T\nkind: overlap\norigin: mainline\n\
             overlap: exposed(gemm) beside exposed(name(\"fused_moe\")) within 200us\nindependent: declared\nper: step\n\
             rationale: why\ntests:\n\
             - name: exposed\n  chain:\n  - {{ kernel: nvjet_tst_64x64, stream: 7, start_us: 0, dur_us: 9 }}\n  \
             - {{ kernel: fused_moe_kernel, stream: 7, start_us: 9, dur_us: 9 }}\n  expect: exposed\n\
             - {{ name: miss, chain: [fused_moe_kernel], expect: none }}\n\
             - {{ name: on a trace, trace: {}, row: {row}, expect: {expect} }}\n",
            fixture.display()
        );
        fs::write(root.path().join("overlap/any/x.yaml"), text).expect("a file");
        run(&["rules", "test", "--family", "any/x", "--catalogs", &dir])
    };
    let done = tested("hidden", "{ stage: decode, occurrences: 3 }");
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let done = tested("exposed", "{ occurrences: 77 }");
    assert!(done.code == 1 && done.out.contains("expected 77 occurrences, found 3"), "{}", done.out);
}

/// A catalog with one family of this text.
fn catalog(text: &str) -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(root.path().join("fuse/any")).expect("a folder");
    fs::write(root.path().join("fuse/any/x.yaml"), text).expect("a file");
    let shown = root.path().display().to_string();
    (root, shown)
}

const FAMILY: &str = include_str!("../common/family.yaml");

#[test]
fn failures_show_in_a_pull_request_and_known_gaps_are_counted_apart() {
    let more = "  - { name: gap, chain: [step_one], expect: split, todo: true }\n";
    let (_root, dir) = catalog(&(FAMILY.to_owned() + more));
    let done = run(&["rules", "test", "--family", "any/x", "--catalogs", &dir]);
    assert_eq!(done.code, 0);
    assert!(
        done.out.ends_with("ok    any/x: 2 passed, 1 known to fail\n1 known to fail (todo)\n2 passed, 0 failed\n"),
        "{}",
        done.out
    );

    let (_root, dir) = catalog(&(FAMILY.to_owned() + &more.replace(", todo: true", "")));
    let done = run(&["rules", "test", "--family", "any/x", "--catalogs", &dir, "--format", "github"]);
    assert_eq!(done.code, 1);
    let line = done.out.lines().find(|line| line.starts_with("::error ")).unwrap_or_default();
    assert!(
        line.contains("fuse/any/x.yaml,line=11,col=1,title=any/x%3A expected split%2C found none::FAIL"),
        "{}",
        done.out
    );
}

#[test]
fn warnings_fail_when_they_are_asked_to() {
    let (_root, dir) = catalog(&FAMILY.replace("chain: [step_two, step_one]", "chain: [stpe_one, step_two]"));
    let done = run(&["rules", "check", "--catalogs", &dir]);
    assert!(done.code == 0 && done.out.contains("warning[W004]"), "{}", done.out);
    assert_eq!(run(&["rules", "check", "--strict", "--catalogs", &dir]).code, 1);
    let done = run(&["rules", "check", "--format", "github", "--catalogs", &dir]);
    assert!(done.out.contains("::warning file=") && done.out.contains("title=W004 no term"), "{}", done.out);
}

#[test]
fn a_test_can_name_a_trace_and_the_row_expected_of_it() {
    let root = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string("catalogs/fuse/vllm/residual-rmsnorm.yaml").expect("a family");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz");
    let case = |expect: &str, n: u32| {
        format!(
            "  - name: on a trace\n    trace: {}\n    row: {{ stage: prefill, occurrences: {n} }}\n    expect: {expect}\n",
            fixture.display()
        )
    };
    fs::create_dir_all(root.path().join("fuse/vllm")).expect("a folder");
    let dir = root.path().display().to_string();
    let tested = |case: &str| {
        fs::write(root.path().join("fuse/vllm/residual-rmsnorm.yaml"), text.trim_end().to_owned() + "\n" + case)
            .expect("a file");
        run(&["rules", "test", "--family", "vllm/residual-rmsnorm", "--catalogs", &dir])
    };
    let done = tested(&case("fused", 8));
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let done = tested(&case("fused", 7));
    assert!(done.code == 1 && done.out.contains("expected 7 occurrences, found 8"), "{}", done.out);
    let done = tested(&case("split", 8));
    assert!(done.code == 1 && done.out.contains("expected split, found fused"), "{}", done.out);
}

#[test]
fn what_is_made_from_the_rules_is_up_to_date() {
    for (args, again) in [
        (["rules", "docs", "--check", "catalogs/pages"], "llm-prof rules docs --write catalogs/pages"),
        (["rules", "schema", "--check", "rules/schema"], "llm-prof rules schema --write rules/schema"),
    ] {
        let done = run(&args);
        assert!(done.code == 0, "run `{again}`\n{}{}", done.out, done.err);
    }
    let done = run(&["rules", "fmt", "--check", "catalogs"]);
    assert!(done.code == 0, "run `llm-prof rules fmt`\n{}", done.out);
    let done = run(&["rules", "check", "--strict"]);
    assert!(done.code == 0, "{}", done.out);
}
