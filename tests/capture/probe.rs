//! `llm-prof probe`: what a server answers, what of it is sense, and what the exit code says.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::{Fake, Flavour, Play};
use crate::process::run;

fn server(flavour: Flavour, change: impl FnOnce(&mut Play)) -> Fake {
    let mut play = Play::new(flavour, "0.32.0", Path::new("unused"));
    change(&mut play);
    Fake::start(play)
}

fn said(message: &Value) -> (u16, Value) {
    (200, json!({ "choices": [{ "message": message }] }))
}

fn says(text: &str) -> (u16, Value) {
    said(&json!({ "role": "assistant", "content": text }))
}

fn report(args: &[&str]) -> (i32, Value) {
    let (code, shown, said) = run(&[&["probe", "-f", "json"], args].concat());
    (code, serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}{said}")))
}

#[test]
fn a_server_that_answers_sense_is_a_success() {
    let fake = server(Flavour::Vllm, |play| play.chat = vec![says("Four."), says("Paris.")]);
    let (code, found) = report(&[&fake.url]);
    assert_eq!(code, 0, "{found:#}");
    for (key, value) in [
        ("/success", json!(true)),
        ("/all_non_empty", json!(true)),
        ("/framework", json!("vllm")),
        ("/framework_version", json!("0.32.0")),
        ("/model", json!("tiny")),
        ("/route", json!("/v1/chat/completions")),
        ("/requests", json!(6)),
        ("/answered", json!(6)),
        ("/errors", json!([])),
        ("/samples/0/answer", json!("Four.")),
        ("/samples/1/answer", json!("Paris.")),
        ("/samples/1/thinking", json!(null)),
    ] {
        assert_eq!(found.pointer(key), Some(&value), "{key}: {found:#}");
    }
    assert_eq!(found["samples"].as_array().map(Vec::len), Some(3));
    let latency = |key: &str| found["latency_ms"][key].as_f64().expect("a number");
    assert!(0.0 < latency("average") && latency("average") <= latency("p95"), "{found:#}");
    let asked = fake.posted("/v1/chat/completions");
    assert_eq!(asked.len(), 6);
    assert_eq!((&asked[0]["model"], &asked[0]["max_tokens"]), (&json!("tiny"), &json!(48)));
    assert_ne!(asked[0]["messages"], asked[1]["messages"], "each request asks something else");
    assert!(fake.posted("/start_profile").is_empty());
}

#[test]
fn every_form_is_as_its_schema_says_and_a_terminal_can_show_it() {
    let schema: Value = serde_json::from_str(&run(&["schema", "probe"]).1).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let fake = server(Flavour::Sglang, |play| {
        play.chat = vec![
            said(&json!({ "content": "Four \u{1b}[31m|red|", "reasoning_content": "two\nand two" })),
            (503, json!({})),
        ];
    });
    let (code, found) = report(&[&fake.url, "--requests", "2"]);
    assert_eq!(code, 1);
    let wrong: Vec<String> = schema.iter_errors(&found).map(|error| error.to_string()).collect();
    assert_eq!(wrong, [""; 0]);

    let (_, text, _) = run(&["probe", &fake.url, "--requests", "1", "-f", "text"]);
    assert!(text.contains("SGLang 0.32.0 at http://") && text.contains("0 of 1 answered"), "{text}");
    let fake = server(Flavour::Sglang, |play| {
        play.chat = vec![said(&json!({ "content": "Four \u{1b}[31m|red|", "reasoning_content": "two\nand two" }))];
    });
    let (code, text, _) = run(&["probe", &fake.url, "--requests", "2", "-f", "text"]);
    assert_eq!(code, 0, "{text}");
    for part in
        ["2 of 2 answered", "on average, p95", "(thinking) two and two", "Four", "Summary: every request was answered"]
    {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    let (_, markdown, _) = run(&["probe", &fake.url, "--requests", "1", "-f", "markdown"]);
    assert!(markdown.contains("# Probe") && markdown.contains(r"\|red\|"), "{markdown}");
    let (code, _, said) = run(&["probe", &fake.url, "-f", "csv"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn thinking_is_no_answer_and_is_told_apart() {
    let fake =
        server(Flavour::Vllm, |play| play.chat = vec![says("<think>hm</think>Four."), says("<think>hm, two and")]);
    let (code, found) = report(&[&fake.url, "--requests", "2", "--max-tokens", "5"]);
    assert_eq!(code, 0, "thinking is words too: {found:#}");
    assert_eq!((&found["samples"][0]["answer"], &found["samples"][0]["thinking"]), (&json!("Four."), &json!("hm")));
    assert_eq!((&found["samples"][1]["answer"], &found["only_thinking"]), (&json!(""), &json!(1)));
    let remark = found["remarks"][0].as_str().expect("a remark");
    assert!(remark.contains("5 tokens") && remark.contains("--max-tokens"), "{remark}");
}

#[test]
fn an_answer_without_words_is_a_failure() {
    let fake =
        server(Flavour::Vllm, |play| play.chat = vec![says("Four."), says(" \n"), (200, json!({ "object": "x" }))]);
    let (code, found) = report(&[&fake.url, "--requests", "3"]);
    assert_eq!(code, 1);
    assert_eq!(
        (&found["success"], &found["all_non_empty"], &found["answered"]),
        (&json!(false), &json!(false), &json!(3))
    );
    assert_eq!(found["remarks"], json!(["2 answers without a word"]));
}

#[test]
fn a_request_that_fails_is_told_with_the_words_of_the_server_and_the_others_count() {
    let busy = (503, json!({ "error": { "message": "out of blocks" } }));
    let fake = server(Flavour::Vllm, |play| play.chat = vec![says("Four."), busy, says("Paris.")]);
    let (code, found) = report(&[&fake.url, "--requests", "3"]);
    assert_eq!((code, &found["answered"], &found["all_non_empty"]), (1, &json!(2), &json!(true)));
    assert_eq!(found["errors"], json!([{ "request": 2, "reason": "HTTP 503: out of blocks" }]));
}

/// A base model has no chat template; some servers have no such route at all.
#[test]
fn a_server_without_chat_is_asked_for_a_completion() {
    let template = (400, json!({ "error": { "message": "the tokenizer does not define a Chat Template" } }));
    for chat in [Vec::new(), vec![template]] {
        let fake = server(Flavour::Vllm, |play| play.chat = chat);
        let (code, found) = report(&[&fake.url, "--requests", "2", "--prompt", "two plus two"]);
        assert_eq!((code, &found["route"]), (0, &json!("/v1/completions")), "{found:#}");
        let asked = fake.posted("/v1/completions");
        assert_eq!((asked.len(), &asked[0]["prompt"]), (2, &json!("two plus two")));
        assert_eq!(fake.posted("/v1/chat/completions").len(), 1, "a missing route is not asked for again");
    }
    // Another 400 is the answer.
    let fake = server(Flavour::Vllm, |play| play.chat = vec![(400, json!({ "error": { "message": "max_tokens" } }))]);
    let (code, found) = report(&[&fake.url, "--requests", "1"]);
    assert_eq!((code, &found["errors"][0]["reason"]), (1, &json!("HTTP 400: max_tokens")));
}

#[test]
fn a_server_that_is_not_known_is_asked_all_the_same() {
    let fake = server(Flavour::Other, |play| play.chat = vec![says("Four.")]);
    let (code, found) = report(&[&fake.url, "--requests", "1", "--model", "mine"]);
    assert_eq!((code, &found["framework"], &found["model"]), (0, &json!(null), &json!("mine")));
    assert_eq!(fake.posted("/v1/chat/completions")[0]["model"], "mine");
}

#[test]
fn a_server_that_gives_no_answer_is_not_asked_again() {
    let fake = server(Flavour::Vllm, |play| play.tick = Duration::from_secs(30));
    let (code, found) = report(&[&fake.url, "--requests", "3", "--timeout", "0.3"]);
    assert_eq!((code, &found["answered"], &found["latency_ms"]), (1, &json!(0), &json!(null)));
    assert_eq!((fake.posted("/v1/completions").len(), found["errors"].as_array().map(Vec::len)), (1, Some(1)));
    assert!(found["remarks"][0].as_str().expect("a remark").contains("were not sent"), "{found:#}");
}

#[test]
fn nothing_to_ask_is_said_with_its_own_code() {
    let (code, _, said) = run(&["probe", "http://127.0.0.1:9"]);
    assert!(code == 3 && said.contains("127.0.0.1:9"), "{said}");
    let fake = server(Flavour::Vllm, |play| play.key = Some("k3y"));
    let (code, _, said) = run(&["probe", &fake.url]);
    assert!(code == 3 && said.contains("--api-key"), "{said}");
    let (code, shown, said) = run(&["probe", &fake.url, "--api-key", "k3y", "--requests", "1"]);
    assert_eq!(code, 0, "{said}");
    assert!(!shown.contains("k3y") && !said.contains("k3y"), "{shown}{said}");
    let (code, _, said) = run(&["probe"]);
    assert!(code == 2 && said.contains("URL"), "{said}");
}
