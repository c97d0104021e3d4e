//! What a server said, and what it thought before, wherever its answer has them.

use serde_json::Value;

use crate::rules::schema::servers::{Parts, Sense, Tag};

/// An answer in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// What it said.
    pub(super) text: String,
    /// What it thought.
    pub(super) thinking: String,
}

impl Reply {
    /// Whether there are no words at all.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.thinking.is_empty()
    }

    fn add(&mut self, thinking: bool, words: &str) {
        let to = if thinking { &mut self.thinking } else { &mut self.text };
        to.push_str(words);
    }
}

/// The words of an answer.
pub(super) fn read(answer: &Value, sense: &Sense) -> Reply {
    let first = |places: &[String], thinking: bool| {
        let found = places.iter().filter_map(|at| {
            let mut reply = Reply::default();
            collect(answer.pointer(at)?, thinking, &sense.parts, &mut reply);
            Some(reply)
        });
        found.into_iter().find(|reply| !reply.text.trim().is_empty() || !reply.thinking.trim().is_empty())
    };
    let said = first(&sense.text, false).unwrap_or_default();
    let thought = first(&sense.thinking, true).unwrap_or_default();
    let mut reply = apart(&said.text, &sense.tags);
    for words in [said.thinking, thought.thinking] {
        reply.add(true, &words);
    }
    Reply { text: reply.text.trim().to_owned(), thinking: reply.thinking.trim().to_owned() }
}

/// Text as such, in parts, or in parts of parts.
fn collect(value: &Value, thinking: bool, parts: &Parts, into: &mut Reply) {
    match value {
        Value::String(text) => into.add(thinking, text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, thinking, parts, into)),
        Value::Object(map) => {
            let kind = map.get(&parts.kind).and_then(Value::as_str);
            let thinking = thinking || kind.is_some_and(|kind| parts.thinking.iter().any(|one| one == kind));
            if let Some(text) = parts.text.iter().find_map(|key| map.get(key).filter(|text| !text.is_null())) {
                collect(text, thinking, parts, into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Text, and what stands between tags in it.
fn apart(text: &str, tags: &[Tag]) -> Reply {
    let mut reply = Reply::default();
    let mut rest = text;
    while !rest.is_empty() {
        let marks = tags.iter().flat_map(|tag| {
            let open = rest.find(&tag.open).map(|at| (at, true, tag));
            let close = rest.find(&tag.close).map(|at| (at, false, tag));
            open.into_iter().chain(close)
        });
        let Some((at, opens, tag)) = marks.min_by_key(|(at, opens, _)| (*at, !opens)) else {
            reply.add(false, rest);
            break;
        };
        let before = &rest[..at];
        if opens {
            reply.add(false, before);
            let inside = &rest[at + tag.open.len()..];
            let (thought, after) = inside.split_once(tag.close.as_str()).unwrap_or((inside, ""));
            reply.add(true, thought);
            rest = after;
        } else {
            // The template wrote the begin: all so far was thought.
            let so_far = std::mem::take(&mut reply.text);
            reply.add(true, &so_far);
            reply.add(true, before);
            rest = &rest[at + tag.close.len()..];
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::load_servers;

    fn reply(answer: &Value) -> (String, String) {
        let servers = load_servers(None).unwrap_or_else(|found| panic!("{found:#?}"));
        let Reply { text, thinking } = read(answer, &servers.common.sense);
        (text, thinking)
    }

    fn message(message: &Value) -> (String, String) {
        reply(&json!({ "choices": [{ "message": message }] }))
    }

    fn pair(text: &str, thinking: &str) -> (String, String) {
        (text.to_owned(), thinking.to_owned())
    }

    #[test]
    fn words_are_found_wherever_servers_put_them() {
        assert_eq!(message(&json!({ "content": " four \n" })), pair("four", ""));
        assert_eq!(message(&json!({ "content": null, "reasoning_content": "hm" })), pair("", "hm"));
        assert_eq!(message(&json!({ "content": "four", "reasoning": "hm" })), pair("four", "hm"));
        assert_eq!(reply(&json!({ "choices": [{ "text": "four" }] })), pair("four", ""));
        assert_eq!(reply(&json!({ "choices": [{ "delta": { "content": "four" } }] })), pair("four", ""));
        assert_eq!(reply(&json!({ "choices": [{ "delta": "four" }] })), pair("four", ""));
        assert_eq!(reply(&json!({ "output_text": "four" })), pair("four", ""));
        assert_eq!(reply(&json!({ "text": "four", "meta_info": {} })), pair("four", ""));
        assert_eq!(reply(&json!([{ "text": "four" }])), pair("four", ""));
    }

    #[test]
    fn parts_are_put_together_and_those_that_were_thought_set_apart() {
        let parts =
            json!([{ "type": "text", "text": "fo" }, { "type": "thinking", "thinking": "x", "text": "hm" }, "ur"]);
        assert_eq!(message(&json!({ "content": parts })), pair("four", "hm"));
        let output = json!([
            { "type": "reasoning", "content": [{ "type": "reasoning_text", "text": "hm" }] },
            { "type": "message", "content": [{ "type": "output_text", "text": "four" }] },
        ]);
        assert_eq!(reply(&json!({ "output": output })), pair("four", "hm"));
    }

    #[test]
    fn tags_part_what_was_thought_from_what_was_said() {
        let text = |text: &str| message(&json!({ "content": text }));
        assert_eq!(text("<think>hm</think>four"), pair("four", "hm"));
        // The template wrote the begin.
        assert_eq!(text("hm</think>\n\nfour"), pair("four", "hm"));
        // Cut off while it thought.
        assert_eq!(text("<think>hm, two and"), pair("", "hm, two and"));
        assert_eq!(text("<think></think>four"), pair("four", ""));
        assert_eq!(text("one <think>hm</think>two <think>hum</think>three"), pair("one two three", "hmhum"));
        // No tag, though it looks like one.
        assert_eq!(text("a < b, <thinker>"), pair("a < b, <thinker>", ""));
    }

    #[test]
    fn an_answer_without_words_is_empty() {
        for answer in [
            json!({}),
            json!(null),
            json!({ "choices": [] }),
            json!({ "choices": [{ "message": { "content": "  " } }] }),
        ] {
            assert_eq!(reply(&answer), pair("", ""), "{answer}");
        }
    }
}
